//! Rotations that are gone, and what they left alive at their providers.

use chrono::{DateTime, Utc};
use rotord_rotation::{Credential, RotationId, Stage};
use serde_json::{Map, Value};

use crate::columns::{Json, Millis, Text};
use crate::error::StoreError;
use crate::id::ProjectId;
use crate::reader::{Books, Reader};

/// A credential that a deleted rotation left alive, and what that rotation was.
#[derive(Debug, Clone, PartialEq)]
pub struct Released {
    /// The rotation's id.
    pub rotation: RotationId,
    /// Its name.
    pub name: String,
    /// Its provider's slug.
    pub provider: String,
    /// The slug of the environment that it was in.
    pub environment: String,
    /// The path of the folder that it was in.
    pub path: String,
    /// What it rotated, in the provider's terms.
    pub parameters: Map<String, Value>,
    /// What is left.
    pub credential: Credential,
}

impl Reader {
    /// What a project's deleted rotations, of one provider or all, left alive at their providers and has not ended by
    /// `now`, by the rotation's name. Without what is in the state of a rotation that is being settled, and without
    /// what another row of the same credential tells since: a rotation that took it over.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn released(
        &self,
        project: ProjectId,
        provider: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Released>, StoreError> {
        let sql = "WITH known AS (
                SELECT id, provider, name, environment, path, parameters, target_key, 1 AS deleted FROM former_rotations
                UNION ALL
                SELECT r.id, r.provider, r.name, f.environment, f.path, r.parameters, r.target_key, r.life = 'deleting'
                FROM rotations r JOIN folders f ON f.id = r.folder
            )
            SELECT k.id, k.name, k.provider, e.slug, k.path, k.parameters, c.detail
            FROM credentials c JOIN known k ON k.id = c.rotation JOIN environments e ON e.id = k.environment
            WHERE e.project = ?1 AND (?2 IS NULL OR k.provider = ?2) AND k.deleted
                AND c.stage = ?3 AND c.slot IS NULL AND c.handle IS NOT NULL
                AND (c.expires_at IS NULL OR c.expires_at > ?4)
                AND NOT EXISTS (
                    SELECT 1 FROM credentials l JOIN known o ON o.id = l.rotation
                    WHERE l.handle = c.handle AND l.position > c.position AND o.target_key = k.target_key
                )
            ORDER BY k.name, e.position, k.path, c.position";
        let mut statement = self.connection.prepare_cached(sql)?;
        let of = (project, provider, Stage::Released.name(), Millis(now));
        let released = statement.query_map(of, |row| {
            let Json(mut credential): Json<Credential> = row.get(6)?;
            // The columns say it, and are as the query wants them.
            credential.slot = None;
            credential.has_outputs = false;
            Ok(Released {
                rotation: row.get::<_, Text<_>>(0)?.0,
                name: row.get(1)?,
                provider: row.get(2)?,
                environment: row.get(3)?,
                path: row.get(4)?,
                parameters: row.get::<_, Json<_>>(5)?.0,
                credential,
            })
        })?;
        Ok(released.collect::<Result<_, _>>()?)
    }
}

impl Books<'_> {
    /// What a rotation was is kept when its row goes.
    pub(crate) fn remember(&self, rotation: RotationId) -> Result<(), StoreError> {
        self.sql
            .prepare_cached(
                "INSERT INTO former_rotations (id, provider, name, environment, path, parameters, target_key)
                 SELECT r.id, r.provider, r.name, f.environment, f.path, r.parameters, r.target_key
                 FROM rotations r JOIN folders f ON f.id = r.folder WHERE r.id = ?1",
            )?
            .execute([Text(rotation)])?;
        Ok(())
    }
}
