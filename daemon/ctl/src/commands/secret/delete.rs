//! `rotorctl secret delete`.

use clap::Args;
use rotord_api::routes;
use rotord_api::secret::SecretsQuery;

use crate::cli::Place;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::find;
use crate::session::Session;

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
    session.confirm(
        &format!(
            "Delete the secret {name} of {environment} {path} with all its versions, so that nobody can read it any more?"
        ),
        yes,
    )?;
    let query = SecretsQuery {
        project_id: Some(project.id),
        environment: Some(environment.clone()),
        secret_path: Some(path.to_owned()),
        ..SecretsQuery::default()
    };
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

fn hinted(error: CtlError, name: &str) -> CtlError {
    match error.status() {
        Some(400) if error.to_string().contains("rotated secret") => error.hint(
            "rotorctl delete ROTATION --delete-secrets deletes both; without that flag its secrets stay, and can be deleted then",
        ),
        Some(404) => error.hint(format!(
            "rotorctl secret list shows those there are; {name} is looked for in one folder, named with --path"
        )),
        _ => error,
    }
}
