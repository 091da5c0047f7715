//! `rotorctl rotate`.

use chrono::{DateTime, Utc};
use clap::Args;
use hyper::StatusCode;
use rotord_api::rotation::{RotateNow, SecretRotation};
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
    /// Wait until it has ended, however long that takes
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
    let _told = wait::goes_on(&rotation.name);
    let body = command.retire_previous_after.map(|after| RotateNow {
        retire_previous_after: Some(after),
    });
    let asking = async {
        match &body {
            None => session.client.post_nothing(&path).await,
            Some(body) => session.client.post(&path, body).await,
        }
    };
    let mut reply = wait::watched(session, &rotation, &spinner, asking)
        .await
        .map_err(|error| in_progress(error, &rotation.name))?;
    if command.wait && reply.status == StatusCode::ACCEPTED {
        reply = wait::until_ended(session, reply, &spinner).await?;
    }
    drop(spinner);
    wait::report(session, &reply, "rotated")
}

/// A run that is under way may have begun before what this one was asked for.
fn in_progress(error: CtlError, name: &str) -> CtlError {
    if error.to_string().contains("already in progress") {
        error.hint(format!("how far it is: rotorctl show {name}"))
    } else {
        error
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
