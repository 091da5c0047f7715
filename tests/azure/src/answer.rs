//! An answer before it is on the wire.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

/// A status, headers and a body.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The status.
    pub status: u16,
    /// Headers in the order of sending; `Date` is added at the end.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
    /// Whether it goes out in chunks, without a length, as Graph's answers do.
    pub chunked: bool,
}

impl Answer {
    /// No body.
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
            chunked: false,
        }
    }

    /// A body of some type.
    pub(crate) fn text(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            body: body.into(),
            ..Self::empty(status)
        }
        .with("Content-Type", content_type)
    }

    /// A JSON body.
    pub(crate) fn json(status: u16, content_type: &str, body: &Value) -> Self {
        Self::text(status, content_type, body.to_string())
    }

    /// One more header.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What a request comes to.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// An answer, after a delay of real time.
    Answer(Answer, Duration),
    /// An answer that breaks off in the middle of its body.
    Truncated(Answer),
    /// The connection ends without a byte.
    Cut,
}
