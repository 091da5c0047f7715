//! Connections: reading them. What changes them and what asks their service is beside this file.

pub(super) mod change;
pub(super) mod check;
pub(super) mod choices;
mod credentials;

use std::collections::HashMap;

use actix_web::web::Path;
use rotord_api::connection::{
    AppConnection, AppConnectionAnswer, AppConnectionOption, AppConnectionOptionsAnswer,
    AppConnectionsAnswer, AvailableConnection, AvailableConnectionsAnswer, RotationName,
};
use rotord_api::query::ProjectQuery;
use rotord_api::{Timestamp, routes};
use rotord_store::{Connection, ConnectionId, ProjectId};

use super::error::ApiError;
use super::lookup::optional;
use super::request::{Query, ok};
use super::{Daemon, Reply, Shared, lookup};

/// The kinds of connection that can be created here.
#[utoipa::path(get, path = routes::CONNECTION_OPTIONS, tag = "connections",
    responses((status = 200, body = AppConnectionOptionsAnswer)))]
pub(super) async fn connection_options(daemon: Daemon) -> Reply {
    let mut options: Vec<AppConnectionOption> = Vec::new();
    for provider in daemon.providers.host().providers() {
        let kind = &provider.description().connection;
        // Providers may share a kind.
        if options.iter().all(|known| known.app != kind.slug.as_str()) {
            options.push(AppConnectionOption {
                name: kind.title.clone(),
                app: kind.slug.to_string(),
                methods: kind
                    .methods
                    .iter()
                    .map(|method| method.name.clone())
                    .collect(),
            });
        }
    }
    options.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(ok(&AppConnectionOptionsAnswer {
        app_connection_options: options,
    }))
}

/// Connections of every kind.
#[utoipa::path(get, path = routes::CONNECTIONS, tag = "connections", params(ProjectQuery),
    responses((status = 200, body = AppConnectionsAnswer)))]
pub(super) async fn list_connections(daemon: Daemon, query: Query<ProjectQuery>) -> Reply {
    let connections = usable(&daemon, None, &query.0).await?;
    listed(&daemon, &connections).await
}

/// Connections of one kind.
#[utoipa::path(get, path = routes::CONNECTIONS_OF_APP, tag = "connections",
    params(("app" = String, Path, description = "The kind's slug"), ProjectQuery),
    responses((status = 200, body = AppConnectionsAnswer)))]
pub(super) async fn list_connections_of_app(
    daemon: Daemon,
    app: Path<String>,
    query: Query<ProjectQuery>,
) -> Reply {
    lookup::of_connection_kind(&daemon, &app).await?;
    let connections = usable(&daemon, Some(app.into_inner()), &query.0).await?;
    listed(&daemon, &connections).await
}

/// The connections that a rotation of a project could use.
#[utoipa::path(get, path = routes::AVAILABLE_CONNECTIONS, tag = "connections",
    params(("app" = String, Path, description = "The kind's slug"), ProjectQuery),
    responses((status = 200, body = AvailableConnectionsAnswer)))]
pub(super) async fn available_connections(
    daemon: Daemon,
    app: Path<String>,
    query: Query<ProjectQuery>,
) -> Reply {
    lookup::of_connection_kind(&daemon, &app).await?;
    let connections = usable(&daemon, Some(app.into_inner()), &query.0).await?;
    let available = connections
        .into_iter()
        .map(|connection| AvailableConnection {
            app: connection.kind,
            name: connection.name,
            id: connection.id.0,
            project_id: connection.project.map(|id| id.to_string()),
            org_id: daemon.installation.to_string(),
        });
    Ok(ok(&AvailableConnectionsAnswer {
        app_connections: available.collect(),
    }))
}

/// One connection.
#[utoipa::path(get, path = routes::CONNECTION, tag = "connections",
    params(("app" = String, Path, description = "The kind's slug"),
        ("connectionId" = String, Path, description = "The connection's id")),
    responses((status = 200, body = AppConnectionAnswer)))]
