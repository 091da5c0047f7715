//! A run: the attempts from "rotate" until one is published or all are given up.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clock::{Boot, Now, later};
use crate::id::{CredentialId, RunId};
use crate::proof::Proof;

/// Why a run was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunKind {
    /// The first one; the rotation exists for others when it is published.
    Creation,
    /// The interval has elapsed.
    Scheduled,
    /// A person asked.
    Manual,
    /// The published one ends soon, was removed outside, or leaked.
    Urgent,
    /// A credential that was not issued by us is proved and taken over.
    Adoption,
}

impl RunKind {
    /// Counts as manual for the schedule.
    pub fn is_manual(self) -> bool {
        matches!(self, Self::Creation | Self::Manual | Self::Adoption)
    }

    /// The word that people see.
    pub fn name(self) -> &'static str {
        match self {
            Self::Creation => "creation",
            Self::Scheduled => "scheduled",
            Self::Manual => "manual",
            Self::Urgent => "urgent",
            Self::Adoption => "adoption",
        }
    }
}

/// A run that is under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its name, `lastRotationJobId` in answers.
    pub id: RunId,
    /// Why it was started.
    pub kind: RunKind,
    /// By the wall clock.
    pub started_at: DateTime<Utc>,
    /// The due time that a scheduled run serves.
    pub due: Option<DateTime<Utc>>,
    /// Where it stands.
    pub phase: Phase,
    /// Refusals in a row that asked to come again.
    pub retries: u32,
    /// Answers lost in a row.
    #[serde(default)]
    pub lost: u32,
    /// What its last attempt met, for a person; none where nothing went wrong since.
    #[serde(default)]
    pub trouble: Option<String>,
    /// A person's word for how long the replaced one stays; never below the provider's minimum.
    pub retire_after: Option<Duration>,
    /// The replaced one leaked: it is removed as soon as the new one is published.
    pub retire_at_once: bool,
    /// Room was made on a full target: "full" may still be said by a replica that lags.
    pub room_made: bool,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "kebab-case")]
pub enum Phase {
    /// The target is looked at: does it exist, what limits hold, what is there.
    Preparing,
    /// The creating call is under way; or is to be made again after a restart that lost it.
    Issuing {
        /// The attempt's credential.
        credential: CredentialId,
    },
    /// Logins are made.
    Verifying {
        /// What is proved.
        credential: CredentialId,
        /// What was shown so far.
        proof: Proof,
        /// Left over by an earlier run: one refusal is enough to give it up.
        probation: bool,
    },
    /// Nothing to do before an instant; then it prepares anew.
    Waiting {
        /// By the boot clock.
        until: Boot,
        /// For a person.
        why: String,
    },
    /// The target was full: its removals come first, for a while.
    MakingRoom {
        /// By the boot clock; after a restart, the restart.
        #[serde(default)]
        since: Boot,
    },
}

impl Phase {
    /// Until when it waits, by the wall clock.
    pub fn waits_until(&self, now: Now) -> Option<DateTime<Utc>> {
        match self {
            Self::Waiting { until, .. } => Some(later(now.wall, *until - now.boot)),
            _ => None,
        }
    }

    /// The word that people see.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Issuing { .. } => "issuing",
            Self::Verifying { .. } => "verifying",
            Self::Waiting { .. } => "waiting",
            Self::MakingRoom { .. } => "making room",
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnd {
    /// Which.
    pub run: RunId,
    /// Why it had been started.
    pub kind: RunKind,
    /// The credential that was published, or why none was.
    pub result: Result<CredentialId, Unpublished>,
}

/// Why a run ended without a publication, for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unpublished {
    /// It failed.
    #[error("{0}")]
    Failed(String),
    /// A person deleted the rotation while it was under way.
    #[error("the rotation was deleted meanwhile")]
    Deleted,
}
