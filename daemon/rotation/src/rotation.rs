//! The state of one rotation.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::clock::{Boot, later};
use crate::credential::{Credential, Stage};
use crate::effect::Call;
use crate::event::Inspection;
use crate::id::{CredentialId, Handle, RotationId, RunId};
use crate::rules::guard_span;
use crate::run::{Phase, Run};
use crate::schedule::{Base, DailyTime, Interval};
use crate::timing::Timing;

/// What a person decides about a rotation, as far as it decides when and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Rotate by schedule.
    pub auto: bool,
    /// Days between two rotations.
    pub interval: Interval,
    /// At what time of day.
    pub daily: DailyTime,
    /// How long a replaced credential stays; none is until the next due time.
    pub overlap: Option<Duration>,
}

/// Where a rotation stands in its own life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "life", rename_all = "kebab-case")]
pub enum Life {
    /// Its first run is under way.
    Creating {
        /// Its caller was told that it goes on; a failure keeps the row.
        answered: bool,
    },
    /// It was published once.
    Live,
    /// Its creation failed after an answer had been given: a person retries or deletes it.
    Failed,
    /// Deleted for everyone; what it left at the provider is being settled.
    Deleting {
        /// Nothing under its label is to stay alive.
        #[serde(default)]
        revoke: bool,
    },
}

impl Life {
    /// Deleted for everyone.
    pub fn is_deleting(self) -> bool {
        matches!(self, Self::Deleting { .. })
    }
}

/// How the last run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Published.
    Success,
    /// Given up.
    Failed,
    /// The first one has not ended.
    Pending,
}

/// A credential under our own label that our books do not know: they may be old.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// The provider's name for it.
    pub handle: Handle,
    /// Its label's sequence number.
    pub sequence: u64,
    /// Its label's nonce.
    pub nonce: crate::label::Nonce,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was first seen, by the local clock.
    pub seen_at: DateTime<Utc>,
    /// Surveys in a row that did not show it.
    pub absences: u32,
}

/// The state of one rotation: everything that decides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rotation {
    /// Its name in our books.
    pub id: RotationId,
    /// What a person decided.
    pub plan: Plan,
    /// Where it stands in its life.
    pub life: Life,
    /// From where the next due time is counted; none before the first publication.
    pub base: Option<Base>,
    /// When the next scheduled run is due; none while paused.
    pub due_at: Option<DateTime<Utc>>,
    /// A failed or spread run is not tried before this.
    pub next_try_at: Option<DateTime<Utc>>,
    /// Failed scheduled runs in a row.
    pub failures: u32,
    /// How the last run ended.
    pub outcome: Outcome,
    /// For a person; holds no secret.
    pub message: Option<String>,
    /// When a run was last started or ended.
    pub last_attempted_at: Option<DateTime<Utc>>,
    /// When something was last published.
    pub last_rotated_at: Option<DateTime<Utc>>,
    /// The last run was manual.
    pub last_manual: bool,
    /// The last run's name.
    pub last_run: Option<RunId>,
    /// The highest sequence number used or seen.
    pub sequence: u64,
    /// The run that is under way.
    pub run: Option<Run>,
    /// What is not settled, and what holds a slot.
    pub credentials: Vec<Credential>,
    /// Attention mode: what our books do not know.
    pub doubts: Vec<Doubt>,
    /// Attention mode: why the books are thought to be old.
    pub stale: Option<String>,
    /// Credentials with this number or a lower one that our books never saw published may have been published all
    /// the same: the books were found to be old when they had counted this far.
    #[serde(default)]
    pub suspect_to: u64,
    /// The provider said that nothing will work until a person changes something.
    pub blocked: Option<String>,
    /// At its creation a person accepted a target that holds fewer than two of ours.
    #[serde(default)]
    pub force: bool,
    /// Consumers that do not have the newest credential yet.
    pub deliveries_open: Vec<String>,
    /// Surveys in a row that did not show the published credential.
    pub drift_absences: u32,
    /// When the target is surveyed next for drift.
    pub next_drift_check: DateTime<Utc>,
    /// A new credential is needed without waiting for the due time, until one is published.
    #[serde(default)]
    pub urgent: Option<Urgent>,
    /// How the last calls went.
    #[serde(default)]
    pub contact: Contact,
    /// What was learned since the start. Not kept: after a restart it is learned anew.
    #[serde(skip)]
    pub facts: Facts,
}

