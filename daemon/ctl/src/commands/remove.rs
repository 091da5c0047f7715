//! `rotorctl remove`.

use clap::Args;
use rotord_api::rotation::RemoveCredential;
use rotord_api::routes;

use crate::cli::Place;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::find;
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The rotation's name or id
    rotation: String,
    /// The key id of the credential in doubt, as rotorctl show lists it
    #[arg(value_name = "KEY-ID")]
    key_id: String,
    /// Don't ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(session: &mut Session, command: Remove) -> Result<Exit, CtlError> {
    let rotation = find::rotation(&session.client, &command.rotation, &command.place).await?;
    let key = &command.key_id;
    session.confirm(
        &format!(
            "Remove the credential {key} at the provider, so that whoever uses it can't log in any more?"
        ),
        command.yes,
    )?;
    let body = RemoveCredential {
        key_id: key.clone(),
    };
    let reply = {
        let _spinner = session.output.spinner("removing");
        session
            .client
            .post(&routes::of_rotation(routes::REMOVE, rotation.id), &body)
            .await
            .map_err(|error| not_in_doubt(error, &rotation.name))?
    };
    if session.output.is_json() {
        session.output.json(&reply.body)?;
    } else {
        session
            .output
            .line(format!(
                "{}: {key} is removed at the provider as soon as the published credential was seen to work",
                rotation.name
            ))?;
    }
    Ok(Exit::Done)
}

fn not_in_doubt(error: CtlError, name: &str) -> CtlError {
    if !error.to_string().contains("no credential") {
        return error;
    }
    error
        .hint(format!(
            "only what is in doubt can be removed: rotorctl show {name} lists it"
        ))
        .hint(format!(
            "of what the database knows, rotorctl retire {name} KEY-ID revokes one"
        ))
}
