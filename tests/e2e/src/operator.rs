//! The person who gives the daemon orders, over its admin socket.

use std::time::Duration;

use rotord_api::connection::AppConnectionAnswer;
use rotord_api::rotation::{
    CredentialStage, CredentialState, RotateNow, RotationStatus, SecretRotation,
    SecretRotationAnswer, SecretRotationsAnswer,
};
use rotord_api::routes;
use rotord_api::secret::{SecretAnswer, SecretsAnswer, SecretsQuery};
use rotord_api::status::DaemonStatus;
use serde_json::Value;
use uuid::Uuid;

use crate::azure::Azure;
use crate::failure::{Failure, OrFail as _};
use crate::http::{Http, Reply};
use crate::wait::until;

/// The provider under test.
pub const KIND: &str = "azure-client-secret";
/// Its connections.
pub const CONNECTIONS: &str = "azure-client-secrets";

/// The longest that anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// Gives orders and reads answers.
#[derive(Clone, Debug)]
pub struct Operator {
    /// The admin socket.
    pub http: Http,
}

impl Operator {
    /// Over this socket.
    pub fn over(http: Http) -> Self {
        Self { http }
    }

    /// How the daemon is.
    ///
    /// # Errors
    /// It does not answer well.
    pub async fn status(&self) -> Result<DaemonStatus, Failure> {
        self.http.get(routes::STATUS).await?.parse()
    }

    /// The default project's id.
    ///
    /// # Errors
    /// The daemon does not answer well.
    pub async fn project(&self) -> Result<String, Failure> {
        Ok(self.status().await?.default_project_id)
    }

    /// Adds a connection to this Azure.
    ///
    /// # Errors
    /// It is refused.
    pub async fn connect(&self, azure: &Azure, name: &str) -> Result<Uuid, Failure> {
        let body = azure.connection(name)?;
        let reply = self
            .http
            .post(&routes::connections_of_app(CONNECTIONS), &body)
            .await?;
        Ok(reply.parse::<AppConnectionAnswer>()?.app_connection.id)
    }

    /// The body that creates a rotation of an application: the sample request under the application's name,
    /// with secrets of its own.
    ///
    /// # Errors
    /// There is no such application.
    pub async fn request(
        &self,
        azure: &Azure,
        connection: Uuid,
        app: &str,
    ) -> Result<Value, Failure> {
        let text = azure.sample_request(app, &self.project().await?, connection)?;
        let mut body: Value =
            serde_json::from_str(&text).or_fail(|| "the sample request is no JSON".to_owned())?;
        body["name"] = app.into();
        for (output, secret) in [("clientId", "ID"), ("clientSecret", "SECRET")] {
            body["secretsMapping"][output] = secret_name(app, secret).into();
        }
        Ok(body)
    }

    /// Asks for a rotation.
    ///
    /// # Errors
    /// There was no answer.
    pub async fn post_rotation(&self, body: &Value) -> Result<Reply, Failure> {
        self.http.post(&routes::rotations_of_type(KIND), body).await
    }

    /// Creates a rotation of an application, under its name, and waits until it is published.
    ///
    /// # Errors
    /// It is refused or fails.
    pub async fn create(
        &self,
        azure: &Azure,
        connection: Uuid,
        app: &str,
    ) -> Result<SecretRotation, Failure> {
        let body = self.request(azure, connection, app).await?;
        let reply = self.post_rotation(&body).await?;
        let rotation = reply.parse::<SecretRotationAnswer>()?.secret_rotation;
        self.published(rotation).await
    }

    /// Rotates, and waits until that is published. Without `retire_after`, in seconds, the replaced credential
    /// stays for the rotation's overlap.
    ///
    /// # Errors
    /// It is refused or fails.
    pub async fn rotate(
        &self,
        rotation: Uuid,
        retire_after: Option<u32>,
    ) -> Result<SecretRotation, Failure> {
        let body = RotateNow {
            retire_previous_after: retire_after,
        };
        let reply = self
            .http
            .post(&routes::rotate_secrets(KIND, rotation), &body)
            .await?;
        let rotation = reply.parse::<SecretRotationAnswer>()?.secret_rotation;
        self.published(rotation).await
    }

