//! One credential, from the intent to issue it until it is gone.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clock::Boot;
use crate::id::{CredentialId, Handle};
use crate::label::Nonce;

/// A credential that was issued, is being issued, or may have been issued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Credential {
    /// Its name in our books.
    pub id: CredentialId,
    /// Its attempt's number, from 1; 0 where it was taken over from somebody else.
    pub sequence: u64,
    /// Its attempt's name.
    pub nonce: Nonce,
    /// The provider's name for it, once known.
    pub handle: Option<Handle>,
    /// Where it stands in its life.
    pub stage: Stage,
    /// 0 or 1 from its publication until another one takes the slot: a view, changed by publishing alone.
    pub slot: Option<u8>,
    /// When its attempt was written down, by the provider's clock as well as it was known.
    pub intended_at: DateTime<Utc>,
    /// When it ends: what the provider said, or before that what was asked for.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was published, by the local clock.
    pub published_at: Option<DateTime<Utc>>,
    /// Once published and replaced: the instant, by the provider's clock, before which it is not revoked.
    /// Never moved.
    pub revoke_not_before: Option<DateTime<Utc>>,
    /// The sealed outputs are in the database.
    pub has_outputs: bool,
}

/// Where a credential stands in its life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "kebab-case")]
pub enum Stage {
    /// Written down; the creating call may be under way.
    Intended,
    /// The creating call ended without a word: on the watch-list.
    Lost(Watch),
    /// Known and being proved, or waiting for the next try to look at it again.
    Pending,
    /// Published.
    Active,
    /// Published before the active one, valid beside it.
    Previous,
    /// To be removed at the provider.
    Retiring(Removal),
    /// Left alive on purpose: its rotation was deleted without revoking.
    Released,
    /// The provider said an explicit no: it never was.
    Refused,
    /// Confirmed gone, or past its expiry by the provider's clock. Kept as a tombstone.
    Gone,
}

impl Stage {
    /// The word that people see.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Intended => "intended",
            Self::Lost(_) => "lost",
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Previous => "previous",
            Self::Retiring(_) => "retiring",
            Self::Released => "released",
            Self::Refused => "refused",
            Self::Gone => "gone",
        }
    }

    /// Nothing more will be done about it by itself.
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Released | Self::Refused | Self::Gone)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a lost answer is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// When the answer was lost.
    pub since: DateTime<Utc>,
    /// Surveys since then that did not show it.
    pub absences: u32,
    /// When it is looked for again, by the wall clock.
    pub next_look: DateTime<Utc>,
    /// Absent for long: still watched, no longer counted.
    pub dormant: bool,
}

/// Why a credential is to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// A newer one was published and its time has passed.
    Superseded,
    /// It was never published: its attempt failed.
    Failed,
    /// What a lost answer turned out to have made; its value was never stored.
    Found,
    /// A person ordered it.
    Ordered,
    /// Its rotation was deleted with revoking.
    Deleted,
    /// Room was needed on a full target.
    Room,
}

/// What must hold, besides a fresh survey that lists it, before a credential is revoked. The more, the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// Nothing: never published, expired, or ordered with force.
    Open,
    /// A login with the published one just now.
    Published,
    /// Everything: deliveries acknowledged, the published one listed and unexpired, a login with it just now.
    Full,
}

/// How a removal goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// Why.
    pub reason: Reason,
    /// What must hold first.
    pub gate: Gate,
    /// When a revoke was accepted (or found nothing, after a survey had listed it).
    pub accepted_at: Option<DateTime<Utc>>,
    /// Absences in a row, and when the first and the last were seen.
    pub absences: u32,
    /// By the wall clock.
    pub first_absence: Option<DateTime<Utc>>,
    /// Nothing is done about it before this.
    pub next_step: Boot,
    /// Failed tries in a row.
    pub failures: u32,
    /// What keeps it, for a person.
    pub waiting_for: Option<String>,
}

impl Removal {
    /// A removal that has not begun.
    pub fn new(reason: Reason, gate: Gate) -> Self {
        Self {
            reason,
            gate,
            accepted_at: None,
            absences: 0,
            first_absence: None,
            next_step: Boot::default(),
            failures: 0,
            waiting_for: None,
        }
    }

    /// A person ordered it, of this credential or of the whole rotation.
    pub(crate) fn is_ordered(&self) -> bool {
        matches!(self.reason, Reason::Ordered | Reason::Deleted)
    }
}

impl Credential {
    /// Taken over and not issued under a label of ours, whose numbers begin with 1.
    pub fn is_adopted(&self) -> bool {
        self.sequence == 0
    }

    /// Its removal, if it is under way.
    pub fn removal(&self) -> Option<&Removal> {
        match &self.stage {
            Stage::Retiring(removal) => Some(removal),
            _ => None,
        }
    }

    /// Its removal was tried, and waits to be tried again.
    pub(crate) fn is_kept_by_failures(&self) -> bool {
        self.removal().is_some_and(|removal| removal.failures > 0)
    }

    pub(crate) fn removal_mut(&mut self) -> Option<&mut Removal> {
        match &mut self.stage {
            Stage::Retiring(removal) => Some(removal),
            _ => None,
        }
    }

    pub(crate) fn watch(&self) -> Option<&Watch> {
        match &self.stage {
            Stage::Lost(watch) => Some(watch),
            _ => None,
        }
    }

    pub(crate) fn watch_mut(&mut self) -> Option<&mut Watch> {
        match &mut self.stage {
            Stage::Lost(watch) => Some(watch),
            _ => None,
        }
    }

    /// Starts its removal; one that is under way keeps what it has reached, and only loses gates.
    pub(crate) fn retire(&mut self, reason: Reason, gate: Gate) {
        match self.removal_mut() {
            Some(removal) => {
                // A person's order stays one, and no gate closes again.
                if removal.reason != Reason::Ordered {
                    removal.reason = reason;
                }
                removal.gate = removal.gate.min(gate);
                self.look_again();
            }
            None => self.stage = Stage::Retiring(Removal::new(reason, gate)),
        }
    }

    /// Never published, and no survey has shown it since its removal began: `absences` in a row, apart.
    pub(crate) fn is_never_seen(&self, absences: u32) -> bool {
        let open = |removal: &Removal| removal.gate == Gate::Open && removal.absences >= absences;
        self.published_at.is_none() && self.removal().is_some_and(open)
    }

    /// A removal that was not accepted yet is looked at at once; so an absence then is not apart from the one before.
    pub(crate) fn look_again(&mut self) {
        if let Some(removal) = self.removal_mut().filter(|r| r.accepted_at.is_none()) {
            removal.next_step = Boot::default();
            removal.absences = 0;
            removal.first_absence = None;
        }
    }

    /// If the books are old it may be in use: what they never saw published may have been published since, and what
    /// they had when they were found to be old, up to this number, may be what another host publishes. Not so what has
    /// ended, and what a person ordered away.
    pub(crate) fn may_be_in_use(&self, suspect_to: u64, provider_time: DateTime<Utc>) -> bool {
        let is_doubtful = self.published_at.is_none() || self.sequence <= suspect_to;
        is_doubtful
            && !self.has_expired(provider_time)
            && !self.removal().is_some_and(Removal::is_ordered)
    }

    /// Past its end at this instant of the provider's clock.
    pub fn has_expired(&self, provider_time: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|end| end <= provider_time)
    }
}
