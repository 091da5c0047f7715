//! How a call ended.

use std::fmt;
use std::time::Duration;

use crate::contract::{Fault, Timestamp};

/// How one call of a provider ended, and what the host saw of it.
#[derive(Debug)]
pub struct CallOutcome<T> {
    /// The answer, or why there is none.
    pub result: Result<T, CallError>,
    /// The last `Date` that a service sent in this call.
    pub provider_time: Option<Timestamp>,
    /// Requests of which at least a part was, or may have been, sent.
    pub requests: u32,
    /// From the start of the instance to its end.
    pub duration: Duration,
}

impl<T> CallOutcome<T> {
    /// Whether a change may have happened at the service although there is no good answer: what makes a
    /// failed `issue` or `revoke` ambiguous.
    ///
    /// False for a good answer, for a provider's explicit refusal, and where the host knows that no byte of
    /// any request was sent. True for every other end.
    pub fn is_ambiguous(&self) -> bool {
        match &self.result {
            Ok(_) => false,
            Err(error) => error.leaves_doubt() && self.requests > 0,
        }
    }

    /// The same outcome with another answer.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> CallOutcome<U> {
        CallOutcome {
            result: self.result.map(f),
            provider_time: self.provider_time,
            requests: self.requests,
            duration: self.duration,
        }
    }
}

/// Why a call gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The provider said so itself.
    #[error("{0}")]
    Fault(Box<Fault>),
    /// The provider has a bug.
    #[error("the provider {kind}: {message}")]
    Trap {
        /// What kind of bug.
        kind: TrapKind,
        /// The engine's words; of a panic, the provider's own.
        message: String,
    },
    /// It could not be instantiated.
    #[error("the provider can't be instantiated: {0}")]
    Instantiation(String),
    /// The call took longer than it may.
    #[error("the provider took longer than the {} s that a call may take", .limit.as_secs_f32())]
    TimedOut {
        /// What it may take.
        limit: Duration,
    },
    /// The provider wanted more memory than it may have.
    #[error("the provider wanted more than the {limit} bytes of memory that it may have")]
    MemoryLimit {
        /// What it may have.
        limit: usize,
    },
    /// The provider handed over more than it may.
    #[error("the provider handed over more than the {limit} bytes that it may at once")]
    OutputLimit {
        /// What it may.
        limit: usize,
    },
    /// An answer that breaks the contract, such as an empty handle.
    #[error("the provider's answer breaks the contract: {0}")]
    Nonsense(String),
    /// The host itself could not run the call.
    #[error("the provider host could not run the call: {0}")]
    Host(String),
}

impl CallError {
    /// Whether this end leaves open if something was done, were a request sent. See
    /// [`CallOutcome::is_ambiguous`], which knows whether one was.
    pub fn leaves_doubt(&self) -> bool {
        match self {
            Self::Fault(fault) => fault.kind.leaves_doubt(),
            Self::Trap { .. }
            | Self::Instantiation(_)
            | Self::TimedOut { .. }
            | Self::MemoryLimit { .. }
            | Self::OutputLimit { .. }
            | Self::Nonsense(_)
            | Self::Host(_) => true,
        }
    }

    /// The provider's own fault, if it is one.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Fault(fault) => Some(fault),
            _ => None,
        }
    }

    /// Whether this shows a provider that does not behave, rather than one that says no.
    pub fn is_misbehaviour(&self) -> bool {
        !matches!(self, Self::Fault(_) | Self::Host(_))
    }
}

/// The kinds of bug that end a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrapKind {
    /// A panic, an abort, an uncaught exception.
    Panicked,
    /// Recursion without end.
    StackOverflow,
    /// An access outside its memory or tables.
    OutOfBounds,
    /// Anything else.
    Other,
}

impl fmt::Display for TrapKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Panicked => "panicked",
            Self::StackOverflow => "overflowed its stack",
            Self::OutOfBounds => "reached outside its memory",
            Self::Other => "trapped",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::FaultKind;

    fn ended(error: CallError, requests: u32) -> CallOutcome<()> {
        CallOutcome {
            result: Err(error),
            provider_time: None,
            requests,
            duration: Duration::ZERO,
        }
    }

    fn fault(kind: FaultKind) -> CallError {
        CallError::Fault(Box::new(Fault {
            kind,
            message: "no".to_owned(),
            code: None,
            retry_after: None,
            provider_time: None,
            findings: Vec::new(),
            options: Vec::new(),
        }))
    }

    #[test]
    fn a_refusal_is_not_ambiguous() {
        for kind in [
            FaultKind::Unauthorized,
            FaultKind::NotFound,
            FaultKind::Throttled,
            FaultKind::Unavailable,
            FaultKind::Full,
            FaultKind::Refused,
            FaultKind::InvalidInput("label".to_owned()),
        ] {
            assert!(!ended(fault(kind.clone()), 2).is_ambiguous(), "{kind:?}");
        }
    }

    #[test]
    fn every_doubt_after_a_request_is_ambiguous() {
        let trap = || CallError::Trap {
            kind: TrapKind::Panicked,
            message: String::new(),
        };
        for error in [
            trap(),
            CallError::TimedOut {
                limit: Duration::from_secs(1),
            },
            CallError::MemoryLimit { limit: 1 },
            CallError::OutputLimit { limit: 1 },
            CallError::Nonsense(String::new()),
            CallError::Host(String::new()),
            fault(FaultKind::Ambiguous),
            fault(FaultKind::Internal),
            fault(FaultKind::Other("new".to_owned())),
        ] {
            assert!(ended(error, 1).is_ambiguous());
        }
        assert!(
            !ended(trap(), 0).is_ambiguous(),
            "nothing was sent, so nothing was done"
        );
    }
}