/// What was learned since the daemon's start.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// The call under way.
    pub in_flight: Option<Call>,
    /// The last survey.
    pub survey: Option<SurveyFact>,
    /// The last login with the published credential that worked.
    pub login: Option<(Boot, CredentialId)>,
    /// The last look at the target.
    pub inspection: Option<(Boot, Inspection)>,
    /// The provider's clock, when it was last told.
    pub provider_clock: Option<(DateTime<Utc>, Boot)>,
    /// No background call before this: the last one failed.
    pub background_not_before: Boot,
}

/// Why a new credential is needed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urgent {
    /// The published one leaked: it is revoked as soon as it is replaced. A person's order, so a pause does not
    /// keep it.
    Leaked,
    /// The published one was removed outside.
    Drifted,
}

/// How the last calls went: kept, so that it is seen while nothing is under way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Contact {
    /// Background calls that failed in a row.
    pub failures: u32,
    /// What the last of them said, for a person.
    pub trouble: Option<String>,
    /// When the next one is made, by the wall clock.
    #[serde(default)]
    pub again_at: Option<DateTime<Utc>>,
    /// What it said passes by itself, as far as one can tell.
    #[serde(default)]
    pub is_passing: bool,
    /// Why the last login with the published credential was refused; none where it worked.
    #[serde(default)]
    pub login_refused: Option<String>,
    /// How many were refused in a row.
    #[serde(default)]
    pub login_refusals: u32,
    /// The provider's clock and ours, when they were last compared.
    pub clocks: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// How many credentials the target may hold, when it was last looked at.
    #[serde(default)]
    pub credential_cap: Option<u32>,
}

impl Contact {
    pub(crate) fn refuse_login(&mut self, why: String) {
        self.login_refused = Some(why);
        self.login_refusals = self.login_refusals.saturating_add(1);
    }

    pub(crate) fn accept_login(&mut self) {
        self.login_refused = None;
        self.login_refusals = 0;
    }
}

/// What a survey showed.
#[derive(Debug, Clone, PartialEq)]
pub struct SurveyFact {
    /// When.
    pub at: Boot,
    /// The provider's clock then.
    pub provider_time: DateTime<Utc>,
    /// Everything that was listed.
    pub handles: Vec<Handle>,
    /// Those that this rotation did not issue.
    pub others: Others,
}

/// What a target holds that a rotation did not issue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Others {
    /// Under a label of another rotation, of this host or of another one.
    pub labelled: Vec<Handle>,
    /// Of anybody else.
    pub foreign: Vec<Handle>,
}

/// As many are named; of more it is said how many they are.
const NAMED: usize = 5;

impl Others {
    /// How many they are.
    pub fn count(&self) -> u32 {
        u32::try_from(self.labelled.len() + self.foreign.len()).unwrap_or(u32::MAX)
    }

    /// They in words, such as "2 credentials that this rotation did not issue were there at the last look (a, b)".
    pub(crate) fn in_words(&self) -> String {
        let what = match self.count() {
            0 => {
                return "nothing that this rotation did not issue was there at the last look"
                    .to_owned();
            }
            1 => "1 credential that this rotation did not issue was".to_owned(),
            more => format!("{more} credentials that this rotation did not issue were"),
        };
        let mut all = self.labelled.iter().chain(&self.foreign);
        let named: Vec<_> = all.by_ref().take(NAMED).map(ToString::to_string).collect();
        let named = named.join(", ");
        let more = match all.count() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let whose = match self.labelled.len() {
            0 => String::new(),
            of_rotations => {
                format!(
                    ", {of_rotations} of them by another rotation, whose applications may use it"
                )
            }
        };
        format!("{what} there at the last look ({named}{more}){whose}")
    }

    /// What a person can do for more room.
    pub(crate) fn remedy(&self) -> &'static str {
        match (self.labelled.is_empty(), self.foreign.is_empty()) {
            (true, true) => "see what the provider lists",
            (true, false) => "remove one that nobody uses",
            (false, true) => {
                "one rotation is enough for any number of applications: delete the one that is not needed, by rotorctl delete \
                 on its host"
            }
            (false, false) => {
                "remove one that nobody uses and no rotation issued, or delete a rotation that is not needed"
            }
        }
    }
}

impl Doubt {
    /// A credential of our books that is in doubt all the same; none where the provider has no name for it.
    pub(crate) fn of(credential: &Credential, seen_at: DateTime<Utc>) -> Option<Self> {
        Some(Self {
            handle: credential.handle.clone()?,
            sequence: credential.sequence,
            nonce: credential.nonce,
            expires_at: credential.expires_at,
            seen_at,
            absences: 0,
        })
    }
}

