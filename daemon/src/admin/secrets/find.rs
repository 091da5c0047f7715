//! Looking secrets up: one look at the database where something was written since the last, and none at values where
//! the caller has them.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header;
use aws_lc_rs::digest::{self, Digest};
use rotord_api::secret::Secret;
use rotord_api::{Sensitive, Timestamp};
use rotord_store::{Environment, Project, Reader, SealedSecret, SecretRecord, StoreError};

use super::Asked;
use super::kept::{Marked, There, What, Where};
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
    let slug = &there.environment.slug;
    // No secret here has a tag or metadata.
    let is_none = asked.labelled && matches!(asked.place.what, What::Folder { .. });
    let seen = there.secrets.iter().filter(|marked| {
        let secret = marked.secret.record();
        let granted = reach.of_secret(slug, &secret.path, &secret.name);
        !is_none && granted.has(&there.project)
    });
    let seen: Vec<_> = seen.collect();
    let tag = tag(&seen, asked.values);
    if Known::by(request).has(&tag) {
        return Ok(Found::Unchanged(tag));
    }
    let records = seen.into_iter().map(|marked| {
        if asked.values {
            marked.secret.open()
        } else {
            Ok(marked.secret.record().clone())
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

/// The tag of these secrets, with their values or without: it changes with what is answered and with nothing else, so
/// that nobody is woken, and no service restarted, for another's rotation.
fn tag(seen: &[&Marked], with_values: bool) -> String {
    let mut content = digest::Context::new(&digest::SHA256);
    content.update(&[u8::from(with_values)]);
    for marked in seen {
        content.update(marked.mark.as_ref());
    }
    let digest = content.finish();
    // Half of it is as hard to hit.
    let (half, _) = digest.as_ref().split_at(16);
    let half = half
        .iter()
        .fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    format!("\"{half:032x}\"")
}

/// Of all that is answered of a secret but its value. The id, the version and the instant of its publication say which
/// that is, also where a restored database counts its versions again.
fn mark(secret: &Secret) -> Result<Digest, ApiError> {
    let answered = serde_json::to_vec(secret).map_err(ApiError::ours)?;
    Ok(digest::digest(&digest::SHA256, &answered))
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
) -> Result<Option<Arc<There>>, ApiError> {
    let kept = || {
        let edition = daemon.store.edition();
        (edition, daemon.kept.get(edition, place))
    };
    if let (_, Some(there)) = kept() {
        return Ok(projects.has(&there.project).then_some(there));
    }
    let _turn = daemon.kept.turn(place).await;
    let edition = match kept() {
        (_, Some(there)) => return Ok(projects.has(&there.project).then_some(there)),
        (edition, None) => edition,
    };
    let wanted = place.clone();
    let read = daemon
        .store
        .read(move |reader| read(reader, &wanted, &projects))
        .await?;
    let Some((project, environment, secrets)) = read else {
        return Ok(None);
    };
    let secrets = secrets.into_iter().map(|secret| {
        let mark = mark(&view(&project, &environment, secret.record())?)?;
        Ok(Marked { secret, mark })
    });
    let secrets = secrets.collect::<Result<_, ApiError>>()?;
    let there = Arc::new(There {
        project,
        environment,
        secrets,
    });
    daemon.kept.put(edition, place.clone(), Arc::clone(&there));
    Ok(Some(there))
}

type Read = (Project, Environment, Vec<SealedSecret>);

fn read(reader: &Reader, place: &Where, projects: &Projects) -> Result<Option<Read>, StoreError> {
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
    let secrets = match &place.what {
        What::Folder { recursive } => reader.sealed_secrets(environment.id, path, *recursive)?,
        What::Secret { name, version } => {
            vec![reader.sealed_secret(environment.id, path, name, *version)?]
        }
    };
    Ok(Some((project, environment, secrets)))
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
        view(&self.there.project, &self.there.environment, secret)
    }
}

fn view(
    project: &Project,
    environment: &Environment,
    secret: &SecretRecord,
) -> Result<Secret, ApiError> {
    let value = secret.value.as_ref().map(text).transpose()?;
    Ok(Secret {
        id: secret.id.0,
        legacy_id: secret.id.0,
        workspace: project.id.to_string(),
        environment: environment.slug.clone(),
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
