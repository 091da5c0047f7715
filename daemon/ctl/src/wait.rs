//! Waits for a run to end.

use std::time::Duration;

use rotord_api::rotation::{RotationStatus, SecretRotation, SecretRotationAnswer};
use rotord_api::routes;

use crate::client::Reply;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::output::Spinner;
use crate::session::Session;

/// Often enough for a person, seldom enough for the daemon.
const PERIOD: Duration = Duration::from_millis(500);

/// Asks until the run that `reply` tells of has ended; what it does meanwhile is on the spinner.
pub(crate) async fn until_ended(
    session: &Session,
    mut reply: Reply,
    spinner: &Spinner,
) -> Result<Reply, CtlError> {
    loop {
        let rotation = reply.parse::<SecretRotationAnswer>()?.secret_rotation;
        if rotation.rotation_status != RotationStatus::Pending {
            return Ok(reply);
        }
        if let Some(run) = rotation.state.as_ref().and_then(|state| state.run.as_ref()) {
            spinner.say(&run.words);
        }
        tokio::time::sleep(PERIOD).await;
        reply = session
            .client
            .get(&routes::rotation(&rotation.kind, rotation.id))
            .await?;
    }
}

/// Says how a run ended, or that it goes on.
pub(crate) fn report(session: &mut Session, reply: &Reply, done: &str) -> Result<Exit, CtlError> {
    let rotation = reply.parse::<SecretRotationAnswer>()?.secret_rotation;
    if session.output.is_json() {
        session.output.json(&reply.body)?;
    } else {
        say(session, &rotation, done)?;
    }
    Ok(if rotation.rotation_status == RotationStatus::Failed {
        Exit::Failed
    } else {
        Exit::Done
    })
}

fn say(session: &mut Session, rotation: &SecretRotation, done: &str) -> Result<(), CtlError> {
    let name = &rotation.name;
    match rotation.rotation_status {
        RotationStatus::Success => {
            session.output.line(format!("{name}: {done}"))?;
            if session.output.is_terminal() {
                let secrets: Vec<&str> = rotation
                    .secrets_mapping
                    .values()
                    .map(String::as_str)
                    .collect();
                let place = format!("{} {}", rotation.environment.slug, rotation.folder.path);
                session
                    .output
                    .line(format!("published as {} in {place}", secrets.join(", ")))?;
                if let Some(next) = rotation.next_rotation_at {
                    let next = session.clock.show(next);
                    session.output.line(format!("next rotation: {next}"))?;
                }
            }
        }
        RotationStatus::Failed => {
            let why = rotation
                .last_rotation_message
                .as_deref()
                .unwrap_or("no reason was given");
            session.output.line(format!("{name}: failed: {why}"))?;
        }
        RotationStatus::Pending => {
            let words = rotation
                .state
                .as_ref()
                .and_then(|state| state.run.as_ref())
                .map_or("it is under way", |run| run.words.as_str());
            session
                .output
                .line(format!("{name}: not finished yet: {words}"))?;
            session
                .output
                .line(format!("it goes on by itself: rotorctl show {name}"))?;
        }
    }
    Ok(())
}
