//! What rotord tells a person of a rotation beyond what other clients know.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::timestamp::Timestamp;

/// The state of a rotation, for people and monitors.
// Each flag is one that clients read by itself.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RotationState {
    /// One line that says how it stands.
    pub summary: String,
    /// The run that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunState>,
    /// Every credential of this rotation that is not settled, or that holds a slot, newest first.
    #[serde(default)]
    pub credentials: Vec<CredentialState>,
    /// How many issuing calls have no known end and are watched for.
    #[serde(default)]
    pub watched: u32,
    /// What only a person can decide.
    #[serde(default)]
    pub attention: Vec<Attention>,
    /// When the next due date was computed for; the next try may be later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// When a failed run is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try_at: Option<Timestamp>,
    /// How many tries in a row have failed.
    #[serde(default)]
    pub failures: u32,
    /// Whether the last run failed, was asked for by a person and is not tried again: the schedule is as it was.
    #[serde(default)]
    pub manual_failed: bool,
    /// Whether the due date has passed.
    #[serde(default)]
    pub overdue: bool,
    /// Whether a person paused it.
    #[serde(default)]
    pub paused: bool,
    /// Whether it is deleted, and still being settled at its provider.
    #[serde(default)]
    pub deleting: bool,
    /// What will go wrong if nothing is done, and what the settings lead to.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// To which users, groups and units the settings grant a secret of it, in words. Whoever may open the admin socket
    /// reads all of them besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readers: Vec<String>,
}

/// A run that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunState {
    /// Its id, which `lastRotationJobId` carries once it has ended.
    pub id: String,
    /// How far it is.
    pub step: RunStep,
    /// The same, in words: what it does and what it waits for.
    pub words: String,
    /// Why it runs.
    pub reason: RunReason,
    /// Which attempt it is at, from 1.
    pub attempt: u32,
    /// When it began.
    pub started_at: Timestamp,
}

/// The steps of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunStep {
    /// The label is made.
    Intend,
    /// The provider is asked for a credential.
    Issue,
    /// The credential is tried out.
    Verify,
    /// The secrets get their new versions.
    Publish,
    /// Deliveries and retirements run.
    Settle,
    /// One that a newer daemon knows.
    #[serde(other)]
    Other,
}

/// Why a run runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunReason {
    /// The rotation was created.
    Creation,
    /// It was due.
    Scheduled,
    /// A person asked.
    Manual,
    /// The published credential is about to end, was removed or has leaked.
    Urgent,
    /// One that a newer daemon knows.
    #[serde(other)]
    Other,
}

/// A credential and what will become of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialState {
    /// The provider's name for it.
    pub key_id: String,
    /// What it is labelled with at the provider.
    pub label: String,
    /// Where in its life it is.
    pub stage: CredentialStage,
    /// 0 or 1, where it is one of the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<u32>,
    /// When it was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<Timestamp>,
    /// When it was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Until when it is certainly not revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke_not_before: Option<Timestamp>,
    /// What it waits for, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<String>,
}

/// A credential that a deleted rotation left alive at its provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReleasedCredential {
    /// The id of the rotation that is gone.
    pub rotation_id: Uuid,
    /// Its name.
    pub rotation_name: String,
    /// Its provider's slug.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it rotated, in the provider's terms.
    pub parameters: BTreeMap<String, Value>,
    /// The slug of the environment that it was in.
    pub environment: String,
    /// The path of the folder that it was in.
    pub secret_path: String,
    /// What is left.
    pub credential: CredentialState,
}

/// Where in its life a credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CredentialStage {
    /// Issued, not yet proved.
    Pending,
    /// Published.
    Active,
    /// Replaced, still valid.
    Previous,
    /// To be revoked as soon as its gates allow.
    Retiring,
    /// Revoked or past its end.
    Gone,
    /// Left alive when its rotation was deleted.
    Released,
    /// One that a newer daemon knows.
    #[serde(other)]
    Other,
}

impl fmt::Display for CredentialStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Previous => "previous",
            Self::Retiring => "retiring",
            Self::Gone => "gone",
            Self::Released => "released",
            Self::Other => "other",
        })
    }
}

/// Something that only a person can decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attention {
    /// A short, stable name, such as `unknown-label`.
    pub code: String,
    /// What was seen.
    pub message: String,
    /// What can be done, with the command where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The credential that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// Its label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl RotationState {
    /// Whether a person should look at it.
    pub fn needs_attention(&self) -> bool {
        self.overdue || !self.attention.is_empty()
    }
}
