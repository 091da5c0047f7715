//! `rotorctl move`.

use clap::Args;
use rotord_api::rotation::{MoveRotation, SecretRotation, SecretRotationAnswer};
use rotord_api::{Issues, routes, rules};

use crate::cli::Place;
use crate::commands::{folder, secret};
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
    /// Don't ask
    #[arg(long)]
    yes: bool,
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
    let path = command
        .to_path
        .unwrap_or_else(|| rotation.folder.path.clone());
    let path = rules::secret_path(&path)
        .map_err(|issue| CtlError::issues("the move", &Issues::from(issue).under("--to-path")))?;
    let body = MoveRotation {
        destination_environment: command
            .to_env
            .unwrap_or_else(|| rotation.environment.slug.clone()),
        destination_secret_path: path,
        overwrite_destination: command.overwrite,
    };
    if body.destination_environment == rotation.environment.slug
        && body.destination_secret_path == rotation.folder.path
    {
        return was_there(session, &rotation).await;
    }
    session.confirm(&question(&rotation, &body), command.yes)?;
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
            secret::hinted(folder::hinted(error, environment, path), environment)
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

/// A repeat: nothing moves, so nobody is asked and nothing is to be changed.
async fn was_there(session: &mut Session, rotation: &SecretRotation) -> Result<Exit, CtlError> {
    if session.output.is_json() {
        let path = routes::rotation(&rotation.kind, rotation.id);
        let reply = session.client.get(&path).await?;
        session.output.json(&reply.body)?;
    } else {
        session.output.line(format!(
            "{}: was in {} {} already",
            rotation.name, rotation.environment.slug, rotation.folder.path
        ))?;
    }
    Ok(Exit::Done)
}

fn question(rotation: &SecretRotation, to: &MoveRotation) -> String {
    let names = find::secret_names(rotation);
    let (name, from) = (&rotation.name, &rotation.environment.slug);
    let readers = rotation.state.iter().flat_map(|state| &state.readers);
    let readers: Vec<&str> = readers.map(String::as_str).collect();
    let known = match readers.as_slice() {
        [] => "the settings grant them to nobody, so that is whoever reads over the admin socket"
            .to_owned(),
        readers => format!(
            "the settings grant them to {}, and who may open the admin socket reads them too",
            readers.join("; ")
        ),
    };
    format!(
        "Move the rotation {name} from {from} {} to {} {}? From that moment on nobody reads {names} at the old place: {known}. \
         Move it?",
        rotation.folder.path, to.destination_environment, to.destination_secret_path
    )
}

#[cfg(test)]
mod tests {
    use rotord_api::rotation::SecretRotation;
    use serde_json::json;

    use super::*;
    use crate::fake::rotation_with;

    #[test]
    fn who_reads_at_the_old_place_is_named_as_far_as_it_is_known() {
        let to = MoveRotation {
            destination_environment: "prod".to_owned(),
            destination_secret_path: "/app".to_owned(),
            overwrite_destination: false,
        };
        let asked = |readers: &[&str]| {
            let state = json!({"state": {"summary": "", "readers": readers}});
            let rotation: SecretRotation = serde_json::from_value(rotation_with(state)).unwrap();
            question(&rotation, &to)
        };
        let some = asked(&["token for payroll.service", "users 1000"]);
        assert!(
            some.contains("from dev / to prod /app") && some.contains("AZURE_CLIENT_SECRET"),
            "{some}"
        );
        assert!(
            some.contains("to token for payroll.service; users 1000"),
            "{some}"
        );
        assert!(asked(&[]).contains("to nobody"));
    }
}
