//! `rotorctl check`.

use clap::Args;
use rotord_api::routes;
use serde_json::json;

use crate::cli::Place;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::find;
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The rotation's name or id
    rotation: String,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(session: &mut Session, command: Check) -> Result<Exit, CtlError> {
    let rotation = find::rotation(&session.client, &command.rotation, &command.place).await?;
    {
        let _spinner = session
            .output
            .spinner("logging in with the published credential");
        session
            .client
            .post_nothing(&routes::check_credentials(&rotation.kind, rotation.id))
            .await
            .map_err(|error| {
                let name = &rotation.name;
                error.hint(format!(
                    "it was to be a login with what {name} has published: rotorctl show {name} says how that stands"
                ))
            })?;
    }
    if session.output.is_json() {
        // The answer has no body.
        session
            .output
            .json(&json!({"id": rotation.id, "name": rotation.name, "works": true}))?;
    } else {
        session
            .output
            .line(format!("{}: the published credential works", rotation.name))?;
    }
    Ok(Exit::Done)
}
