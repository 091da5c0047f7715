//! Reading. What can be asked is beside what it is about: each module adds to [`Reader`].

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;
use crate::rewrap::InUse;
use crate::seal::KeyRing;

/// A connection that reads; for one thread. Each call sees one state of the database, the newest committed one; several
/// see the same one within [`Reader::at_once`].
pub struct Reader {
    pub(crate) connection: Connection,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) root_key: InUse,
}

/// Opens readers; to be handed to the threads that read.
#[derive(Clone)]
pub struct Readers {
    pub(crate) path: PathBuf,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) root_key: InUse,
    pub(crate) busy_timeout: Duration,
}

impl Readers {
    /// Opens a connection that only reads.
    ///
    /// # Errors
    /// The file can't be opened.
    pub fn open(&self) -> Result<Reader, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(self.busy_timeout)?;
        prepare(&connection)?;
        Ok(Reader {
            connection,
            keys: Arc::clone(&self.keys),
            root_key: self.root_key.clone(),
        })
    }
}

impl Reader {
    /// For what is one statement, which sees one state of the database by itself, or is within a transaction.
    pub(crate) fn single(&self) -> Books<'_> {
        Books {
            sql: &self.connection,
            keys: &self.keys,
        }
    }

    /// Has all calls within `work` see one state of the database: what belongs together and is asked for in parts.
    ///
    /// # Errors
    /// Those of `work`, or the database can't be read.
    pub fn at_once<T>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let _open = self.connection.unchecked_transaction()?;
        work(self)
    }

    /// Runs `work` on one state of the database.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Books<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let own = self.connection.is_autocommit();
        let _open = own
            .then(|| self.connection.unchecked_transaction())
            .transpose()?;
        work(&self.single())
    }
}

/// The database within a transaction: what the queries of all modules are written against.
pub(crate) struct Books<'a> {
    pub(crate) sql: &'a Connection,
    pub(crate) keys: &'a KeyRing,
}

/// What every connection needs.
pub(crate) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    // All of this crate's statements: none is compiled twice.
    connection.set_prepared_statement_cache_capacity(128);
    // And none again for each value that is bound to it, as a partial index would have it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // Sorting must not write values to a file elsewhere.
    connection.pragma_update(None, "temp_store", "MEMORY")
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
