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
}

impl Reader {
    /// This installation.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn installation(&self) -> Result<Installation, StoreError> {
        let sql = "SELECT id, machine_id, generation, created_at FROM installation";
        let installation = self.connection.prepare_cached(sql)?.query_row([], |row| {
            Ok(Installation {
                id: row.get::<_, Text<_>>(0)?.0,
                machine_id: row.get(1)?,
                generation: generation_of(row, 2)?,
                created_at: row.get::<_, Millis>(3)?.0,
            })
        })?;
        Ok(installation)
    }
}

impl Store {
    /// Notes that the database now belongs to this machine: a person said so.
    ///
    /// # Errors
    /// The database can't be written.
    pub fn set_machine_id(&mut self, machine_id: Option<&str>) -> Result<(), StoreError> {
        self.write(|books| {
            books
                .sql
                .execute("UPDATE installation SET machine_id = ?1", [machine_id])?;
            Ok(())
        })
    }
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
