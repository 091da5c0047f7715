//! The domain's state in a row: whole as JSON, and beside it what indexes and counts need.

use chrono::{DateTime, Utc};
use rotord_rotation::{Life, Outcome, Rotation, RotationId};
use rusqlite::Row;

use crate::columns::{Json, Millis, Text};
use crate::error::{StoreError, What};
use crate::reader::Books;
use crate::store::Store;

/// The form of the JSON. Counts up when a change of the domain needs old rows to be read in another way.
pub(super) const VERSION: u32 = 1;

impl Store {
    /// Moves the instant at which a rotation is looked at, and nothing else: of one whose state can't be worked
    /// with for now.
    ///
    /// # Errors
    /// There is no such rotation.
    pub fn postpone(
        &mut self,
        id: RotationId,
        until: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        self.write(|books| {
            let changed = books
                .sql
                .prepare_cached("UPDATE rotations SET wake_at = ?2 WHERE id = ?1")?
                .execute((Text(id), until.map(Millis)))?;
            found(changed, id)
        })
    }
}

impl Books<'_> {
    pub(crate) fn save_state(
        &self,
        rotation: &Rotation,
        wake_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let changed = self
            .sql
            .prepare_cached(
                "UPDATE rotations SET life = ?2, auto = ?3, failed = ?4, attention = ?5, due_at = ?6,
                    next_try_at = ?7, wake_at = ?8, machine_version = ?9, machine = ?10 WHERE id = ?1",
            )?
            .execute((
                Text(rotation.id),
                life(rotation.life),
                rotation.plan.auto,
                rotation.outcome == Outcome::Failed,
                rotation.needs_attention() || rotation.blocked.is_some(),
                rotation.due_at.map(Millis),
                rotation.next_try_at.map(Millis),
                wake_at.map(Millis),
                VERSION,
                Json(&without_credentials(rotation)),
            ))?;
        found(changed, rotation.id)
    }

    pub(crate) fn touch(&self, id: RotationId, at: DateTime<Utc>) -> Result<(), StoreError> {
        self.sql
            .prepare_cached("UPDATE rotations SET updated_at = ?2 WHERE id = ?1")?
            .execute((Text(id), Millis(at)))?;
        Ok(())
    }
}

/// They have rows of their own.
fn without_credentials(rotation: &Rotation) -> Rotation {
    Rotation {
        credentials: Vec::new(),
        ..rotation.clone()
    }
}

pub(super) fn life(life: Life) -> &'static str {
    match life {
        Life::Creating { .. } => "creating",
        Life::Live => "live",
        Life::Failed => "failed",
        Life::Deleting { .. } => "deleting",
    }
}

pub(super) fn read(version: u32, row: &Row<'_>, column: usize) -> rusqlite::Result<Rotation> {
    if version != VERSION {
        return Err(rusqlite::Error::IntegralValueOutOfRange(
            column,
            version.into(),
        ));
    }
    Ok(row.get::<_, Json<_>>(column)?.0)
}

fn found(changed: usize, id: RotationId) -> Result<(), StoreError> {
    if changed == 0 {
        return Err(StoreError::not_found(What::Rotation, id));
    }
    Ok(())
}
