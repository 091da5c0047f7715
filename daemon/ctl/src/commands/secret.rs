//! `rotorctl secret`.

use clap::{Args, Subcommand};
use rotord_api::query::Flag;
use rotord_api::routes;
use rotord_api::secret::{SecretAnswer, SecretsAnswer, SecretsQuery};

use crate::cli::Place;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::find;
use crate::output::Table;
use crate::session::Session;

#[derive(Debug, Subcommand)]
pub(crate) enum Secret {
    /// List secrets, without their values
    List(List),
    /// Print one secret's value
    Get(Get),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// The folders below too
    #[arg(long)]
    recursive: bool,
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
    place: Place,
}

pub(crate) async fn run(session: &mut Session, command: Secret) -> Result<Exit, CtlError> {
    match command {
        Secret::List(command) => list(session, command).await,
        Secret::Get(command) => get(session, command).await,
    }
}

async fn list(session: &mut Session, command: List) -> Result<Exit, CtlError> {
    let query = SecretsQuery {
        view_secret_value: Some(Flag(false)),
        recursive: Some(Flag(command.recursive)),
        ..place(session, &command.place).await?
    };
    let reply = session
        .client
        .get(&routes::with_query(routes::SECRETS_V4, &query))
        .await?;
    if session.output.is_json() {
        session.output.json(&reply.body)?;
        return Ok(Exit::Done);
    }
    let person = session.output.is_terminal();
    let mut table = Table::new(&["NAME", "PATH", "VERSION", "ROTATED", "CHANGED"]);
    for secret in reply.parse::<SecretsAnswer>()?.secrets {
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
            session.clock.cell(Some(secret.updated_at), person).into(),
        ]);
    }
    session.output.table(&table)?;
    Ok(Exit::Done)
}

async fn get(session: &mut Session, command: Get) -> Result<Exit, CtlError> {
    let query = SecretsQuery {
        version: command.version.map(|version| version.to_string()),
        ..place(session, &command.place).await?
    };
    let reply = session
        .client
        .get(&routes::with_query(&routes::secret(&command.name), &query))
        .await?;
    if session.output.is_json() {
        session.output.json(&reply.body)?;
    } else {
        session
            .output
            .raw(reply.parse::<SecretAnswer>()?.secret.secret_value.expose())?;
    }
    Ok(Exit::Done)
}

async fn place(session: &Session, place: &Place) -> Result<SecretsQuery, CtlError> {
    let project = find::project(&session.client, place.project.as_deref()).await?;
    let environment = find::environment(&project, place.env.as_deref())?;
    Ok(SecretsQuery {
        project_id: Some(project.id),
        environment: Some(environment.slug),
        secret_path: Some(place.path.clone().unwrap_or_else(|| "/".to_owned())),
        ..SecretsQuery::default()
    })
}
