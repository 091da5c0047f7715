//! Looking secrets up: one look at the database where something was written since the last, and none at values where
//! the caller has them.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header;
use rotord_api::secret::Secret;
use rotord_api::{Sensitive, Timestamp};
use rotord_store::{Reader, SecretRecord, StoreError};

use super::Asked;
use super::kept::{There, What, Where};
use crate::actors::store::Failed;
use crate::admin::Shared;
use crate::admin::access::{Projects, Reach};
use crate::admin::error::ApiError;
use crate::admin::lookup::{find_environment, optional};
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
    there: Arc<There>,
    pub(super) tag: String,
    pub(super) records: Vec<SecretRecord>,
}

/// Finds what was asked for in one of these projects. What does not exist is not unchanged, and of what may not be read
/// nobody learns whether it exists.
pub(super) async fn find(
    daemon: &Shared,
    request: &HttpRequest,
    reach: &Reach,
    projects: Projects,
    asked: &Asked,
) -> Result<Found, ApiError> {
    if projects.is_none() {
        return Err(ApiError::denied());
    }
    let everything = reach.is_everything();
    let Some(there) = look(daemon, &asked.place, projects).await? else {
        return Err(if everything {
            nowhere(daemon, &asked.place).await?
        } else {
            ApiError::denied()
        });
    };
    let tag = reach.view().tag(&there.tag);
    if Known::by(request).has(&tag) {
        return Ok(Found::Unchanged(tag));
    }
    let records = there.secrets.iter().map(|secret| {
        if asked.values {
            secret.open()
        } else {
            Ok(secret.record().clone())
        }
    });
    let records = records.collect::<Result<_, _>>();
    daemon.store.health().read(&records);
    Ok(Found::Secrets(Secrets {
        tag,
        records: records.map_err(Failed::Store)?,
        there,
    }))
}

/// 404: what of the place is not there.
async fn nowhere(daemon: &Shared, place: &Where) -> Result<ApiError, ApiError> {
    let place = place.clone();
    let found = daemon
        .store
        .read(move |reader| find_environment(reader, &place.project, &place.environment))
        .await?;
    Ok(match found {
        Err(nowhere) => ApiError::not_found(nowhere.to_string()),
        // Made in this moment.
        Ok(_) => ApiError::not_found("Could not find it: it was made just now. Please try again"),
    })
}

/// None where there is no such place, or in none of these projects.
async fn look(
    daemon: &Shared,
    place: &Where,
    projects: Projects,
) -> Result<Option<Arc<There>>, Failed> {
    let edition = daemon.store.edition();
    if let Some(there) = daemon.kept.get(edition, place) {
        return Ok(projects.has(&there.project).then_some(there));
    }
    let wanted = place.clone();
    let there = daemon
        .store
        .read(move |reader| there(reader, &wanted, &projects))
        .await?;
    Ok(there.map(|there| {
        let there = Arc::new(there);
        daemon.kept.put(edition, place.clone(), Arc::clone(&there));
        there
    }))
}

/// The tag is not newer than the secrets.
fn there(reader: &Reader, place: &Where, projects: &Projects) -> Result<Option<There>, StoreError> {
    let Some(project) = optional(reader.project(&place.project))? else {
        return Ok(None);
    };
    if !projects.has(&project) {
        return Ok(None);
    }
    let Some(environment) = optional(reader.environment(project.id, &place.environment))? else {
        return Ok(None);
    };
    let path = &place.path;
    let (tag, secrets) = match &place.what {
        What::Folder { recursive } => reader.sealed_secrets(environment.id, path, *recursive)?,
        What::Secret { name, version } => {
            let tag = reader.secrets_tag(environment.id)?;
            let secret = reader.sealed_secret(environment.id, path, name, *version)?;
            (tag, vec![secret])
        }
    };
    Ok(Some(There {
        project,
        environment,
        tag,
        secrets,
    }))
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
    /// Leaves out those that are in none of the projects that `wanted` says, by the environment's slug and the secret.
    pub(super) fn retain(&mut self, wanted: impl Fn(&str, &SecretRecord) -> Projects) {
        let (slug, project) = (&self.there.environment.slug, &self.there.project);
        self.records
            .retain(|secret| wanted(slug, secret).has(project));
    }

    /// One of them as clients see it.
    pub(super) fn view(&self, secret: &SecretRecord) -> Result<Secret, ApiError> {
        let value = secret.value.as_ref().map(text).transpose()?;
        Ok(Secret {
            id: secret.id.0,
            legacy_id: secret.id.0,
            workspace: self.there.project.id.to_string(),
            environment: self.there.environment.slug.clone(),
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
