//! Errors for people: how the program ends, what went wrong, what would help.

use std::error::Error;
use std::{fmt, io};

use rotord_api::error::{ErrorMessage, names};
use rotord_api::{ErrorBody, Issue, Issues};
use serde_json::Value;

use crate::exit::Exit;

/// Why a command came to nothing.
#[derive(Debug)]
pub(crate) struct CtlError {
    exit: Exit,
    kind: Kind,
    message: String,
    hints: Vec<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
    issues: Option<Box<Issues>>,
    answer: Option<Value>,
    is_declined: bool,
}

/// What kind of error it is to whoever reads JSON, by the daemon's status and name for the like.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Refused,
    Missing,
    Unreachable,
    Unanswered,
    Wrong,
}

impl Kind {
    fn of(self) -> (u16, &'static str) {
        match self {
            Self::Refused => (400, names::BAD_REQUEST),
            Self::Missing => (404, names::NOT_FOUND),
            Self::Unreachable | Self::Unanswered => (503, names::SERVICE_UNAVAILABLE),
            Self::Wrong => (422, names::VALIDATION_FAILURE),
        }
    }
}

impl CtlError {
    /// It was tried and failed.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// What was named is not there.
    pub(crate) fn missing(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Missing,
            ..Self::failed(message)
        }
    }

    /// The daemon can't be asked.
    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Unreachable,
            ..Self::failed(message)
        }
    }

    /// The daemon was asked, and its answer did not come: what was asked for may have been done or not.
    pub(crate) fn unanswered(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Unanswered,
            ..Self::failed(message)
        }
    }

    /// It was asked for wrongly.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Wrong,
            ..Self::new(Exit::Usage, message)
        }
    }

    /// A person was asked and said no.
    pub(crate) fn declined() -> Self {
        Self {
            is_declined: true,
            ..Self::failed("nothing was done")
        }
    }

    /// A program that was to be run was not, with the code that a shell would end with: 127 where it is not there, else 126.
    pub(crate) fn not_run(message: impl Into<String>, source: io::Error) -> Self {
        let is_missing = source.kind() == io::ErrorKind::NotFound;
        let exit = Exit::OfProgram(if is_missing { 127 } else { 126 });
        Self::new(exit, message).because(source)
    }

    /// The environment is set wrongly.
    pub(crate) fn settings(message: impl Into<String>) -> Self {
        Self::new(Exit::Settings, message)
    }

    /// Fields are wrong.
    pub(crate) fn issues(what: &str, issues: &Issues) -> Self {
        let mut message = format!("{what} is not right");
        for issue in &issues.0 {
            message.push_str("\n  ");
            message.push_str(&issue.to_string());
        }
        Self {
            issues: Some(Box::new(issues.clone())),
            ..Self::usage(message)
        }
    }

    /// The daemon refused. `answer` is its body, which `--json` shows.
    pub(crate) fn refused(body: &ErrorBody, answer: Value) -> Self {
        let error = match &body.message {
            ErrorMessage::Text(text) if body.status_code == 422 => Self::usage(text.clone()),
            ErrorMessage::Text(text) => Self::failed(text.clone()),
            ErrorMessage::Issues(issues) => Self::issues("the request", issues),
        };
        let mut error = Self {
            answer: Some(answer),
            ..error
        };
        for finding in body.details.iter().flatten() {
            error.message.push_str("\n  ");
            error.message.push_str(&finding.message);
            error.hints.extend(finding.remedy.clone());
        }
        if body.status_code >= 500 {
            error.hints.push(format!(
                "the daemon's log has more under request {}",
                body.req_id
            ));
        }
        error
    }

    /// With what it is about, before the message.
    #[must_use]
    pub(crate) fn about(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// With what would help.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// With what caused it.
    #[must_use]
    pub(crate) fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// How the program ends.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// What would help.
    pub(crate) fn hints(&self) -> &[String] {
        &self.hints
    }

    /// Which fields are wrong, where it is about fields.
    pub(crate) fn wrong_fields(&self) -> &[Issue] {
        self.issues.as_deref().map_or(&[], |issues| &issues.0)
    }

    /// The error as JSON: the daemon's own body where it has answered, else one of the same shape. No request has its
    /// id then.
    pub(crate) fn body(&self) -> Result<Value, serde_json::Error> {
        if let Some(answer) = &self.answer {
            return Ok(answer.clone());
        }
        let (status_code, error) = self.kind.of();
        let message = match self.issues.as_deref() {
            Some(issues) => issues.clone().into(),
            None => self.chain().into(),
        };
        serde_json::to_value(ErrorBody {
            req_id: String::new(),
            status_code,
            message,
            error: error.to_owned(),
            details: None,
        })
    }

    /// The status of the daemon's answer, where it has answered.
    pub(crate) fn status(&self) -> Option<u64> {
        self.answer.as_ref()?["statusCode"].as_u64()
    }

    /// Whether what was asked for may have been done all the same.
    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(self.kind, Kind::Unanswered)
    }

    /// Whether the daemon is not there, or says that it can't answer now: it may start again.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self.kind, Kind::Unreachable | Kind::Unanswered) || self.status() == Some(503)
    }

    /// Whether a person said no, which is no error to them.
    pub(crate) fn is_declined(&self) -> bool {
        self.is_declined
    }

    /// Whether the reader of our output has gone away, which is no error.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        let source = self
            .source
            .as_deref()
            .and_then(|source| source.downcast_ref::<io::Error>());
        source.is_some_and(|source| source.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The message with all that caused it, on one line.
    pub(crate) fn chain(&self) -> String {
        let mut chain = self.message.clone();
        let mut source = self.source();
        while let Some(cause) = source {
            chain.push_str(": ");
            chain.push_str(&cause.to_string());
            source = cause.source();
        }
        chain
    }

    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            kind: Kind::Refused,
            is_declined: false,
            message: message.into(),
            hints: Vec::new(),
            source: None,
            issues: None,
            answer: None,
        }
    }
}

impl fmt::Display for CtlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for CtlError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

impl From<io::Error> for CtlError {
    fn from(source: io::Error) -> Self {
        Self::failed("can't write the output").because(source)
    }
}

#[cfg(test)]
mod tests {
    use rotord_api::ErrorBody;
    use serde_json::json;

    use super::CtlError;
    use crate::exit::Exit;

    fn refused(body: serde_json::Value) -> CtlError {
        let parsed: ErrorBody = serde_json::from_value(body.clone()).unwrap();
        CtlError::refused(&parsed, body)
    }

    #[test]
    fn wrong_fields_are_the_callers_doing_and_named_one_per_line() {
        let error = refused(
            json!({"reqId": "r", "statusCode": 422, "error": "ValidationFailure", "message": [
                {"code": "too_small", "path": ["rotationInterval"], "message": "must be at least 1"},
                {"code": "too_big", "path": ["rotateAtUtc", "hours"], "message": "must be at most 23"}
            ]}),
        );
        assert_eq!(error.exit(), Exit::Usage);
        assert_eq!(
            error.to_string(),
            "the request is not right\n  rotationInterval: must be at least 1\n  rotateAtUtc.hours: must be at most 23"
        );
    }

    #[test]
    fn the_daemons_own_trouble_points_at_its_log() {
        let error = refused(
            json!({"reqId": "req-7", "statusCode": 500, "error": "InternalServerError", "message": "no"}),
        );
        assert_eq!(error.exit(), Exit::Failed);
        assert!(error.hints()[0].contains("req-7"));
    }
}