impl Rotation {
    /// The published credential.
    pub fn active(&self) -> Option<&Credential> {
        self.credentials.iter().find(|c| c.stage == Stage::Active)
    }

    /// The credential with this name.
    pub fn credential(&self, id: CredentialId) -> Option<&Credential> {
        self.credentials.iter().find(|c| c.id == id)
    }

    pub(crate) fn credential_mut(&mut self, id: CredentialId) -> Option<&mut Credential> {
        self.credentials.iter_mut().find(|c| c.id == id)
    }

    /// The published one's slot: 0 or 1, 0 before there is one.
    pub fn active_index(&self) -> u8 {
        self.active().and_then(|c| c.slot).unwrap_or(0)
    }

    /// The credential that the run is about.
    pub fn run_credential(&self) -> Option<CredentialId> {
        match &self.run.as_ref()?.phase {
            Phase::Issuing { credential } | Phase::Verifying { credential, .. } => {
                Some(*credential)
            }
            _ => None,
        }
    }

    /// Something failed and is tried again in its time.
    pub fn waits_to_try_again(&self) -> bool {
        let mut credentials = self.credentials.iter();
        self.contact.trouble.is_some()
            || self.next_try_at.is_some()
            || credentials.any(Credential::is_kept_by_failures)
    }

    /// A run is wanted before the due time, and may be tried by the daemon itself.
    pub(crate) fn wants_urgent(&self) -> bool {
        match self.urgent {
            Some(Urgent::Leaked) => true,
            Some(Urgent::Drifted) => self.plan.auto,
            None => false,
        }
    }

    /// Something is in doubt: lost answers are reported and not removed.
    pub fn needs_attention(&self) -> bool {
        !self.doubts.is_empty() || self.stale.is_some()
    }

    /// The target is looked at from time to time. Of a deleted rotation only for what is in doubt, which may be gone
    /// by itself.
    pub(crate) fn is_looked_after(&self) -> bool {
        !self.life.is_deleting() || !self.doubts.is_empty()
    }

    /// What our books call lost or unproved, and what may be the live one: they were older than it.
    pub(crate) fn is_suspect(&self, credential: &Credential) -> bool {
        credential.published_at.is_none() && credential.sequence <= self.suspect_to
    }

    /// Lost answers that still count.
    pub fn lost(&self) -> usize {
        let counted = |c: &&Credential| matches!(&c.stage, Stage::Lost(watch) if !watch.dormant);
        self.credentials.iter().filter(counted).count()
    }

    /// From when on the published credential is replaced early.
    pub fn guard_at(&self, timing: &Timing) -> Option<DateTime<Utc>> {
        let active = self.active()?;
        let end = active.expires_at?;
        let span = guard_span(crate::clock::between(active.intended_at, end), timing);
        Some(end - chrono::TimeDelta::from_std(span).ok()?)
    }

    /// What answers show as the next rotation: the next try of a run that is due, else when it is due, or when the
    /// published credential is replaced before that since it ends.
    pub fn next_rotation_at(&self, timing: &Timing) -> Option<DateTime<Utc>> {
        if self.urgent.is_some() && self.next_try_at.is_some() {
            return self.next_try_at;
        }
        let early = self.guard_at(timing).filter(|_| self.plan.auto);
        let due = self
            .due_at
            .map(|due| early.map_or(due, |early| due.min(early)));
        match (due, self.next_try_at) {
            (Some(due), Some(next_try)) => Some(due.max(next_try)),
            (due, None) => due,
            (None, Some(_)) => None,
        }
    }

    /// How far the local clock was from the provider's when they were last compared.
    pub fn skew(&self) -> Option<Duration> {
        let (provider, local) = self.contact.clocks?;
        Some((provider - local).abs().to_std().unwrap_or_default())
    }

    /// The next due time by plan and base, after `now`.
    pub(crate) fn compute_due(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let base = self.base?;
        self.plan
            .auto
            .then(|| self.plan.daily.next_due(base, self.plan.interval, now))
    }

    /// The latest instant at which a rotation published now could be due: what a clock that was set back is
    /// held against.
    pub(crate) fn latest_due(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        later(
            now,
            self.plan.interval.duration() + Duration::from_hours(48),
        )
    }
}
