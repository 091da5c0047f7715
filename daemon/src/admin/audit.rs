//! What is noted of what callers do, and reading it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rotord_api::audit::{AuditAnswer, AuditItem, AuditPeer, AuditQuery, MOST, USUAL};
use rotord_api::issue::IssueCode;
use rotord_api::{Timestamp, routes};
use rotord_rotation::RotationId;
use rotord_store::{Actor, AuditEntry, AuditRecord, SecretRecord};
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::ApiError;
use super::peer::Peer;
use super::request::{self, Query, ok};
use super::{Daemon, Reply, Shared};

/// Within this time the same caller's reads of the same values are one entry.
const WINDOW: Duration = Duration::from_mins(10);
/// Above this many remembered reads, old ones are forgotten.
const REMEMBERED: usize = 1024;

/// Who did what, the newest first.
#[utoipa::path(get, path = routes::AUDIT, tag = "rotord", params(AuditQuery),
    responses((status = 200, body = AuditAnswer)))]
pub(super) async fn read_audit(daemon: Daemon, query: Query<AuditQuery>) -> Reply {
    let AuditQuery {
        rotation_id,
        before,
        limit,
    } = query.0;
    let rotation = match rotation_id {
        Some(id) => Some(RotationId(request::id(&id, "rotationId")?)),
        None => None,
    };
    let limit = match limit.unwrap_or(USUAL) {
        0 => {
            return Err(ApiError::field(
                "limit",
                IssueCode::TooSmall,
                "must be at least 1",
            ));
        }
        limit if limit > MOST => {
            let most = format!("must be at most {MOST}");
            return Err(ApiError::field("limit", IssueCode::TooBig, most));
        }
        limit => limit,
    };
    let records = daemon
        .store
        .read(move |reader| reader.audit(rotation, before, limit))
        .await?;
    Ok(ok(&AuditAnswer {
        entries: records.into_iter().map(shown).collect(),
    }))
}

fn shown(record: AuditRecord) -> AuditItem {
    let AuditEntry {
        actor,
        action,
        rotation,
        detail,
    } = record.entry;
    AuditItem {
        id: record.id,
        at: Timestamp(record.at),
        peer: match actor {
            Actor::Daemon => None,
            Actor::Peer { uid, gid, pid } => Some(AuditPeer { uid, gid, pid }),
        },
        action,
        rotation_id: rotation.map(|id| id.0),
        rotation_name: record.rotation_name,
        detail,
    }
}

/// An entry about a rotation.
pub(super) fn of_rotation(
    peer: &Peer,
    action: &str,
    rotation: RotationId,
    detail: Value,
) -> AuditEntry {
    AuditEntry {
        rotation: Some(rotation),
        ..entry(peer, action, detail)
    }
}

/// An entry about anything else.
pub(super) fn entry(peer: &Peer, action: &str, detail: Value) -> AuditEntry {
    AuditEntry {
        actor: peer.actor(),
        action: action.to_owned(),
        rotation: None,
        detail,
    }
}

/// Notes what changed nothing. Where the books can't be written now, the log has it and the caller is not kept
/// waiting for a disk.
pub(super) async fn note(daemon: &Shared, peer: &Peer, action: &str, detail: Value) {
    let entry = entry(peer, action, detail);
    let at = daemon.clock.now().wall;
    let (uid, pid) = (peer.uid, peer.pid);
    if let Err(error) = daemon.store.note(at, entry).await {
        tracing::error!(uid, pid, action, %error, "this could not be noted in the audit");
    }
}

/// The reads of secret values that were noted lately. Applications that poll would write a row for each read:
/// the first is noted before it is answered, the same within ten minutes only counted.
#[derive(Debug, Default)]
pub(super) struct Reads(Mutex<HashMap<Read, Noted>>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Read {
    uid: u32,
    gid: u32,
    values: Vec<(Uuid, u32)>,
}

#[derive(Debug)]
struct Noted {
    at: Instant,
    repeats: u64,
}

impl Reads {
    /// What is to be noted before these values are answered; [`Self::noted`] is to be called once it is.
    pub(super) fn begin(
        &self,
        peer: &Peer,
        action: &str,
        secrets: &[SecretRecord],
    ) -> Option<(Read, AuditEntry)> {
        let read = Read {
            uid: peer.uid,
            gid: peer.gid,
            values: secrets
                .iter()
                .map(|secret| (secret.id.0, secret.version))
                .collect(),
        };
        if read.values.is_empty() {
            return None;
        }
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut repeats = 0;
        if let Some(before) = noted.get_mut(&read) {
            if before.at.elapsed() < WINDOW {
                before.repeats += 1;
                return None;
            }
            repeats = before.repeats;
        }
        let names: Vec<_> = secrets
            .iter()
            .map(|secret| json!({"name": secret.name, "path": secret.path, "version": secret.version}))
            .collect();
        let detail = json!({"secrets": names, "repeatedBefore": repeats});
        Some((read, entry(peer, action, detail)))
    }

    /// The entry is in the books.
    pub(super) fn noted(&self, read: Read) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() >= REMEMBERED {
            noted.retain(|_, noted| noted.at.elapsed() < WINDOW);
        }
        let now = Noted {
            at: Instant::now(),
            repeats: 0,
        };
        noted.insert(read, now);
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use rotord_store::{FolderId, SecretId};

    use super::*;

    fn secret(version: u32) -> SecretRecord {
        SecretRecord {
            id: SecretId(Uuid::nil()),
            name: "A".to_owned(),
            renamed_to: None,
            folder: FolderId(Uuid::nil()),
            path: "/".to_owned(),
            version,
            value: None,
            rotation: None,
            output: None,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    fn peer(uid: u32) -> Peer {
        Peer {
            uid,
            gid: 1,
            groups: Vec::new(),
            pid: Some(7),
        }
    }

    #[test]
    fn the_same_read_is_noted_once_and_another_value_or_caller_anew() {
        let reads = Reads::default();
        let (read, _) = reads.begin(&peer(1), "get-secret", &[secret(1)]).unwrap();
        // Not in the books yet: whoever comes now notes it too.
        assert!(reads.begin(&peer(1), "get-secret", &[secret(1)]).is_some());
        reads.noted(read);
        assert!(reads.begin(&peer(1), "get-secret", &[secret(1)]).is_none());
        assert!(reads.begin(&peer(1), "get-secret", &[secret(2)]).is_some());
        assert!(reads.begin(&peer(2), "get-secret", &[secret(1)]).is_some());
    }
}
