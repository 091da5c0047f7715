//! Deleting a secret that a deleted rotation left: its name, its value and all that are kept of before. One that a
//! rotation feeds goes with its rotation and not without it.

use actix_web::HttpRequest;
use actix_web::web::Path;
use rotord_api::query::Flag;
use rotord_api::routes;
use rotord_api::secret::{DeleteSecret, SecretAnswer, SecretsQuery};
use rotord_rotation::RotationId;
use serde_json::json;

use super::find::{Found, find};
use super::{Asked, What};
use crate::admin::access::{Projects, Reach};
use crate::admin::error::ApiError;
use crate::admin::lookup::optional;
use crate::admin::peer::Peer;
use crate::admin::request::{Body, Query, ok};
use crate::admin::{Daemon, Reply, Shared, audit};

/// Deletes a secret that no rotation feeds, with all its versions; answers with what it was, without its value.
#[utoipa::path(delete, path = routes::SECRET_V3, tag = "secrets",
    params(("secretName" = String, Path, description = "The secret's name"), SecretsQuery),
    request_body(content = DeleteSecret, description = "May be left out"),
    responses((status = 200, body = SecretAnswer)))]
pub(in crate::admin) async fn delete_secret_v3(
    daemon: Daemon,
    request: HttpRequest,
    peer: Peer,
    name: Path<String>,
    query: Query<SecretsQuery>,
    body: Body<DeleteSecret>,
) -> Reply {
    delete(
        &daemon,
        &request,
        &peer,
        name.into_inner(),
        body.0.over(query.0),
    )
    .await
}

/// Deletes a secret that no rotation feeds, with all its versions; answers with what it was, without its value.
#[utoipa::path(delete, path = routes::SECRET_V4, tag = "secrets",
    params(("secretName" = String, Path, description = "The secret's name"), SecretsQuery),
    request_body(content = DeleteSecret, description = "May be left out"),
    responses((status = 200, body = SecretAnswer)))]
pub(in crate::admin) async fn delete_secret_v4(
    daemon: Daemon,
    request: HttpRequest,
    peer: Peer,
    name: Path<String>,
    query: Query<SecretsQuery>,
    body: Body<DeleteSecret>,
) -> Reply {
    delete(
        &daemon,
        &request,
        &peer,
        name.into_inner(),
        body.0.over(query.0),
    )
    .await
}

async fn delete(
    daemon: &Shared,
    request: &HttpRequest,
    peer: &Peer,
    name: String,
    query: SecretsQuery,
) -> Reply {
    if query.version.is_some() {
        return Err(ApiError::refused(
            "One version can't be deleted: without a version all of them are",
        ));
    }
    let query = SecretsQuery {
        view_secret_value: Some(Flag(false)),
        ..query
    };
    let asked = Asked::read(query, |version| What::Secret { name, version })?;
    let found = match find(daemon, request, &Reach::Everything, Projects::All, &asked).await? {
        Found::Secrets(found) => found,
        Found::Unchanged(_) => {
            return Err(ApiError::refused("If-None-Match is for reading alone"));
        }
    };
    let [secret] = found.records.as_slice() else {
        return Err(ApiError::ours("one secret was read as several"));
    };
    if let Some(rotation) = secret.rotation {
        return Err(rotated(daemon, &secret.name, rotation).await?);
    }
    let was = found.view(secret)?;
    let detail = json!({
        "name": secret.name, "environment": asked.place.environment, "path": secret.path,
        "projectId": was.workspace, "version": secret.version,
    });
    let note = [audit::entry(peer, "delete-secret", detail)];
    let (at, id) = (daemon.clock.now().wall, secret.id);
    daemon
        .store
        .write(move |store| store.delete_secret(at, id, &note))
        .await?;
    Ok(ok(&SecretAnswer { secret: was }))
}

/// 400: who feeds it, and how both go.
async fn rotated(daemon: &Shared, name: &str, rotation: RotationId) -> Result<ApiError, ApiError> {
    let record = daemon
        .store
        .read(move |reader| optional(reader.rotation(rotation)))
        .await?;
    let by = record.map_or_else(|| rotation.to_string(), |record| record.details.name);
    Ok(ApiError::refused(format!(
        "Cannot delete rotated secret {name}: the rotation \"{by}\" feeds it, and deletes it with itself (deleteSecrets)"
    )))
}
