//! Looking secrets up: one look at the database for a request, and none at its values where the caller has them.

use actix_web::HttpRequest;
use actix_web::http::header;
use rotord_api::secret::Secret;
use rotord_api::{Sensitive, Timestamp};
use rotord_store::places::DEFAULT_PROJECT;
use rotord_store::{
    Environment, EnvironmentId, Project, Reader, SecretRecord, SecretsTag, StoreError,
};

use super::Asked;
use crate::admin::Shared;
use crate::admin::access::Reach;
use crate::admin::error::ApiError;
use crate::admin::lookup::optional;
use crate::admin::rotations::credentials::text;

/// What a look found.
pub(super) enum Found {
    /// What the caller has, by its tag.
    Unchanged(String),
    /// Something else.
    Secrets(Secrets),
}

/// Secrets, and where they are.
pub(super) struct Secrets {
    pub(super) project: Project,
    pub(super) environment: Environment,
    pub(super) tag: String,
    pub(super) records: Vec<SecretRecord>,
}

/// Reads secrets of the environment that was asked for; `read` is told whether their values are wanted, which they
/// are not where the caller has what there is. It is called all the same: what does not exist is not unchanged.
pub(super) async fn find(
    daemon: &Shared,
    request: &HttpRequest,
    reach: &Reach<'_>,
    asked: &Asked,
    read: impl FnOnce(&Reader, EnvironmentId, bool) -> Result<Vec<SecretRecord>, StoreError>
    + Send
    + 'static,
) -> Result<Found, ApiError> {
    let (in_project, slug) = (asked.project.clone(), asked.environment.clone());
    let values = asked.values;
    let (everything, view, known) = (reach.is_everything(), reach.view(), Known::by(request));
    let found = daemon
        .store
        .read(move |reader| {
            let place = optional(place(reader, &in_project, &slug))?;
            // Grants name no project: they are for the default one.
            let place = place.filter(|(project, ..)| everything || project.slug == DEFAULT_PROJECT);
            let Some((project, environment, tag)) = place else {
                return Ok(None);
            };
            let tag = view.tag(&tag);
            let is_known = known.has(&tag);
            let records = read(reader, environment.id, values && !is_known)?;
            if is_known {
                return Ok(Some(Found::Unchanged(tag)));
            }
            Ok(Some(Found::Secrets(Secrets {
                project,
                environment,
                tag,
                records,
            })))
        })
        .await?;
    found.ok_or_else(|| {
        if everything {
            ApiError::not_found(format!(
                "Could not find environment \"{}\" of project \"{}\"",
                asked.environment, asked.project
            ))
        } else {
            ApiError::denied()
        }
    })
}

/// The tag is read before the secrets: it may be older than they are, and never newer.
fn place(
    reader: &Reader,
    project: &str,
    environment: &str,
) -> Result<(Project, Environment, SecretsTag), StoreError> {
    let project = reader.project(project)?;
    let environment = reader.environment(project.id, environment)?;
    let tag = reader.secrets_tag(environment.id)?;
    Ok((project, environment, tag))
}

/// The tags that the caller knows.
struct Known(Vec<String>);

impl Known {
    fn by(request: &HttpRequest) -> Self {
        let tags = request.headers().get_all(header::IF_NONE_MATCH);
        let tags = tags
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|tag| tag.trim().trim_start_matches("W/").to_owned());
        Self(tags.collect())
    }

    /// One of them is this, or he takes any.
    fn has(&self, tag: &str) -> bool {
        self.0.iter().any(|known| known == tag || known == "*")
    }
}

impl Secrets {
    /// One of them as clients see it.
    pub(super) fn view(&self, secret: &SecretRecord) -> Result<Secret, ApiError> {
        let value = secret.value.as_ref().map(text).transpose()?;
        Ok(Secret {
            id: secret.id.0,
            legacy_id: secret.id.0,
            workspace: self.project.id.to_string(),
            environment: self.environment.slug.clone(),
            version: secret.version,
            kind: "shared".to_owned(),
            secret_key: secret.name.clone(),
            secret_value_hidden: value.is_none(),
            secret_value: value.unwrap_or_else(|| Sensitive::new(String::new())),
            secret_comment: String::new(),
            secret_path: secret.path.clone(),
            created_at: Timestamp(secret.created_at),
            updated_at: Timestamp(secret.updated_at),
            tags: Vec::new(),
            secret_metadata: Vec::new(),
            skip_multiline_encoding: None,
            is_rotated_secret: secret.rotation.is_some(),
            rotation_id: secret.rotation.map(|id| id.0),
            secret_reminder_note: None,
            secret_reminder_repeat_days: None,
        })
    }
}
