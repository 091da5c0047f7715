//! The names of secrets that rotations feed: taken, changed, moved and given up.
//!
//! A renamed secret keeps its id and its history. Its former name stays readable until the credential that was
//! published at the renaming is retired: for as long as somebody may rely on what they knew then.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rotord_rotation::{Credential, RotationId};
use rusqlite::OptionalExtension as _;

use crate::columns::{Millis, Text};
use crate::error::{Conflict, StoreError, TakenName};
use crate::id::{FolderId, SecretId};
use crate::places::Place;
use crate::reader::Books;
use crate::step::SecretsFate;

impl Books<'_> {
    /// Takes the names that a mapping (output → name) needs: of new outputs, and other names of mapped ones. Outputs
    /// that it does not mention keep their secret.
    pub(crate) fn map_names(
        &self,
        rotation: RotationId,
        place: &Place,
        mapping: &BTreeMap<String, String>,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let present = self.mapped(rotation)?;
        let wanted: Vec<(&String, &String)> = mapping
            .iter()
            .filter(|(output, name)| {
                present
                    .get(*output)
                    .is_none_or(|mapped| mapped.name != **name)
            })
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let mut names: BTreeSet<&String> = present
            .iter()
            .filter(|(output, _)| !mapping.contains_key(*output))
            .map(|(_, mapped)| &mapped.name)
            .collect();
        for name in mapping.values() {
            if !names.insert(name) {
                let name = name.clone();
                return Err(Conflict::MappedTwice { name }.into());
            }
        }
        let folder = place.folder.id;
        let taken = self.names_of_others(rotation, folder, wanted.iter().map(|(_, name)| *name))?;
        if !taken.is_empty() {
            return Err(place.taken(taken).into());
        }
        // All are given up before any is taken: two secrets may swap theirs.
        for mapped in wanted.iter().filter_map(|(output, _)| present.get(*output)) {
            self.sql
                .prepare_cached("DELETE FROM secret_names WHERE secret = ?1 AND until IS NULL")?
                .execute([mapped.secret])?;
        }
        for (output, name) in &wanted {
            let secret = match present.get(*output) {
                Some(mapped) => mapped.secret,
                None => self.reserve(rotation, output, at)?,
            };
            // A former name of this rotation's own may become a present one again.
            self.sql
                .prepare_cached(
                    "INSERT OR REPLACE INTO secret_names (folder, name, secret) VALUES (?1, ?2, ?3)",
                )?
                .execute((folder, name, secret))?;
        }
        if let Some(active) = self.active_credential(rotation)? {
            let renamed = wanted.iter().filter_map(|(output, _)| present.get(*output));
            for mapped in renamed.filter(|mapped| mapped.version > 0) {
                self.sql
                    .prepare_cached(
                        "INSERT OR IGNORE INTO secret_names (folder, name, secret, until)
                         VALUES (?1, ?2, ?3, ?4)",
                    )?
                    .execute((folder, &mapped.name, mapped.secret, Text(active)))?;
            }
        }
        Ok(())
    }

    /// Former names end with the credential that they were kept for.
    pub(crate) fn end_former_names(&self, changed: &[&Credential]) -> Result<(), StoreError> {
        for credential in changed.iter().filter(|c| c.stage.is_settled()) {
            self.sql
                .prepare_cached("DELETE FROM secret_names WHERE until = ?1")?
                .execute([Text(credential.id)])?;
        }
        Ok(())
    }

    /// Moves a rotation's secrets to another folder. Ordinary secrets of their names there give way if `overwrite`
    /// says so; other rotations' never do. Former names end here: they named a place, too.
    pub(crate) fn move_names(
        &self,
        rotation: RotationId,
        to: &Place,
        overwrite: bool,
    ) -> Result<(), StoreError> {
        let mapped = self.mapped(rotation)?;
        let folder = to.folder.id;
        let names = || mapped.values().map(|mapped| &mapped.name);
        if overwrite {
            for name in names() {
                self.sql
                    .prepare_cached(
                        "DELETE FROM secrets WHERE rotation IS NULL
                            AND id = (SELECT secret FROM secret_names WHERE folder = ?1 AND name = ?2)",
                    )?
                    .execute((folder, name))?;
            }
        }
        let taken = self.names_of_others(rotation, folder, names())?;
        if !taken.is_empty() {
            return Err(to.taken(taken).into());
        }
        for mapped in mapped.values() {
            self.sql
                .prepare_cached("DELETE FROM secret_names WHERE secret = ?1 AND until IS NOT NULL")?
                .execute([mapped.secret])?;
            self.sql
                .prepare_cached("UPDATE secret_names SET folder = ?2 WHERE secret = ?1")?
                .execute((mapped.secret, folder))?;
        }
        Ok(())
    }

    /// The rotation feeds its secrets no more. Names that never had a value are free again.
    pub(crate) fn give_up_secrets(
        &self,
        rotation: RotationId,
        fate: SecretsFate,
    ) -> Result<(), StoreError> {
        for mapped in self.mapped(rotation)?.values() {
            if fate == SecretsFate::Remove || mapped.version == 0 {
                self.sql
                    .prepare_cached("DELETE FROM secrets WHERE id = ?1")?
                    .execute([mapped.secret])?;
            } else {
                self.sql
                    .prepare_cached(
                        "DELETE FROM secret_names WHERE secret = ?1 AND until IS NOT NULL",
                    )?
                    .execute([mapped.secret])?;
                self.sql
                    .prepare_cached(
                        "UPDATE secrets SET rotation = NULL, output = NULL WHERE id = ?1",
                    )?
                    .execute([mapped.secret])?;
            }
        }
        Ok(())
    }

    /// A secret without a value: it can't be read, and its name is taken.
    fn reserve(
        &self,
        rotation: RotationId,
        output: &str,
        at: DateTime<Utc>,
    ) -> Result<SecretId, StoreError> {
        let id = SecretId::random();
        self.sql
            .prepare_cached(
                "INSERT INTO secrets (id, rotation, output, version, created_at, updated_at)
                 VALUES (?1, ?2, ?3, 0, ?4, ?4)",
            )?
            .execute((id, Text(rotation), output, Millis(at)))?;
        Ok(id)
    }

    /// Which of the names are taken in the folder by what is not this rotation's.
    fn names_of_others<'n>(
        &self,
        rotation: RotationId,
        folder: FolderId,
        names: impl Iterator<Item = &'n String>,
    ) -> Result<Vec<TakenName>, StoreError> {
        let mut statement = self.sql.prepare_cached(
            "SELECT r.name FROM secret_names n JOIN secrets s ON s.id = n.secret
             LEFT JOIN rotations r ON r.id = s.rotation
             WHERE n.folder = ?1 AND n.name = ?2 AND s.rotation IS NOT ?3",
        )?;
        let mut taken = Vec::new();
        for name in names {
            let by = statement
                .query_row((folder, name, Text(rotation)), |row| row.get(0))
                .optional()?;
            taken.extend(by.map(|rotation| TakenName {
                name: name.clone(),
                rotation,
            }));
        }
        Ok(taken)
    }
}
