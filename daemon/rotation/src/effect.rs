//! What a decision asks for.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::id::{CredentialId, Handle};
use crate::label::Label;
use crate::rotation::Rotation;
use crate::run::RunEnd;

/// A decision: commit `rotation` and `writes` in one transaction, then make the call.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The new state.
    pub rotation: Rotation,
    /// What belongs into the same transaction, besides the state.
    pub writes: Vec<Write>,
    /// The provider call to make after the commit. Never more than one under way for a rotation.
    pub call: Option<Call>,
    /// A run ended with this step.
    pub ended: Option<RunEnd>,
    /// When something is to be looked at again, by the wall clock.
    pub wake_at: Option<DateTime<Utc>>,
}

/// What is decided besides the new state.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// As in [`Step`].
    pub writes: Vec<Write>,
    /// As in [`Step`].
    pub call: Option<Call>,
    /// As in [`Step`].
    pub ended: Option<RunEnd>,
    /// As in [`Step`].
    pub wake_at: Option<DateTime<Utc>>,
}

impl Step {
    /// Of its two halves.
    pub fn new(rotation: Rotation, decided: Decided) -> Self {
        let Decided {
            writes,
            call,
            ended,
            wake_at,
        } = decided;
        Self {
            rotation,
            writes,
            call,
            ended,
            wake_at,
        }
    }

    /// There is nothing to commit before the call is made: what is kept is as it was in `old`, and the call, where there
    /// is one, leaves the provider as it is. A login of a proof is such a step.
    pub fn changes_nothing(&self, old: &Rotation) -> bool {
        let nothing_besides = self.writes.is_empty()
            && self.ended.is_none()
            && !self.call.as_ref().is_some_and(Call::writes);
        nothing_besides && {
            let mut before = old.clone();
            before.facts.clone_from(&self.rotation.facts);
            before == self.rotation
        }
    }
}

/// A write that belongs to a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// Seal and keep the outputs that came with the event.
    KeepOutputs {
        /// Whose they are.
        credential: CredentialId,
    },
    /// New versions of all mapped secrets, from this credential's outputs.
    Publish {
        /// Whose outputs.
        credential: CredentialId,
    },
    /// The sealed outputs are needed no more.
    DropOutputs {
        /// Whose they were.
        credential: CredentialId,
    },
    /// The rotation is settled: its row goes, its credentials stay as tombstones.
    RemoveRotation,
}

/// One call to the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Look at the target.
    Inspect,
    /// List the target's credentials.
    Survey,
    /// Create a credential. Writes to the target: serialised and spaced by the caller.
    Issue {
        /// In our books.
        credential: CredentialId,
        /// To be stored with it.
        label: Label,
        /// For providers that keep two accounts.
        slot: u8,
        /// How long it is to live, from the provider's now.
        lifetime: Duration,
    },
    /// One login.
    Verify {
        /// Whose outputs.
        credential: CredentialId,
    },
    /// Remove a credential. Writes to the target: serialised and spaced by the caller.
    Revoke {
        /// In our books.
        credential: CredentialId,
        /// The provider's name for it.
        handle: Handle,
    },
}

impl Call {
    /// Changes the target: to be serialised and spaced.
    pub fn writes(&self) -> bool {
        matches!(self, Self::Issue { .. } | Self::Revoke { .. })
    }

    /// The credential that it is about.
    pub fn credential(&self) -> Option<CredentialId> {
        match self {
            Self::Inspect | Self::Survey => None,
            Self::Issue { credential, .. }
            | Self::Verify { credential }
            | Self::Revoke { credential, .. } => Some(*credential),
        }
    }

    /// The word that logs use.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Inspect => "inspect",
            Self::Survey => "survey",
            Self::Issue { .. } => "issue",
            Self::Verify { .. } => "verify",
            Self::Revoke { .. } => "revoke",
        }
    }
}
