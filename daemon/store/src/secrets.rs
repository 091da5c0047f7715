//! Secrets: what applications read.

mod names;
mod publish;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rotord_rotation::RotationId;
use rusqlite::{OptionalExtension as _, Row};

use crate::audit::AuditEntry;
use crate::columns::{Millis, Text};
use crate::error::{Conflict, StoreError, What};
use crate::id::{EnvironmentId, FolderId, SecretId};
use crate::places::below;
use crate::reader::Reader;
use crate::seal::{DataKeyId, KeyRing, Location};
use crate::secret::Secret;
use crate::store::Store;

/// A secret, in one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRecord {
    /// Its id.
    pub id: SecretId,
    /// The name under which it was found.
    pub name: String,
    /// Its present name, where it was found under a former one.
    pub renamed_to: Option<String>,
    /// The folder that it is in.
    pub folder: FolderId,
    /// The folder's path.
    pub path: String,
    /// Counts its values, from 1.
    pub version: u32,
    /// The value; none where it was not asked for.
    pub value: Option<Secret>,
    /// The rotation that feeds it.
    pub rotation: Option<RotationId>,
    /// The output that feeds it.
    pub output: Option<String>,
    /// When it was first published.
    pub created_at: DateTime<Utc>,
    /// When its newest value was published.
    pub updated_at: DateTime<Utc>,
}

/// A secret, in one version, whose value is still sealed: good to be kept for a while.
pub struct SealedSecret {
    record: SecretRecord,
    sealed: Vec<u8>,
    key: DataKeyId,
    keys: Arc<KeyRing>,
}

impl SealedSecret {
    /// All but the value.
    pub fn record(&self) -> &SecretRecord {
        &self.record
    }

    /// With the value.
    ///
    /// # Errors
    /// Its row was changed from outside.
    pub fn open(&self) -> Result<SecretRecord, StoreError> {
        let (id, version) = (self.record.id, self.record.version);
        Ok(SecretRecord {
            value: Some(open(&self.keys, id, version, self.key, &self.sealed)?),
            ..self.record.clone()
        })
    }

    fn with_value(self, wanted: bool) -> Result<SecretRecord, StoreError> {
        if wanted { self.open() } else { Ok(self.record) }
    }
}

impl std::fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.record.fmt(f)
    }
}

/// Reads names `n` in folders `f` of the environment ?1; the version is the newest one unless ?2 says another.
macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT s.id, n.name,
                CASE WHEN n.until IS NULL THEN NULL ELSE
                    (SELECT p.name FROM secret_names p WHERE p.secret = s.id AND p.until IS NULL) END,
                f.id, f.path, v.version, v.value, v.data_key, s.rotation, s.output, s.created_at, v.created_at
             FROM folders f
             JOIN secret_names n ON n.folder = f.id
             JOIN secrets s ON s.id = n.secret
             JOIN secret_versions v ON v.secret = s.id AND v.version = coalesce(?2, s.version)
             WHERE f.environment = ?1 AND ",
            $tail
        )
    };
}

const SELECT_ONE: &str = select!("f.path = ?3 AND n.name = ?4");
const SELECT_MANY: &str =
    select!("(f.path = ?3 OR (f.path >= ?4 AND f.path < ?5)) ORDER BY f.path, n.name");

impl Reader {
    /// The secrets of a folder, or of it and all below it, by path and name. Former names that are still readable are
    /// among them.
    ///
    /// # Errors
    /// There is no such folder, or a row was changed from outside.
    pub fn secrets(
        &self,
        environment: EnvironmentId,
        path: &str,
        recursive: bool,
        with_values: bool,
    ) -> Result<Vec<SecretRecord>, StoreError> {
        let secrets = self.sealed_secrets(environment, path, recursive)?;
        let secrets = secrets.into_iter();
        secrets
            .map(|secret| secret.with_value(with_values))
            .collect()
    }

