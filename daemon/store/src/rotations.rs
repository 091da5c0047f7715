//! Rotations: what a person configured, and the state that the domain decides on.

mod change;
mod create;
mod move_to;
mod state;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rotord_rotation::{Rotation, RotationId};
use rusqlite::{OptionalExtension as _, Params, Row};
use serde_json::{Map, Value};

use crate::columns::{Json, Millis, Text};
use crate::error::{StoreError, What};
use crate::id::{ConnectionId, FolderId, ProjectId};
use crate::places::Place;
use crate::reader::{Books, Reader};

/// What is configured.
#[derive(Debug, Clone, PartialEq)]
pub struct RotationDetails {
    /// Its id.
    pub id: RotationId,
    /// The provider's slug.
    pub provider: String,
    /// Its name, unique in its folder.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// How the provider is reached.
    pub connection: ConnectionId,
    /// Where its secrets are.
    pub folder: FolderId,
    /// What is rotated, in the provider's terms.
    pub parameters: Map<String, Value>,
    /// Output → name of the secret that it feeds.
    pub mapping: BTreeMap<String, String>,
    /// Tells targets apart: made by the caller from the connection and the key parameters.
    pub target_key: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last configured, published, or ended a run.
    pub updated_at: DateTime<Utc>,
}

/// A rotation with all that an answer needs.
#[derive(Debug, Clone, PartialEq)]
pub struct RotationRecord {
    /// What is configured.
    pub details: RotationDetails,
    /// Where its secrets are.
    pub place: Place,
    /// The connection's name.
    pub connection_name: String,
    /// The connection's service.
    pub connection_app: String,
    /// What the domain decides on: with the credentials that are not settled or in a slot.
    pub state: Rotation,
}

/// What a new rotation is made from; its id is its state's.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRotation {
    /// The provider's slug.
    pub provider: String,
    /// Its name, to be unique in its folder.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// How the provider is reached.
    pub connection: ConnectionId,
    /// Where its secrets will be.
    pub folder: FolderId,
    /// What is rotated, in the provider's terms.
    pub parameters: Map<String, Value>,
    /// Output → name of the secret that it will feed.
    pub mapping: BTreeMap<String, String>,
    /// Tells targets apart.
    pub target_key: String,
}

/// What is to be changed; none leaves it. The plan is the domain's, and changed by a step.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RotationChange {
    /// Another name.
    pub name: Option<String>,
    /// Another description, or none.
    pub description: Option<Option<String>>,
    /// All parameters.
    pub parameters: Option<Map<String, Value>>,
    /// Another target.
    pub target_key: Option<String>,
    /// Other names, or more outputs; outputs that are not mentioned keep their secret.
    pub mapping: Option<BTreeMap<String, String>>,
}

impl Reader {
    /// The rotation with this id, one that is being deleted with them.
    ///
    /// # Errors
    /// There is none.
    pub fn rotation(&self, id: RotationId) -> Result<RotationRecord, StoreError> {
        self.read(|books| books.rotation(id))
    }

    /// The rotation in a folder with this name, unless it is being deleted.
    ///
    /// # Errors
    /// There is none.
    pub fn rotation_by_name(
        &self,
        folder: FolderId,
        name: &str,
    ) -> Result<RotationRecord, StoreError> {
        self.read(|books| {
            let sql =
                "SELECT id FROM rotations WHERE folder = ?1 AND name = ?2 AND life <> 'deleting'";
            let id = books
                .sql
                .prepare_cached(sql)?
                .query_row((folder, name), |row| Ok(row.get::<_, Text<_>>(0)?.0))
                .optional()?
                .ok_or_else(|| StoreError::not_found(What::Rotation, name))?;
            books.rotation(id)
        })
    }

