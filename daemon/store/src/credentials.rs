//! Credentials: a row each, which outlives its rotation, and their sealed outputs.

use rotord_rotation::{Credential, CredentialId, Nonce, RotationId, Stage};
use rusqlite::{OptionalExtension as _, Row};

use crate::columns::{Json, Millis, Text};
use crate::error::{Conflict, StoreError, What};
use crate::reader::{Books, Reader};
use crate::seal::Location;
use crate::secret::SecretMap;

/// A credential in a slot, with its outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// 0 or 1.
    pub slot: u8,
    /// The credential; the published one is in its stage `active`.
    pub credential: Credential,
    /// Its outputs; none where they are kept no more.
    pub outputs: Option<SecretMap>,
}

/// A credential's columns, as [`credential`] reads them. Its slot and whether its outputs are kept are what the
/// columns say: they are changed where the rest is not written.
macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT detail, slot, outputs IS NOT NULL, rotation FROM credentials ",
            $tail
        )
    };
}

impl Reader {
    /// The credential with this id, whatever became of it, and its rotation.
    ///
    /// # Errors
    /// There is none.
    pub fn credential(&self, id: CredentialId) -> Result<(RotationId, Credential), StoreError> {
        self.connection
            .prepare_cached(select!("WHERE id = ?1"))?
            .query_row([Text(id)], credential)
            .optional()?
            .ok_or_else(|| StoreError::not_found(What::Credential, id))
    }

    /// Every credential of a rotation, tombstones with them, in the order in which they were intended.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn credentials(&self, rotation: RotationId) -> Result<Vec<Credential>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(select!("WHERE rotation = ?1 ORDER BY position"))?;
        let credentials = statement.query_map([Text(rotation)], |row| Ok(credential(row)?.1))?;
        Ok(credentials.collect::<Result<_, _>>()?)
    }

    /// A rotation's settled credentials that were issued under one of these nonces: what a listing that lags may
    /// still show.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn tombstones(
        &self,
        rotation: RotationId,
        nonces: &[Nonce],
    ) -> Result<Vec<Credential>, StoreError> {
        self.read(|books| {
            let mut found = Vec::new();
            let mut statement = books.sql.prepare_cached(select!(
                "WHERE rotation = ?1 AND nonce = ?2 AND settled = 1 ORDER BY position"
            ))?;
            for nonce in nonces {
                let rows = statement.query_map((Text(rotation), Text(nonce)), credential)?;
                for row in rows {
                    found.push(row?.1);
                }
            }
            Ok(found)
        })
    }

    /// The credentials of any rotation, present or removed, with this name at the provider.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn credentials_by_handle(
        &self,
        handle: &str,
    ) -> Result<Vec<(RotationId, Credential)>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(select!("WHERE handle = ?1 ORDER BY position"))?;
        let credentials = statement.query_map([handle], credential)?;
        Ok(credentials.collect::<Result<_, _>>()?)
    }

    /// A credential's outputs, opened; none where they are not kept.
    ///
    /// # Errors
    /// There is no such credential, or its row was changed from outside.
    pub fn outputs_of(&self, credential: CredentialId) -> Result<Option<SecretMap>, StoreError> {
        self.read(|books| books.outputs_of(credential))
    }

    /// The credentials in the slots, in their order: none to two.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn generated(&self, rotation: RotationId) -> Result<Vec<Generated>, StoreError> {
        self.read(|books| {
            let mut statement = books.sql.prepare_cached(select!(
                "WHERE rotation = ?1 AND slot IS NOT NULL ORDER BY slot"
            ))?;
            let rows = statement
                .query_map([Text(rotation)], credential)?
                .collect::<Result<Vec<_>, _>>()?;
            rows.into_iter()
                .filter_map(|(_, credential)| Some((credential.slot?, credential)))
                .map(|(slot, credential)| {
                    Ok(Generated {
                        slot,
                        outputs: books.outputs_of(credential.id)?,
                        credential,
                    })
                })
                .collect()
        })
    }
}

