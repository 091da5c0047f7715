//! A step of a rotation, committed: whole or not at all.

use chrono::{DateTime, Utc};
use rotord_crash::{Moment, reach};
use rotord_rotation::{Call, Rotation, Step, Write};

use crate::audit::AuditEntry;
use crate::columns::Text;
use crate::error::StoreError;
use crate::id::SecretId;
use crate::reader::Books;
use crate::rotations::RotationChange;
use crate::secret::SecretMap;
use crate::store::Store;

/// What belongs into one transaction.
#[derive(Debug, Clone, Copy)]
pub struct Commit<'a> {
    /// The time, by the wall clock.
    pub at: DateTime<Utc>,
    /// What the step was decided on: only what differs from it is written. None writes everything.
    pub old: Option<&'a Rotation>,
    /// What was decided.
    pub step: &'a Step,
    /// When the scheduler is to hand it over: the step's own time, or later where somebody else looks at it then.
    pub wake_at: Option<DateTime<Utc>>,
    /// The outputs that came with the event, for a [`Write::KeepOutputs`].
    pub outputs: Option<&'a SecretMap>,
    /// What a person changed with it.
    pub change: Option<&'a RotationChange>,
    /// What becomes of the secrets: with a delete command, and only then.
    pub secrets: Option<SecretsFate>,
    /// What is noted with it.
    pub audit: &'a [AuditEntry],
}

impl<'a> Commit<'a> {
    /// A step with nothing beside it.
    pub fn new(at: DateTime<Utc>, old: &'a Rotation, step: &'a Step) -> Self {
        Self {
            old: Some(old),
            ..Self::first(at, step)
        }
    }

    /// The first step of a rotation.
    pub fn first(at: DateTime<Utc>, step: &'a Step) -> Self {
        Self {
            at,
            old: None,
            step,
            wake_at: step.wake_at,
            outputs: None,
            change: None,
            secrets: None,
            audit: &[],
        }
    }
}

/// What becomes of the secrets of a rotation that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretsFate {
    /// They stay with their newest values, as ordinary secrets that nothing feeds.
    Keep,
    /// They are removed with their histories.
    Remove,
}

/// What a commit did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The installation's generation with it.
    pub generation: u64,
    /// The secrets that got a new version.
    pub published: Vec<PublishedSecret>,
}

/// A secret that got a new version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedSecret {
    /// Its id.
    pub id: SecretId,
    /// Its name.
    pub name: String,
    /// The output that feeds it.
    pub output: String,
    /// Its newest version.
    pub version: u32,
}

impl Store {
    /// Commits a step: the state, its credentials, all its writes, and what goes with it, in one transaction. Only
    /// after it has succeeded the step's call may be made.
    ///
    /// # Errors
    /// Whatever it is, the state is to be read again before anything else is decided.
    pub fn commit_step(&mut self, commit: &Commit<'_>) -> Result<Committed, StoreError> {
        if matches!(commit.step.call, Some(Call::Issue { .. })) && !self.has_room() {
            return Err(StoreError::Full);
        }
        let kept = self.kept_versions;
        let published = self.write(|books| books.apply(commit, kept))?;
        Ok(Committed {
            generation: self.generation,
            published,
        })
    }
}