pub(super) async fn get_connection(daemon: Daemon, path: Path<(String, String)>) -> Reply {
    let connection = lookup::connection(&daemon, Some(&path.0), &path.1).await?;
    shown(&daemon, connection).await
}

/// One connection, by its name.
#[utoipa::path(get, path = routes::CONNECTION_BY_NAME, tag = "connections",
    params(("app" = String, Path, description = "The kind's slug"),
        ("connectionName" = String, Path, description = "The connection's name"), ProjectQuery),
    responses((status = 200, body = AppConnectionAnswer)))]
pub(super) async fn get_connection_by_name(
    daemon: Daemon,
    path: Path<(String, String)>,
    query: Query<ProjectQuery>,
) -> Reply {
    let (app, name) = path.into_inner();
    let project = lookup::wanted_project(&daemon, query.0.project_id.as_deref()).await?;
    let wanted = name.clone();
    let connection = daemon
        .store
        .read(move |reader| optional(reader.connection_by_name(&wanted)))
        .await?
        .filter(|found| found.kind == app && is_for(found, project))
        .ok_or_else(|| {
            ApiError::not_found(format!(
                "Could not find App Connection with name \"{name}\""
            ))
        })?;
    shown(&daemon, connection).await
}

/// Those of one kind or all, that one project may use or all.
async fn usable(
    daemon: &Shared,
    app: Option<String>,
    query: &ProjectQuery,
) -> Result<Vec<Connection>, ApiError> {
    let project = lookup::wanted_project(daemon, query.project_id.as_deref()).await?;
    let mut connections = daemon
        .store
        .read(move |reader| reader.connections(app.as_deref()))
        .await?;
    connections.retain(|connection| is_for(connection, project));
    Ok(connections)
}

fn is_for(connection: &Connection, project: Option<ProjectId>) -> bool {
    match (connection.project, project) {
        (Some(only), Some(project)) => only == project,
        _ => true,
    }
}

async fn listed(daemon: &Shared, connections: &[Connection]) -> Reply {
    let mut users = users(daemon).await?;
    let app_connections = connections
        .iter()
        .map(|connection| {
            let used_by = users.remove(&connection.id).unwrap_or_default();
            view(daemon, connection, used_by)
        })
        .collect();
    Ok(ok(&AppConnectionsAnswer { app_connections }))
}

async fn shown(daemon: &Shared, connection: Connection) -> Reply {
    let used_by = users(daemon).await?.remove(&connection.id);
    Ok(ok(&AppConnectionAnswer {
        app_connection: view(daemon, &connection, used_by.unwrap_or_default()),
    }))
}

fn view(daemon: &Shared, connection: &Connection, used_by: Vec<RotationName>) -> AppConnection {
    AppConnection {
        id: connection.id.0,
        name: connection.name.clone(),
        description: connection.description.clone(),
        version: connection.version,
        org_id: daemon.installation.to_string(),
        project_id: connection.project.map(|id| id.to_string()),
        app: connection.kind.clone(),
        method: connection.method.clone(),
        credentials: connection.fields.clone().into_iter().collect(),
        is_platform_managed_credentials: false,
        gateway_id: None,
        created_at: Timestamp(connection.created_at),
        updated_at: Timestamp(connection.updated_at),
        used_by,
    }
}

/// The rotations by the connection that they use.
async fn users(daemon: &Shared) -> Result<HashMap<ConnectionId, Vec<RotationName>>, ApiError> {
    let users = daemon
        .store
        .read(|reader| {
            let mut users: HashMap<_, Vec<_>> = HashMap::new();
            for project in reader.projects()? {
                for rotation in reader.rotations(project.id, None)? {
                    users
                        .entry(rotation.details.connection)
                        .or_default()
                        .push(RotationName {
                            id: rotation.details.id.0,
                            name: rotation.details.name,
                        });
                }
            }
            Ok(users)
        })
        .await?;
    Ok(users)
}