    /// The rotations of a project, of one provider or all, by name; without those that are being deleted.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn rotations(
        &self,
        project: ProjectId,
        provider: Option<&str>,
    ) -> Result<Vec<RotationRecord>, StoreError> {
        self.read(|books| {
            let ids = books.rotation_ids(
                "SELECT r.id FROM rotations r JOIN folders f ON f.id = r.folder
                 JOIN environments e ON e.id = f.environment
                 WHERE e.project = ?1 AND (?2 IS NULL OR r.provider = ?2) AND r.life <> 'deleting'
                 ORDER BY r.name, e.position, f.path",
                (project, provider),
            )?;
            ids.into_iter().map(|id| books.rotation(id)).collect()
        })
    }

    /// The rotations that are deleted and not settled at their providers yet, of all projects, by name.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn deleted_rotations(&self) -> Result<Vec<RotationRecord>, StoreError> {
        self.read(|books| {
            let sql = "SELECT id FROM rotations WHERE life = 'deleting' ORDER BY name, id";
            let ids = books.rotation_ids(sql, ())?;
            ids.into_iter().map(|id| books.rotation(id)).collect()
        })
    }

    /// Every rotation's id, those being deleted with them, in pages: those after `after`, at most `limit`.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn rotation_ids(
        &self,
        after: Option<RotationId>,
        limit: u32,
    ) -> Result<Vec<RotationId>, StoreError> {
        let after = after.map_or_else(String::new, |id| id.to_string());
        self.read(|books| {
            books.rotation_ids(
                "SELECT id FROM rotations WHERE id > ?1 ORDER BY id LIMIT ?2",
                (after, limit),
            )
        })
    }

    /// The rotations that are to be looked at by now, those that wait longest first, at most `limit`.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn due(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<RotationId>, StoreError> {
        self.read(|books| {
            books.rotation_ids(
                "SELECT id FROM rotations WHERE wake_at <= ?1 ORDER BY wake_at LIMIT ?2",
                (Millis(now), limit),
            )
        })
    }

    /// When the next rotation is to be looked at.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn next_wake(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let sql = "SELECT min(wake_at) FROM rotations WHERE wake_at IS NOT NULL";
        let next: Option<Millis> = self
            .connection
            .prepare_cached(sql)?
            .query_row([], |row| row.get(0))?;
        Ok(next.map(|at| at.0))
    }

    /// The rotations of one target, those being deleted with them.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn rotations_of_target(&self, target_key: &str) -> Result<Vec<RotationId>, StoreError> {
        self.read(|books| {
            books.rotation_ids(
                "SELECT id FROM rotations WHERE target_key = ?1 ORDER BY id",
                [target_key],
            )
        })
    }
}

impl Books<'_> {
    pub(crate) fn rotation(&self, id: RotationId) -> Result<RotationRecord, StoreError> {
        let sql = "SELECT r.provider, r.name, r.description, r.connection, r.folder, r.parameters, r.target_key,
                          r.created_at, r.updated_at, c.name, c.app, r.machine_version, r.machine
                   FROM rotations r JOIN connections c ON c.id = r.connection WHERE r.id = ?1";
        let (mut details, connection_name, connection_app, mut state) = self
            .sql
            .prepare_cached(sql)?
            .query_row([Text(id)], |row| {
                let details = details(id, row)?;
                let state = state::read(row.get(11)?, row, 12)?;
                Ok((details, row.get(9)?, row.get(10)?, state))
            })
            .optional()?
            .ok_or_else(|| StoreError::not_found(What::Rotation, id))?;
        state.credentials = self.credentials_in_state(id)?;
        let mapped = self.mapped(id)?;
        details.mapping = mapped
            .into_iter()
            .map(|(output, mapped)| (output, mapped.name))
            .collect();
        Ok(RotationRecord {
            place: self.place(details.folder)?,
            details,
            connection_name,
            connection_app,
            state,
        })
    }

    fn rotation_ids(&self, sql: &str, params: impl Params) -> Result<Vec<RotationId>, StoreError> {
        let mut statement = self.sql.prepare_cached(sql)?;
        let ids = statement.query_map(params, |row| Ok(row.get::<_, Text<_>>(0)?.0))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }
}

/// Without the mapping, which is in other rows.
fn details(id: RotationId, row: &Row<'_>) -> rusqlite::Result<RotationDetails> {
    Ok(RotationDetails {
        id,
        provider: row.get(0)?,
        name: row.get(1)?,
        description: row.get(2)?,
        connection: row.get(3)?,
        folder: row.get(4)?,
        parameters: row.get::<_, Json<_>>(5)?.0,
        mapping: BTreeMap::new(),
        target_key: row.get(6)?,
        created_at: row.get::<_, Millis>(7)?.0,
        updated_at: row.get::<_, Millis>(8)?.0,
    })
}