impl Books<'_> {
    pub(crate) fn apply(
        &self,
        commit: &Commit<'_>,
        kept: u32,
    ) -> Result<Vec<PublishedSecret>, StoreError> {
        let rotation = &commit.step.rotation;
        // Before the state, which may say that it is being deleted.
        if let Some(change) = commit.change {
            self.change_rotation(rotation.id, change, commit.at)?;
        }
        self.save_state(rotation, commit.wake_at)?;
        if is_news(commit) {
            self.touch(rotation.id, commit.at)?;
        }
        let known = commit.old.map_or(&[][..], |old| &old.credentials);
        let changed = self.save_credentials(rotation.id, known, &rotation.credentials)?;
        self.end_former_names(&changed)?;
        // A creation that nobody was told of gives its names back at once.
        let ends =
            rotation.life.is_deleting() && commit.old.is_some_and(|old| !old.life.is_deleting());
        if let Some(fate) = commit.secrets.or(ends.then_some(SecretsFate::Keep)) {
            self.give_up_secrets(rotation.id, fate)?;
        }
        let mut published = Vec::new();
        for write in &commit.step.writes {
            match *write {
                Write::KeepOutputs { credential } => {
                    let outputs = commit.outputs.ok_or_else(|| StoreError::NoSuchOutput {
                        credential: credential.to_string(),
                        output: "(any)".to_owned(),
                    })?;
                    self.keep_outputs(credential, outputs)?;
                }
                Write::Publish { credential } => {
                    published.extend(self.publish(rotation.id, credential, kept, commit.at)?);
                }
                Write::DropOutputs { credential } => self.drop_outputs(credential)?,
                Write::RemoveRotation => self.remove_rotation(rotation)?,
            }
        }
        self.note(commit.at, commit.audit)?;
        reach(|| Some(commit.place()), Moment::InTransaction);
        Ok(published)
    }

    /// What it fed stays, unless a delete command said otherwise before.
    fn remove_rotation(&self, rotation: &Rotation) -> Result<(), StoreError> {
        self.give_up_secrets(rotation.id, SecretsFate::Keep)?;
        self.bury_credentials(rotation.id)?;
        self.remember(rotation.id)?;
        self.sql
            .prepare_cached("DELETE FROM rotations WHERE id = ?1")?
            .execute([Text(rotation.id)])?;
        Ok(())
    }
}

