//! A daemon that answers what a test wrote down, and remembers what it was asked.

// A test that can't be set up should stop at once, and `json!` makes values to give away.
#![allow(clippy::unwrap_used, clippy::needless_pass_by_value)]

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::UnixListener;

/// In place of a status: the connection is closed without an answer, as by a daemon that dies.
pub(crate) const CUT: u16 = 0;

/// One route and its answers, in turn; the last one stays.
struct Route {
    method: &'static str,
    path: String,
    answers: VecDeque<(u16, Value)>,
}

/// What was asked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Value,
}

/// A daemon on a socket of its own; gone when it is dropped.
pub(crate) struct Fake {
    directory: tempfile::TempDir,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    routes: Vec<Route>,
    asked: Vec<Asked>,
}

impl Fake {
    /// Starts one that knows a project, a provider and a connection.
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener =
            std::os::unix::net::UnixListener::bind(directory.path().join("admin.sock")).unwrap();
        listener.set_nonblocking(true).unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let served = Arc::clone(&state);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(serve(listener, served));
        });
        Self { directory, state }
            .on(
                "GET",
                "/api/v1/projects",
                200,
                json!({"projects": [project()]}),
            )
            .on(
                "GET",
                "/api/v1/rotord/providers",
                200,
                json!({"providers": [provider()]}),
            )
            .on(
                "GET",
                "/api/v1/app-connections",
                200,
                json!({"appConnections": [connection()]}),
            )
            .on(
                "GET",
                "/api/v2/secret-rotations",
                200,
                json!({"secretRotations": [rotation()]}),
            )
    }

    /// Adds an answer to a route.
    pub(crate) fn on(self, method: &'static str, path: &str, status: u16, body: Value) -> Self {
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            match state
                .routes
                .iter_mut()
                .find(|route| route.method == method && route.path == path)
            {
                Some(route) => route.answers.push_back((status, body)),
                None => state.routes.push(Route {
                    method,
                    path: path.to_owned(),
                    answers: [(status, body)].into(),
                }),
            }
        }
        self
    }

    /// Replaces what a route answers.
    pub(crate) fn instead(
        self,
        method: &'static str,
        path: &str,
        status: u16,
        body: Value,
    ) -> Self {
        self.state
            .lock()
            .unwrap()
            .routes
            .retain(|route| !(route.method == method && route.path == path));
        self.on(method, path, status, body)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("admin.sock")
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Everything that was asked so far, but for what only looks.
    pub(crate) fn changes(&self) -> Vec<Asked> {
        self.asked()
            .into_iter()
            .filter(|asked| asked.method != "GET")
            .collect()
    }

    /// Everything that was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }
}

async fn serve(listener: std::os::unix::net::UnixListener, state: Arc<Mutex<State>>) {
    let listener = UnixListener::from_std(listener).unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(Arc::clone(&state), request));
            // A client that goes away is no failure of the test.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> io::Result<Response<Full<Bytes>>> {
    let (method, uri) = (request.method().to_string(), request.uri().clone());
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&body).unwrap()
    };
    let mut state = state.lock().unwrap();
    let (path, query) = (
        uri.path().to_owned(),
        uri.query().unwrap_or_default().to_owned(),
    );
    state.asked.push(Asked {
        method: method.clone(),
        path: path.clone(),
        query,
        body,
    });
    let route = state
        .routes
        .iter_mut()
        .find(|route| route.method == method && route.path == path);
    let (status, body) = match route {
        Some(route) if route.answers.len() > 1 => route.answers.pop_front().unwrap(),
        Some(route) => route.answers[0].clone(),
        None => (
            404,
            error(404, "NotFound", &format!("no route {method} {path}")),
        ),
    };
    if status == CUT {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    let body = if body.is_null() {
        Bytes::new()
    } else {
        Bytes::from(body.to_string())
    };
    Ok(Response::builder()
        .status(status)
        .body(Full::new(body))
        .unwrap())
}

pub(crate) const ID: &str = "3c90c3cc-0d44-4b50-8888-8dd25736052a";
pub(crate) const OBJECT_ID: &str = "11111111-2222-4333-8444-555555555555";
pub(crate) const CLIENT_ID: &str = "66666666-7777-4888-9999-000000000000";

pub(crate) fn error(status: u16, name: &str, message: &str) -> Value {
    json!({"reqId": "req-1", "statusCode": status, "message": message, "error": name})
}

pub(crate) fn project() -> Value {
    let environment = |slug: &str, name: &str| json!({"id": ID, "slug": slug, "name": name, "folders": [{"id": ID, "name": "root", "path": "/"}]});
    json!({
        "id": "p-1", "name": "Default", "slug": "default", "isDefault": true,
        "environments": [environment("dev", "Development"), environment("prod", "Production")],
        "createdAt": "2026-03-01T10:00:00.000Z", "updatedAt": "2026-03-01T10:00:00.000Z"
    })
}

