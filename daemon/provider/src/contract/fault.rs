//! A provider's own word that a call went wrong.

use std::fmt;
use std::time::Duration;

use super::{Finding, OptionEntry, Timestamp};

/// What went wrong, as exactly as the provider can know it. Its texts come from a stranger: bounded,
/// with control characters and the call's known secrets taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The kind, which decides what the daemon does next.
    pub kind: FaultKind,
    /// For a person: what happened and what would be right.
    pub message: String,
    /// The service's own name for it, such as `AADSTS7000215`.
    pub code: Option<String>,
    /// When to come again.
    pub retry_after: Option<Duration>,
    /// The service's clock when it answered.
    pub provider_time: Option<Timestamp>,
    /// What was seen on the way to it, such as which network path is closed.
    pub findings: Vec<Finding>,
    /// What has no field of its own.
    pub options: Vec<OptionEntry>,
}

/// The kinds of fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// A value that was given is wrong; the name of its field, such as `parameters.objectId`.
    InvalidInput(String),
    /// The connection's credentials were refused, or lack a permission.
    Unauthorized,
    /// The target does not exist.
    NotFound,
    /// Refused for now, nothing was done.
    Throttled,
    /// Not reachable, and certain that nothing was accepted.
    Unavailable,
    /// It is not known whether the change happened.
    Ambiguous,
    /// The target holds as many credentials as it may; nothing was done.
    Full,
    /// The provider met its own bug. Whether something was done before is not known.
    Internal,
    /// An explicit refusal of another kind: nothing was done.
    Refused,
    /// A kind that this version does not know: as doubtful as [`Ambiguous`](Self::Ambiguous).
    Other(String),
}

impl FaultKind {
    /// Whether the provider leaves open if something was done. True only where it is no explicit
    /// refusal.
    pub fn leaves_doubt(&self) -> bool {
        match self {
            Self::Ambiguous | Self::Internal | Self::Other(_) => true,
            Self::InvalidInput(_)
            | Self::Unauthorized
            | Self::NotFound
            | Self::Throttled
            | Self::Unavailable
            | Self::Full
            | Self::Refused => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.code {
            Some(code) if !self.message.contains(code) => write!(f, " ({code})"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}
