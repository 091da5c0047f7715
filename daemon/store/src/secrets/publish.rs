//! New versions of the secrets that a rotation feeds.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rotord_rotation::{CredentialId, RotationId};
use rusqlite::OptionalExtension as _;

use super::location;
use crate::columns::{Millis, Text};
use crate::error::StoreError;
use crate::id::SecretId;
use crate::reader::Books;
use crate::secret::Secret;
use crate::step::PublishedSecret;

/// A secret that an output of a rotation feeds.
pub(crate) struct Mapped {
    pub(crate) secret: SecretId,
    pub(crate) name: String,
    /// 0 before its first value.
    pub(crate) version: u32,
}

impl Books<'_> {
    /// Output → the secret that it feeds.
    pub(crate) fn mapped(
        &self,
        rotation: RotationId,
    ) -> Result<BTreeMap<String, Mapped>, StoreError> {
        let mut statement = self.sql.prepare_cached(
            "SELECT s.output, s.id, n.name, s.version FROM secrets s
             JOIN secret_names n ON n.secret = s.id AND n.until IS NULL WHERE s.rotation = ?1",
        )?;
        let mapped = statement.query_map([Text(rotation)], |row| {
            Ok((
                row.get(0)?,
                Mapped {
                    secret: row.get(1)?,
                    name: row.get(2)?,
                    version: row.get(3)?,
                },
            ))
        })?;
        Ok(mapped.collect::<Result<_, _>>()?)
    }

    /// Gives every mapped secret whose value differs a new version, of which the newest `kept` stay.
    pub(crate) fn publish(
        &self,
        rotation: RotationId,
        credential: CredentialId,
        kept: u32,
        at: DateTime<Utc>,
    ) -> Result<Vec<PublishedSecret>, StoreError> {
        let no_output = |output: &str| StoreError::NoSuchOutput {
            credential: credential.to_string(),
            output: output.to_owned(),
        };
        let outputs = self
            .outputs_of(credential)?
            .ok_or_else(|| no_output("(any)"))?;
        let mut published = Vec::new();
        for (output, mapped) in self.mapped(rotation)? {
            let value = outputs.value(&output).ok_or_else(|| no_output(&output))?;
            if self.has_value(&mapped, value)? {
                continue;
            }
            let version = mapped.version + 1;
            self.add_version(mapped.secret, version, kept, value, at)?;
            published.push(PublishedSecret {
                id: mapped.secret,
                name: mapped.name,
                output,
                version,
            });
        }
        Ok(published)
    }

    /// The secret's newest value is this one. One that does not open is not: a damaged version must not keep
    /// new ones from being published.
    fn has_value(&self, mapped: &Mapped, value: &Secret) -> Result<bool, StoreError> {
        let newest: Option<(i64, Vec<u8>)> = self
            .sql
            .prepare_cached(
                "SELECT data_key, value FROM secret_versions WHERE secret = ?1 AND version = ?2",
            )?
            .query_row((mapped.secret, mapped.version), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let Some((key, sealed)) = newest else {
            return Ok(false);
        };
        match super::open(self.keys, mapped.secret, mapped.version, key, &sealed) {
            Ok(newest) => Ok(newest == *value),
            Err(StoreError::Sealed(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn add_version(
        &self,
        secret: SecretId,
        version: u32,
        kept: u32,
        value: &Secret,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let row = secret.to_string();
        let (key, sealed) = self.keys.seal(location(&row, version), value.expose())?;
        self.sql
            .prepare_cached(
                "INSERT INTO secret_versions (secret, version, value, data_key, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((secret, version, sealed, key, Millis(at)))?;
        // From its first value on it exists.
        self.sql
            .prepare_cached(
                "UPDATE secrets SET version = ?2, updated_at = ?3,
                    created_at = CASE WHEN version = 0 THEN ?3 ELSE created_at END WHERE id = ?1",
            )?
            .execute((secret, version, Millis(at)))?;
        self.sql
            .prepare_cached("DELETE FROM secret_versions WHERE secret = ?1 AND version <= ?2")?
            .execute((secret, i64::from(version) - i64::from(kept)))?;
        Ok(())
    }
}