impl Books<'_> {
    /// What the domain's state holds: what is not settled, and what is in a slot.
    pub(crate) fn credentials_in_state(
        &self,
        rotation: RotationId,
    ) -> Result<Vec<Credential>, StoreError> {
        let mut statement = self.sql.prepare_cached(select!(
            "WHERE rotation = ?1 AND (settled = 0 OR slot IS NOT NULL) ORDER BY position"
        ))?;
        let credentials = statement.query_map([Text(rotation)], |row| Ok(credential(row)?.1))?;
        Ok(credentials.collect::<Result<_, _>>()?)
    }

    /// Writes the credentials that are new or differ from `old`; answers with those.
    pub(crate) fn save_credentials<'a>(
        &self,
        rotation: RotationId,
        old: &[Credential],
        new: &'a [Credential],
    ) -> Result<Vec<&'a Credential>, StoreError> {
        let changed: Vec<&Credential> = new.iter().filter(|c| !old.contains(c)).collect();
        for credential in &changed {
            if credential.is_adopted() && !old.iter().any(|c| c.id == credential.id) {
                self.refuse_anothers(rotation, credential)?;
            }
        }
        // A slot is left before it is taken, whatever the order of the rows.
        for credential in &changed {
            self.sql
                .prepare_cached("UPDATE credentials SET slot = NULL WHERE id = ?1")?
                .execute([Text(credential.id)])?;
        }
        for credential in &changed {
            self.sql
                .prepare_cached(
                    "INSERT INTO credentials (id, rotation, sequence, nonce, handle, stage, settled, slot,
                        intended_at, expires_at, published_at, revoke_not_before, detail)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
                     ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence, nonce = excluded.nonce,
                        handle = excluded.handle, stage = excluded.stage, settled = excluded.settled,
                        slot = excluded.slot, intended_at = excluded.intended_at,
                        expires_at = excluded.expires_at, published_at = excluded.published_at,
                        revoke_not_before = excluded.revoke_not_before, detail = excluded.detail",
                )?
                .execute((
                    Text(credential.id),
                    Text(rotation),
                    // Above what SQLite can hold it is cut here and whole in the detail.
                    i64::try_from(credential.sequence).unwrap_or(i64::MAX),
                    Text(credential.nonce),
                    credential.handle.as_ref().map(|handle| &handle.0),
                    credential.stage.name(),
                    credential.stage.is_settled(),
                    credential.slot,
                    Millis(credential.intended_at),
                    credential.expires_at.map(Millis),
                    credential.published_at.map(Millis),
                    credential.revoke_not_before.map(Millis),
                    Json(credential),
                ))?;
        }
        Ok(changed)
    }

    /// Two rotations that hold one credential would revoke it while the other's consumers use it.
    fn refuse_anothers(
        &self,
        rotation: RotationId,
        credential: &Credential,
    ) -> Result<(), StoreError> {
        let Some(handle) = &credential.handle else {
            return Ok(());
        };
        let holder: Option<String> = self
            .sql
            .prepare_cached(
                "SELECT r.name FROM credentials c JOIN rotations r ON r.id = c.rotation
                 WHERE c.handle = ?1 AND c.settled = 0 AND c.rotation <> ?2
                    AND r.target_key = (SELECT target_key FROM rotations WHERE id = ?2)",
            )?
            .query_row((&handle.0, Text(rotation)), |row| row.get(0))
            .optional()?;
        match holder {
            None => Ok(()),
            Some(rotation) => Err(Conflict::CredentialHeld {
                handle: handle.0.clone(),
                rotation,
            }
            .into()),
        }
    }

    pub(crate) fn keep_outputs(
        &self,
        credential: CredentialId,
        outputs: &SecretMap,
    ) -> Result<(), StoreError> {
        let row = credential.to_string();
        let (key, sealed) = self.keys.seal(location(&row), &outputs.encode())?;
        let kept = self
            .sql
            .prepare_cached("UPDATE credentials SET outputs = ?2, data_key = ?3 WHERE id = ?1")?
            .execute((row, sealed, key))?;
        if kept == 0 {
            return Err(StoreError::not_found(What::Credential, credential));
        }
        Ok(())
    }

    pub(crate) fn drop_outputs(&self, credential: CredentialId) -> Result<(), StoreError> {
        self.sql
            .prepare_cached("UPDATE credentials SET outputs = NULL, data_key = NULL WHERE id = ?1")?
            .execute([Text(credential)])?;
        Ok(())
    }

    pub(crate) fn outputs_of(
        &self,
        credential: CredentialId,
    ) -> Result<Option<SecretMap>, StoreError> {
        let row = credential.to_string();
        let (sealed, key): (Option<Vec<u8>>, Option<i64>) = self
            .sql
            .prepare_cached("SELECT outputs, data_key FROM credentials WHERE id = ?1")?
            .query_row([&row], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?
            .ok_or_else(|| StoreError::not_found(What::Credential, credential))?;
        let (Some(sealed), Some(key)) = (sealed, key) else {
            return Ok(None);
        };
        let location = location(&row);
        let opened = self.keys.open(location, key, &sealed)?;
        let outputs = SecretMap::decode(&opened).map_err(|error| location.wrong_form(error))?;
        Ok(Some(outputs))
    }

    /// The rotation's row goes: what is left of its credentials are tombstones without a value.
    pub(crate) fn bury_credentials(&self, rotation: RotationId) -> Result<(), StoreError> {
        self.sql
            .prepare_cached(
                "UPDATE credentials SET slot = NULL, outputs = NULL, data_key = NULL WHERE rotation = ?1",
            )?
            .execute([Text(rotation)])?;
        Ok(())
    }

    /// The published credential.
    pub(crate) fn active_credential(
        &self,
        rotation: RotationId,
    ) -> Result<Option<CredentialId>, StoreError> {
        let active = self
            .sql
            .prepare_cached(
                "SELECT id FROM credentials WHERE rotation = ?1 AND stage = ?2 AND settled = 0",
            )?
            .query_row((Text(rotation), Stage::Active.name()), |row| {
                Ok(row.get::<_, Text<_>>(0)?.0)
            })
            .optional()?;
        Ok(active)
    }
}

/// Outputs never change: an issued credential has the ones that came with it.
fn location(row: &str) -> Location<'_> {
    Location {
        table: "credentials",
        row,
        version: 1,
    }
}

fn credential(row: &Row<'_>) -> rusqlite::Result<(RotationId, Credential)> {
    let Json(mut credential): Json<Credential> = row.get(0)?;
    credential.slot = row.get(1)?;
    credential.has_outputs = row.get(2)?;
    Ok((row.get::<_, Text<_>>(3)?.0, credential))
}
