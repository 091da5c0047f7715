//! Over which socket secrets are read: the admin socket, or the reader socket with what is granted there.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use clap::Args;
use rotord_api::query::{Flag, ProjectQuery};
use rotord_api::rotation::SecretRotationsAnswer;
use rotord_api::routes;
use rotord_api::secret::{Secret, SecretAnswer, SecretsQuery};
use uuid::Uuid;

use crate::cli::Place;
use crate::client::Client;
use crate::error::CtlError;
use crate::session::Session;
use crate::{find, reach};

/// Over which socket secrets are read.
#[derive(Debug, Default, Args)]
pub(in crate::commands) struct Way {
    /// Read over this reader socket, what the settings grant you there. Without it: over the admin socket, and
    /// where you may not open that, over the reader socket below its directory (read/reader.sock)
    #[arg(long, value_name = "PATH")]
    reader_socket: Option<PathBuf>,
}

/// A socket that can be read over, and what is read there.
pub(in crate::commands) struct Source {
    pub(in crate::commands) client: Client,
    is_reader: bool,
    /// The place.
    pub(in crate::commands) query: SecretsQuery,
}

impl Way {
    /// The admin socket, or the reader socket where that is named, or the only one that may be opened.
    pub(in crate::commands) async fn source(
        &self,
        session: &Session,
        place: &Place,
    ) -> Result<Source, CtlError> {
        let reader = match &self.reader_socket {
            Some(named) => named.clone(),
            None => match session.client.reach().await {
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    session.client.reader_socket()
                }
                _ => return Source::admin(session, place).await,
            },
        };
        let client = Client::new(reader);
        if let Err(error) = client.reach().await {
            let mut failed =
                CtlError::failed(format!("can't read over {}", client.socket().display()))
                    .because(error);
            if self.reader_socket.is_none() {
                failed = failed
                    .hint(format!(
                        "the admin socket {} is closed to you: {}",
                        session.client.socket().display(),
                        reach::advice(session.client.socket())
                    ))
                    .hint("another reader socket is named with --reader-socket");
            }
            return Err(failed);
        }
        Source::reader(client, place)
    }
}

impl Source {
    async fn admin(session: &Session, place: &Place) -> Result<Self, CtlError> {
        let project = find::project(&session.client, place.project.as_deref()).await?;
        let environment = find::environment(&project, place.env.as_deref())?;
        Ok(Self {
            client: Client::new(session.client.socket().to_owned()),
            is_reader: false,
            query: query(project.id, environment.slug, place),
        })
    }

    /// Nothing but secrets can be asked for there, so the place has to be named.
    fn reader(client: Client, place: &Place) -> Result<Self, CtlError> {
        let environment = place.env.clone().ok_or_else(|| {
            CtlError::usage("which environment? say --env")
                .hint("the reader socket does not tell which there are")
        })?;
        let project = place.project.clone();
        let project = project.unwrap_or_else(|| "default".to_owned());
        Ok(Self {
            client,
            is_reader: true,
            query: query(project, environment, place),
        })
    }

    /// Where it was looked for; what is not granted is answered like what does not exist.
    pub(in crate::commands) fn told(&self, error: CtlError) -> CtlError {
        if error.status() == Some(404)
            && let (Some(environment), Some(path)) =
                (&self.query.environment, &self.query.secret_path)
        {
            error.hint(format!(
                "it was looked for in {environment} {path}; those there are: rotorctl secret list --env {environment} \
                 --path {path}, and with --recursive those of the folders below"
            ))
        } else if self.is_reader && error.status() == Some(403) {
            error.hint(
                "over the reader socket you read what the settings grant you, under [[reader.grants]] in \
                 /etc/rotord/rotord.toml: the environment, the path and the name have to be granted",
            )
        } else {
            error
        }
    }

    /// The present names of secrets that have several: their rotations know them. The reader socket does not tell.
    pub(in crate::commands) async fn present_names(
        &self,
        secrets: &[Secret],
    ) -> Result<BTreeMap<Uuid, String>, CtlError> {
        let mut times = BTreeMap::<Uuid, u32>::new();
        for secret in secrets {
            *times.entry(secret.id).or_default() += 1;
        }
        if self.is_reader || times.values().all(|times| *times == 1) {
            return Ok(BTreeMap::new());
        }
        let query = ProjectQuery {
            project_id: self.query.project_id.clone(),
        };
        let rotations = self
            .client
            .get(&routes::with_query(routes::ROTATIONS, &query))
            .await?
            .parse::<SecretRotationsAnswer>()?
            .secret_rotations;
        let is_present = |secret: &&Secret| {
            let rotation = rotations
                .iter()
                .find(|rotation| Some(rotation.id) == secret.rotation_id);
            rotation.is_some_and(|rotation| {
                let mut mapped = rotation.secrets_mapping.values();
                mapped.any(|name| *name == secret.secret_key)
            })
        };
        let present = secrets.iter().filter(is_present);
        Ok(present
            .map(|secret| (secret.id, secret.secret_key.clone()))
            .collect())
    }

    /// The first and the last version of a secret that can be read; none where there is no such secret. Values are
    /// not looked at.
    pub(in crate::commands) async fn kept_versions(
        &self,
        name: &str,
    ) -> Result<Option<(u32, u32)>, CtlError> {
        let Some(last) = self.version(name, None).await? else {
            return Ok(None);
        };
        // Those that are kept follow each other.
        let (mut gone, mut first) = (0, last);
        while gone + 1 < first {
            let middle = gone + (first - gone) / 2;
            match self.version(name, Some(middle)).await? {
                Some(_) => first = middle,
                None => gone = middle,
            }
        }
        Ok(Some((first, last)))
    }

    async fn version(&self, name: &str, version: Option<u32>) -> Result<Option<u32>, CtlError> {
        let query = SecretsQuery {
            version: version.map(|version| version.to_string()),
            view_secret_value: Some(Flag(false)),
            ..self.query.clone()
        };
        let path = routes::with_query(&routes::secret(name), &query);
        match self.client.get(&path).await {
            Ok(reply) => Ok(Some(reply.parse::<SecretAnswer>()?.secret.version)),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn query(project: String, environment: String, place: &Place) -> SecretsQuery {
    SecretsQuery {
        project_id: Some(project),
        environment: Some(environment),
        secret_path: Some(place.path.clone().unwrap_or_else(|| "/".to_owned())),
        ..SecretsQuery::default()
    }
}
