//! A client secret on an application, and what the service says to one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{KeyId, Propagation, SecretText, View};

/// Who put a secret there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The configuration, at start.
    Seeded,
    /// The control interface, to stand for somebody else's.
    Foreign,
    /// addPassword.
    Graph,
}

/// What addPassword was asked for; absent fields get the service's defaults.
#[derive(Clone, Debug, Default)]
pub struct NewPassword {
    /// Free text.
    pub display_name: Option<String>,
    /// Now, if absent.
    pub start: Option<DateTime<Utc>>,
    /// Now plus two years, if absent: not the start plus two years.
    pub end: Option<DateTime<Utc>>,
}

/// Why a password was not added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefusal {
    /// The application's audience holds so many at most.
    #[error("more than {cap} passwords")]
    TooMany {
        /// How many there would be.
        would_be: usize,
        /// How many there may be.
        cap: usize,
    },
    /// The object is full.
    #[error("object too large")]
    ObjectTooLarge,
    /// It ends before it starts, or in the past.
    #[error("end date not after start date and now")]
    BadEnd,
    /// A policy's longest lifetime.
    #[error("lifetime over policy {policy}")]
    LifetimeTooLong {
        /// The policy that says so.
        policy: Uuid,
    },
    /// A policy forbids passwords.
    #[error("type forbidden by policy {policy}")]
    TypeForbidden {
        /// The policy that says so.
        policy: Uuid,
    },
}

/// Why a secret did not log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginRefusal {
    /// Unknown where the request looked: wrong, removed, not yet arrived, or not yet begun.
    #[error("unknown secret")]
    Unknown,
    /// Past its end.
    #[error("expired secret")]
    Expired,
}

/// When and how a secret went.
#[derive(Clone, Debug)]
pub struct Removal {
    /// When it was accepted.
    pub at: DateTime<Utc>,
    /// When each replica forgets the secret.
    pub propagation: Propagation,
    /// Whether Graph was asked to, and not the control interface.
    pub over_graph: bool,
}

/// A client secret. It stays in the model after its removal: replicas may still know it.
#[derive(Clone, Debug)]
pub struct Password {
    /// The service's name for it.
    pub key_id: KeyId,
    /// What the caller called it.
    pub display_name: Option<String>,
    /// Its text.
    pub text: SecretText,
    /// Valid from.
    pub start: DateTime<Utc>,
    /// Valid until.
    pub end: DateTime<Utc>,
    /// Who put it there.
    pub origin: Origin,
    /// When it was added.
    pub created: DateTime<Utc>,
    /// When each replica learns of it.
    pub added: Propagation,
    /// Its removal, if it was removed.
    pub removed: Option<Removal>,
}

impl Password {
    /// Whether a request that looks there sees it.
    pub fn visible(&self, view: View, now: DateTime<Utc>) -> bool {
        self.added.reached(view, now)
            && !self
                .removed
                .as_ref()
                .is_some_and(|removal| removal.propagation.reached(view, now))
    }

    /// Whether it exists, by the truth that no replica shows at once.
    pub fn live(&self) -> bool {
        self.removed.is_none()
    }

    /// Whether it is past its end.
    pub fn expired(&self, now: DateTime<Utc>) -> bool {
        self.end <= now
    }
}
