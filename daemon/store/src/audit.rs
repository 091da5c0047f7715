//! Who did what. Append-only, and without secrets.

use chrono::{DateTime, Utc};
use rotord_rotation::RotationId;
use rusqlite::types::Type;
use serde_json::Value;

use crate::columns::{Json, Millis, Text};
use crate::error::StoreError;
use crate::reader::{Books, Reader};
use crate::store::Store;

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// The daemon by itself.
    Daemon,
    /// Who was on the other end of a socket.
    Peer {
        /// The user.
        uid: u32,
        /// The primary group.
        gid: u32,
        /// The process, where the kernel says.
        pid: Option<i32>,
    },
}

/// What is to be noted. It must hold no secret: it is kept in plain text.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// Who.
    pub actor: Actor,
    /// A short, stable word, such as `rotation.delete`.
    pub action: String,
    /// What it was about.
    pub rotation: Option<RotationId>,
    /// Anything more.
    pub detail: Value,
}

/// What was noted.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRecord {
    /// Counts up.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub entry: AuditEntry,
    /// The name of the rotation that it was about, now or when it was deleted.
    pub rotation_name: Option<String>,
}

impl Reader {
    /// The newest records, those of one rotation or all, the newest first; `before` continues a list.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn audit(
        &self,
        rotation: Option<RotationId>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        macro_rules! select {
            ($of:literal) => {
                concat!(
                    "SELECT a.id, a.at, a.uid, a.gid, a.pid, a.action, a.rotation, a.detail, coalesce(r.name, f.name)
                     FROM audit a LEFT JOIN rotations r ON r.id = a.rotation
                     LEFT JOIN former_rotations f ON f.id = a.rotation
                     WHERE ",
                    $of,
                    " AND a.id < ?2 ORDER BY a.id DESC LIMIT ?3"
                )
            };
        }
        let sql = if rotation.is_some() {
            select!("a.rotation = ?1")
        } else {
            select!("?1 IS NULL")
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        let of = (rotation.map(Text), before.unwrap_or(i64::MAX), limit);
        let records = statement.query_map(of, |row| {
            let (uid, gid): (Option<u32>, Option<u32>) = (row.get(2)?, row.get(3)?);
            let actor = match (uid, gid) {
                (Some(uid), Some(gid)) => Actor::Peer {
                    uid,
                    gid,
                    pid: row.get(4)?,
                },
                (None, None) => Actor::Daemon,
                _ => {
                    let column = if uid.is_none() {
                        (2, "uid")
                    } else {
                        (3, "gid")
                    };
                    return Err(rusqlite::Error::InvalidColumnType(
                        column.0,
                        column.1.to_owned(),
                        Type::Null,
                    ));
                }
            };
            Ok(AuditRecord {
                id: row.get(0)?,
                at: row.get::<_, Millis>(1)?.0,
                entry: AuditEntry {
                    actor,
                    action: row.get(5)?,
                    rotation: row.get::<_, Option<Text<_>>>(6)?.map(|id| id.0),
                    detail: row.get::<_, Json<_>>(7)?.0,
                },
                rotation_name: row.get(8)?,
            })
        })?;
        Ok(records.collect::<Result<_, _>>()?)
    }
}

impl Store {
    /// Notes what changed nothing else, such as that generated credentials were read.
    ///
    /// # Errors
    /// The database can't be written; then none of it is noted.
    pub fn note(&mut self, notes: &[(DateTime<Utc>, AuditEntry)]) -> Result<(), StoreError> {
        self.write(|books| {
            let each = |(at, entry): &(DateTime<Utc>, AuditEntry)| {
                books.note(*at, std::slice::from_ref(entry))
            };
            notes.iter().try_for_each(each)
        })
    }
}

impl Books<'_> {
    pub(crate) fn note(&self, at: DateTime<Utc>, entries: &[AuditEntry]) -> Result<(), StoreError> {
        for entry in entries {
            let (uid, gid, pid) = match entry.actor {
                Actor::Daemon => (None, None, None),
                Actor::Peer { uid, gid, pid } => (Some(uid), Some(gid), pid),
            };
            self.sql
                .prepare_cached(
                    "INSERT INTO audit (at, uid, gid, pid, action, rotation, detail)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute((
                    Millis(at),
                    uid,
                    gid,
                    pid,
                    &entry.action,
                    entry.rotation.map(Text),
                    Json(&entry.detail),
                ))?;
        }
        Ok(())
    }
}
