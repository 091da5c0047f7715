//! Putting a backup back, with the daemon stopped.
//!
//! Everything is verified before anything is replaced: the file as a whole, its keys, and the database in it. What
//! was there is kept aside. The last step is a rename, so a crash leaves the old database or the new one.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags};

use crate::backup::{About, BackupError, BackupFile};
use crate::data_keys;
use crate::error::StoreError;
use crate::folder;
use crate::installation;
use crate::lock::{LOCK_FILE, Lock, LockError};
use crate::migrate::{self, Schema};
use crate::open::{DATABASE_FILE, JOURNAL_FILE, SHARED_FILE};
use crate::rewrap;
use crate::root_key::{OWN_KEY_FILE, RootKey, RootKeyError, RootKeySource};
use crate::seal::KeyRing;
use crate::secret::Secret;

/// The database while it is made ready beside the old one.
const DRAFT_FILE: &str = "rotord.db.restoring";

/// What is to be restored, and where to.
#[derive(Debug)]
pub struct Restoring<'a> {
    /// The state directory. Made where it is missing.
    pub dir: &'a Path,
    /// The host's root key, under which the data keys are wrapped.
    pub root_key: &'a RootKeySource,
    /// Opens the backup; none is the root key.
    pub passphrase: Option<&'a Secret>,
    /// Even where the database that is there holds rotations.
    pub replace: bool,
    /// The time.
    pub now: DateTime<Utc>,
}

/// What was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the backup is of.
    pub about: About,
    /// Rotations in it.
    pub rotations: u64,
    /// A root key was made: none was there, and nothing that it could have opened.
    pub root_key_made: bool,
    /// Where the database is that was there before.
    pub aside: Option<PathBuf>,
}

/// What a restore would meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// What the backup is of.
    pub about: About,
    /// The host's root key opens it: no passphrase is needed.
    pub root_key_opens: bool,
    /// A database is there that would be replaced.
    pub database: Option<Existing>,
}

/// The database that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Existing {
    /// With so many rotations.
    Holds {
        /// How many.
        rotations: u64,
    },
    /// It can't be read.
    Unreadable {
        /// Why.
        why: String,
    },
}

