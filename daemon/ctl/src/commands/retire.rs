//! `rotorctl retire`.

use clap::Args;
use rotord_api::rotation::{
    CredentialStage, CredentialState, RetireCredential, SecretRotation, SecretRotationAnswer,
};
use rotord_api::routes;

use crate::cli::Place;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::find;
use crate::session::Session;
use crate::words::Words;

#[derive(Debug, Args)]
pub(crate) struct Retire {
    /// The rotation's name or id
    rotation: String,
    /// The key id of the leaked credential; if not given, every one but the published one. The published one can't
    /// be revoked before another takes its place: a new one is issued at once, and then it is revoked
    #[arg(value_name = "KEY-ID")]
    key_id: Option<String>,
    /// Without the check that the published one works
    #[arg(long)]
    now: bool,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(session: &mut Session, command: Retire) -> Result<Exit, CtlError> {
    let rotation = find::rotation(&session.client, &command.rotation, &command.place).await?;
    let named = command.key_id;
    let body = RetireCredential {
        key_id: named.clone(),
        now: command.now,
    };
    let asked = {
        let _spinner = session.output.spinner("revoking");
        let path = routes::of_rotation(routes::RETIRE, rotation.id);
        session.client.post(&path, &body).await
    };
    let reply = match asked {
        Ok(reply) => reply,
        Err(error) => match done_already(&error, &rotation.name, named.as_deref()) {
            Some(words) => return nothing_to_do(session, &rotation, &words).await,
            None => return Err(unknown_key(error, &rotation.name)),
        },
    };
    if session.output.is_json() {
        session.output.json(&reply.body)?;
        return Ok(Exit::Done);
    }
    let after = reply.parse::<SecretRotationAnswer>()?.secret_rotation;
    let words = Words::of(session, []).await;
    let is_active = |credential: &&CredentialState| {
        let is_named = |named: &String| credential.key_id.eq_ignore_ascii_case(named);
        credential.stage == CredentialStage::Active && named.as_ref().is_some_and(is_named)
    };
    let mut credentials = after.state.iter().flat_map(|state| &state.credentials);
    if let Some(published) = credentials.find(is_active) {
        session.output.line(format!(
            "{}: {} is published, so it can't be revoked before another takes its place: a new one is being issued, \
             and {} is revoked as soon as that is published",
            after.name, published.key_id, published.key_id
        ))?;
        session.output.line(format!(
            "how far it is: rotorctl show {}; to be rid of it without a replacement: rotorctl delete {} --revoke",
            after.name, after.name
        ))?;
        return Ok(Exit::Done);
    }
    let how = if command.now {
        "each is revoked now, without looking whether the published one works"
    } else {
        "each is revoked as soon as the published one was seen to work, and until then it is valid"
    };
    session.output.line(format!(
        "{}: the order is taken; {how}. How far it is: rotorctl show {}",
        after.name, after.name
    ))?;
    for credential in after.state.iter().flat_map(|state| &state.credentials) {
        let waiting = credential
            .waiting_for
            .as_ref()
            // What it waited for was said before the order.
            .filter(|_| !command.now)
            .map_or_else(String::new, |what| {
                format!(", waits for: {}", words.put(what))
            });
        session.output.line(format!(
            "  {} is {}{waiting}",
            credential.key_id, credential.stage
        ))?;
    }
    Ok(Exit::Done)
}

/// What a repeat finds done, in words: it was asked for a state that is there.
fn done_already(error: &CtlError, name: &str, named: Option<&str>) -> Option<String> {
    let refused = error.to_string();
    match named {
        Some(key) if refused.contains("is gone already") => Some(format!("{key} is gone already")),
        None if refused.contains("besides the published one") => Some(format!(
            "nothing is there to be revoked besides the published one; to replace and revoke that: rotorctl retire {name} KEY-ID"
        )),
        _ => None,
    }
}

async fn nothing_to_do(
    session: &mut Session,
    rotation: &SecretRotation,
    words: &str,
) -> Result<Exit, CtlError> {
    if session.output.is_json() {
        let path = routes::rotation(&rotation.kind, rotation.id);
        let reply = session.client.get(&path).await?;
        session.output.json(&reply.body)?;
    } else {
        session.output.line(format!("{}: {words}", rotation.name))?;
    }
    Ok(Exit::Done)
}

fn unknown_key(error: CtlError, name: &str) -> CtlError {
    if error.to_string().contains("no credential") {
        error.hint(format!("the key ids that it knows: rotorctl show {name}"))
    } else {
        error
    }
}
