//! A rotation in another folder.

use chrono::{DateTime, Utc};
use rotord_rotation::RotationId;

use super::RotationRecord;
use crate::audit::AuditEntry;
use crate::columns::Text;
use crate::error::{Conflict, StoreError};
use crate::id::FolderId;
use crate::store::Store;

impl Store {
    /// Moves a rotation and its secrets, which keep their ids and histories, to another folder. Ordinary secrets of
    /// the same names there are replaced if `overwrite` says so; those of other rotations never are.
    ///
    /// # Errors
    /// There is no such rotation or folder, it is being deleted, or a name is taken there.
    pub fn move_rotation(
        &mut self,
        at: DateTime<Utc>,
        id: RotationId,
        folder: FolderId,
        overwrite: bool,
        audit: &[AuditEntry],
    ) -> Result<RotationRecord, StoreError> {
        self.write(|books| {
            let now = books.rotation(id)?;
            if now.state.life.is_deleting() {
                return Err(Conflict::Deleting.into());
            }
            let place = books.place(folder)?;
            if now.details.folder != folder {
                books.rotation_name_is_free(&place, &now.details.name, id)?;
                books.move_names(id, &place, overwrite)?;
                books
                    .sql
                    .prepare_cached("UPDATE rotations SET folder = ?2 WHERE id = ?1")?
                    .execute((Text(id), folder))?;
                books.touch(id, at)?;
            }
            books.note(at, audit)?;
            books.rotation(id)
        })
    }
}
