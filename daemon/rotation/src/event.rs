//! What can happen to a rotation.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::credential::Credential;
use crate::fault::Fault;
use crate::id::{CredentialId, Handle};
use crate::label::Label;
use crate::rotation::Plan;

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The daemon started: calls that were under way are lost.
    Started,
    /// Time has passed.
    Woke,
    /// The wall clock was set.
    ClockStepped,
    /// A person or a program wants something.
    Command(Command),
    /// The caller that waits for a creation was told that it goes on (202).
    Answered,
    /// The end of [`crate::Call::Inspect`].
    Inspected(Result<Inspection, Fault>),
    /// The end of [`crate::Call::Issue`].
    Issued(Result<Issued, Fault>),
    /// The end of [`crate::Call::Verify`].
    Verified(Verdict),
    /// The end of [`crate::Call::Survey`].
    Surveyed(Result<Survey, Fault>),
    /// The end of [`crate::Call::Revoke`].
    Revoked(Result<Revocation, Fault>),
    /// What follows from the end of the call under way can't be written: the books refuse it, and would again.
    NotKept {
        /// For a person.
        why: String,
    },
    /// A person had a login made with the published credential, and it worked.
    LoginWorked,
    /// The same, and it was refused: the target is looked at now, and not only some time today.
    LoginRefused {
        /// For a person.
        why: String,
    },
    /// The connection was changed, and a login by it worked.
    ConnectionChanged,
    /// A consumer has the newest credential.
    Acknowledged {
        /// Which consumer.
        delivery: String,
    },
    /// A consumer could not take the newest credential.
    Unhealthy {
        /// Which consumer.
        delivery: String,
        /// For a person.
        why: String,
    },
    /// The state is older than what was last effected: a restored backup, a copied directory.
    StateIsOld {
        /// How that was seen, for a person.
        why: String,
    },
}

/// What a person or a program wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Rotate now.
    Rotate {
        /// How long the replaced one stays, where that is not the rotation's overlap.
        retire_after: Option<Duration>,
    },
    /// Rotate no more by schedule.
    Pause,
    /// Rotate by schedule again.
    Resume,
    /// A changed plan. What is the same in both is left as it is by now: somebody else may have changed it
    /// since the first was read.
    Edit {
        /// What was read.
        from: Plan,
        /// What it is to be.
        to: Plan,
    },
    /// Remove a credential that leaked; of the published one: replace it first.
    Retire {
        /// Which; none is every one that was replaced.
        credential: Option<CredentialId>,
        /// Even if the published one is not known to work.
        force: bool,
    },
    /// Forget the rotation.
    Delete {
        /// Remove what was published, too.
        revoke: bool,
    },
    /// Take over a credential that the provider lists: with its value it is proved and published, without it
    /// is retired after the next publication.
    Adopt {
        /// The provider's name for it.
        handle: Handle,
        /// When it ends.
        expires_at: Option<DateTime<Utc>>,
        /// Its outputs came with the command.
        has_value: bool,
    },
    /// Remove a doubtful credential of our own label.
    Remove {
        /// The provider's name for it.
        handle: Handle,
    },
    /// A person mended what the provider said would never work.
    Unblock,
}

/// Why a command was not taken; nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another run is under way.
    #[error("a rotation is already in progress: try again shortly")]
    InProgress,
    /// The rotation is being deleted.
    #[error("the rotation is being deleted")]
    Deleting,
    /// There is no such credential.
    #[error("this rotation has no credential {0}")]
    NoSuchCredential(String),
    /// The only one that works can't be taken away.
    #[error(
        "{0} is the published credential, and no other is there: rotate, or delete the rotation"
    )]
    LastOne(String),
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

/// What a look at the target showed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inspection {
    /// How many credentials it may hold.
    pub credential_cap: Option<u32>,
    /// The longest life allowed here.
    pub lifetime_most: Option<Duration>,
    /// The provider's clock.
    pub provider_time: Option<DateTime<Utc>>,
}

/// A credential was created. Its outputs are held by the caller until they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The provider's name for it.
    pub handle: Handle,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// The provider's clock.
    pub provider_time: Option<DateTime<Utc>>,
}

/// What one login showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The answer.
    pub answer: Answer,
    /// The provider's clock.
    pub provider_time: Option<DateTime<Utc>>,
}

/// What one login showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It works.
    Works,
    /// Refused as one that has not reached every replica.
    NotYet(String),
    /// Nothing was learned.
    CannotTell(String),
    /// Can't work until a person changes something.
    Never(String),
}

/// What the provider lists.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Survey {
    /// All credentials of the target, ours and others'.
    pub listed: Vec<Listed>,
    /// Settled credentials of this rotation whose nonce is among the listed, read after the answer came: their
    /// tombstones. The state itself holds only what is not settled.
    pub tombstones: Vec<Credential>,
    /// The provider's clock.
    pub provider_time: Option<DateTime<Utc>>,
}

/// One listed credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The provider's name for it.
    pub handle: Handle,
    /// Our label, where it has one.
    pub label: Option<Label>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The provider took a revoke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// False: it knew no such credential.
    pub found: bool,
    /// The provider's clock.
    pub provider_time: Option<DateTime<Utc>>,
}
