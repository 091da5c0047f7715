//! The real store beside the model: after every step both must hold the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use rotord_rotation::rotation::Facts;
use rotord_rotation::{Handle, Rotation, RotationId, Step};
use rotord_store::{
    Commit, NewConnection, NewRotation, Options, Place, RootKeySource, Secret, SecretMap, Store,
    StoreError,
};
use rusqlite::Connection;
use serde_json::Map;
use tempfile::TempDir;

use super::Books;

/// In memory where the system has such a place: nothing here is about power cuts.
const FAST: &str = "/dev/shm";
const DATABASE: &str = "rotord.db";
const LOG: &str = "rotord.db-wal";
const SECRET: &str = "app-secret";

#[derive(Debug)]
pub(super) struct RealStore {
    dir: TempDir,
    copy: TempDir,
    store: Option<Store>,
    id: RotationId,
    place: Place,
}

fn said(error: impl std::error::Error) -> String {
    format!("the real store: {error}: {:?}", error.source())
}

fn open(dir: &Path, now: DateTime<Utc>) -> Result<Store, String> {
    let options = Options {
        now,
        check: false,
        ..Options::default()
    };
    Store::open(dir, &RootKeySource::Own, options).map_err(said)
}

fn outputs(value: &Handle) -> SecretMap {
    [("clientSecret", Secret::new(value.0.as_bytes()))]
        .into_iter()
        .collect()
}

impl RealStore {
    pub(super) fn new(at: DateTime<Utc>, step: &Step) -> Result<Self, String> {
        let fast = Path::new(FAST);
        let temporary = || {
            if fast.is_dir() {
                tempfile::tempdir_in(fast)
            } else {
                tempfile::tempdir()
            }
        };
        let (dir, copy) = (temporary().map_err(said)?, temporary().map_err(said)?);
        let mut store = open(dir.path(), at)?;
        let connection = NewConnection {
            name: "azure".to_owned(),
            description: None,
            app: "azure".to_owned(),
            kind: "azure-client-secrets".to_owned(),
            method: "client-secret".to_owned(),
            project: None,
            fields: Map::new(),
            secrets: SecretMap::new(),
        };
        let connection = store
            .create_connection(at, &connection, &[])
            .map_err(said)?;
        let place = (|| {
            let reader = store.as_reader();
            let project = reader.project("default")?;
            let environment = reader.environment(project.id, "dev")?;
            reader.place(reader.folder(environment.id, "/")?.id)
        })()
        .map_err(said)?;
        let new = NewRotation {
            provider: "simulated".to_owned(),
            name: "app".to_owned(),
            description: None,
            connection: connection.id,
            folder: place.folder.id,
            parameters: Map::new(),
            mapping: BTreeMap::from([("clientSecret".to_owned(), SECRET.to_owned())]),
            target_key: "target".to_owned(),
        };
        store
            .create_rotation(&new, &Commit::first(at, step))
            .map_err(said)?;
        Ok(Self {
            dir,
            copy,
            store: Some(store),
            id: step.rotation.id,
            place,
        })
    }

    fn store(&self) -> Result<&Store, String> {
        self.store
            .as_ref()
            .ok_or("the real store is closed".to_owned())
    }

    pub(super) fn commit(
        &mut self,
        at: DateTime<Utc>,
        old: &Rotation,
        step: &Step,
        value: Option<&Handle>,
    ) -> Result<(), String> {
        let outputs = value.map(outputs);
        let commit = Commit {
            outputs: outputs.as_ref(),
            ..Commit::new(at, old, step)
        };
        let store = self.store.as_mut().ok_or("the real store is closed")?;
        store.commit_step(&commit).map(|_| ()).map_err(said)
    }

    /// The same commit, of which the last statement fails: that every write was made by then has to be undone.
    pub(super) fn refuse(
        &mut self,
        at: DateTime<Utc>,
        old: &Rotation,
        step: &Step,
        value: Option<&Handle>,
    ) -> Result<(), String> {
        // Each transaction of the store ends with the generation.
        let fails = "CREATE TRIGGER no_room BEFORE UPDATE OF generation ON installation
                     BEGIN SELECT RAISE(FAIL, 'no room'); END";
        let beside = Connection::open(self.dir.path().join(DATABASE)).map_err(said)?;
        beside.execute_batch(fails).map_err(said)?;
        let refused = self.commit(at, old, step, value);
        beside.execute_batch("DROP TRIGGER no_room").map_err(said)?;
        match refused {
            Err(why) if why.contains("no room") => Ok(()),
            Err(why) => Err(why),
            Ok(()) => Err("the real store says that it wrote what it could not".to_owned()),
        }
    }

    /// State and published value, read back.
    pub(super) fn compare(&self, model: &Books) -> Result<(), String> {
        let reader = self.store()?.as_reader();
        match reader.rotation(self.id) {
            Ok(record) => {
                let mut is = model.rotation.clone();
                is.facts = Facts::default();
                if model.removed || record.state != is {
                    return Err(format!(
                        "the real store holds {:#?}, the model {is:#?}",
                        record.state
                    ));
                }
            }
            Err(StoreError::NotFound { .. }) if model.removed => return Ok(()),
            Err(error) => return Err(said(error)),
        }
        for credential in &model.rotation.credentials {
            let is = reader.outputs_of(credential.id).map_err(said)?;
            if is != model.values.get(&credential.id).map(outputs) {
                return Err(format!(
                    "the real store holds other outputs of {}",
                    credential.id
                ));
            }
        }
        let Some(published) = &model.published else {
            return Ok(());
        };
        let environment = self.place.environment.id;
        let secret = reader
            .secret(environment, &self.place.folder.path, SECRET, None, true)
            .map_err(said)?;
        let same = secret
            .value
            .is_some_and(|value| value.expose() == published.0.as_bytes());
        if same {
            Ok(())
        } else {
            Err(format!("the real store's secret is not {published}"))
        }
    }

    pub(super) fn reopen(&mut self) -> Result<(), String> {
        self.store = None;
        self.store = Some(open(self.dir.path(), DateTime::UNIX_EPOCH)?);
        Ok(())
    }

    pub(super) fn make_copy(&mut self) -> Result<(), String> {
        self.store = None;
        copy_books(self.dir.path(), self.copy.path())?;
        self.reopen()
    }

    pub(super) fn restore(&mut self) -> Result<(), String> {
        self.store = None;
        copy_books(self.copy.path(), self.dir.path())?;
        self.reopen()
    }
}

/// The database of a closed store, and its log where one was left.
fn copy_books(from: &Path, to: &Path) -> Result<(), String> {
    for name in [DATABASE, LOG] {
        if from.join(name).exists() {
            fs::copy(from.join(name), to.join(name)).map_err(said)?;
        } else if to.join(name).exists() {
            fs::remove_file(to.join(name)).map_err(said)?;
        }
    }
    Ok(())
}