    /// The same with their values sealed.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn sealed_secrets(
        &self,
        environment: EnvironmentId,
        path: &str,
        recursive: bool,
    ) -> Result<Vec<SealedSecret>, StoreError> {
        self.read(|books| {
            let (first, end) = if recursive {
                below(path)
            } else {
                (path.to_owned(), path.to_owned())
            };
            let secrets = books
                .sql
                .prepare_cached(SELECT_MANY)?
                .query_map((environment, None::<u32>, path, first, end), |row| {
                    self.found(row)
                })?
                .collect::<Result<Vec<_>, _>>()?;
            if secrets.is_empty() {
                books.folder(environment, path)?;
            }
            Ok(secrets)
        })
    }

    /// One secret by its name, present or former, in its newest or an earlier version.
    ///
    /// # Errors
    /// There is no such folder, secret or kept version, or its row was changed from outside.
    pub fn secret(
        &self,
        environment: EnvironmentId,
        path: &str,
        name: &str,
        version: Option<u32>,
        with_value: bool,
    ) -> Result<SecretRecord, StoreError> {
        self.sealed_secret(environment, path, name, version)?
            .with_value(with_value)
    }

    /// The same with its value sealed.
    ///
    /// # Errors
    /// There is no such folder, secret or kept version.
    pub fn sealed_secret(
        &self,
        environment: EnvironmentId,
        path: &str,
        name: &str,
        version: Option<u32>,
    ) -> Result<SealedSecret, StoreError> {
        let books = self.single();
        let found = books
            .sql
            .prepare_cached(SELECT_ONE)?
            .query_row((environment, version, path, name), |row| self.found(row))
            .optional()?;
        if let Some(found) = found {
            return Ok(found);
        }
        books.folder(environment, path)?;
        Err(StoreError::not_found(What::Secret, name))
    }

    fn found(&self, row: &Row<'_>) -> rusqlite::Result<SealedSecret> {
        Ok(SealedSecret {
            record: SecretRecord {
                id: row.get(0)?,
                name: row.get(1)?,
                renamed_to: row.get(2)?,
                folder: row.get(3)?,
                path: row.get(4)?,
                version: row.get(5)?,
                value: None,
                rotation: row.get::<_, Option<Text<_>>>(8)?.map(|id| id.0),
                output: row.get(9)?,
                created_at: row.get::<_, Millis>(10)?.0,
                updated_at: row.get::<_, Millis>(11)?.0,
            },
            sealed: row.get(6)?,
            key: row.get(7)?,
            keys: Arc::clone(&self.keys),
        })
    }
}

impl Store {
    /// Removes a secret that no rotation feeds, with its history.
    ///
    /// # Errors
    /// There is none with this id, or a rotation feeds it.
    pub fn delete_secret(
        &mut self,
        at: DateTime<Utc>,
        id: SecretId,
        audit: &[AuditEntry],
    ) -> Result<(), StoreError> {
        self.write(|books| {
            let (rotated, name): (bool, String) = books
                .sql
                .prepare_cached(
                    "SELECT s.rotation IS NOT NULL, n.name FROM secrets s
                     JOIN secret_names n ON n.secret = s.id AND n.until IS NULL WHERE s.id = ?1",
                )?
                .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?
                .ok_or_else(|| StoreError::not_found(What::Secret, id))?;
            if rotated {
                return Err(Conflict::RotatedSecret { name }.into());
            }
            books
                .sql
                .execute("DELETE FROM secrets WHERE id = ?1", [id])?;
            books.note(at, audit)
        })
    }
}

fn open(
    keys: &KeyRing,
    secret: SecretId,
    version: u32,
    key: DataKeyId,
    sealed: &[u8],
) -> Result<Secret, StoreError> {
    let row = secret.to_string();
    let mut opened = keys.open(location(&row, version), key, sealed)?;
    Ok(Secret::new(std::mem::take(&mut *opened)))
}

fn location(row: &str, version: u32) -> Location<'_> {
    Location {
        table: "secret_versions",
        row,
        version: version.into(),
    }
}
