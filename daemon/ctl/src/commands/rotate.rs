//! `rotorctl rotate`.

use chrono::{DateTime, Utc};
use clap::Args;
use hyper::StatusCode;
use rotord_api::rotation::{RotateNow, SecretRotation, SecretRotationAnswer};
use rotord_api::routes;

use crate::cli::Place;
use crate::duration::parse_seconds;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::session::Session;
use crate::{find, wait};

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// The rotation's name or id
    rotation: String,
    /// How long what is replaced stays valid at least, in seconds (s), minutes (m), hours (h) or days, such as 90s,
    /// 1h or 2days; the provider's minimum holds all the same
    #[arg(long, value_name = "DURATION", value_parser = parse_seconds)]
    retire_previous_after: Option<u32>,
    /// Wait until it has ended, however long that takes, also while the daemon starts again
    #[arg(long)]
    wait: bool,
    /// Only if it is due; else exit with 3
    #[arg(long)]
    if_due: bool,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(session: &mut Session, command: Rotate) -> Result<Exit, CtlError> {
    let rotation = find::rotation(&session.client, &command.rotation, &command.place).await?;
    if command.if_due && !is_due(&rotation, session.clock.now) {
        return not_due(session, &rotation).await;
    }
    let path = routes::rotate_secrets(&rotation.kind, rotation.id);
    let spinner = session
        .output
        .spinner(&format!("rotating {}", rotation.name));
    let goes_on = wait::goes_on(&rotation.name);
    let body = command.retire_previous_after.map(|after| RotateNow {
        retire_previous_after: Some(after),
    });
    let asking = async {
        match &body {
            None => session.client.post_nothing(&path).await,
            Some(body) => session.client.post(&path, body).await,
        }
    };
    let asked = wait::watched(session, &rotation, &spinner, asking).await;
    let ended = match asked {
        Ok(reply) if command.wait && reply.status == StatusCode::ACCEPTED => {
            wait::until_ended(session, reply, &spinner).await
        }
        Err(error) if command.wait => wait::after_loss(session, &rotation, error, &spinner).await,
        asked => asked,
    };
    let reply = match ended {
        Ok(reply) => reply,
        Err(error) => return Err(goes_on.after(told(session, &rotation, error).await)),
    };
    drop(spinner);
    wait::report(session, &reply, "rotated")
}

/// The daemon's words, and what they mean for this rotation.
async fn told(session: &Session, rotation: &SecretRotation, error: CtlError) -> CtlError {
    let name = &rotation.name;
    // A run that is under way may have begun before what this one was asked for.
    if error.to_string().contains("already in progress") {
        return error.hint(format!("how far it is: rotorctl show {name}"));
    }
    if error.status() != Some(500) {
        return error;
    }
    let error = error.about(&format!("the rotation \"{name}\" failed"));
    let path = routes::rotation(&rotation.kind, rotation.id);
    let after = session.client.get(&path).await;
    match after.and_then(|reply| reply.parse::<SecretRotationAnswer>()) {
        Ok(answer) => wait::after_failure(session, &answer.secret_rotation)
            .into_iter()
            .fold(error, CtlError::hint),
        Err(_) => error.hint(format!("how it stands: rotorctl show {name}")),
    }
}

/// After a failure the next try may be later than the due date, which has passed all the same.
fn is_due(rotation: &SecretRotation, now: DateTime<Utc>) -> bool {
    let due = rotation.state.as_ref().and_then(|state| state.due_at);
    due.or(rotation.next_rotation_at)
        .is_some_and(|due| due.0 <= now)
}

async fn not_due(session: &mut Session, rotation: &SecretRotation) -> Result<Exit, CtlError> {
    if session.output.is_json() {
        let path = routes::rotation(&rotation.kind, rotation.id);
        let reply = session.client.get(&path).await?;
        session.output.json(&reply.body)?;
    } else {
        let person = session.output.is_terminal();
        let due = session.clock.cell(rotation.next_rotation_at, person);
        let next = if rotation.is_auto_rotation_enabled {
            format!("next rotation: {due}")
        } else {
            "it is paused".to_owned()
        };
        session
            .output
            .line(format!("{}: not due; {next}", rotation.name))?;
    }
    Ok(Exit::NotDue)
}
