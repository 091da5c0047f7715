//! How a provider call ends when it does not end well.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What is known of what happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// A value that was given is wrong; its field.
    InvalidInput(String),
    /// The connection's credentials were refused, or lack a permission.
    Unauthorized,
    /// The target does not exist.
    NotFound,
    /// Refused for now; nothing was done.
    Throttled,
    /// Certain that no byte of the request that changes something was sent.
    Unavailable,
    /// It may have happened. Every doubt is this one.
    Ambiguous,
    /// The target holds as many credentials as it may; nothing was done.
    Full,
    /// An explicit no of any other kind; nothing was done.
    Refused,
}

impl FaultKind {
    /// The call may have had its effect.
    pub fn is_ambiguous(&self) -> bool {
        matches!(self, Self::Ambiguous)
    }

    /// Worth trying again within the same run: nothing is wrong that a person must mend.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable)
    }
}

/// The end of a call that is not an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What is known of what happened.
    pub kind: FaultKind,
    /// For a person; holds no secret.
    pub message: String,
    /// The service's own name for it.
    pub code: Option<String>,
    /// When the service wants to be asked again.
    pub retry_after: Option<Duration>,
    /// The provider's clock.
    pub provider_time: Option<DateTime<Utc>>,
}

impl Fault {
    /// A fault of which nothing more is known.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            code: None,
            retry_after: None,
            provider_time: None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.code {
            Some(code) if !self.message.contains(code.as_str()) => write!(f, " ({code})"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}
