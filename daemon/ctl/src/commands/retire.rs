//! `rotorctl retire`.

use clap::Args;
use rotord_api::rotation::{RetireCredential, SecretRotationAnswer};
use rotord_api::routes;

use crate::cli::Place;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::find;
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Retire {
    /// The rotation's name or id
    rotation: String,
    /// The key id of the leaked credential; if not given, every one but the published one. Of the published
    /// one it means an urgent rotation, then revoking it
    key_id: Option<String>,
    /// Without the check that the published one works
    #[arg(long)]
    now: bool,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(session: &mut Session, command: Retire) -> Result<Exit, CtlError> {
    let rotation = find::rotation(&session.client, &command.rotation, &command.place).await?;
    let body = RetireCredential {
        key_id: command.key_id,
        now: command.now,
    };
    let reply = {
        let _spinner = session.output.spinner("revoking");
        session
            .client
            .post(&routes::of_rotation(routes::RETIRE, rotation.id), &body)
            .await?
    };
    if session.output.is_json() {
        session.output.json(&reply.body)?;
        return Ok(Exit::Done);
    }
    let after = reply.parse::<SecretRotationAnswer>()?.secret_rotation;
    session
        .output
        .line(format!("{}: the order is taken", after.name))?;
    for credential in after.state.iter().flat_map(|state| &state.credentials) {
        let waiting = credential
            .waiting_for
            .as_ref()
            .map_or_else(String::new, |what| format!(", waits for: {what}"));
        session.output.line(format!(
            "  {} is {}{waiting}",
            credential.key_id, credential.stage
        ))?;
    }
    Ok(Exit::Done)
}
