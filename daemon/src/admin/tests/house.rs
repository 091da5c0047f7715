//! A whole daemon behind two sockets, in a temporary directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix::Actor as _;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rotord_provider::{Host, HostSettings};
use rotord_rotation::RotationId;
use rotord_store::{AuditRecord, Options, RootKeySource, Store};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::actors::rotator::{Equipment, Rotator};
use crate::actors::scheduler::{Begin, Scheduler};
use crate::actors::store::StoreHandle;
use crate::admin::{Admin, Server, serve_admin, serve_reader};
use crate::clock::Clock;
use crate::listen;
use crate::providers::Providers;
use crate::settings::{InForce, ReaderGrant, Settings};

/// What the connection's secret field holds.
pub(super) const TOKEN: &str = "hunter2-hunter2-hunter2";

pub(super) struct House {
    pub(super) admin: Admin,
    pub(super) project: String,
    socket: PathBuf,
    reader: PathBuf,
    _servers: [Server; 2],
    _directory: TempDir,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl House {
    pub(super) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    /// With other settings. Every wait is a ten-thousandth of what it is.
    pub(super) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = Settings::default();
        settings.admin.socket = directory.path().join("admin.sock");
        settings.reader.socket = directory.path().join("reader.sock");
        settings.timing.scale = 0.0001;
        let state = directory.path().join("state");
        settings.state.directory.clone_from(&state);
        change(&mut settings);
        let clock = Clock::of_this_process();
        let timing = settings.timing.scaled();

        let store = Store::open(&state, &RootKeySource::Own, Options::default()).unwrap();
        let installation = store.as_reader().installation().unwrap().id;
        let project = store.as_reader().project("default").unwrap().id.to_string();
        let readers = vec![store.reader().unwrap(), store.reader().unwrap()];
        let store = StoreHandle::start(store, readers);
        let host = Host::new(HostSettings {
            directories: vec![guests(directory.path())],
            ..HostSettings::default()
        });
        let host = Arc::new(host.unwrap());
        let providers = Providers::new(host, store.clone(), clock, timing.clone());
        let rulebook = providers.load().await.unwrap();
        let scheduler = Scheduler::new(store.clone(), clock).start();
        let rotator = Rotator::new(Equipment {
            store: store.clone(),
            host: Arc::clone(providers.host()),
            clock,
            timing: timing.clone(),
            installation,
            stale: None,
            witness: None,
            machine_id: None,
            scheduler: scheduler.clone().recipient(),
            rulebook,
        })
        .start();
        scheduler.do_send(Begin {
            rotator: rotator.clone().recipient(),
            everyone_told: rotator.clone().recipient(),
        });
        let (socket, reader) = (
            settings.admin.socket.clone(),
            settings.reader.socket.clone(),
        );
        let sockets = listen::sockets(&settings).unwrap();
        let admin = Admin {
            store,
            rotator,
            scheduler,
            providers,
            clock,
            timing,
            installation,
            settings: InForce::new(settings),
        };
        let servers = [
            serve_admin(sockets.admin, admin.clone()).unwrap(),
            serve_reader(sockets.reader, admin.clone()).unwrap(),
        ];
        Self {
            admin,
            project,
            socket,
            reader,
            _servers: servers,
            _directory: directory,
        }
    }

    /// With a connection.
    pub(super) async fn connected() -> (Self, String) {
        let house = Self::open().await;
        let connection = house.connect("echo", json!({"token": TOKEN})).await;
        (house, connection)
    }

    /// With a rotation by a connection, and waits after a failure that no test sees the end of.
    pub(super) async fn unhurried() -> (Self, String, RotationId) {
        let house = Self::with(|settings| settings.timing.scale = 0.01).await;
        let connection = house.connect("echo", json!({"token": TOKEN})).await;
        let rotation = house
            .get(&house.rotation(&connection).await)
            .await
            .rotation();
        let id = RotationId(rotation["id"].as_str().unwrap().parse().unwrap());
        (house, connection, id)
    }

    pub(super) async fn connect(&self, name: &str, credentials: Value) -> String {
        let body = json!({"name": name, "method": "plain", "credentials": credentials});
        let made = self.post("/api/v1/app-connections/echo", &body).await;
        made.is(200);
        made.body["appConnection"]["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The documented request, with what the provider of these tests needs.
    pub(super) fn request(&self, connection: &str) -> Value {
        json!({
            "name": "my-rotation", "projectId": self.project, "description": "my client secret rotation",
            "connectionId": connection, "environment": "dev", "secretPath": "/",
            "isAutoRotationEnabled": true, "rotationInterval": 30,
            "rotateAtUtc": {"hours": 0, "minutes": 0},
            "parameters": {"key": "k"},
            "secretsMapping": {"name": "ECHO_NAME", "value": "ECHO_VALUE"}
        })
    }

    /// A rotation, by its path.
    pub(super) async fn rotation(&self, connection: &str) -> String {
        let made = self.post(ROTATIONS, &self.request(connection)).await;
        made.is(200);
        path_of(&made)
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        send(&self.socket, "GET", path, None, &[]).await
    }

    pub(super) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        send(&self.socket, "GET", path, None, headers).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(body.to_string())).await
    }

    pub(super) async fn order(&self, path: &str) -> Answer {
        self.send("POST", path, None).await
    }

