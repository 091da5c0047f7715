//! Finding what a request names, and saying so where it is not there.

use std::collections::BTreeSet;
use std::sync::Arc;

use rotord_api::alike;
use rotord_provider::Provider;
use rotord_provider::contract::{self, ProviderDescription, Slug};
use rotord_rotation::RotationId;
use rotord_store::{
    Connection, ConnectionId, Environment, Place, Project, ProjectId, Reader, RotationRecord,
    StoreError,
};

use super::Shared;
use super::error::ApiError;
use super::request;
use crate::target;

/// How many folders are named to who named one that there is not.
const MOST_FOLDERS: usize = 8;

/// A description, and whether its provider is loaded.
pub(super) struct Known {
    pub(super) description: ProviderDescription,
    pub(super) is_loaded: bool,
}

/// Every provider that was ever described, the loaded ones first.
pub(super) async fn providers(daemon: &Shared) -> Result<Vec<Known>, ApiError> {
    let loaded = daemon.providers.host().providers();
    let mut known: Vec<Known> = loaded
        .iter()
        .map(|provider| Known {
            description: provider.description().clone(),
            is_loaded: true,
        })
        .collect();
    let kept = daemon.store.read(Reader::descriptions).await?;
    for kept in kept {
        if known
            .iter()
            .any(|known| known.description.slug.as_str() == kept.slug)
        {
            continue;
        }
        // What an older version described and this one can't read is as good as never described.
        if let Ok(description) = serde_json::from_value(kept.description) {
            known.push(Known {
                description,
                is_loaded: false,
            });
        }
    }
    Ok(known)
}

/// All rotations, and those with them that are deleted and not settled yet.
pub(super) async fn every_rotation(daemon: &Shared) -> Result<Vec<RotationRecord>, ApiError> {
    let records = daemon
        .store
        .read(|reader| {
            let mut all = Vec::new();
            for project in reader.projects()? {
                all.extend(reader.rotations(project.id, None)?);
            }
            all.extend(reader.deleted_rotations()?);
            Ok(all)
        })
        .await?;
    Ok(records)
}

/// What the provider of this type says of itself, or last said.
pub(super) async fn description(
    daemon: &Shared,
    kind: &str,
) -> Result<ProviderDescription, ApiError> {
    if let Some(known) = daemon.providers.description(kind).await? {
        return Ok(known);
    }
    let known = providers(daemon).await?;
    let slugs = known.iter().map(|known| known.description.slug.as_str());
    let instead = alike::instead(kind, slugs);
    Err(ApiError::not_found(format!(
        "There is no provider {kind}: {instead}"
    )))
}

/// The loaded provider of this type.
pub(super) async fn provider(daemon: &Shared, kind: &str) -> Result<Arc<Provider>, ApiError> {
    if let Some(provider) = daemon.providers.host().provider(kind) {
        return Ok(provider);
    }
    description(daemon, kind).await?;
    Err(not_loaded(kind))
}

/// What a provider whose connections are of this kind says of itself; a loaded one where there is one.
pub(super) async fn of_connection_kind(daemon: &Shared, app: &str) -> Result<Known, ApiError> {
    let slug = |known: &Known| known.description.connection.slug.clone();
    let known = providers(daemon).await?;
    let kinds: BTreeSet<_> = known.iter().map(slug).collect();
    let mut known = known.into_iter();
    known
        .find(|known| known.description.connection.slug.as_str() == app)
        .ok_or_else(|| {
            let instead = alike::instead(app, kinds.iter().map(Slug::as_str));
            ApiError::not_found(format!(
                "There is no kind of App Connection {app}: {instead}"
            ))
        })
}

/// A loaded provider whose connections are of this kind.
pub(super) async fn provider_of_connection_kind(
    daemon: &Shared,
    app: &str,
) -> Result<Arc<Provider>, ApiError> {
    let known = of_connection_kind(daemon, app).await?;
    provider(daemon, known.description.slug.as_str()).await
}

fn not_loaded(kind: &str) -> ApiError {
    ApiError::refused(format!(
        "The provider {kind} is not loaded: put its component into the providers' directory and reload the daemon"
    ))
}

/// A rotation by the id in a path, of this type where one is named. One that is deleted is there for as long as it waits
/// for a person's word.
pub(super) async fn rotation(
    daemon: &Shared,
    kind: Option<&str>,
    id: &str,
) -> Result<RotationRecord, ApiError> {
    let id = RotationId(request::id(id, "rotationId")?);
    let title = match kind {
        Some(kind) => description(daemon, kind).await?.title,
        None => "Secret".to_owned(),
    };
    let record = daemon
        .store
        .read(move |reader| optional(reader.rotation(id)))
        .await?
        .filter(|record| !record.state.life.is_deleting() || record.state.needs_attention())
        .ok_or_else(|| {
            ApiError::not_found(format!("Could not find {title} Rotation with ID \"{id}\""))
        })?;
    if kind.is_some_and(|kind| kind != record.details.provider) {
        let message = format!("Secret Rotation with ID \"{id}\" is not configured for {title}");
        return Err(ApiError::refused(message));
    }
    Ok(record)
}

