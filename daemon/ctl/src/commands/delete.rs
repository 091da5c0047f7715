//! `rotorctl delete`.

use clap::Args;
use rotord_api::query::{DeleteRotationQuery, Flag};
use rotord_api::rotation::SecretRotation;
use rotord_api::routes;

use crate::cli::Place;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::find::{self, Rest};
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
    session.confirm(&question(&rotation, &command), command.yes)?;
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
        return Ok(Exit::Done);
    }
    session
        .output
        .line(format!("rotation {} is deleted", rotation.name))?;
    for line in left(session, &rotation, &command).await {
        session.output.line(format!("  {line}"))?;
    }
    Ok(Exit::Done)
}

/// What of it there is to speak of.
fn question(rotation: &SecretRotation, command: &Delete) -> String {
    let name = &rotation.name;
    if !has_published(rotation) {
        return format!("Delete the rotation {name}, of which nothing was published?");
    }
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
    format!("Delete the rotation {name}, {credentials} and {secrets}?")
}

/// What is there of it now, at the provider and here, a line each.
async fn left(session: &Session, rotation: &SecretRotation, command: &Delete) -> Vec<String> {
    let mut lines = Vec::new();
    match find::rest(&session.client, rotation).await {
        Ok(Rest { settling, alive }) => {
            if !alive.is_empty() {
                lines.push(format!(
                    "valid at the provider until it ends, and listed until then (rotorctl list --credentials): {}",
                    alive.join(", ")
                ));
            }
            match settling.as_ref().map(find::to_be_removed) {
                Some(Some(what)) => {
                    lines.push(format!("{what}; what that waits for, if anything: rotorctl list"));
                }
                Some(None) => lines
                    .push("it is being settled at the provider: rotorctl list".to_owned()),
                None if alive.is_empty() => {
                    lines.push("nothing of it is left at the provider".to_owned());
                }
                None => {}
            }
        }
        // It is deleted all the same.
        Err(error) => lines.push(format!(
            "what is left of it at the provider could not be asked ({}): rotorctl list --credentials",
            error.chain()
        )),
    }
    if !has_published(rotation) {
        lines.push("nothing of it was published, so it leaves no secret".to_owned());
    } else if !command.delete_secrets && !rotation.secrets_mapping.is_empty() {
        let value = if command.revoke {
            "with a value that works no more once its credential is removed"
        } else {
            "as ordinary secrets"
        };
        lines.push(format!(
            "{} stay {value}; to be rid of one: rotorctl secret delete NAME --env {}",
            find::secret_names(rotation),
            rotation.environment.slug
        ));
    }
    lines
}

/// Until its first publication its secrets are names alone.
fn has_published(rotation: &SecretRotation) -> bool {
    rotation.last_rotated_at.is_some()
}
