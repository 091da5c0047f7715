//! Rotations: reading them. What changes them is beside this file.

pub(super) mod create;
pub(super) mod credentials;
pub(super) mod delete;
pub(super) mod doubt;
mod handles;
mod names;
pub(super) mod orders;
mod plan;
pub(super) mod relocate;
pub(super) mod target;
pub(super) mod update;
pub(super) mod view;
mod wait;

use actix_web::web::Path;
use rotord_api::query::{RotationNameQuery, RotationsQuery};
use rotord_api::rotation::{
    SecretRotationAnswer, SecretRotationOptionsAnswer, SecretRotationsAnswer,
};
use rotord_api::{routes, rules};
use rotord_store::RotationRecord;

use self::view::Viewer;
use super::error::ApiError;
use super::lookup::optional;
use super::request::{Query, needed, ok};
use super::{Daemon, Reply, Shared, describe, lookup};

/// The kinds of rotation that can be created here.
#[utoipa::path(get, path = routes::ROTATION_OPTIONS, tag = "rotations",
    responses((status = 200, body = SecretRotationOptionsAnswer)))]
pub(super) async fn rotation_options(daemon: Daemon) -> Reply {
    let mut options: Vec<_> = daemon
        .providers
        .host()
        .providers()
        .iter()
        .map(|provider| describe::provider(provider.description()).option())
        .collect();
    options.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(ok(&SecretRotationOptionsAnswer {
        secret_rotation_options: options,
    }))
}

/// A project's rotations of every type.
#[utoipa::path(get, path = routes::ROTATIONS, tag = "rotations", params(RotationsQuery),
    responses((status = 200, body = SecretRotationsAnswer)))]
pub(super) async fn list_rotations(daemon: Daemon, query: Query<RotationsQuery>) -> Reply {
    list(&daemon, query, None).await
}

/// A project's rotations of one type.
#[utoipa::path(get, path = routes::ROTATIONS_OF_TYPE, tag = "rotations",
    params(("type" = String, Path, description = "The provider's slug"), RotationsQuery),
    responses((status = 200, body = SecretRotationsAnswer)))]
pub(super) async fn list_rotations_of_type(
    daemon: Daemon,
    kind: Path<String>,
    query: Query<RotationsQuery>,
) -> Reply {
    lookup::description(&daemon, &kind).await?;
    list(&daemon, query, Some(kind.into_inner())).await
}

/// One rotation.
#[utoipa::path(get, path = routes::ROTATION, tag = "rotations",
    params(("type" = String, Path, description = "The provider's slug"),
        ("rotationId" = String, Path, description = "The rotation's id")),
    responses((status = 200, body = SecretRotationAnswer)))]
pub(super) async fn get_rotation(daemon: Daemon, path: Path<(String, String)>) -> Reply {
    let record = lookup::rotation(&daemon, Some(&path.0), &path.1).await?;
    shown(&daemon, &record).await
}

/// One rotation, whatever its type.
#[utoipa::path(get, path = routes::ROTATION_OF_ANY_TYPE, tag = "rotord",
    params(("rotationId" = String, Path, description = "The rotation's id")),
    responses((status = 200, body = SecretRotationAnswer)))]
pub(super) async fn get_rotation_of_any_type(daemon: Daemon, id: Path<String>) -> Reply {
    let record = lookup::rotation(&daemon, None, &id).await?;
    shown(&daemon, &record).await
}

/// One rotation, by its name and place.
#[utoipa::path(get, path = routes::ROTATION_BY_NAME, tag = "rotations",
    params(("type" = String, Path, description = "The provider's slug"),
        ("rotationName" = String, Path, description = "The rotation's name"), RotationNameQuery),
    responses((status = 200, body = SecretRotationAnswer)))]
pub(super) async fn get_rotation_by_name(
    daemon: Daemon,
    path: Path<(String, String)>,
    query: Query<RotationNameQuery>,
) -> Reply {
    let (kind, name) = path.into_inner();
    let title = lookup::description(&daemon, &kind).await?.title;
    let Query(query) = query;
    let project = needed(query.project_id.as_deref(), "projectId")?;
    let environment = needed(query.environment.as_deref(), "environment")?;
    let path = needed(query.secret_path.as_deref(), "secretPath")?;
    let path = rules::secret_path(&path)
        .map_err(|issue| rotord_api::Issues::from(issue).under("secretPath"))?;
    let place = lookup::place(&daemon, &project, &environment, &path).await?;
    let wanted = name.clone();
    let record = daemon
        .store
        .read(move |reader| optional(reader.rotation_by_name(place.folder.id, &wanted)))
        .await?
        .filter(|record| record.details.provider == kind)
        .ok_or_else(|| {
            ApiError::not_found(format!(
                "Could not find {title} Rotation with name \"{name}\""
            ))
        })?;
    shown(&daemon, &record).await
}

async fn list(daemon: &Shared, query: Query<RotationsQuery>, kind: Option<String>) -> Reply {
    let project = needed(query.0.project_id.as_deref(), "projectId")?;
    let project = lookup::project(daemon, &project).await?.id;
    let with_deleted = query.0.with_deleted.unwrap_or_default().0;
    let now = daemon.clock.now().wall;
    let (records, released) = daemon
        .store
        .read(move |reader| {
            let mut records = reader.rotations(project, kind.as_deref())?;
            let mut released = Vec::new();
            if with_deleted {
                released = reader.released(project, kind.as_deref(), now)?;
                let mut deleted = reader.deleted_rotations()?;
                deleted.retain(|record| {
                    let is_of_kind = |kind: &String| *kind == record.details.provider;
                    record.place.project.id == project && kind.as_ref().is_none_or(is_of_kind)
                });
                records.extend(deleted);
            }
            Ok((records, released))
        })
        .await?;
    let viewer = Viewer::new(daemon).await?;
    let released = released.into_iter();
    Ok(ok(&SecretRotationsAnswer {
        secret_rotations: records.iter().map(|record| viewer.show(record)).collect(),
        released_credentials: released
            .filter_map(|released| viewer.show_released(released))
            .collect(),
    }))
}

/// 200 with the rotation.
async fn shown(daemon: &Shared, record: &RotationRecord) -> Reply {
    Ok(ok(&answer(daemon, record).await?))
}

async fn answer(
    daemon: &Shared,
    record: &RotationRecord,
) -> Result<SecretRotationAnswer, ApiError> {
    answer_with(daemon, record, Vec::new()).await
}

/// The rotation, and the request's own warnings, which the books don't keep.
async fn answer_with(
    daemon: &Shared,
    record: &RotationRecord,
    warnings: Vec<String>,
) -> Result<SecretRotationAnswer, ApiError> {
    let viewer = Viewer::new(daemon).await?;
    let mut secret_rotation = viewer.show(record);
    if let Some(state) = &mut secret_rotation.state {
        state.warnings.extend(warnings);
    }
    Ok(SecretRotationAnswer { secret_rotation })
}

/// 200 with the rotation as it is now.
async fn shown_anew(daemon: &Shared, record: &RotationRecord) -> Reply {
    let id = record.details.id;
    let record = daemon.store.read(move |reader| reader.rotation(id)).await?;
    shown(daemon, &record).await
}
