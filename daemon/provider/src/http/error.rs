//! Why a request got no answer, in the contract's exact sense.

use std::error::Error;
use std::io;

use super::probe::Certificate;
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

/// Why a connection, a request or an answer failed, in an operator's words: what lies at the bottom. What is above it
/// ("error sending request", "client error (Connect)") says only which part of a library met it.
pub(crate) fn reason(error: &(dyn Error + 'static)) -> String {
    let mut bottom = error;
    while let Some(source) = bottom.source() {
        bottom = source;
    }
    let Some(io) = bottom.downcast_ref::<io::Error>() else {
        return bottom.to_string();
    };
    let tls = io.get_ref().and_then(|inner| inner.downcast_ref());
    if let Some(rustls::Error::InvalidCertificate(why)) = tls {
        return Certificate::of(why).to_string();
    }
    match io.kind() {
        // The library adds the address of a page of its manual.
        io::ErrorKind::UnexpectedEof => "the other side closed the connection".to_owned(),
        io::ErrorKind::ConnectionReset => "the other side reset the connection".to_owned(),
        io::ErrorKind::ConnectionRefused => "nothing takes connections there".to_owned(),
        _ => io.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("client error (Connect)")]
    struct Above(#[source] io::Error);

    #[test]
    fn what_a_library_says_of_itself_is_left_out() {
        let said = |kind, text: &'static str| reason(&Above(io::Error::new(kind, text)));
        let eof = "peer closed connection: https://docs.rs/rustls/latest/rustls/manual/";
        for (kind, text, words) in [
            (
                io::ErrorKind::UnexpectedEof,
                eof,
                "the other side closed the connection",
            ),
            (
                io::ErrorKind::ConnectionRefused,
                "os error 111",
                "nothing takes connections there",
            ),
            (io::ErrorKind::Other, "network is down", "network is down"),
        ] {
            assert_eq!(said(kind, text), words);
        }
        let untrusted = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let untrusted = Above(io::Error::new(io::ErrorKind::InvalidData, untrusted));
        assert_eq!(reason(&untrusted), Certificate::Untrusted.to_string());
    }
}
