//! Waits for a run to end, and shows meanwhile what it does.

use std::time::{Duration, Instant};

use rotord_api::rotation::{RotationStatus, SecretRotation, SecretRotationAnswer};
use rotord_api::{catalogue, routes};
use tokio::time::timeout;

use crate::client::Reply;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::interrupt::GoesOn;
use crate::output::{Spinner, note};
use crate::session::Session;

/// Often enough for a person, seldom enough for the daemon.
const PERIOD: Duration = Duration::from_millis(500);

/// For how long a daemon that is gone is waited for: as long as its stop may take, and its start.
const RESTART: Duration = Duration::from_mins(3);

/// For how long one look may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// For as long as it lives, who leaves with ^C is told that the rotation goes on.
pub(crate) fn goes_on(name: &str) -> GoesOn {
    GoesOn::told(format!(
        "a run that has begun goes on in the daemon, also when that starts again; how far it is: rotorctl show {name}"
    ))
}

/// Waits for the daemon's answer; what the rotation does meanwhile is on the spinner, where anybody sees it.
pub(crate) async fn watched<T>(
    session: &Session,
    rotation: &SecretRotation,
    spinner: &Spinner,
    asking: impl Future<Output = T>,
) -> T {
    let path = routes::rotation(&rotation.kind, rotation.id);
    let looking = async {
        loop {
            tokio::time::sleep(PERIOD).await;
            // The answer that is waited for says what is wrong.
            let Ok(reply) = session.client.get(&path).await else {
                continue;
            };
            if let Ok(answer) = reply.parse::<SecretRotationAnswer>() {
                say_run(session, &answer.secret_rotation, spinner);
            }
        }
    };
    if !spinner.is_seen() {
        return asking.await;
    }
    tokio::select! {
        answer = asking => answer,
        never = looking => match never {},
    }
}

/// Waits for an answer; how long it takes is on the spinner.
pub(crate) async fn ticking<T>(
    asking: impl Future<Output = T>,
    spinner: &Spinner,
    text: &str,
) -> T {
    let started = Instant::now();
    tokio::pin!(asking);
    loop {
        tokio::select! {
            answer = &mut asking => return answer,
            () = tokio::time::sleep(Duration::from_secs(1)) => {
                spinner.say(&format!("{text} ({} s)", started.elapsed().as_secs()));
            }
        }
    }
}

/// Asks until the run that `reply` tells of has ended; what it does meanwhile is on the spinner.
pub(crate) async fn until_ended(
    session: &Session,
    mut reply: Reply,
    spinner: &Spinner,
) -> Result<Reply, CtlError> {
    let mut told = None;
    loop {
        let rotation = reply.parse::<SecretRotationAnswer>()?.secret_rotation;
        if rotation.rotation_status != RotationStatus::Pending {
            return Ok(reply);
        }
        told.get_or_insert_with(|| goes_on(&rotation.name));
        say_run(session, &rotation, spinner);
        tokio::time::sleep(PERIOD).await;
        reply = looked_at(session, &rotation, spinner).await?;
    }
}

/// The end of a run that the daemon could not tell, because it stopped or died; the error where none has begun.
pub(crate) async fn after_loss(
    session: &Session,
    before: &SecretRotation,
    error: CtlError,
    spinner: &Spinner,
) -> Result<Reply, CtlError> {
    if !error.may_pass() {
        return Err(error);
    }
    let reply = looked_at(session, before, spinner).await?;
    let now = reply.parse::<SecretRotationAnswer>()?.secret_rotation;
    let has_begun = [before.rotation_status, now.rotation_status]
        .contains(&RotationStatus::Pending)
        || now.last_rotation_job_id != before.last_rotation_job_id;
    if !has_begun {
        return Err(error);
    }
    until_ended(session, reply, spinner).await
}