/// A person would say that the rotation was updated: not at each login of a proof.
fn is_news(commit: &Commit<'_>) -> bool {
    let new = &commit.step.rotation;
    commit.step.ended.is_some()
        || commit
            .old
            .is_none_or(|old| old.plan != new.plan || old.life != new.life)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::Duration;

    use rotord_rotation::rotation::Plan;
    use rotord_rotation::schedule::DailyTime;
    use rotord_rotation::{
        Boot, Context, InstallationId, Interval, Now, RotateAt, RotationId, Rules, Timing,
    };
    use rusqlite::TransactionBehavior;
    use uuid::Uuid;

    use super::*;
    use crate::open::Options;
    use crate::root_key::RootKeySource;
    use crate::rotations::NewRotation;
    use crate::{NewConnection, RotationRecord};

    fn open(dir: &Path) -> Store {
        Store::open(dir, &RootKeySource::Own, Options::default()).unwrap()
    }

    fn first_step(id: RotationId) -> Step {
        let rules = Rules {
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
        };
        let context = Context {
            now: Now {
                wall: DateTime::UNIX_EPOCH,
                boot: Boot::default(),
            },
            timing: &Timing::default(),
            rules: &rules,
            installation: InstallationId(Uuid::nil()),
            entropy: 3,
            provider_ready: true,
        };
        let plan = Plan {
            auto: true,
            interval: Interval::days(30).unwrap(),
            daily: DailyTime {
                at: RotateAt::new(0, 0).unwrap(),
                zone: None,
            },
            overlap: None,
        };
        Rotation::create(id, plan, false, &context)
    }

    /// A rotation that was reserved, and a step of it that is not committed yet.
    fn reserved(store: &mut Store) -> (RotationRecord, Step) {
        let connection = NewConnection {
            name: "azure".to_owned(),
            description: None,
            app: "azure".to_owned(),
            kind: "azure".to_owned(),
            method: "x".to_owned(),
            project: None,
            fields: serde_json::Map::default(),
            secrets: SecretMap::new(),
        };
        let connection = store
            .create_connection(DateTime::UNIX_EPOCH, &connection, &[])
            .unwrap();
        let reader = store.as_reader();
        let project = reader.project("default").unwrap();
        let environment = reader.environment(project.id, "dev").unwrap();
        let new = NewRotation {
            provider: "p".to_owned(),
            name: "app".to_owned(),
            description: None,
            connection: connection.id,
            folder: reader.folder(environment.id, "/").unwrap().id,
            parameters: serde_json::Map::default(),
            mapping: [("a".to_owned(), "A".to_owned())].into(),
            target_key: "t".to_owned(),
        };
        let id = RotationId(Uuid::from_u128(1));
        let first = first_step(id);
        store
            .create_rotation(&new, &Commit::first(DateTime::UNIX_EPOCH, &first))
            .unwrap();
        let mut step = first.clone();
        step.rotation.message = Some("later".to_owned());
        (store.as_reader().rotation(id).unwrap(), step)
    }

    #[test]
    fn a_process_that_dies_within_a_commit_leaves_the_state_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(dir.path());
        let (before, step) = reserved(&mut store);
        let commit = Commit::first(DateTime::UNIX_EPOCH, &step);

        let after_kill = tempfile::tempdir().unwrap();
        {
            let transaction = store
                .reader
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .unwrap();
            // What does not fit in memory goes to the log before the commit, as it would in a large one.
            transaction.pragma_update(None, "cache_size", 1).unwrap();
            let books = Books {
                sql: &transaction,
                keys: &store.readers.keys,
            };
            books.apply(&commit, 10).unwrap();
            let large = serde_json::Value::String("x".repeat(200_000));
            let entry = crate::AuditEntry {
                actor: crate::Actor::Daemon,
                action: "large".to_owned(),
                rotation: None,
                detail: large,
            };
            books.note(commit.at, &[entry]).unwrap();
            // The files as a killed process leaves them.
            for name in ["rotord.db", "rotord.db-wal", "root.key"] {
                fs::copy(dir.path().join(name), after_kill.path().join(name)).unwrap();
            }
            let log = fs::metadata(after_kill.path().join("rotord.db-wal")).unwrap();
            assert!(log.len() > 200_000, "the log holds what was not committed");
        }
        // The connection that lost its transaction goes on with the old state, too.
        let id = before.details.id;
        assert_eq!(store.as_reader().rotation(id).unwrap(), before);

        let mut store = open(after_kill.path());
        assert_eq!(store.as_reader().rotation(id).unwrap(), before);
        assert!(store.as_reader().audit(None, None, 9).unwrap().is_empty());
        store.commit_step(&commit).unwrap();
        let now = store.as_reader().rotation(id).unwrap();
        assert_eq!(now.state.message.as_deref(), Some("later"));
    }

    #[test]
    fn a_full_disk_is_said_and_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(dir.path());
        let (before, mut step) = reserved(&mut store);
        let sql = &store.reader.connection;
        let pages: i64 = sql
            .query_row("PRAGMA page_count", [], |row| row.get(0))
            .unwrap();
        sql.pragma_update(None, "max_page_count", pages).unwrap();
        step.rotation.message = Some("x".repeat(500_000));
        let generation = store.generation();
        let full = store.commit_step(&Commit::first(DateTime::UNIX_EPOCH, &step));
        assert!(matches!(full, Err(StoreError::Full)), "{full:?}");
        let id = before.details.id;
        assert_eq!(store.as_reader().rotation(id).unwrap(), before);
        assert_eq!(store.generation(), generation);

        store
            .reader
            .connection
            .pragma_update(None, "max_page_count", pages + 1000)
            .unwrap();
        store
            .commit_step(&Commit::first(DateTime::UNIX_EPOCH, &step))
            .unwrap();
        assert_eq!(store.generation(), generation + 1);
    }

    #[test]
    fn a_reader_can_not_write_and_a_held_database_is_busy() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options {
            busy_timeout: Duration::ZERO,
            ..Options::default()
        };
        let mut store = Store::open(dir.path(), &RootKeySource::Own, options).unwrap();
        let (_, step) = reserved(&mut store);
        let reader = store.reader().unwrap();
        let write = reader.connection.execute("DELETE FROM rotations", []);
        assert!(matches!(
            write.map_err(StoreError::from),
            Err(StoreError::ReadOnly)
        ));
        let other = rusqlite::Connection::open(dir.path().join("rotord.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let commit = Commit::first(DateTime::UNIX_EPOCH, &step);
        let busy = store.commit_step(&commit);
        assert!(matches!(busy, Err(StoreError::Busy)), "{busy:?}");
        other.execute_batch("ROLLBACK").unwrap();
        store.commit_step(&commit).unwrap();
    }
}
