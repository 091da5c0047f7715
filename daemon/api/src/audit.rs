//! Who did what.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::timestamp::Timestamp;

/// How many entries are answered where nobody says how many.
pub const USUAL: u32 = 100;
/// How many entries are answered at most.
pub const MOST: u32 = 1000;

/// Which entries are answered.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// The id of a rotation, also of one that is gone; of everything if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_id: Option<String>,
    /// Those before the entry with this id, which continues a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<i64>,
    /// How many: 100 if not given, at most 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Entries of the audit, the newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditAnswer {
    /// They.
    pub entries: Vec<AuditItem>,
}

/// What somebody did. It holds no secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditItem {
    /// Counts up.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who was on the other end of a socket; null where it was the daemon by itself.
    pub peer: Option<AuditPeer>,
    /// A short, stable word, such as `delete-secret-rotation`.
    pub action: String,
    /// The rotation that it was about, which may be gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_id: Option<Uuid>,
    /// Its name now, or when it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_name: Option<String>,
    /// Anything more; null where there is nothing.
    pub detail: Value,
}

/// Who was on the other end of a socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditPeer {
    /// The user.
    pub uid: u32,
    /// The primary group.
    pub gid: u32,
    /// The process, where the kernel says; by now the number may be another's.
    pub pid: Option<i32>,
}