/// The rotation as it is. A daemon that stops and starts again is waited for.
async fn looked_at(
    session: &Session,
    rotation: &SecretRotation,
    spinner: &Spinner,
) -> Result<Reply, CtlError> {
    let name = &rotation.name;
    let path = routes::rotation(&rotation.kind, rotation.id);
    let mut gone = None;
    loop {
        // Where the service manager holds the socket nobody is refused: who asks waits for the start.
        let error = match timeout(PATIENCE, session.client.get(&path)).await {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(error)) => error,
            Err(_) => CtlError::unanswered("the daemon does not answer"),
        };
        if error.status() == Some(404) {
            return Err(CtlError::failed(format!("{name} was deleted meanwhile")));
        }
        if !error.may_pass() {
            return Err(error);
        }
        let waiting = "the daemon does not answer: waiting for it";
        if gone.is_none() && !spinner.is_seen() {
            note(waiting);
        }
        spinner.say(waiting);
        if gone.get_or_insert_with(Instant::now).elapsed() > RESTART {
            return Err(error);
        }
        tokio::time::sleep(PERIOD).await;
    }
}

fn say_run(session: &Session, rotation: &SecretRotation, spinner: &Spinner) {
    if let Some(run) = rotation.state.as_ref().and_then(|state| state.run.as_ref()) {
        let words = session.clock.in_words(&run.words, true);
        spinner.say(&format!("{}: {words}", rotation.name));
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
    let person = session.output.is_terminal();
    match rotation.rotation_status {
        RotationStatus::Success => {
            session.output.line(format!("{name}: {done}"))?;
            if person {
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
            let why = session.clock.in_words(why, person);
            session.output.line(format!("{name}: failed: {why}"))?;
            for line in after_failure(session, rotation) {
                session.output.line(line)?;
            }
        }
        RotationStatus::Pending => {
            let words = rotation
                .state
                .as_ref()
                .and_then(|state| state.run.as_ref())
                .map_or("it is under way", |run| run.words.as_str());
            let words = session.clock.in_words(words, person);
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

/// What stays and what comes after a run that failed, and where more is told.
pub(crate) fn after_failure(session: &Session, rotation: &SecretRotation) -> Vec<String> {
    let name = &rotation.name;
    let stays = if rotation.last_rotated_at.is_some() {
        "what is published stays"
    } else {
        "nothing was published yet"
    };
    let state = rotation.state.as_ref();
    let is_blocked = state.is_some_and(|state| {
        let mut told = state.attention.iter();
        told.any(|told| told.code == catalogue::BLOCKED.code)
    });
    let next = match rotation.next_rotation_at {
        _ if is_blocked => "nothing is issued until it is mended".to_owned(),
        Some(at) => {
            let at = session.clock.cell(Some(at), session.output.is_terminal());
            format!("it is tried by itself next at {at}")
        }
        None => "nothing is tried by itself".to_owned(),
    };
    vec![
        format!("{stays}; {next}"),
        format!("how it stands: rotorctl show {name}"),
        format!("what keeps it from rotating: rotorctl doctor --rotation {name}"),
    ]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rotord_api::rotation::SecretRotation;
    use serde_json::json;

    use super::watched;
    use crate::fake::{Fake, ID, one, rotation, rotation_with};
    use crate::output::Spinner;
    use crate::prompt::tests::Scripted;
    use crate::session::tests::{session, wait};

    #[test]
    fn what_the_run_does_shows_while_its_end_is_waited_for() {
        let run = json!({
            "id": "r", "step": "verify", "words": "the new credential is tried out", "reason": "manual", "attempt": 1,
            "startedAt": "2026-03-01T10:00:00.000Z"
        });
        let pending = rotation_with(
            json!({"rotationStatus": "pending", "state": {"summary": "", "run": run}}),
        );
        let path = format!("/api/v2/secret-rotations/azure-client-secret/{ID}");
        let fake = Fake::start().on("GET", &path, 200, one(pending));
        let (session, _) = session(&fake, Scripted::new(&[]));
        let rotation: SecretRotation = serde_json::from_value(rotation()).unwrap();
        let spinner = Spinner::watched();
        let answered = wait(watched(&session, &rotation, &spinner, async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            "the answer"
        }));
        assert_eq!(answered, "the answer");
        assert_eq!(spinner.text(), "billing: the new credential is tried out");
    }
}
