//! Another root key, while the daemon works.
//!
//! What is sealed is sealed under the data keys, and these are wrapped by the root key: to replace it, they are wrapped
//! once more. The database then opens with both, until a start was made with the newer one; that start drops the other
//! wrapping. So there is no moment at which a crash leaves a database that the key in its place does not open, whoever
//! puts the new key in its place, and whenever.
//!
//! For the key of our own in the state directory all of it is done here:
//!
//! | Step | A crash after it leaves | The next start |
//! |---|---|---|
//! | the new key is written beside the old one | a draft that opens nothing | removes the draft |
//! | the data keys are wrapped by both: this decides | the old key in place, and a draft that opens, too | goes on with the next step |
//! | the old key gets a second name, the draft its place | the new key in place, the old one opens, too | drops the old wrapping |
//! | the old wrapping is dropped | | |
//!
//! The old key is kept under a name of its own: what was backed up without a passphrase opens with nothing else.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use rotord_crash::{Moment, Step as Place, reach};
use rusqlite::Connection;

use crate::audit::AuditEntry;
use crate::data_keys;
use crate::error::StoreError;
use crate::open::OpenError;
use crate::reader::Reader;
use crate::root_key::{self, OWN_KEY_FILE, RootKey, RootKeyError, RootKeySource};
use crate::seal::SealError;
use crate::store::Store;

/// Which root keys open the database, by their labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootKeys {
    /// The one in use: with which it was opened, or which has replaced that one since.
    pub in_use: String,
    /// All that open it, the oldest wrapping first. A start with one of them drops those before it.
    pub opening: Vec<String>,
}

impl RootKeys {
    /// Those that a start is awaited with: newer than the one in use.
    pub fn waiting(&self) -> &[String] {
        let mine = self.opening.iter().position(|label| *label == self.in_use);
        mine.map_or(&[], |at| &self.opening[at + 1..])
    }
}

/// What became of the key in the state directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// The label of the new one.
    pub label: String,
    /// Where the old one is kept: nothing needs it but backups that were taken under it.
    pub kept: PathBuf,
    /// The old one opens the database no more. Else the next start sees to it.
    pub old_dropped: bool,
}

/// Why the root key is the one of before. The database opens with it as it did.
#[derive(Debug, thiserror::Error)]
pub enum RewrapError {
    /// A key.
    #[error(transparent)]
    RootKey(#[from] RootKeyError),
    /// It would change nothing.
    #[error("the root key {label} is in use already")]
    InUse {
        /// Its label.
        label: String,
    },
    /// The file is not what the daemon was started with, so it is not the daemon's to replace.
    #[error(
        "the root key in {} is {found}, and {in_use} is in use: the file was changed since the start",
        .path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// The label of what is in it.
        found: String,
        /// The label of the one in use.
        in_use: String,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The label of the root key in use, for all connections.
#[derive(Clone)]
pub(crate) struct InUse(Arc<RwLock<String>>);

impl InUse {
    pub(crate) fn new(label: String) -> Self {
        Self(Arc::new(RwLock::new(label)))
    }

    fn label(&self) -> String {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, label: &str) {
        let mut now = self.0.write().unwrap_or_else(PoisonError::into_inner);
        label.clone_into(&mut now);
    }
}

impl Reader {
    /// Which root keys open the database.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn root_keys(&self) -> Result<RootKeys, StoreError> {
        let mut opening: Vec<String> = Vec::new();
        // Each wraps all data keys, or none.
        for (_, label, _) in data_keys::wrapped_keys(&self.connection)? {
            if !opening.contains(&label) {
                opening.push(label);
            }
        }
        Ok(RootKeys {
            in_use: self.root_key.label(),
            opening,
        })
    }
}

impl Store {
    /// Wraps the data keys by the root key `next`, too, and says its label. Both open the database until a start was
    /// made with the next one. It is taken back by wrapping them by the one in use again.
    ///
    /// # Errors
    /// The next key can't be used or changes nothing, or the database can't be written.
    pub fn rewrap(
        &mut self,
        next: &RootKeySource,
        at: DateTime<Utc>,
        note: impl FnOnce(&RootKeys, &str) -> AuditEntry,
    ) -> Result<String, RewrapError> {
        let next = RootKey::load(next, &self.folder(), true)?;
        let now = self.reader.root_keys()?;
        if next.label == now.in_use && now.waiting().is_empty() {
            return Err(RewrapError::InUse { label: next.label });
        }
        self.wrap_by(&next, at, note(&now, &next.label))?;
        Ok(next.label)
    }

