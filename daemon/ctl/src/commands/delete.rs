//! `rotorctl delete`.

use clap::Args;
use rotord_api::query::{DeleteRotationQuery, Flag};
use rotord_api::rotation::CredentialStage;
use rotord_api::routes;

use crate::cli::Place;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::find;
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// The rotation's name or id
    rotation: String,
    /// Revoke its credentials at the provider too; without it the published one stays valid until it expires
    #[arg(long)]
    revoke: bool,
    /// Delete the mapped secrets too; without it they stay as ordinary secrets, until rotorctl secret delete
    #[arg(long)]
    delete_secrets: bool,
    /// Don't ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(session: &mut Session, command: Delete) -> Result<Exit, CtlError> {
    let rotation = find::rotation(&session.client, &command.rotation, &command.place).await?;
    let credentials = if command.revoke {
        "revoke its credentials"
    } else {
        "leave its published credential valid"
    };
    let secrets = if command.delete_secrets {
        "delete its secrets"
    } else {
        "keep its secrets as they are"
    };
    let name = &rotation.name;
    session.confirm(
        &format!("Delete the rotation {name}, {credentials} and {secrets}?"),
        command.yes,
    )?;
    let query = DeleteRotationQuery {
        delete_secrets: Flag(command.delete_secrets),
        revoke_generated_credentials: Flag(command.revoke),
    };
    let reply = {
        let _spinner = session.output.spinner("deleting");
        session
            .client
            .delete(&routes::with_query(
                &routes::rotation(&rotation.kind, rotation.id),
                &query,
            ))
            .await?
    };
    if session.output.is_json() {
        session.output.json(&reply.body)?;
    } else {
        session.output.line(format!("rotation {name} is deleted"))?;
        let names = find::secret_names(&rotation);
        let credentials = if command.revoke {
            "its credentials are revoked at the provider; what that waits for, if anything: rotorctl list".to_owned()
        } else {
            let active = rotation.state.iter().flat_map(|state| &state.credentials);
            let active = active.filter(|credential| credential.stage == CredentialStage::Active);
            let keys: Vec<&str> = active
                .map(|credential| credential.key_id.as_str())
                .collect();
            match keys.as_slice() {
                [] => "nothing of it was published".to_owned(),
                keys => format!(
                    "what it had published stays valid at the provider until it ends: {}",
                    keys.join(", ")
                ),
            }
        };
        session.output.line(format!("  {credentials}"))?;
        if !command.delete_secrets {
            let value = if command.revoke {
                "with a value that works no more"
            } else {
                "as ordinary secrets"
            };
            session.output.line(format!(
                "  {names} stay {value}; to be rid of one: rotorctl secret delete NAME --env {}",
                rotation.environment.slug
            ))?;
        }
    }
    Ok(Exit::Done)
}
