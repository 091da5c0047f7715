//! `rotorctl secret`.

mod delete;
pub(super) mod source;

use clap::{Args, Subcommand};
use rotord_api::query::Flag;
use rotord_api::routes;
use rotord_api::secret::{SecretAnswer, SecretsAnswer, SecretsQuery};

use self::source::Way;
use crate::cli::Place;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::output::Table;
use crate::session::Session;

#[derive(Debug, Subcommand)]
pub(crate) enum Secret {
    /// List secrets, without their values
    List(List),
    /// Print one secret's value
    Get(Get),
    /// Delete a secret that no rotation feeds, with all its versions
    Delete(delete::Delete),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// The folders below too
    #[arg(long)]
    recursive: bool,
    #[command(flatten)]
    way: Way,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    /// Its name, such as AZURE_CLIENT_SECRET
    name: String,
    /// An earlier version
    #[arg(long, value_name = "NUMBER")]
    version: Option<u32>,
    #[command(flatten)]
    way: Way,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(session: &mut Session, command: Secret) -> Result<Exit, CtlError> {
    match command {
        Secret::List(command) => list(session, command).await,
        Secret::Get(command) => get(session, command).await,
        Secret::Delete(command) => delete::run(session, command).await,
    }
}

async fn list(session: &mut Session, command: List) -> Result<Exit, CtlError> {
    let source = command.way.source(session, &command.place).await?;
    let query = SecretsQuery {
        view_secret_value: Some(Flag(false)),
        recursive: Some(Flag(command.recursive)),
        ..source.query.clone()
    };
    let path = routes::with_query(routes::SECRETS_V4, &query);
    let reply = source
        .client
        .get(&path)
        .await
        .map_err(|error| source.told(error))?;
    if session.output.is_json() {
        session.output.json(&reply.body)?;
        return Ok(Exit::Done);
    }
    let person = session.output.is_terminal();
    let secrets = reply.parse::<SecretsAnswer>()?.secrets;
    let present = source.present_names(&secrets).await?;
    let mut table = Table::new(&["NAME", "PATH", "VERSION", "ROTATED", "CHANGED", "NOTE"]);
    for secret in secrets {
        let present = present.get(&secret.id);
        let note = present
            .filter(|present| **present != secret.secret_key)
            .map_or_else(
                || "-".to_owned(),
                |present| format!("former name of {present}"),
            );
        table.row([
            secret.secret_key.into(),
            secret.secret_path.into(),
            secret.version.to_string().into(),
            if secret.is_rotated_secret {
                "yes"
            } else {
                "no"
            }
            .into(),
            session.clock.short(Some(secret.updated_at), person).into(),
            note.into(),
        ]);
    }
    session.output.list(
        &table,
        "there is no secret here yet: rotorctl create makes a rotation, which publishes some",
    )?;
    Ok(Exit::Done)
}

async fn get(session: &mut Session, command: Get) -> Result<Exit, CtlError> {
    let source = command.way.source(session, &command.place).await?;
    let query = SecretsQuery {
        version: command.version.map(|version| version.to_string()),
        ..source.query.clone()
    };
    let path = routes::with_query(&routes::secret(&command.name), &query);
    let reply = match (source.client.get(&path).await, command.version) {
        (Err(error), Some(version)) if error.status() == Some(404) => {
            return Err(match source.kept_versions(&command.name).await? {
                Some((first, last)) => not_kept(&command.name, version, first, last),
                None => source.told(error),
            });
        }
        (reply, _) => reply.map_err(|error| source.told(error))?,
    };
    if session.output.is_json() {
        session.output.json(&reply.body)?;
    } else {
        session
            .output
            .raw(reply.parse::<SecretAnswer>()?.secret.secret_value.expose())?;
    }
    Ok(Exit::Done)
}

/// The error, with what frees the names of secrets that are taken.
pub(crate) fn hinted(error: CtlError, environment: &str) -> CtlError {
    if !error
        .to_string()
        .starts_with("The following secrets already exist")
    {
        return error;
    }
    error
        .hint("other names: --map OUTPUT=SECRET")
        .hint(format!(
            "to free these: rotorctl secret delete NAME --env {environment} deletes what no rotation feeds, rotorctl delete \
             ROTATION --delete-secrets a rotation with its secrets"
        ))
}

fn not_kept(name: &str, version: u32, first: u32, last: u32) -> CtlError {
    let kept = if first == last {
        format!("only version {last} is")
    } else {
        format!("versions {first} to {last} are")
    };
    CtlError::failed(format!(
        "version {version} of {name} is not kept: {kept}, and {last} is the newest"
    ))
}
