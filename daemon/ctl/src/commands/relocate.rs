//! `rotorctl move`.

use clap::Args;
use rotord_api::rotation::{MoveRotation, SecretRotationAnswer};
use rotord_api::{Issues, routes, rules};

use crate::cli::Place;
use crate::commands::folder;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::find;
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Move {
    /// The rotation's name or id. Its secrets are read at the new place alone from then on
    rotation: String,
    /// The environment's slug; the same one if not given
    #[arg(long, value_name = "SLUG")]
    to_env: Option<String>,
    /// The folder's path; the same one if not given
    #[arg(long, value_name = "PATH")]
    to_path: Option<String>,
    /// Replace ordinary secrets of the same names there
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(session: &mut Session, command: Move) -> Result<Exit, CtlError> {
    if command.to_env.is_none() && command.to_path.is_none() {
        return Err(CtlError::usage("where to? say --to-env, --to-path or both"));
    }
    let rotation = find::rotation(&session.client, &command.rotation, &command.place).await?;
    if command.to_env.is_some() {
        let project = find::project(&session.client, command.place.project.as_deref()).await?;
        find::environment(&project, command.to_env.as_deref())?;
    }
    let path = command.to_path.unwrap_or(rotation.folder.path);
    let path = rules::secret_path(&path)
        .map_err(|issue| CtlError::issues("the move", &Issues::from(issue).under("--to-path")))?;
    let body = MoveRotation {
        destination_environment: command.to_env.unwrap_or(rotation.environment.slug),
        destination_secret_path: path,
        overwrite_destination: command.overwrite,
    };
    let reply = session
        .client
        .post(&routes::move_rotation(&rotation.kind, rotation.id), &body)
        .await
        .map_err(|error| {
            let MoveRotation {
                destination_environment: environment,
                destination_secret_path: path,
                ..
            } = &body;
            folder::hinted(error, environment, path)
        })?;
    if session.output.is_json() {
        session.output.json(&reply.body)?;
    } else {
        let moved = reply.parse::<SecretRotationAnswer>()?.secret_rotation;
        session.output.line(format!(
            "{}: now in {} {}",
            moved.name, moved.environment.slug, moved.folder.path
        ))?;
        session.output.line(format!(
            "  {}: read there alone from now on; former names are gone. Who reads them at the old place, and grants that \
             name it, are to be changed: rotorctl doctor names those",
            find::secret_names(&moved)
        ))?;
    }
    Ok(Exit::Done)
}
