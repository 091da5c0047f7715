//! The writer.

use std::fs;
use std::io::ErrorKind;

use rusqlite::TransactionBehavior;

use crate::error::{DiskState, StoreError};
use crate::installation;
use crate::lock::Lock;
use crate::reader::{Books, Reader, Readers};

/// Free bytes below which nothing is issued any more. A transaction takes some tens of thousands.
const LEAST_ROOM: u64 = 1 << 20;

/// The one writer of a state directory. Each of its writing calls is one transaction, synced to disk before it
/// returns, and counts the installation's generation up by one.
///
/// After an error the state is to be read again: see the crate's documentation.
pub struct Store {
    // Closed before the lock goes.
    pub(crate) reader: Reader,
    pub(crate) readers: Readers,
    pub(crate) kept_versions: u32,
    pub(crate) generation: u64,
    pub(crate) file_made: Option<i64>,
    pub(crate) _lock: Lock,
}

impl Store {
    /// Everything that can be asked, on the writer's own connection.
    pub fn as_reader(&self) -> &Reader {
        &self.reader
    }

    /// Opens a connection that only reads, for another thread.
    ///
    /// # Errors
    /// The file can't be opened.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        self.readers.open()
    }

    /// Opens readers from other threads.
    pub fn readers(&self) -> Readers {
        self.readers.clone()
    }

    /// How many transactions this installation has committed. To be synced to outside of the state directory
    /// before what was committed is acted on: a database that counts less was restored.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Finds out whether the database can be written, by a transaction that says nothing.
    ///
    /// # Errors
    /// It can't.
    pub fn probe(&mut self) -> Result<(), StoreError> {
        self.write(|_| Ok(()))
    }

    /// The same error; where the disk failed, with what a look at it tells: whether a file can be written beside the
    /// database.
    pub fn found(&self, error: StoreError) -> StoreError {
        let StoreError::Disk { source, .. } = error else {
            return error;
        };
        let tried = self.readers.path.with_extension("probe");
        let written = fs::write(&tried, [0; 4096]);
        // It may not be there, or stay: the next look writes it anew.
        let _ = fs::remove_file(&tried);
        let found = match written.map_err(|error| error.kind()) {
            Err(ErrorKind::ReadOnlyFilesystem) => DiskState::ReadOnly,
            Err(ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => DiskState::Full,
            _ => DiskState::Unknown,
        };
        StoreError::Disk { source, found }
    }

    /// Whether what is issued could be written down: a disk that is nearly full takes an intent and not what follows.
    pub(crate) fn has_room(&self) -> bool {
        let directory = self.readers.path.parent().unwrap_or(&self.readers.path);
        // Where the file system does not say, the writing does.
        rustix::fs::statvfs(directory).map_or(true, |about| {
            about.f_bavail.saturating_mul(about.f_frsize) >= LEAST_ROOM
        })
    }

    /// Folds the journal into the database file, which is then whole by itself: for the end, as `SQLite` does it
    /// unasked only when the last of all connections closes, and readers may close later. What a reader holds on to
    /// is left in the journal, and is read from there at the next start.
    ///
    /// # Errors
    /// The database can't be written.
    pub fn fold_journal(&self) -> Result<(), StoreError> {
        let folded =
            self.reader
                .connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        Ok(folded?)
    }

    /// Runs `work` in one transaction: all of it is committed, or nothing.
    pub(crate) fn write<T>(
        &mut self,
        work: impl FnOnce(&Books<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let transaction = self
            .reader
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let books = Books {
            sql: &transaction,
            keys: &self.readers.keys,
        };
        let value = work(&books)?;
        let generation = books
            .sql
            .prepare_cached(
                "UPDATE installation SET generation = generation + 1 RETURNING generation",
            )?
            .query_row([], |row| installation::generation_of(row, 0))?;
        transaction.commit()?;
        self.generation = generation;
        Ok(value)
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.readers.path)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}
