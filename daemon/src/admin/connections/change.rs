//! Creating, changing and deleting connections. A login shows that one works before it is stored.

use std::sync::Arc;

use actix_web::web::Path;
use rotord_api::connection::{AppConnectionAnswer, CreateConnection, UpdateConnection};
use rotord_api::issue::IssueCode;
use rotord_api::routes;
use rotord_provider::contract::{FaultKind, Severity};
use rotord_provider::{CallError, Provider};
use rotord_rotation::Event;
use rotord_store::{Conflict, Connection, ConnectionChange, ConnectionId, NewConnection};
use serde_json::json;
use uuid::Uuid;

use super::credentials::Credentials;
use super::{shown, users, view};
use crate::actors::rotator::Tell;
use crate::admin::error::ApiError;
use crate::admin::lookup::optional;
use crate::admin::peer::Peer;
use crate::admin::request::{Body, ok};
use crate::admin::{Daemon, Reply, Shared, audit, lookup};
use crate::target;

/// Creates a connection, once a login by it has worked.
#[utoipa::path(post, path = routes::CONNECTIONS_OF_APP, tag = "connections",
    params(("app" = String, Path, description = "The kind's slug")),
    request_body = CreateConnection,
    responses((status = 200, body = AppConnectionAnswer)))]
pub(in crate::admin) async fn create_connection(
    daemon: Daemon,
    app: Path<String>,
    peer: Peer,
    body: Result<Body<CreateConnection>, ApiError>,
) -> Reply {
    // Which fields are right is the kind's to say.
    let provider = lookup::provider_of_connection_kind(&daemon, &app).await?;
    let Body(body) = body?;
    let description = provider.description();
    let credentials = Credentials::read(description, &body.method, body.credentials)?;
    let project = lookup::wanted_project(&daemon, body.project_id.as_deref()).await?;
    check_name_free(&daemon, &body.name, None).await?;
    let now = daemon.clock.now().wall;
    let draft = Connection {
        id: ConnectionId(Uuid::nil()),
        name: body.name,
        description: body.description,
        app: description.connection.app.to_string(),
        kind: description.connection.slug.to_string(),
        method: credentials.method.clone(),
        project,
        fields: credentials.fields.clone(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    log_in(&provider, &draft, &credentials).await?;
    let detail = json!({"app": draft.kind, "name": draft.name, "method": draft.method});
    let note = [audit::entry(&peer, "create-app-connection", detail)];
    let new = NewConnection {
        name: draft.name,
        description: draft.description,
        app: draft.app,
        kind: draft.kind,
        method: draft.method,
        project,
        fields: credentials.fields,
        secrets: credentials.secrets,
    };
    let made = daemon
        .store
        .write(move |store| store.create_connection(now, &new, &note))
        .await?;
    shown(&daemon, made).await
}

/// Changes a connection. Credentials are given whole or not at all, so that a stored secret is never sent to a
/// place that was named later.
#[utoipa::path(patch, path = routes::CONNECTION, tag = "connections",
    params(("app" = String, Path, description = "The kind's slug"),
        ("connectionId" = String, Path, description = "The connection's id")),
    request_body = UpdateConnection,
    responses((status = 200, body = AppConnectionAnswer)))]
pub(in crate::admin) async fn update_connection(
    daemon: Daemon,
    path: Path<(String, String)>,
    peer: Peer,
    body: Body<UpdateConnection>,
) -> Reply {
    let connection = lookup::connection(&daemon, Some(&path.0), &path.1).await?;
    let Body(body) = body;
    if let Some(name) = &body.name {
        check_name_free(&daemon, name, Some(connection.id)).await?;
    }
    let mut change = ConnectionChange {
        name: body.name,
        description: body.description,
        ..ConnectionChange::default()
    };
    let is_other = |method: &String| *method != connection.method;
    if body.credentials.is_none() && body.method.as_ref().is_some_and(is_other) {
        let why = "is required with another method";
        return Err(ApiError::field("credentials", IssueCode::InvalidType, why));
    }
    if let Some(given) = body.credentials {
        let provider = lookup::provider_of_connection_kind(&daemon, &path.0).await?;
        let method = body.method.unwrap_or_else(|| connection.method.clone());
        let credentials = Credentials::read(provider.description(), &method, given)?;
        let draft = Connection {
            method,
            fields: credentials.fields.clone(),
            ..connection.clone()
        };
        log_in(&provider, &draft, &credentials).await?;
        change.method = Some(credentials.method);
        change.fields = Some(credentials.fields);
        change.secrets = Some(credentials.secrets);
    }
    change.name = change.name.filter(|name| *name != connection.name);
    change.description = change
        .description
        .filter(|description| *description != connection.description);
    if change == ConnectionChange::default() {
        return shown(&daemon, connection).await;
    }
    let (id, at) = (connection.id, daemon.clock.now().wall);
    let detail = json!({
        "connectionId": id, "name": change.name, "method": change.method,
        "credentialsChanged": change.fields.is_some(),
    });
    let note = [audit::entry(&peer, "update-app-connection", detail)];
    let is_another = change.fields.is_some();
    let changed = daemon
        .store
        .write(move |store| store.change_connection(at, id, &change, &note))
        .await?;
    // The connection is changed all the same, and its rotations come to it in their time.
    if is_another && let Err(error) = hurry(&daemon, id).await {
        tracing::warn!(connection = %id, ?error, "its rotations could not be told that it was changed");
    }
    shown(&daemon, changed).await
}

