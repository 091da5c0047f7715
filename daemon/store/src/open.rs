//! Opening the state directory: lock, root key, schema, data keys, and what a first start makes.

use std::fs::OpenOptions;
use std::io;
use std::num::NonZeroU32;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use chrono::{DateTime, Utc};
use rotord_crash::{Moment, Step as Place, reach};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::data_keys;
use crate::error::{StoreError, is_passing};
use crate::folder;
use crate::installation;
use crate::lock::{Lock, LockError};
use crate::migrate::{self, Schema};
use crate::places;
use crate::reader::{self, Reader, Readers};
use crate::rewrap::{self, InUse};
use crate::root_key::{RootKey, RootKeyError, RootKeySource};
use crate::seal::KeyRing;
use crate::store::Store;

/// The database's name in the state directory.
pub const DATABASE_FILE: &str = "rotord.db";
/// Its journal, beside it.
pub(crate) const JOURNAL_FILE: &str = "rotord.db-wal";
/// What its connections share, beside it.
pub(crate) const SHARED_FILE: &str = "rotord.db-shm";

/// What may differ between daemons.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many versions of a secret are kept. 10 by default.
    pub kept_versions: NonZeroU32,
    /// How long another process' hold on the database is waited for. 5 s by default.
    pub busy_timeout: Duration,
    /// Read the whole database for damage while opening; some milliseconds for some megabytes. On by default.
    pub check: bool,
    /// This machine, noted at first start.
    pub machine_id: Option<String>,
    /// The time, for what a first start makes.
    pub now: DateTime<Utc>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            kept_versions: const { NonZeroU32::new(10).unwrap() },
            busy_timeout: Duration::from_secs(5),
            check: true,
            machine_id: None,
            now: Utc::now(),
        }
    }
}

/// Why the state directory was not opened. Nothing in it was changed, but where it says so.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory can't be made or read.
    #[error("can't use the state directory {}", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another daemon works on it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// There is no root key.
    #[error(transparent)]
    RootKey(#[from] RootKeyError),
    /// The data keys are wrapped by another root key.
    #[error(
        "the root key {given} does not open the database {}, which was sealed under {}",
        .path.display(), .known.join(", ")
    )]
    WrongRootKey {
        /// The database.
        path: PathBuf,
        /// The label of the key that was given.
        given: String,
        /// The labels of the keys that would open it.
        known: Vec<String>,
    },
    /// The file can't be opened or read.
    #[error("can't open the database {}", .path.display())]
    Unreadable {
        /// The database.
        path: PathBuf,
        /// Why.
        source: StoreError,
    },
    /// The file is damaged, or no database at all.
    #[error("the database {} is damaged: {what}", .path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What was found first.
        what: String,
    },
    /// The file is another program's database.
    #[error("the database {} is not one of rotord", .path.display())]
    Foreign {
        /// The database.
        path: PathBuf,
    },
    /// A newer rotord wrote it.
    #[error(
        "the database {} has schema version {found}, and this rotord knows versions up to {known}: \
         install the newer rotord again",
        .path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
}

impl OpenError {
    /// Whether it may be gone at the next try, without a person's doing.
    pub fn is_passing(&self) -> bool {
        match self {
            // The one who holds it may be on its way out.
            Self::Lock(_) => true,
            Self::Directory { source, .. }
            | Self::RootKey(RootKeyError::Unreadable { source, .. }) => is_passing(source),
            Self::Unreadable { source, .. } => matches!(
                source,
                StoreError::Busy | StoreError::Full | StoreError::Disk { .. }
            ),
            Self::RootKey(_)
            | Self::WrongRootKey { .. }
            | Self::Damaged { .. }
            | Self::Foreign { .. }
            | Self::Newer { .. } => false,
        }
    }
}

impl Store {
    /// Opens the state directory, which is made where it is missing, and what a first start needs with it: the
    /// database with its installation id and data key, and the default project.
    ///
    /// # Errors
    /// Another daemon holds it, the root key is missing or another one, or the database is damaged, foreign or
    /// newer. All of it is for an administrator to mend.
    pub fn open(dir: &Path, root_key: &RootKeySource, options: Options) -> Result<Self, OpenError> {
        let in_dir = |source| OpenError::Directory {
            path: dir.to_owned(),
            source,
        };
        folder::make(dir, 0o700).map_err(in_dir)?;
        let lock = Lock::take(dir)?;
        let path = dir.join(DATABASE_FILE);
        let exists = path.try_exists().map_err(in_dir)?
            || dir.join(JOURNAL_FILE).try_exists().map_err(in_dir)?;
        let source = root_key;
        let root_key = RootKey::load(source, dir, exists)?;
        reach(|| Some(Place::Start), Moment::KeyMade);
        // SQLite would make it readable to all that the umask allows.
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .and_then(|_| folder::sync(dir))
            .map_err(in_dir)?;
        reach(|| Some(Place::Start), Moment::FileMade);

        let opening = Opening {
            path: &path,
            options,
        };
        let mut connection = opening.connect().map_err(|error| opening.failed(error))?;
        let from = opening.recognise(&connection)?;
        let (keys, generation) = opening.ready(&mut connection, from, &root_key)?;
        let replaced = match source {
            RootKeySource::Own => rewrap::finish(dir, &connection),
            RootKeySource::Given(_) | RootKeySource::File(_) => None,
        };
        let root_key = InUse::new(replaced.unwrap_or(root_key).label);
        let file_made = file_made(&path);
        installation::note_file(&connection, file_made)
            .map_err(|error| opening.failed(error.into()))?;
        let keys = Arc::new(keys);
        let Opening { options, .. } = opening;
        Ok(Self {
            reader: Reader {
                connection,
                keys: Arc::clone(&keys),
                root_key: root_key.clone(),
            },
            readers: Readers {
                path,
                keys,
                root_key,
                busy_timeout: options.busy_timeout,
            },
            kept_versions: options.kept_versions.get(),
            generation,
            file_made,
            _lock: lock,
        })
    }
}

