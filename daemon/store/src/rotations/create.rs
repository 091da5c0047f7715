//! A new rotation: its row and its names are taken before its first run.

use rotord_rotation::RotationId;

use super::{NewRotation, state};
use crate::columns::{Json, Millis, Text};
use crate::error::{Conflict, StoreError};
use crate::id::FolderId;
use crate::places::Place;
use crate::reader::Books;
use crate::step::{Commit, Committed};
use crate::store::Store;

impl Store {
    /// Reserves a rotation with all its names, and commits its first step (that of `Rotation::create`) with it.
    ///
    /// # Errors
    /// The folder or the connection does not exist, or a name is taken; nothing was reserved.
    pub fn create_rotation(
        &mut self,
        new: &NewRotation,
        commit: &Commit<'_>,
    ) -> Result<Committed, StoreError> {
        let kept = self.kept_versions;
        let published = self.write(|books| {
            let id = commit.step.rotation.id;
            let place = books.place(new.folder)?;
            books.connection(new.connection)?;
            books.rotation_name_is_free(&place, &new.name, id)?;
            books.insert_rotation(new, commit)?;
            books.map_names(id, &place, &new.mapping, commit.at)?;
            books.apply(commit, kept)
        })?;
        Ok(Committed {
            generation: self.generation,
            published,
        })
    }
}

impl Books<'_> {
    fn insert_rotation(&self, new: &NewRotation, commit: &Commit<'_>) -> Result<(), StoreError> {
        let rotation = &commit.step.rotation;
        // What the domain decides on follows with its step.
        let made = self
            .sql
            .prepare_cached(
                "INSERT INTO rotations (id, provider, name, description, connection, folder, parameters, target_key,
                    life, auto, failed, attention, machine_version, machine, created_at, updated_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0, 0, ?10, '', ?11, ?11)
                 ON CONFLICT (id) DO NOTHING",
            )?
            .execute((
                Text(rotation.id),
                &new.provider,
                &new.name,
                &new.description,
                new.connection,
                new.folder,
                Json(&new.parameters),
                &new.target_key,
                state::life(rotation.life),
                state::VERSION,
                Millis(commit.at),
            ))?;
        if made == 0 {
            let id = rotation.id.to_string();
            return Err(Conflict::RotationId { id }.into());
        }
        Ok(())
    }

    pub(super) fn rotation_name_is_free(
        &self,
        place: &Place,
        name: &str,
        but: RotationId,
    ) -> Result<(), StoreError> {
        let folder: FolderId = place.folder.id;
        let sql = "SELECT 1 FROM rotations WHERE folder = ?1 AND name = ?2 AND id <> ?3 AND life <> 'deleting'";
        if self
            .sql
            .prepare_cached(sql)?
            .exists((folder, name, Text(but)))?
        {
            let conflict = Conflict::RotationName {
                name: name.to_owned(),
                path: place.folder.path.clone(),
            };
            return Err(conflict.into());
        }
        Ok(())
    }
}