/// What failed by the connection as it was is tried now.
async fn hurry(daemon: &Shared, connection: ConnectionId) -> Result<(), ApiError> {
    let mut rotations = lookup::every_rotation(daemon).await?;
    rotations.retain(|rotation| {
        rotation.details.connection == connection && rotation.state.waits_to_try_again()
    });
    for rotation in rotations {
        let id = rotation.details.id;
        let told = daemon.rotator.send(Tell::new(id, Event::ConnectionChanged));
        if let Err(error) = told.await? {
            tracing::warn!(rotation = %id, %error, "could not be told that its connection was changed");
        }
    }
    Ok(())
}

/// Deletes a connection that no rotation uses; answers with what it was.
#[utoipa::path(delete, path = routes::CONNECTION, tag = "connections",
    params(("app" = String, Path, description = "The kind's slug"),
        ("connectionId" = String, Path, description = "The connection's id")),
    responses((status = 200, body = AppConnectionAnswer)))]
pub(in crate::admin) async fn delete_connection(
    daemon: Daemon,
    path: Path<(String, String)>,
    peer: Peer,
) -> Reply {
    let connection = lookup::connection(&daemon, Some(&path.0), &path.1).await?;
    let used_by = users(&daemon).await?.remove(&connection.id);
    let (id, at) = (connection.id, daemon.clock.now().wall);
    let detail = json!({"connectionId": id, "app": connection.kind, "name": connection.name});
    let note = [audit::entry(&peer, "delete-app-connection", detail)];
    let was = daemon
        .store
        .write(move |store| store.delete_connection(at, id, &note))
        .await?;
    Ok(ok(&AppConnectionAnswer {
        app_connection: view(&daemon, &was, used_by.unwrap_or_default()),
    }))
}

async fn check_name_free(
    daemon: &Shared,
    name: &str,
    but: Option<ConnectionId>,
) -> Result<(), ApiError> {
    let wanted = name.to_owned();
    let found = daemon
        .store
        .read(move |reader| optional(reader.connection_by_name(&wanted)))
        .await?;
    match found {
        Some(found) if Some(found.id) != but => {
            let name = name.to_owned();
            Err(Conflict::ConnectionName { name }.into())
        }
        _ => Ok(()),
    }
}

/// A login. What is lacking beyond it is told by a check and logged here; it refuses nothing: permissions are
/// often granted after the connection was made.
async fn log_in(
    provider: &Arc<Provider>,
    connection: &Connection,
    credentials: &Credentials,
) -> Result<(), ApiError> {
    let opened = target::connection(provider.description(), connection, &credentials.secrets);
    let outcome = provider.turn().await.check(&opened).await;
    let is_refused = outcome
        .result
        .as_ref()
        .err()
        .and_then(CallError::fault)
        .is_some_and(|fault| matches!(fault.kind, FaultKind::Unauthorized));
    let identity = ApiError::of_call(outcome).map_err(|error| {
        if is_refused {
            ApiError::refused(format!("Failed to get access token: {error}"))
        } else {
            error
        }
    })?;
    for finding in &identity.findings {
        if finding.severity == Severity::Problem {
            tracing::warn!(
                connection = connection.name,
                code = finding.code,
                remedy = finding.remedy,
                "the connection can't rotate yet: {}",
                finding.message
            );
        }
    }
    Ok(())
}