/// When the file system made this file, in nanoseconds since 1970: a copy of it was made later. None where the file
/// system does not say.
fn file_made(path: &Path) -> Option<i64> {
    let made = std::fs::metadata(path).and_then(|about| about.created());
    let since = made.ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_nanos()).ok()
}

/// The version of a schema that can be worked with; 0 where there is none yet.
pub(crate) fn version_of(schema: Schema, path: &Path) -> Result<u32, OpenError> {
    let path = path.to_owned();
    match schema {
        Schema::Empty => Ok(0),
        Schema::At(found) if found > migrate::NEWEST => Err(OpenError::Newer {
            path,
            found,
            known: migrate::NEWEST,
        }),
        Schema::At(version) => Ok(version),
        Schema::Foreign => Err(OpenError::Foreign { path }),
    }
}

pub(crate) fn no_database(path: &Path) -> OpenError {
    OpenError::Damaged {
        path: path.to_owned(),
        what: "it is no SQLite database".to_owned(),
    }
}

struct Opening<'a> {
    path: &'a Path,
    options: Options,
}

impl Opening<'_> {
    fn connect(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(self.path, flags)?;
        connection.busy_timeout(self.options.busy_timeout)?;
        reader::prepare(&connection)?;
        Ok(connection)
    }

    /// The schema's version, if it is one that can be worked with.
    fn recognise(&self, connection: &Connection) -> Result<u32, OpenError> {
        let schema = migrate::schema(connection).map_err(|error| self.failed(error.into()))?;
        version_of(schema, self.path)
    }

    fn ready(
        &self,
        connection: &mut Connection,
        from: u32,
        root_key: &RootKey,
    ) -> Result<(KeyRing, u64), OpenError> {
        let failed = |error: rusqlite::Error| self.failed(error.into());
        if self.options.check {
            let found: String = connection
                .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
                .map_err(failed)?;
            if found != "ok" {
                return Err(self.damaged(found));
            }
        }
        connection
            .pragma_update(None, "journal_mode", "WAL")
            .map_err(failed)?;
        // Synced at each commit: what was promised outlives a power cut.
        connection
            .pragma_update(None, "synchronous", "FULL")
            .map_err(failed)?;
        // What is deleted is overwritten.
        connection
            .pragma_update(None, "secure_delete", true)
            .map_err(failed)?;
        migrate::migrate(connection, from, |transaction| {
            self.fill(transaction, root_key)
        })
        .map_err(|error: StoreError| self.failed(error))?;
        let keys = self.open_keys(connection, root_key)?;
        let generation = installation::generation(connection).map_err(failed)?;
        Ok((keys, generation))
    }

    /// What a first start makes, in the transaction that makes the tables.
    fn fill(&self, sql: &Connection, root_key: &RootKey) -> Result<(), StoreError> {
        let now = self.options.now;
        installation::make(sql, self.options.machine_id.as_deref(), now)?;
        data_keys::make(sql, root_key, now)?;
        places::make_default(sql, now)?;
        reach(|| Some(Place::Start), Moment::Migrated);
        Ok(())
    }

    fn open_keys(&self, sql: &Connection, root_key: &RootKey) -> Result<KeyRing, OpenError> {
        let keys = KeyRing::new(data_keys::unwrap_all(sql, root_key, self.path)?)
            .map_err(|error| self.failed(error.into()))?;
        data_keys::forget_replaced(sql, root_key).map_err(|error| self.failed(error.into()))?;
        keys.ok_or_else(|| self.damaged("it holds no data key".to_owned()))
    }

    fn failed(&self, error: StoreError) -> OpenError {
        match error {
            StoreError::Corrupt(source) => {
                if source.sqlite_error_code() == Some(ErrorCode::NotADatabase) {
                    return no_database(self.path);
                }
                self.damaged(source.to_string())
            }
            source => OpenError::Unreadable {
                path: self.path.to_owned(),
                source,
            },
        }
    }

    fn damaged(&self, what: String) -> OpenError {
        OpenError::Damaged {
            path: self.path.to_owned(),
            what,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_room_and_a_failing_disk_may_pass_and_what_is_forbidden_or_damaged_does_not() {
        let path = PathBuf::from("/x");
        let system = |code| io::Error::from_raw_os_error(code);
        let directory = |code| OpenError::Directory {
            path: path.clone(),
            source: system(code),
        };
        let key = |code| {
            OpenError::RootKey(RootKeyError::Unreadable {
                path: path.clone(),
                source: system(code),
            })
        };
        // EIO, EAGAIN, EBUSY, ENFILE, EMFILE, ENOSPC, EDQUOT.
        for code in [5, 11, 16, 23, 24, 28, 122] {
            assert!(directory(code).is_passing(), "{}", system(code));
            assert!(key(code).is_passing(), "{}", system(code));
        }
        // EPERM, ENOENT, EACCES, ENOTDIR, EROFS.
        for code in [1, 2, 13, 20, 30] {
            assert!(!directory(code).is_passing(), "{}", system(code));
            assert!(!key(code).is_passing(), "{}", system(code));
        }
        let unreadable = |source| OpenError::Unreadable {
            path: path.clone(),
            source,
        };
        for source in [StoreError::Busy, StoreError::Full] {
            assert!(unreadable(source).is_passing());
        }
        assert!(!unreadable(StoreError::ReadOnly).is_passing());
        let damaged = OpenError::Damaged {
            path: path.clone(),
            what: "a page".to_owned(),
        };
        assert!(!damaged.is_passing());
    }
}
