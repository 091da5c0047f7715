//! `rotorctl secret delete`.

use clap::Args;
use rotord_api::query::Flag;
use rotord_api::routes;
use rotord_api::secret::{SecretAnswer, SecretsQuery};

use crate::cli::Place;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::find;
use crate::session::Session;

/// What helps where a rotation feeds it.
const FED: &str = "rotorctl delete ROTATION --delete-secrets deletes both; without that flag its secrets stay, and can be \
                   deleted then";

#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// Its name, such as AZURE_CLIENT_SECRET
    name: String,
    /// Don't ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    place: Place,
}

pub(super) async fn run(session: &mut Session, command: Delete) -> Result<Exit, CtlError> {
    let Delete { name, yes, place } = command;
    let project = find::project(&session.client, place.project.as_deref()).await?;
    let environment = find::environment(&project, place.env.as_deref())?.slug;
    let path = place.path.as_deref().map_or("/", find::normal);
    let query = SecretsQuery {
        project_id: Some(project.id),
        environment: Some(environment.clone()),
        secret_path: Some(path.to_owned()),
        ..SecretsQuery::default()
    };
    // What would be refused is not asked for.
    let looked = look(session, &name, &query).await;
    looked.map_err(|error| hinted(error, &name))?;
    session.confirm(
        &format!(
            "Delete the secret {name} of {environment} {path} with all its versions, so that nobody can read it any more?"
        ),
        yes,
    )?;
    let asked = routes::with_query(&routes::secret(&name), &query);
    let reply = session
        .client
        .delete(&asked)
        .await
        .map_err(|error| hinted(error, &name))?;
    if session.output.is_json() {
        session.output.json(&reply.body)?;
    } else {
        session
            .output
            .line(format!("secret {name} of {environment} {path} is deleted"))?;
    }
    Ok(Exit::Done)
}

/// Whether it is there, and no rotation feeds it. Its value is not looked at.
async fn look(session: &Session, name: &str, query: &SecretsQuery) -> Result<(), CtlError> {
    let query = SecretsQuery {
        view_secret_value: Some(Flag(false)),
        ..query.clone()
    };
    let asked = routes::with_query(&routes::secret(name), &query);
    let secret = session.client.get(&asked).await?;
    let Some(rotation) = secret.parse::<SecretAnswer>()?.secret.rotation_id else {
        return Ok(());
    };
    let place = Place::default();
    let by = find::rotation(&session.client, &rotation.to_string(), &place).await;
    let by = by.map_or_else(|_| rotation.to_string(), |rotation| rotation.name);
    Err(CtlError::failed(format!(
        "{name} is a rotated secret: the rotation {by} feeds it"
    ))
    .hint(FED))
}

fn hinted(error: CtlError, name: &str) -> CtlError {
    match error.status() {
        Some(400) if error.to_string().contains("rotated secret") => error.hint(FED),
        Some(404) => error.hint(format!(
            "rotorctl secret list shows those there are; {name} is looked for in one folder, named with --path"
        )),
        _ => error,
    }
}
