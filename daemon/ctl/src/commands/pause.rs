//! `rotorctl pause`, `rotorctl resume` and `rotorctl unblock`.

use clap::Args;
use rotord_api::rotation::{SecretRotation, SecretRotationAnswer};
use rotord_api::routes;

use crate::cli::Place;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::find;
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Pause {
    /// The rotation's name or id
    rotation: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// The rotation's name or id
    rotation: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Unblock {
    /// The rotation's name or id
    rotation: String,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn unblock(session: &mut Session, command: Unblock) -> Result<Exit, CtlError> {
    let rotation = find::rotation(&session.client, &command.rotation, &command.place).await?;
    let reply = session
        .client
        .post_nothing(&routes::of_rotation(routes::UNBLOCK, rotation.id))
        .await?;
    if session.output.is_json() {
        session.output.json(&reply.body)?;
    } else {
        // What it looks at anew is told where anybody was told of something.
        let was_told = rotation
            .state
            .as_ref()
            .is_none_or(|state| !state.attention.is_empty() || !state.warnings.is_empty());
        let words = if was_told {
            "goes on as before"
        } else {
            "was not blocked; its target is looked at anew"
        };
        session.output.line(format!("{}: {words}", rotation.name))?;
    }
    Ok(Exit::Done)
}

pub(crate) async fn pause(session: &mut Session, command: Pause) -> Result<Exit, CtlError> {
    let rotation = find::rotation(&session.client, &command.rotation, &command.place).await?;
    let reply = session
        .client
        .post_nothing(&routes::of_rotation(routes::PAUSE, rotation.id))
        .await?;
    if session.output.is_json() {
        session.output.json(&reply.body)?;
    } else {
        let paused = if rotation.is_auto_rotation_enabled {
            "paused"
        } else {
            "was paused already"
        };
        let now = reply.parse::<SecretRotationAnswer>()?.secret_rotation;
        let is_at_work = |rotation: &SecretRotation| {
            let state = rotation.state.as_ref();
            state.is_some_and(|state| state.run.is_some())
        };
        let ended = if is_at_work(&rotation) && !is_at_work(&now) {
            "; the run that was under way has ended"
        } else {
            ""
        };
        session.output.line(format!(
            "{}: {paused}{ended}; what it replaced is still retired in its time",
            rotation.name
        ))?;
    }
    Ok(Exit::Done)
}

pub(crate) async fn resume(session: &mut Session, command: Resume) -> Result<Exit, CtlError> {
    let rotation = find::rotation(&session.client, &command.rotation, &command.place).await?;
    let reply = session
        .client
        .post_nothing(&routes::of_rotation(routes::RESUME, rotation.id))
        .await?;
    if session.output.is_json() {
        session.output.json(&reply.body)?;
    } else {
        let resumed = reply.parse::<SecretRotationAnswer>()?.secret_rotation;
        let next = session
            .clock
            .cell(resumed.next_rotation_at, session.output.is_terminal());
        let goes_on = if rotation.is_auto_rotation_enabled {
            "was not paused"
        } else {
            "goes on"
        };
        session.output.line(format!(
            "{}: {goes_on}; next rotation: {next}",
            resumed.name
        ))?;
    }
    Ok(Exit::Done)
}
