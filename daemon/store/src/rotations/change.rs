//! Another configuration of a rotation.

use chrono::{DateTime, Utc};
use rotord_rotation::RotationId;

use super::{RotationChange, RotationRecord};
use crate::audit::AuditEntry;
use crate::columns::{Json, Text};
use crate::error::{Conflict, StoreError};
use crate::reader::Books;
use crate::store::Store;

impl Store {
    /// Changes what a person configures, but the plan; answers with what there is then. A change that belongs to
    /// a step goes with its [`crate::Commit`] instead.
    ///
    /// # Errors
    /// There is no such rotation, it is being deleted, a name is taken, or the target is needed.
    pub fn change_rotation(
        &mut self,
        at: DateTime<Utc>,
        id: RotationId,
        change: &RotationChange,
        audit: &[AuditEntry],
    ) -> Result<RotationRecord, StoreError> {
        self.write(|books| {
            books.change_rotation(id, change, at)?;
            books.note(at, audit)?;
            books.rotation(id)
        })
    }
}

impl Books<'_> {
    pub(crate) fn change_rotation(
        &self,
        id: RotationId,
        change: &RotationChange,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let now = self.rotation(id)?;
        if now.state.life.is_deleting() {
            return Err(Conflict::Deleting.into());
        }
        let RotationRecord {
            mut details, place, ..
        } = now;
        if let Some(name) = &change.name {
            self.rotation_name_is_free(&place, name, id)?;
            details.name.clone_from(name);
        }
        if let Some(description) = &change.description {
            details.description.clone_from(description);
        }
        if let Some(parameters) = &change.parameters {
            details.parameters.clone_from(parameters);
        }
        if let Some(target_key) = &change.target_key
            && *target_key != details.target_key
        {
            // What is there would be looked for, and revoked, elsewhere.
            if now.state.credentials.iter().any(|c| !c.stage.is_settled()) {
                return Err(Conflict::TargetInUse.into());
            }
            details.target_key.clone_from(target_key);
        }
        self.sql
            .prepare_cached(
                "UPDATE rotations SET name = ?2, description = ?3, parameters = ?4, target_key = ?5 WHERE id = ?1",
            )?
            .execute((
                Text(id),
                &details.name,
                &details.description,
                Json(&details.parameters),
                &details.target_key,
            ))?;
        if let Some(mapping) = &change.mapping {
            self.map_names(id, &place, mapping, at)?;
        }
        self.touch(id, at)
    }
}