pub(crate) fn provider() -> Value {
    let field = |name: &str, title: &str, kind: &str, secret: bool| json!({"name": name, "title": title, "kind": kind, "secret": secret, "required": true});
    json!({"file": "/usr/lib/rotord/azure.wasm", "state": "loaded", "description": {
        "slug": "azure-client-secret", "title": "Azure Client Secret", "version": "0.1.0", "family": "mint", "phase": "dual",
        "connection": {"app": "azure", "slug": "azure-client-secrets", "title": "Azure", "methods": [
            {"name": "client-secret", "title": "Client secret", "fields": [
                field("tenantId", "Tenant", "uuid", false),
                field("clientId", "Client id", "uuid", false),
                field("clientSecret", "Client secret", "text", true)
            ]}
        ]},
        "parameters": [
            {"field": field("objectId", "Object id", "text", false), "key": true},
            {"field": field("clientId", "Client id", "text", false), "key": true},
            {"field": {"name": "appName", "title": "Name", "kind": "text"}, "key": false}
        ],
        "outputs": [
            {"name": "clientId", "title": "Client ID", "suggestedName": "AZURE_CLIENT_ID", "secret": false},
            {"name": "clientSecret", "title": "Client Secret", "suggestedName": "AZURE_CLIENT_SECRET", "secret": true}
        ],
        "choices": [{"name": "clients", "title": "Application", "fields": [
            {"name": "name", "title": "Name", "fills": "appName"},
            {"name": "id", "title": "Object id", "fills": "objectId"},
            {"name": "appId", "title": "Client id", "fills": "clientId"}
        ]}],
        "hosts": ["graph.microsoft.com"],
        "limits": {"longestIntervalDays": 909, "minimumOverlapMs": 3_600_000, "propagationBoundMs": 900_000}
    }})
}

pub(crate) fn connection() -> Value {
    json!({
        "id": ID, "name": "azure", "description": null, "version": 1, "orgId": "o-1", "projectId": null,
        "app": "azure-client-secrets", "method": "client-secret",
        "credentials": {"tenantId": "t-1", "clientId": "c-1"},
        "createdAt": "2026-03-01T10:00:00.000Z", "updatedAt": "2026-03-01T10:00:00.000Z"
    })
}

pub(crate) fn rotation() -> Value {
    let at = "2026-03-01T10:00:00.000Z";
    json!({
        "id": ID, "name": "billing", "description": null, "type": "azure-client-secret",
        "secretsMapping": {"clientId": "AZURE_CLIENT_ID", "clientSecret": "AZURE_CLIENT_SECRET"},
        "isAutoRotationEnabled": true, "activeIndex": 0, "folderId": ID, "connectionId": ID,
        "createdAt": at, "updatedAt": at, "rotationInterval": 30, "rotationStatus": "success",
        "lastRotationAttemptedAt": at, "lastRotatedAt": at, "lastRotationJobId": null,
        "nextRotationAt": "2126-04-01T00:00:00.000Z", "isLastRotationManual": true,
        "connection": {"app": "azure", "name": "azure", "id": ID},
        "environment": {"slug": "dev", "name": "Development", "id": ID},
        "projectId": "p-1", "folder": {"id": ID, "path": "/"}, "rotateAtUtc": {"hours": 0, "minutes": 0},
        "lastRotationMessage": null, "parameters": {"objectId": OBJECT_ID, "appName": "billing", "clientId": CLIENT_ID}
    })
}

/// The rotation with some fields changed.
pub(crate) fn rotation_with(changes: Value) -> Value {
    let mut rotation = rotation();
    for (name, value) in changes.as_object().unwrap() {
        rotation[name] = value.clone();
    }
    rotation
}

/// The rotation as a single-rotation route answers.
pub(crate) fn one(rotation: Value) -> Value {
    json!({ "secretRotation": rotation })
}

/// A rotation's secret, without its value.
pub(crate) fn secret(name: &str) -> Value {
    let at = "2026-03-01T10:00:00.000Z";
    json!({
        "id": ID, "_id": ID, "workspace": "p-1", "environment": "dev", "version": 3, "type": "shared",
        "secretKey": name, "secretValue": "", "secretComment": "", "secretPath": "/",
        "secretValueHidden": true, "createdAt": at, "updatedAt": at, "tags": [], "secretMetadata": [],
        "skipMultilineEncoding": null, "isRotatedSecret": true, "rotationId": ID, "secretReminderNote": null,
        "secretReminderRepeatDays": null
    })
}
