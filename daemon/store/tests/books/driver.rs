//! A state directory, and a rotation that is driven through its steps against a provider that always works.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rotord_rotation::event::{Answer, Revocation, Survey};
use rotord_rotation::rotation::Plan;
use rotord_rotation::schedule::DailyTime;
use rotord_rotation::{
    Boot, Call, Command, Context, CredentialId, Event, Handle, Interval, Issued, Listed, Now,
    RotateAt, Rotation, RotationId, Rules, Step, Timing, Verdict, Write,
};
use rotord_store::{
    Commit, Committed, Connection, ConnectionId, FolderId, NewConnection, NewRotation, Options,
    Place, RootKeySource, Secret, SecretMap, Store, StoreError,
};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) static TIMING: LazyLock<Timing> = LazyLock::new(Timing::default);
pub(crate) static RULES: LazyLock<Rules> = LazyLock::new(|| Rules {
    write_spacing: Duration::from_secs(5),
    propagation_bound: Duration::from_mins(20),
    minimum_overlap: Duration::from_mins(110),
    credential_cap: None,
    longest_interval: Interval::days(909).unwrap(),
    verify_successes: 3,
    verify_spacing: Duration::from_secs(7),
    lifetime_intervals: 2,
    lifetime_extra: Duration::from_hours(72),
    lifetime_most: None,
});

pub(crate) fn start() -> DateTime<Utc> {
    "2026-03-01T10:00:00Z".parse().unwrap()
}

/// A state directory that is gone afterwards.
pub(crate) struct Books {
    pub(crate) dir: TempDir,
    pub(crate) store: Store,
}

impl Books {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), &RootKeySource::Own, options()).unwrap();
        Self { dir, store }
    }

    /// As after the daemon's end.
    pub(crate) fn reopened(self) -> Self {
        let Self { dir, store } = self;
        drop(store);
        let store = Store::open(dir.path(), &RootKeySource::Own, options()).unwrap();
        Self { dir, store }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.dir.path().join("rotord.db")
    }

    /// Another connection, past the store.
    pub(crate) fn tamper(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.database()).unwrap()
    }

    /// The folder `/` of an environment of the default project.
    pub(crate) fn root(&self, environment: &str) -> Place {
        let reader = self.store.as_reader();
        let project = reader.project("default").unwrap();
        let environment = reader.environment(project.id, environment).unwrap();
        let folder = reader.folder(environment.id, "/").unwrap();
        reader.place(folder.id).unwrap()
    }

    pub(crate) fn connection(&mut self, name: &str) -> Connection {
        let new = NewConnection {
            name: name.to_owned(),
            description: None,
            app: "azure".to_owned(),
            kind: "azure-client-secrets".to_owned(),
            method: "client-secret".to_owned(),
            project: None,
            fields: object(json!({"tenantId": "contoso"})),
            secrets: outputs("clientSecret", "connection-hunter2"),
        };
        self.store.create_connection(start(), &new, &[]).unwrap()
    }

    /// A new rotation in the environment `dev` at `/`, not yet published.
    pub(crate) fn created(&mut self, name: &str) -> Driven {
        let folder = self.root("dev").folder.id;
        let connection = match self.store.as_reader().connection_by_name("azure") {
            Ok(connection) => connection.id,
            Err(_) => self.connection("azure").id,
        };
        let new = new_rotation(name, folder, connection);
        Driven::create(&mut self.store, &new).unwrap()
    }

    /// The same, published with this value.
    pub(crate) fn published(&mut self, name: &str, value: &str) -> Driven {
        let mut driven = self.created(name);
        driven.until_published(&mut self.store, value);
        driven
    }
}

pub(crate) fn options() -> Options {
    Options {
        now: start(),
        ..Options::default()
    }
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("no object: {other}"),
    }
}

pub(crate) fn outputs(name: &str, value: &str) -> SecretMap {
    [(name, Secret::new(value))].into_iter().collect()
}

/// Its secrets are named after it.
pub(crate) fn new_rotation(name: &str, folder: FolderId, connection: ConnectionId) -> NewRotation {
    NewRotation {
        provider: "azure-client-secret".to_owned(),
        name: name.to_owned(),
        description: Some("for a test".to_owned()),
        connection,
        folder,
        parameters: object(json!({"objectId": "o", "clientId": "c"})),
        mapping: mapping(&format!("{name}-id"), &format!("{name}-secret")),
        target_key: format!("target of {name}"),
    }
}

pub(crate) fn mapping(id: &str, secret: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("clientId".to_owned(), id.to_owned()),
        ("clientSecret".to_owned(), secret.to_owned()),
    ])
}

pub(crate) fn plan() -> Plan {
    Plan {
        auto: true,
        interval: Interval::days(30).unwrap(),
        daily: DailyTime {
            at: RotateAt::new(0, 0).unwrap(),
            zone: None,
        },
        overlap: None,
    }
}

/// A rotation in the hands of a rotator.
pub(crate) struct Driven {
    pub(crate) id: RotationId,
    pub(crate) rotation: Rotation,
    pub(crate) now: DateTime<Utc>,
    boot: Duration,
    entropy: u128,
    /// What the provider has.
    pub(crate) live: Vec<Listed>,
    call: Option<Call>,
    pub(crate) last: Option<Step>,
}

