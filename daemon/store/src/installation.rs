//! This installation of rotord.

use chrono::{DateTime, Utc};
use rotord_rotation::InstallationId;
use rusqlite::{Connection, Row};
use uuid::Uuid;

use crate::columns::{Millis, Text};
use crate::error::StoreError;
use crate::reader::Reader;
use crate::store::Store;

/// What the database says of where it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// Made with the database; in every label.
    pub id: InstallationId,
    /// The machine that it is to run on. Another one's id is the sign of a copied directory.
    pub machine_id: Option<String>,
    /// How many transactions were committed.
    pub generation: u64,
    /// When the database was made.
    pub created_at: DateTime<Utc>,
    /// It is a backup, taken then, that was put back and that nobody has written down yet.
    pub backup_of: Option<DateTime<Utc>>,
    /// When its file was made, as it was noted in it: nanoseconds since 1970.
    pub file_made: Option<i64>,
}

impl Reader {
    /// This installation.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn installation(&self) -> Result<Installation, StoreError> {
        let sql =
            "SELECT id, machine_id, generation, created_at, backup_of, file_made FROM installation";
        let installation = self.connection.prepare_cached(sql)?.query_row([], |row| {
            Ok(Installation {
                id: row.get::<_, Text<_>>(0)?.0,
                machine_id: row.get(1)?,
                generation: generation_of(row, 2)?,
                created_at: row.get::<_, Millis>(3)?.0,
                backup_of: row.get::<_, Option<Millis>>(4)?.map(|at| at.0),
                file_made: row.get(5)?,
            })
        })?;
        Ok(installation)
    }
}

impl Store {
    /// The database's file is another one than was noted in it: somebody copied it. False where the file system
    /// does not say when a file was made.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn is_copied_file(&self) -> Result<bool, StoreError> {
        let noted = self.reader.installation()?.file_made;
        Ok(noted.is_some() && self.file_made.is_some() && noted != self.file_made)
    }

    /// Every rotation has written down that the database is old: from here on it belongs to this machine and is in
    /// this file.
    ///
    /// # Errors
    /// The database can't be written.
    pub fn settle_age(&mut self, machine_id: Option<&str>) -> Result<(), StoreError> {
        let file_made = self.file_made;
        self.write(|books| {
            books.sql.execute(
                "UPDATE installation SET machine_id = ?1, backup_of = NULL, file_made = ?2",
                (machine_id, file_made),
            )?;
            Ok(())
        })
    }
}

/// Notes the file where none was noted yet.
pub(crate) fn note_file(sql: &Connection, file_made: Option<i64>) -> rusqlite::Result<()> {
    sql.execute(
        "UPDATE installation SET file_made = ?1 WHERE file_made IS NULL AND ?1 IS NOT NULL",
        [file_made],
    )
    .map(drop)
}

pub(crate) fn make(
    sql: &Connection,
    machine_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sql.execute(
        "INSERT INTO installation (only_row, id, machine_id, generation, created_at) VALUES (1, ?1, ?2, 0, ?3)",
        (Text(Uuid::new_v4()), machine_id, Millis(now)),
    )?;
    Ok(())
}

pub(crate) fn generation(sql: &Connection) -> rusqlite::Result<u64> {
    sql.query_row("SELECT generation FROM installation", [], |row| {
        generation_of(row, 0)
    })
}

/// Counts from 0 up.
pub(crate) fn generation_of(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)?.unsigned_abs())
}