    pub(super) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, Some(body.to_string())).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None).await
    }

    pub(super) async fn send(&self, method: &str, path: &str, body: Option<String>) -> Answer {
        send(&self.socket, method, path, body, &[]).await
    }

    /// Where readers connect.
    pub(super) fn reader(&self) -> &Path {
        &self.reader
    }

    /// On the reader socket.
    pub(super) async fn read(&self, path: &str) -> Answer {
        send(&self.reader, "GET", path, None, &[]).await
    }

    pub(super) async fn delete_as_reader(&self, path: &str) -> Answer {
        send(&self.reader, "DELETE", path, None, &[]).await
    }

    pub(super) async fn read_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        send(&self.reader, "GET", path, None, headers).await
    }

    /// Asks until the rotation has no run any more.
    pub(super) async fn settled(&self, path: &str) -> Value {
        loop {
            let rotation = self.get(path).await.rotation();
            if rotation["state"]["run"].is_null() {
                return rotation;
            }
        }
    }

    /// Asks until a run of the rotation is under way.
    pub(super) async fn under_way(&self, path: &str) {
        while self.get(path).await.rotation()["state"]["run"].is_null() {}
    }

    pub(super) async fn audit(&self) -> Vec<AuditRecord> {
        let read = self
            .admin
            .store
            .read(|reader| reader.audit(None, None, 1000));
        let records = read.await.unwrap();
        let all = format!("{records:?}");
        assert!(!all.contains(TOKEN), "a secret is in the audit");
        records
    }

    /// How often this was noted.
    pub(super) async fn noted(&self, action: &str) -> usize {
        let ours = rustix::process::geteuid().as_raw();
        let records = self.audit().await;
        records
            .iter()
            .filter(|record| record.entry.action == action)
            .inspect(|record| match record.entry.actor {
                rotord_store::Actor::Peer { uid, .. } => assert_eq!(uid, ours),
                rotord_store::Actor::Daemon => panic!("{record:?} names no peer"),
            })
            .count()
    }
}

impl Answer {
    #[track_caller]
    pub(super) fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        if status >= 400 {
            self.has_error_shape();
        }
        self
    }

    #[track_caller]
    pub(super) fn says(&self, text: &str) -> &Self {
        let message = self.body["message"].to_string();
        assert!(message.contains(text), "{message}");
        self
    }

    #[track_caller]
    pub(super) fn rotation(&self) -> Value {
        assert!(self.status.is_success(), "{}", self.body);
        self.body["secretRotation"].clone()
    }

    #[track_caller]
    fn has_error_shape(&self) {
        let body = &self.body;
        assert!(body["reqId"].is_string(), "{body}");
        assert_eq!(body["statusCode"], self.status.as_u16(), "{body}");
        assert!(body["error"].is_string(), "{body}");
        match self.status.as_u16() {
            422 => assert!(
                body["message"]
                    .as_array()
                    .is_some_and(|issues| !issues.is_empty()
                        && issues.iter().all(|issue| issue["path"].is_array()
                            && issue["code"].is_string()
                            && issue["message"].is_string())),
                "{body}"
            ),
            _ => assert!(body["message"].is_string(), "{body}"),
        }
        assert!(!body.to_string().contains(TOKEN), "{body}");
    }
}

pub(super) const ROTATIONS: &str = "/api/v2/secret-rotations/echo";

pub(super) fn path_of(answer: &Answer) -> String {
    format!("{ROTATIONS}/{}", answer.rotation()["id"].as_str().unwrap())
}

/// A grant to whoever runs the tests.
pub(super) fn grant(path: &str, secrets: &[&str]) -> ReaderGrant {
    ReaderGrant {
        uids: vec![rustix::process::geteuid().as_raw()],
        gids: Vec::new(),
        project: "default".to_owned(),
        environment: "dev".to_owned(),
        path: path.to_owned(),
        secrets: secrets.iter().map(ToString::to_string).collect(),
    }
}

/// A wait that is over before anything has happened.
pub(super) fn no_patience(settings: &mut Settings) {
    settings.admin.wait = Duration::ZERO;
}

/// A directory with the one provider that these tests use.
fn guests(directory: &Path) -> PathBuf {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../build/guests/echo.wasm");
    assert!(
        built.exists(),
        "{} is missing: build it with `plugins/build guests`",
        built.display()
    );
    let guests = directory.join("guests");
    std::fs::create_dir(&guests).unwrap();
    std::fs::copy(&built, guests.join("echo.wasm")).unwrap();
    guests
}

async fn send(
    socket: &Path,
    method: &str,
    path: &str,
    body: Option<String>,
    headers: &[(&str, &str)],
) -> Answer {
    let stream = tokio::net::UnixStream::connect(socket).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = actix_rt::spawn(connection);
    let mut request = Request::builder().method(method).uri(path);
    if headers.iter().all(|(name, _)| *name != "host") {
        request = request.header("host", "localhost");
    }
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request
        .body(Full::new(Bytes::from(body.unwrap_or_default())))
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    connection.abort();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: match &body[..] {
            [] => Value::Null,
            // A backup is no JSON, and the one thing that is none.
            body if body.starts_with(b"rotord backup ") => Value::Null,
            body => serde_json::from_slice(body).unwrap(),
        },
    }
}