impl Driven {
    pub(crate) fn create(store: &mut Store, new: &NewRotation) -> Result<Self, StoreError> {
        let id = RotationId(Uuid::new_v4());
        let step = Rotation::create(id, plan(), false, &context(start(), Duration::ZERO, 1));
        store.create_rotation(new, &Commit::first(start(), &step))?;
        Ok(Self {
            id,
            rotation: step.rotation.clone(),
            now: start(),
            boot: Duration::ZERO,
            entropy: Uuid::new_v4().as_u128(),
            live: Vec::new(),
            call: step.call.clone(),
            last: Some(step),
        })
    }

    pub(crate) fn decide(&mut self, event: Event) -> Step {
        self.entropy = self.entropy.wrapping_mul(3).wrapping_add(1);
        let context = context(self.now, self.boot, self.entropy);
        self.rotation.step(event, &context).unwrap()
    }

    /// Decides and commits.
    pub(crate) fn step(
        &mut self,
        store: &mut Store,
        event: Event,
        outputs: Option<&SecretMap>,
    ) -> Committed {
        let step = self.decide(event);
        let commit = Commit {
            outputs,
            ..Commit::new(self.now, &self.rotation, &step)
        };
        let committed = store.commit_step(&commit).unwrap();
        self.take(step);
        committed
    }

    /// The step was committed.
    pub(crate) fn take(&mut self, step: Step) {
        self.rotation = step.rotation.clone();
        // A call that is under way goes on.
        self.call = self.call.take().or_else(|| step.call.clone());
        self.last = Some(step);
    }

    pub(crate) fn command(&mut self, store: &mut Store, command: Command) -> Committed {
        self.step(store, Event::Command(command), None)
    }

    /// Goes on until something was published, from `value` where something is issued for it.
    pub(crate) fn until_published(&mut self, store: &mut Store, value: &str) -> Committed {
        self.until(store, value, |step| {
            step.writes
                .iter()
                .any(|write| matches!(write, Write::Publish { .. }))
        })
    }

    /// Rotates by hand.
    pub(crate) fn rotate(&mut self, store: &mut Store, value: &str) -> Committed {
        let rotate = Command::Rotate { retire_after: None };
        self.command(store, rotate);
        self.until_published(store, value)
    }

    pub(crate) fn until(
        &mut self,
        store: &mut Store,
        value: &str,
        done: impl Fn(&Step) -> bool,
    ) -> Committed {
        for _ in 0..500 {
            let (event, outputs) = self.next_event(value);
            let committed = self.step(store, event, outputs.as_ref());
            if self.last.as_ref().is_some_and(&done) {
                return committed;
            }
        }
        panic!("never came about: {:#?}", self.rotation);
    }

    fn next_event(&mut self, value: &str) -> (Event, Option<SecretMap>) {
        let Some(call) = self.call.take() else {
            let wait = self.last.as_ref().and_then(|step| step.wake_at);
            let wait = wait.map_or(TimeDelta::seconds(10), |at| at - self.now);
            self.pass(wait.max(TimeDelta::seconds(1)));
            return (Event::Woke, None);
        };
        self.pass(TimeDelta::milliseconds(300));
        let event = match call {
            Call::Inspect => Event::Inspected(Ok(rotord_rotation::Inspection::default())),
            Call::Survey => Event::Surveyed(Ok(Survey {
                listed: self.live.clone(),
                tombstones: Vec::new(),
                provider_time: Some(self.now),
            })),
            Call::Issue {
                label, lifetime, ..
            } => {
                let handle = Handle(format!("key-{}", label.nonce));
                let expires_at = Some(self.now + TimeDelta::from_std(lifetime).unwrap());
                self.live.push(Listed {
                    handle: handle.clone(),
                    label: Some(label),
                    expires_at,
                });
                let issued = Issued {
                    handle,
                    expires_at,
                    provider_time: Some(self.now),
                };
                return (Event::Issued(Ok(issued)), Some(both(value)));
            }
            Call::Verify { .. } => Event::Verified(Verdict {
                answer: Answer::Works,
                provider_time: Some(self.now),
            }),
            Call::Revoke { handle, .. } => {
                self.live.retain(|listed| listed.handle != handle);
                Event::Revoked(Ok(Revocation {
                    found: true,
                    provider_time: Some(self.now),
                }))
            }
        };
        (event, None)
    }

    fn pass(&mut self, time: TimeDelta) {
        self.now += time;
        self.boot += time.to_std().unwrap();
    }

    pub(crate) fn active(&self) -> CredentialId {
        self.rotation.active().unwrap().id
    }
}

/// What issuing gives: the secret is `value`, the rest never changes.
pub(crate) fn both(value: &str) -> SecretMap {
    let mut outputs = outputs("clientSecret", value);
    outputs.insert("clientId", Secret::new("the-client-id"));
    outputs.insert("tenantId", Secret::new("the-tenant"));
    outputs
}

fn context(wall: DateTime<Utc>, boot: Duration, entropy: u128) -> Context<'static> {
    Context {
        now: Now {
            wall,
            boot: Boot(boot),
        },
        timing: &TIMING,
        rules: &RULES,
        installation: rotord_rotation::InstallationId(Uuid::from_u128(5)),
        entropy,
        provider_ready: true,
    }
}

/// The value of a secret in `dev` at `/`, as text.
pub(crate) fn value(store: &Store, place: &Place, name: &str) -> Result<String, StoreError> {
    let reader = store.as_reader();
    let found = reader.secret(place.environment.id, &place.folder.path, name, None, true)?;
    Ok(String::from_utf8(found.value.unwrap().expose().to_vec()).unwrap())
}