    /// Makes a new key in the state directory and puts it in the place of the one there, which must be in use.
    ///
    /// # Errors
    /// The one there is not in use, the new one can't be written, or the database can't be.
    pub fn replace_own_key(
        &mut self,
        at: DateTime<Utc>,
        note: impl FnOnce(&RootKeys, &str) -> AuditEntry,
    ) -> Result<Replaced, RewrapError> {
        let now = self.reader.root_keys()?;
        let own = OwnKey::of(&self.folder());
        own.is_in_use(&now.in_use)?;
        let next = own.draft()?;
        reached(Moment::Drafted);
        let note = note(&now, &next.label);
        self.wrap_by(&next, at, note)?;
        reached(Moment::Wrapped);
        let kept = own.replace(&now.in_use)?;
        reached(Moment::Placed);
        self.reader.root_key.set(&next.label);
        // What is left of the old one is dropped by the next start, too.
        let old_dropped = self.write(|books| Ok(data_keys::forget_replaced(books.sql, &next)?));
        Ok(Replaced {
            label: next.label,
            kept,
            old_dropped: old_dropped.is_ok(),
        })
    }

    /// One transaction, in which what was wrapped is opened again.
    fn wrap_by(
        &mut self,
        next: &RootKey,
        at: DateTime<Utc>,
        note: AuditEntry,
    ) -> Result<(), StoreError> {
        self.write(|books| {
            for (id, plain) in books.keys.plain() {
                data_keys::wrap(books.sql, next, id, plain)?;
            }
            for (id, label, wrapped) in data_keys::wrapped_keys(books.sql)? {
                if label == next.label && !books.keys.holds(id, &next.unwrap(id, &wrapped)?) {
                    let table = "wrapped_keys";
                    return Err(SealError::WrongForm { table }.into());
                }
            }
            books.note(at, &[note])?;
            reached(Moment::InTransaction);
            Ok(())
        })
    }

    fn folder(&self) -> PathBuf {
        let folder = self.readers.path.parent();
        folder.unwrap_or(Path::new("/")).to_owned()
    }
}

fn reached(moment: Moment) {
    reach(|| Some(Place::Rewrap), moment);
}

/// What a crash has left of replacing the key of our own, which has opened the database: it is finished where it was
/// decided, and its draft removed where it was not. What can't be written is left to the next start: the database
/// opens as it is.
pub(crate) fn finish(dir: &Path, sql: &Connection) -> Option<RootKey> {
    let own = OwnKey::of(dir);
    let next = match RootKey::from_file(&own.draft) {
        Ok(next) => next,
        Err(RootKeyError::TooShort) => {
            // Cut off while it was written: nothing is wrapped by it.
            let _ = fs::remove_file(&own.draft);
            return None;
        }
        Err(_) => return None,
    };
    let current = RootKey::from_file(&own.path).ok()?;
    match data_keys::unwrap_all(sql, &next, &own.path) {
        Ok(_) => {
            own.replace(&current.label).ok()?;
            let _ = data_keys::forget_replaced(sql, &next);
            Some(next)
        }
        Err(OpenError::WrongRootKey { .. }) => {
            let _ = fs::remove_file(&own.draft);
            None
        }
        Err(_) => None,
    }
}

/// Where a root key that was replaced is kept, in the state directory. None where that is no label.
pub(crate) fn kept(dir: &Path, label: &str) -> Option<PathBuf> {
    // A backup says what its labels are, and must not lead elsewhere.
    let is_label = !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_label.then(|| dir.join(format!("{OWN_KEY_FILE}.{label}")))
}

/// The key in the state directory.
struct OwnKey {
    path: PathBuf,
    draft: PathBuf,
}

impl OwnKey {
    fn of(dir: &Path) -> Self {
        let path = dir.join(OWN_KEY_FILE);
        Self {
            draft: root_key::draft_of(&path),
            path,
        }
    }

    fn is_in_use(&self, in_use: &str) -> Result<(), RewrapError> {
        let found = RootKey::from_file(&self.path)?.label;
        if found == in_use {
            return Ok(());
        }
        Err(RewrapError::Changed {
            path: self.path.clone(),
            found,
            in_use: in_use.to_owned(),
        })
    }

    fn draft(&self) -> Result<RootKey, RootKeyError> {
        root_key::draft(&self.path)?;
        RootKey::from_file(&self.draft)
    }

    /// The draft's key comes into its place, and the one that was there is kept.
    fn replace(&self, label: &str) -> Result<PathBuf, RootKeyError> {
        let at = |path: &Path, source| RootKeyError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let kept = self
            .path
            .parent()
            .and_then(|dir| kept(dir, label))
            .ok_or_else(|| at(&self.path, io::Error::other("it has no label")))?;
        match fs::hard_link(&self.path, &kept) {
            // From a try of before: it has the key's own name.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            linked => linked.map_err(|source| at(&kept, source))?,
        }
        // Before the only other name of it goes.
        root_key::sync_above(&kept).map_err(|source| at(&kept, source))?;
        reached(Moment::Linked);
        root_key::put_in_place(&self.path)?;
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::params;
    use serde_json::json;
    use tempfile::TempDir;

    use super::*;
    use crate::audit::Actor;
    use crate::open::Options;

    fn note() -> AuditEntry {
        AuditEntry {
            actor: Actor::Daemon,
            action: "rewrap-root-key".to_owned(),
            rotation: None,
            detail: json!({}),
        }
    }

    fn open(dir: &TempDir) -> Result<Store, OpenError> {
        Store::open(dir.path(), &RootKeySource::Own, Options::default())
    }

    fn labels(store: &Store) -> RootKeys {
        store.as_reader().root_keys().unwrap()
    }

    /// A key as it is in a file now, to be given as a credential.
    fn key(dir: &TempDir, name: &str) -> RootKeySource {
        let bytes = fs::read(dir.path().join(name)).unwrap();
        RootKeySource::Given(crate::secret::Secret::new(bytes))
    }

    /// How far a replacement came before the daemon died.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    enum Died {
        /// While the draft was written.
        Drafting,
        Drafted,
        Wrapped,
        /// The old key has its second name.
        Linked,
        Placed,
        Dropped,
    }

