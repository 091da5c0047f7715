//! Where the secrets of a rotation will be, and what is there already.

use std::collections::BTreeSet;

use rotord_api::project::{Environment, Project};
use rotord_api::query::Flag;
use rotord_api::secret::{SecretsAnswer, SecretsQuery};
use rotord_api::{routes, rules};

use crate::cli::Place;
use crate::client::Client;
use crate::commands::folder;
use crate::error::CtlError;
use crate::find;
use crate::session::Session;

/// A folder of an environment of a project.
pub(crate) struct Location {
    pub(crate) project: Project,
    pub(crate) environment: Environment,
    pub(crate) path: String,
}

/// Names that others have there.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) rotations: BTreeSet<String>,
    pub(super) secrets: BTreeSet<String>,
}

/// The place that was given, or that a person picks. Whoever can be asked may have a folder made that is not there.
pub(super) async fn find(
    session: &mut Session,
    asks: bool,
    given: &Place,
    missing_flags: &[&str],
) -> Result<Location, CtlError> {
    let project = find::project(&session.client, given.project.as_deref()).await?;
    let environment = match &given.env {
        None if asks && project.environments.len() > 1 => {
            let names: Vec<String> = project
                .environments
                .iter()
                .map(|known| format!("{} ({})", known.name, known.slug))
                .collect();
            project.environments[session.person.select("Environment", &names)?].clone()
        }
        None if missing_flags.len() > 1 => {
            return Err(CtlError::usage("something is missing")
                .hint(format!("say {}", missing_flags.join(" "))));
        }
        named => find::environment(&project, named.as_deref())?,
    };
    let mut given = given.path.clone();
    loop {
        let path = match given.take() {
            Some(path) => path,
            None if asks => session
                .person
                .text("Folder for the secrets", Some("/"), &|text| {
                    rules::secret_path(text)
                        .map(drop)
                        .map_err(|issue| issue.message)
                })?,
            None => "/".to_owned(),
        };
        let normal = rules::secret_path(&path).unwrap_or_else(|_| path.clone());
        let mut known = environment.folders.iter();
        if !asks || known.len() == 0 || known.any(|folder| folder.path == normal) {
            return Ok(Location {
                project,
                environment,
                path,
            });
        }
        let question = format!(
            "There is no folder {normal} in {}: make it?",
            environment.slug
        );
        if session.person.confirm(&question, true)? {
            folder::make(&session.client, &project, &environment, &normal).await?;
            return Ok(Location {
                project,
                environment,
                path: normal,
            });
        }
    }
}

impl Location {
    /// The project, with everything else to be asked for.
    pub(super) fn project_alone(&self) -> Place {
        Place {
            project: Some(self.project.id.clone()),
            ..Place::default()
        }
    }

    /// What is taken there. What can't be learned is not taken: the daemon has the last word.
    pub(super) async fn taken(&self, client: &Client) -> Taken {
        let path = rules::secret_path(&self.path).unwrap_or_else(|_| self.path.clone());
        let query = SecretsQuery {
            project_id: Some(self.project.id.clone()),
            environment: Some(self.environment.slug.clone()),
            secret_path: Some(path.clone()),
            view_secret_value: Some(Flag(false)),
            recursive: Some(Flag(false)),
            ..SecretsQuery::default()
        };
        let secrets = client
            .get(&routes::with_query(routes::SECRETS_V4, &query))
            .await
            .and_then(|reply| reply.parse::<SecretsAnswer>());
        let secrets = secrets.into_iter().flat_map(|answer| answer.secrets);
        let place = Place {
            project: Some(self.project.id.clone()),
            env: Some(self.environment.slug.clone()),
            path: Some(path),
        };
        let rotations = find::rotations(client, &place).await;
        let rotations = rotations.into_iter().flatten();
        Taken {
            rotations: rotations.map(|rotation| rotation.name).collect(),
            secrets: secrets.map(|secret| secret.secret_key).collect(),
        }
    }
}