/// A connection by the id in a path, of this kind where one is named.
pub(super) async fn connection(
    daemon: &Shared,
    app: Option<&str>,
    id: &str,
) -> Result<Connection, ApiError> {
    let id = ConnectionId(request::id(id, "connectionId")?);
    let found = daemon
        .store
        .read(move |reader| optional(reader.connection(id)))
        .await?
        .ok_or_else(|| no_connection(id))?;
    match app {
        Some(app) if app != found.kind => Err(ApiError::refused(format!(
            "App Connection with ID \"{id}\" is not configured for {app}"
        ))),
        _ => Ok(found),
    }
}

pub(super) fn no_connection(id: ConnectionId) -> ApiError {
    ApiError::not_found(format!("Could not find App Connection with ID \"{id}\""))
}

/// A connection as its provider is handed it, secrets opened.
pub(super) async fn opened(
    daemon: &Shared,
    provider: &Provider,
    connection: Connection,
) -> Result<contract::Connection, ApiError> {
    let id = connection.id;
    let secrets = daemon
        .store
        .read(move |reader| reader.connection_secrets(id))
        .await?;
    Ok(target::connection(
        provider.description(),
        &connection,
        &secrets,
    ))
}

/// The project with this id.
pub(super) async fn project(daemon: &Shared, id: &str) -> Result<Project, ApiError> {
    let wanted = id.to_owned();
    daemon
        .store
        .read(move |reader| optional(reader.project(&wanted)))
        .await?
        .ok_or_else(|| ApiError::not_found(format!("Could not find project with ID \"{id}\"")))
}

/// The project that a list is of; none is every project.
pub(super) async fn wanted_project(
    daemon: &Shared,
    id: Option<&str>,
) -> Result<Option<ProjectId>, ApiError> {
    match id.map(str::trim).filter(|id| !id.is_empty()) {
        None => Ok(None),
        Some(id) => Ok(Some(project(daemon, id).await?.id)),
    }
}

/// The folder with this path, in the environment with this slug, in the project with this id or slug.
pub(super) async fn place(
    daemon: &Shared,
    project: &str,
    environment: &str,
    path: &str,
) -> Result<Place, ApiError> {
    let (in_project, in_environment, at) =
        (project.to_owned(), environment.to_owned(), path.to_owned());
    let found = daemon
        .store
        .read(move |reader| find_place(reader, &in_project, &in_environment, &at))
        .await?;
    found.map_err(|nowhere| ApiError::refused(nowhere.to_string()))
}

/// Why nothing can be at a place, for whoever may know what else there is.
#[derive(Debug, thiserror::Error)]
pub(super) enum Nowhere {
    #[error("Could not find project with ID or slug \"{0}\"")]
    Project(String),
    #[error("Could not find environment \"{environment}\" in project \"{project}\": there is {}", others.join(", "))]
    Environment {
        environment: String,
        project: String,
        others: Vec<String>,
    },
    #[error(
        "Could not find folder with path \"{path}\" in environment \"{environment}\" for project with ID \"{project}\": \
         {}",
        listed(others)
    )]
    Folder {
        path: String,
        others: Vec<String>,
        environment: String,
        project: String,
    },
}

/// The folders that there are, as far as a line has room for them.
fn listed(folders: &[String]) -> String {
    let shown = &folders[..folders.len().min(MOST_FOLDERS)];
    let rest = if shown.len() < folders.len() {
        ", and others that rotorctl folder list shows"
    } else {
        ""
    };
    format!("there is {}{rest}", shown.join(", "))
}

/// The environment of a project, both by what names them.
pub(super) fn find_environment(
    reader: &Reader,
    project: &str,
    environment: &str,
) -> Result<Result<(Project, Environment), Nowhere>, StoreError> {
    let Some(found) = optional(reader.project(project))? else {
        return Ok(Err(Nowhere::Project(project.to_owned())));
    };
    let others = reader.environments(found.id)?;
    let in_project = found.slug.clone();
    let slugs = others.iter().map(|other| other.slug.clone()).collect();
    let named = others.into_iter().find(|other| other.slug == environment);
    Ok(named
        .map(|named| (found, named))
        .ok_or_else(|| Nowhere::Environment {
            environment: environment.to_owned(),
            project: in_project,
            others: slugs,
        }))
}

fn find_place(
    reader: &Reader,
    project: &str,
    environment: &str,
    path: &str,
) -> Result<Result<Place, Nowhere>, StoreError> {
    let (found, in_environment) = match find_environment(reader, project, environment)? {
        Ok(found) => found,
        Err(nowhere) => return Ok(Err(nowhere)),
    };
    let folder = optional(reader.folder(in_environment.id, path))?;
    let others = match &folder {
        Some(_) => Vec::new(),
        None => reader.folders(in_environment.id)?,
    };
    Ok(folder
        .map(|folder| Place {
            project: found,
            environment: in_environment,
            folder,
        })
        .ok_or_else(|| Nowhere::Folder {
            path: path.to_owned(),
            others: others.into_iter().map(|other| other.path).collect(),
            environment: environment.to_owned(),
            project: project.to_owned(),
        }))
}

/// None where there is no such thing.
pub(super) fn optional<T>(found: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
