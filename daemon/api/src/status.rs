//! How the daemon is doing, for `rotorctl status` and monitors.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::issue::{Finding, Severity};
use crate::provider::ProviderReport;
use crate::timestamp::Timestamp;

/// How the daemon and its rotations are doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DaemonStatus {
    /// The daemon's version.
    pub version: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// For how many seconds it has run.
    pub uptime_seconds: u64,
    /// What a client takes where nothing else is named.
    pub default_project_id: String,
    /// The providers and how loading them went.
    pub providers: Vec<ProviderReport>,
    /// How many rotations there are.
    pub rotations: RotationCounts,
    /// Past their due date.
    pub overdue: Vec<StatusItem>,
    /// Their last run failed, and another follows. One that a person asked for is told with the findings.
    pub failing: Vec<StatusItem>,
    /// A run is under way, a credential waits to be retired or a lost call is watched for.
    pub waiting: Vec<StatusItem>,
    /// Only a person can go on.
    pub attention: Vec<StatusItem>,
    /// The one that is due next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_due: Option<StatusItem>,
    /// What is wrong with the installation as a whole.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// The daemon's periodic work.
    #[serde(default)]
    pub work: Vec<PeriodicWork>,
}

/// How many rotations there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RotationCounts {
    /// All of them.
    pub total: u32,
    /// Those that rotate by themselves.
    pub automatic: u32,
    /// Those that a person paused.
    pub paused: u32,
    /// Those with a run under way.
    pub running: u32,
    /// Those whose last run failed, whoever asked for it.
    pub failed: u32,
}

/// A rotation and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusItem {
    /// The rotation's id.
    pub rotation_id: Uuid,
    /// Its name.
    pub name: String,
    /// In words.
    pub message: String,
    /// What kind of thing it is, as `rotorctl explain` knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Since when, or when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// Work that the daemon does from time to time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PeriodicWork {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// When it last ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_at: Option<Timestamp>,
    /// How it last ended, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_outcome: Option<String>,
    /// When it runs next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
}

impl DaemonStatus {
    /// Whether a person should look at something.
    pub fn needs_attention(&self) -> bool {
        !(self.overdue.is_empty() && self.failing.is_empty() && self.attention.is_empty())
            || self
                .findings
                .iter()
                .any(|finding| finding.severity == Severity::Problem)
            || self
                .providers
                .iter()
                .any(|provider| provider.severity == Some(Severity::Problem))
    }
}
