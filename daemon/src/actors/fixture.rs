//! Books with rotations in them, for the tests of the actors.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rotord_provider::{Host, HostSettings, Limits};
use rotord_rotation::{
    Context, InstallationId, Interval, Plan, RotateAt, Rotation, RotationId, Timing,
    schedule::DailyTime,
};
use rotord_store::{
    Commit, ConnectionId, FolderId, NewConnection, NewRotation, Options, RootKeySource, SecretMap,
    Store,
};
use serde_json::{Map, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::rotator::Rulebook;
use super::store::StoreHandle;
use crate::clock::Clock;
use crate::providers::Providers;

/// A store in a temporary directory, and the provider `echo` beside it.
pub(super) struct Books {
    pub(super) store: StoreHandle,
    pub(super) installation: InstallationId,
    pub(super) timing: Timing,
    limits: Limits,
    connection: ConnectionId,
    folder: FolderId,
    directory: TempDir,
}

impl Books {
    pub(super) async fn open() -> Self {
        Self::with(Limits::default()).await
    }

    /// Provider calls have these limits.
    pub(super) async fn with(limits: Limits) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("state");
        let store = Store::open(&state, &RootKeySource::Own, Options::default()).unwrap();
        let installation = store.as_reader().installation().unwrap().id;
        let project = store.as_reader().project("default").unwrap().id;
        let environment = store.as_reader().environment(project, "dev").unwrap().id;
        let folder = store.as_reader().folder(environment, "/").unwrap().id;
        let readers = vec![store.reader().unwrap()];
        let store = StoreHandle::start(store, readers);
        let connection = store
            .write(|store| {
                let new = NewConnection {
                    name: "echo".to_owned(),
                    description: None,
                    app: "echo".to_owned(),
                    kind: "echo".to_owned(),
                    method: "plain".to_owned(),
                    project: None,
                    fields: Map::default(),
                    secrets: SecretMap::new(),
                };
                store.create_connection(DateTime::UNIX_EPOCH, &new, &[])
            })
            .await
            .unwrap();
        let timing = Timing {
            scale: 0.0001,
            ..Timing::default()
        };
        Self {
            store,
            installation,
            timing: timing.scaled(),
            limits,
            connection: connection.id,
            folder,
            directory,
        }
    }

    /// A host with `echo`, and its bounds.
    pub(super) async fn host(&self) -> (Arc<Host>, Rulebook) {
        let guests = self.directory.path().join("guests");
        std::fs::create_dir(&guests).unwrap();
        let built = concat!(env!("CARGO_MANIFEST_DIR"), "/../build/guests/echo.wasm");
        std::fs::copy(built, guests.join("echo.wasm")).expect("built by `plugins/build guests`");
        let host = Host::new(HostSettings {
            directories: vec![guests],
            limits: self.limits.clone(),
            ..HostSettings::default()
        });
        let host = Arc::new(host.unwrap());
        let clock = Clock::default();
        let providers = Providers::new(
            Arc::clone(&host),
            self.store.clone(),
            clock,
            self.timing.clone(),
        );
        let rulebook = providers.load().await.unwrap();
        (host, rulebook)
    }

    /// A rotation whose creation has begun and that is to be looked at at this instant.
    pub(super) async fn rotation(&self, number: u128, wake_at: DateTime<Utc>) -> RotationId {
        self.rotation_of(number, wake_at, json!({"key": "k"})).await
    }

    /// The same, with these parameters.
    pub(super) async fn rotation_of(
        &self,
        number: u128,
        wake_at: DateTime<Utc>,
        parameters: serde_json::Value,
    ) -> RotationId {
        self.rotation_from(number, wake_at, parameters, "value")
            .await
    }

    /// The same, with a secret that this output feeds.
    pub(super) async fn rotation_from(
        &self,
        number: u128,
        wake_at: DateTime<Utc>,
        parameters: serde_json::Value,
        output: &str,
    ) -> RotationId {
        let id = RotationId(Uuid::from_u128(number));
        let plan = Plan {
            auto: true,
            interval: Interval::days(30).unwrap(),
            daily: DailyTime {
                at: RotateAt::new(0, 0).unwrap(),
                zone: None,
            },
            overlap: None,
        };
        let rules = rules();
        let mut step = Rotation::create(
            id,
            plan,
            false,
            &Context {
                now: Clock::default().now(),
                timing: &self.timing,
                rules: &rules,
                installation: self.installation,
                entropy: number,
                provider_ready: false,
            },
        );
        step.wake_at = Some(wake_at);
        let new = NewRotation {
            provider: "echo".to_owned(),
            name: format!("rotation-{number}"),
            description: None,
            connection: self.connection,
            folder: self.folder,
            parameters: parameters.as_object().unwrap().clone(),
            mapping: [(output.to_owned(), format!("ECHO_{number}"))].into(),
            target_key: "echo".to_owned(),
        };
        self.store
            .write(move |store| {
                store.create_rotation(&new, &Commit::first(DateTime::UNIX_EPOCH, &step))
            })
            .await
            .unwrap();
        id
    }
}

fn rules() -> rotord_rotation::Rules {
    use std::time::Duration;
    rotord_rotation::Rules {
        write_spacing: Duration::ZERO,
        propagation_bound: Duration::ZERO,
        minimum_overlap: Duration::ZERO,
        credential_cap: None,
        longest_interval: Interval::days(900).unwrap(),
        verify_successes: 1,
        verify_spacing: Duration::ZERO,
        lifetime_intervals: 2,
        lifetime_extra: Duration::ZERO,
        lifetime_most: None,
    }
}