    const DEATHS: [Died; 6] = [
        Died::Drafting,
        Died::Drafted,
        Died::Wrapped,
        Died::Linked,
        Died::Placed,
        Died::Dropped,
    ];

    /// A state directory as it was left, with the old key and, from when on it is whole, the new one.
    fn left(at: Died) -> (TempDir, RootKeySource, Option<RootKeySource>) {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(&dir).unwrap();
        let old = key(&dir, OWN_KEY_FILE);
        let own = OwnKey::of(dir.path());
        let label = labels(&store).in_use;
        if at == Died::Drafting {
            own.draft().unwrap();
            fs::write(&own.draft, "0123").unwrap();
            return (dir, old, None);
        }
        let next = own.draft().unwrap();
        let new = Some(key(&dir, "root.key.new"));
        if at >= Died::Wrapped {
            store.wrap_by(&next, Utc::now(), note()).unwrap();
        }
        if at == Died::Linked {
            fs::hard_link(&own.path, kept(dir.path(), &label).unwrap()).unwrap();
        }
        if at >= Died::Placed {
            own.replace(&label).unwrap();
        }
        if at >= Died::Dropped {
            store
                .write(|books| Ok(data_keys::forget_replaced(books.sql, &next)?))
                .unwrap();
        }
        (dir, old, new)
    }

    #[test]
    fn wherever_it_died_the_next_start_opens_the_database_and_ends_what_was_decided() {
        for at in DEATHS {
            let (dir, old, new) = left(at);
            let is_decided = at >= Died::Wrapped;
            let old = old.label(dir.path()).unwrap();
            let wanted = if is_decided {
                new.unwrap().label(dir.path()).unwrap()
            } else {
                old.clone()
            };
            for start in 0..2 {
                let store = open(&dir).unwrap_or_else(|error| panic!("{at:?}: {error}"));
                let now = labels(&store);
                assert_eq!(now.in_use, wanted, "{at:?}, start {start}");
                assert_eq!(now.opening, [wanted.as_str()], "{at:?}, start {start}");
                assert!(!dir.path().join("root.key.new").exists(), "{at:?}");
                let is_kept = kept(dir.path(), &old).unwrap().exists();
                assert_eq!(is_kept, is_decided, "{at:?}");
            }
        }
    }

    #[test]
    fn wherever_it_died_the_old_key_opens_it_until_the_new_one_has() {
        for at in DEATHS {
            let (dir, old, new) = left(at);
            let start = |source: &RootKeySource| {
                Store::open(dir.path(), source, Options::default()).map(drop)
            };
            let old_opens = start(&old);
            assert_eq!(old_opens.is_ok(), at < Died::Dropped, "{at:?}");
            if let Some(new) = new {
                assert_eq!(start(&new).is_ok(), at >= Died::Wrapped, "{at:?}");
                // And from there on the old one does not.
                assert_eq!(start(&old).is_ok(), at < Died::Wrapped, "{at:?}");
            }
        }
    }

    #[test]
    fn a_draft_whose_wrapping_does_not_open_is_neither_taken_nor_removed() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir).unwrap();
        let before = labels(&store);
        OwnKey::of(dir.path()).draft().unwrap();
        drop(store);
        let draft = key(&dir, "root.key.new").label(dir.path()).unwrap();
        let sql = Connection::open(dir.path().join("rotord.db")).unwrap();
        sql.execute(
            "INSERT INTO wrapped_keys (data_key, root_key, wrapped) VALUES (1, ?1, x'00')",
            params![draft],
        )
        .unwrap();
        drop(sql);
        let store = open(&dir).unwrap();
        assert_eq!(labels(&store).in_use, before.in_use);
        assert!(dir.path().join("root.key.new").exists());
    }

    #[test]
    fn a_label_that_leads_elsewhere_names_no_file() {
        let dir = Path::new("/state");
        assert_eq!(kept(dir, "../key"), None);
        assert_eq!(kept(dir, ""), None);
        let named = kept(dir, "00ff00ff00ff00ff");
        assert_eq!(named, Some("/state/root.key.00ff00ff00ff00ff".into()));
    }
}