    /// One rotation.
    ///
    /// # Errors
    /// There is none.
    pub async fn rotation(&self, id: Uuid) -> Result<SecretRotation, Failure> {
        let reply = self.http.get(&routes::rotation(KIND, id)).await?;
        Ok(reply.parse::<SecretRotationAnswer>()?.secret_rotation)
    }

    /// Every rotation.
    ///
    /// # Errors
    /// The daemon does not answer well.
    pub async fn rotations(&self) -> Result<Vec<SecretRotation>, Failure> {
        let project = self.project().await?;
        let path = format!("{}?projectId={project}", routes::ROTATIONS);
        let answer = self.http.get(&path).await?;
        Ok(answer.parse::<SecretRotationsAnswer>()?.secret_rotations)
    }

    /// Waits until a rotation is as `is` wants it.
    ///
    /// # Errors
    /// It does not become so.
    pub async fn until(
        &self,
        what: &str,
        rotation: Uuid,
        is: impl Fn(&SecretRotation) -> bool,
    ) -> Result<SecretRotation, Failure> {
        let waited = until(what, PATIENCE, async || {
            let rotation = self.rotation(rotation).await?;
            Ok(is(&rotation).then_some(rotation))
        });
        match waited.await {
            Ok(rotation) => Ok(rotation),
            Err(failure) => {
                let now = self.rotation(rotation).await?;
                Err(failure.because(format!("it stands so: {now:#?}")))
            }
        }
    }

    /// The secrets of `dev`'s root folder.
    ///
    /// # Errors
    /// The daemon does not answer well.
    pub async fn secrets(&self) -> Result<SecretsAnswer, Failure> {
        let path = routes::with_query(routes::SECRETS_V4, &self.place().await?);
        self.http.get(&path).await?.parse()
    }

    /// One secret's value, of `dev`'s root folder.
    ///
    /// # Errors
    /// There is none.
    pub async fn secret(&self, name: &str) -> Result<String, Failure> {
        let path = routes::with_query(&routes::secret(name), &self.place().await?);
        let answer = self.http.get(&path).await?.parse::<SecretAnswer>()?;
        Ok(answer.secret.secret_value.expose().to_owned())
    }

    /// Where secrets are read: `dev`'s root folder.
    ///
    /// # Errors
    /// The daemon does not answer well.
    pub async fn place(&self) -> Result<SecretsQuery, Failure> {
        Ok(SecretsQuery {
            project_id: Some(self.project().await?),
            environment: Some("dev".to_owned()),
            secret_path: Some("/".to_owned()),
            ..SecretsQuery::default()
        })
    }

    async fn published(&self, rotation: SecretRotation) -> Result<SecretRotation, Failure> {
        let ended = |rotation: &SecretRotation| rotation.rotation_status != RotationStatus::Pending;
        let rotation = if ended(&rotation) {
            rotation
        } else {
            self.until("the run's end", rotation.id, ended).await?
        };
        if rotation.rotation_status == RotationStatus::Success {
            return Ok(rotation);
        }
        Err(Failure::new(format!(
            "{}: {}",
            rotation.name,
            rotation.last_rotation_message.unwrap_or_default()
        )))
    }
}

/// The credentials that a rotation says are still at the provider. A slot may still show one that is gone.
pub fn live(rotation: &SecretRotation) -> impl Iterator<Item = &CredentialState> {
    let state = rotation.state.iter();
    state
        .flat_map(|state| &state.credentials)
        .filter(|credential| credential.stage != CredentialStage::Gone)
}

/// Nothing is under way, and every live credential is at one of these stages.
pub fn is_settled(rotation: &SecretRotation, stages: &[CredentialStage]) -> bool {
    rotation
        .state
        .as_ref()
        .is_some_and(|state| state.run.is_none() && state.watched == 0)
        && live(rotation).all(|credential| stages.contains(&credential.stage))
}

/// The name of an application's secret: `payroll` and `SECRET` make `PAYROLL_SECRET`.
pub fn secret_name(app: &str, what: &str) -> String {
    format!("{}_{what}", app.to_uppercase().replace('-', "_"))
}