/// Why nothing was restored. What was there is there still.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The backup.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A daemon runs.
    #[error(
        "the state directory is in use: stop the daemon first, and its socket units, which start it again"
    )]
    Lock(#[from] LockError),
    /// The host's root key.
    #[error(transparent)]
    RootKey(#[from] RootKeyError),
    /// The root key is missing beside a database that it opens: a new one beside it would only hide that.
    #[error(
        "the root key {} is missing, and a database is there that it opens: move {} away, then restore",
        .key.display(), .database.display()
    )]
    KeyOfAnother {
        /// Where the key should be.
        key: PathBuf,
        /// The database.
        database: PathBuf,
    },
    /// What would be replaced is worth something.
    #[error("{}", match .existing {
        Existing::Holds { rotations } => format!("the database {} holds {}: it is replaced only if you say so (--replace), and is kept aside then", .path.display(), counted(*rotations)),
        Existing::Unreadable { why } => format!("the database {} can't be read ({why}): it is replaced only if you say so (--replace), and is kept aside then", .path.display()),
    })]
    Holds {
        /// The database.
        path: PathBuf,
        /// What is in it.
        existing: Existing,
    },
    /// What was in the backup is no database that this rotord can use.
    #[error("the database in the backup can't be used: {what}")]
    Content {
        /// Why.
        what: String,
    },
    /// A file can't be read or written.
    #[error("can't write {}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Restoring<'_> {
    /// What it would meet; nothing is changed.
    ///
    /// # Errors
    /// A file can't be read, or the root key is there and can't be used.
    pub fn outlook(&self, file: &BackupFile) -> Result<Outlook, RestoreError> {
        let root_key = self.present_key()?;
        Ok(Outlook {
            about: file.about(),
            root_key_opens: root_key
                .into_iter()
                .chain(self.kept_keys(file))
                .any(|key| !file.wrapped_by(Some(&key.label)).is_empty()),
            database: self.existing(),
        })
    }

    /// Verifies the backup, and puts it in the place of the database.
    ///
    /// # Errors
    /// Whatever is wrong; then nothing was changed.
    pub fn restore(&self, file: &BackupFile) -> Result<Restored, RestoreError> {
        let is_new = !self.dir.exists();
        folder::make(self.dir, 0o700).map_err(|source| io_at(self.dir, source))?;
        let lock = Lock::take(self.dir)?;
        let result = self.with_lock(file);
        let _ = self.own(&self.dir.join(LOCK_FILE));
        drop(lock);
        if result.is_err() && is_new {
            // As it was: not there. Where something is in it after all, it stays.
            let _ = fs::remove_file(self.dir.join(LOCK_FILE));
            let _ = fs::remove_dir(self.dir);
        }
        result
    }

    fn with_lock(&self, file: &BackupFile) -> Result<Restored, RestoreError> {
        let database = self.dir.join(DATABASE_FILE);
        let existing = self.existing();
        if let Some(existing) = existing.clone()
            && existing != (Existing::Holds { rotations: 0 })
            && !self.replace
        {
            return Err(RestoreError::Holds {
                path: database,
                existing,
            });
        }
        let present = self.present_key()?;
        let root_key_made = present.is_none();
        let keys = self.unlock(file, present.as_ref())?;
        let draft = Draft(self.dir.join(DRAFT_FILE));
        let rotations = draft.fill(file, &file.image(&keys)?)?;
        let root_key = match (present, &existing) {
            (Some(key), _) => key,
            (None, None) => RootKey::load(self.root_key, self.dir, false)?,
            (None, Some(_)) => {
                return Err(RestoreError::KeyOfAnother {
                    key: self.dir.join(OWN_KEY_FILE),
                    database,
                });
            }
        };
        draft.wrap(&keys, &root_key)?;
        self.own(&draft.0)?;
        if root_key_made {
            self.own(&self.dir.join(OWN_KEY_FILE))?;
        }
        let aside = existing.map(|_| self.put_aside()).transpose()?;
        fs::rename(&draft.0, &database).map_err(|source| io_at(&database, source))?;
        self.sync()?;
        Ok(Restored {
            about: file.about(),
            rotations,
            root_key_made,
            aside,
        })
    }

    /// The host's root key, if it is there.
    fn present_key(&self) -> Result<Option<RootKey>, RestoreError> {
        match RootKey::load(self.root_key, self.dir, true) {
            Ok(key) => Ok(Some(key)),
            // Only one of our own is ever made.
            Err(RootKeyError::Missing { .. }) if matches!(self.root_key, RootKeySource::Own) => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Root keys that were replaced since the backup was taken, as far as they are kept in the state directory.
    fn kept_keys(&self, file: &BackupFile) -> impl Iterator<Item = RootKey> + use<> {
        let paths = file.about().root_keys.into_iter();
        let dir = self.dir.to_owned();
        paths.filter_map(move |label| {
            let key = RootKey::from_file(&rewrap::kept(&dir, &label)?).ok()?;
            (key.label == label).then_some(key)
        })
    }

    fn unlock(
        &self,
        file: &BackupFile,
        root_key: Option<&RootKey>,
    ) -> Result<KeyRing, BackupError> {
        if let Some(passphrase) = self.passphrase {
            return file.keys_by_passphrase(passphrase);
        }
        let about = file.about();
        let kept: Vec<RootKey> = self.kept_keys(file).collect();
        let mut wrapped = root_key
            .into_iter()
            .chain(&kept)
            .map(|key| (key, file.wrapped_by(Some(&key.label))));
        let Some((root_key, wrapped)) = wrapped.find(|(_, wrapped)| !wrapped.is_empty()) else {
            return Err(BackupError::OtherRootKey {
                path: file.path().to_owned(),
                known: about.root_keys,
                passphrase: about.passphrase,
            });
        };
        let keys = wrapped.into_iter().map(|key| {
            let plain = root_key.unwrap(key.key, &key.wrapped);
            plain
                .map(|plain| (key.key, plain))
                .map_err(|source| file.cipher(source))
        });
        file.ring(keys.collect::<Result<Vec<_>, _>>()?)
    }

    fn existing(&self) -> Option<Existing> {
        let path = self.dir.join(DATABASE_FILE);
        if !path.exists() && !self.dir.join(JOURNAL_FILE).exists() {
            return None;
        }
        Some(match count_rotations(&path) {
            Ok(rotations) => Existing::Holds { rotations },
            Err(error) => Existing::Unreadable {
                why: error.to_string(),
            },
        })
    }

    /// The old database gets a second name, with its journal. It keeps its first one until the rename.
    fn put_aside(&self) -> Result<PathBuf, RestoreError> {
        let database = self.dir.join(DATABASE_FILE);
        // Whole without its journal, where it can be: beside the new database an old journal would be poison.
        let _ = fold(&database);
        let name = format!("before-restore-{}", self.now.format("%Y%m%dT%H%M%S%3fZ"));
        let aside = self.dir.join(name);
        DirBuilder::new()
            .mode(0o700)
            .create(&aside)
            .map_err(|source| io_at(&aside, source))?;
        self.own(&aside)?;
        for name in [DATABASE_FILE, JOURNAL_FILE] {
            let (from, to) = (self.dir.join(name), aside.join(name));
            match fs::hard_link(&from, &to) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(io_at(&to, source)),
            }
        }
        folder::sync(&aside).map_err(|source| io_at(&aside, source))?;
        for name in [JOURNAL_FILE, SHARED_FILE] {
            let path = self.dir.join(name);
            match fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(io_at(&path, source)),
            }
        }
        self.sync()?;
        Ok(aside)
    }

    /// What root writes here is the daemon's: it belongs to whom the directory belongs to.
    fn own(&self, path: &Path) -> Result<(), RestoreError> {
        let owner = fs::metadata(self.dir).map_err(|source| io_at(self.dir, source))?;
        let is = fs::metadata(path).map_err(|source| io_at(path, source))?;
        if (is.uid(), is.gid()) == (owner.uid(), owner.gid()) {
            return Ok(());
        }
        chown(path, Some(owner.uid()), Some(owner.gid())).map_err(|source| io_at(path, source))
    }

    fn sync(&self) -> Result<(), RestoreError> {
        folder::sync(self.dir).map_err(|source| io_at(self.dir, source))
    }
}

