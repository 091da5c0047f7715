//! Why a request got no answer, in the contract's exact sense.

use crate::bindings::http::Error as WireError;

/// Why a request got no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SendError {
    /// Forbidden here; nothing was sent.
    #[error("denied: {0}")]
    Denied(String),
    /// No byte of the request was sent.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// It was, or may have been, sent.
    #[error("interrupted: {0}")]
    Interrupted(String),
    /// An answer came and is too large.
    #[error("too large: {0}")]
    TooLarge(String),
}

impl SendError {
    pub(crate) fn denied(text: &str) -> Self {
        Self::Denied(text.to_owned())
    }

    /// For the log.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Denied(_) => "denied",
            Self::Unreachable(_) => "unreachable",
            Self::Interrupted(_) => "interrupted",
            Self::TooLarge(_) => "too large",
        }
    }
}

impl From<SendError> for WireError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Denied(text) => Self::Denied(text),
            SendError::Unreachable(text) => Self::Unreachable(text),
            SendError::Interrupted(text) => Self::Interrupted(text),
            SendError::TooLarge(text) => Self::TooLarge(text),
        }
    }
}

/// The error and its causes in one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some errors repeat their cause in their own text.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