/// The database that is made ready. What is not renamed is removed.
struct Draft(PathBuf);

impl Draft {
    /// Writes the image, and finds out whether it is a database of the installation that the backup says it is of.
    fn fill(&self, file: &BackupFile, image: &[u8]) -> Result<u64, RestoreError> {
        let at = |source| io_at(&self.0, source);
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(error)),
            _ => {}
        }
        let mut to = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.0)
            .map_err(at)?;
        to.write_all(image)
            .and_then(|()| to.sync_all())
            .map_err(at)?;
        let sql = connect(&self.0).map_err(unusable)?;
        match migrate::schema(&sql).map_err(unusable)? {
            Schema::At(version) if version <= migrate::NEWEST => {}
            Schema::At(newer) => {
                return Err(RestoreError::Content {
                    what: format!(
                        "its schema has version {newer}, and this rotord knows versions up to {}: install the \
                         newer rotord",
                        migrate::NEWEST
                    ),
                });
            }
            Schema::Empty | Schema::Foreign => {
                return Err(RestoreError::Content {
                    what: "it is not one of rotord".to_owned(),
                });
            }
        }
        let found: String = sql
            .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
            .map_err(unusable)?;
        if found != "ok" {
            return Err(RestoreError::Content { what: found });
        }
        let about = file.about();
        let id: String = sql
            .query_row("SELECT id FROM installation", [], |row| row.get(0))
            .map_err(unusable)?;
        let generation = installation::generation(&sql).map_err(unusable)?;
        if (id.as_str(), generation) != (about.installation.as_str(), about.generation) {
            return Err(RestoreError::Content {
                what: "it is another installation's than the backup says".to_owned(),
            });
        }
        sql.query_row("SELECT count(*) FROM rotations", [], |row| {
            installation::generation_of(row, 0)
        })
        .map_err(unusable)
    }

    /// The data keys, under the host's root key.
    fn wrap(&self, keys: &KeyRing, root_key: &RootKey) -> Result<(), RestoreError> {
        let wrap_all = || -> Result<(), StoreError> {
            let mut sql = connect(&self.0)?;
            sql.pragma_update(None, "synchronous", "FULL")?;
            let transaction = sql.transaction()?;
            for (id, key) in keys.plain() {
                data_keys::wrap(&transaction, root_key, id, key)?;
            }
            transaction.commit()?;
            Ok(())
        };
        wrap_all().map_err(|error| RestoreError::Content {
            what: error.to_string(),
        })?;
        File::open(&self.0)
            .and_then(|file| file.sync_all())
            .map_err(|source| io_at(&self.0, source))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Renamed, or of no use.
        let _ = fs::remove_file(&self.0);
    }
}

fn counted(rotations: u64) -> String {
    match rotations {
        1 => "1 rotation".to_owned(),
        count => format!("{count} rotations"),
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let sql = Connection::open_with_flags(path, flags)?;
    sql.pragma_update(None, "trusted_schema", false)?;
    Ok(sql)
}

fn count_rotations(path: &Path) -> rusqlite::Result<u64> {
    connect(path)?.query_row("SELECT count(*) FROM rotations", [], |row| {
        installation::generation_of(row, 0)
    })
}

fn fold(path: &Path) -> rusqlite::Result<()> {
    connect(path)?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what map_err hands over"
)]
fn unusable(error: rusqlite::Error) -> RestoreError {
    RestoreError::Content {
        what: error.to_string(),
    }
}

fn io_at(path: &Path, source: io::Error) -> RestoreError {
    RestoreError::Io {
        path: path.to_owned(),
        source,
    }
}
