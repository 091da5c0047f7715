//! Ways to say what went wrong.

use serde_json::json;

use crate::{Fault, FaultKind, Finding, OptionEntry, Severity, Timestamp};

/// The option in which a fault carries a finding, as JSON.
const FINDING: &str = "finding";

impl Fault {
    /// A fault of this kind; the message is for a person and never holds a secret.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            code: None,
            retry_after_ms: None,
            provider_time: None,
            options: Vec::new(),
        }
    }

    /// A given value is wrong; `field` is its whole name, such as `parameters.objectId`.
    pub fn invalid_input(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(FaultKind::InvalidInput(field.into()), message)
    }

    /// The connection's credentials were refused, or lack a permission.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Unauthorized, message)
    }

    /// The target does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(FaultKind::NotFound, message)
    }

    /// Refused for now, and nothing was done.
    pub fn throttled(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Throttled, message)
    }

    /// Certain that no byte of a changing request was sent.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Unavailable, message)
    }

    /// The change may have happened. When in doubt, this one.
    pub fn ambiguous(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Ambiguous, message)
    }

    /// The target holds as many credentials as it may; nothing was done.
    pub fn full(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Full, message)
    }

    /// An explicit refusal of another kind; nothing was done.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Refused, message)
    }

    /// The provider's own bug.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Internal, message)
    }

    /// The service's own name for what happened.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// When the service says to come again, in milliseconds from now.
    #[must_use]
    pub fn retry_after_ms(mut self, milliseconds: Option<u64>) -> Self {
        self.retry_after_ms = milliseconds;
        self
    }

    /// The service's clock when it answered.
    #[must_use]
    pub fn provider_time(mut self, time: Option<Timestamp>) -> Self {
        self.provider_time = time;
        self
    }

    /// What was seen on the way to it, such as which network path is closed: a check that fails shows it.
    #[must_use]
    pub fn finding(mut self, finding: &Finding) -> Self {
        let severity = match &finding.severity {
            Severity::Fine => "fine",
            Severity::Warning => "warning",
            Severity::Problem => "problem",
            Severity::Other(other) => other,
        };
        let value = json!({
            "code": finding.code, "severity": severity, "message": finding.message,
            "remedy": finding.remedy,
        });
        self.options.push(OptionEntry {
            name: FINDING.to_owned(),
            value: value.to_string(),
        });
        self
    }
}

impl OptionEntry {
    /// For the description's options: what the code of a finding means and what a person can do. `rotorctl
    /// explain` shows it.
    pub fn explaining(code: &str, text: impl Into<String>) -> Self {
        Self {
            name: format!("explain.{code}"),
            value: text.into(),
        }
    }
}

impl Finding {
    /// Something seen; `code` is short, stable and for machines.
    pub fn new(severity: Severity, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            severity,
            message: message.into(),
            remedy: None,
        }
    }

    /// All is well here, and it is worth saying.
    pub fn fine(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Fine, code, message)
    }

    /// Works, and an administrator should know.
    pub fn warning(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// A rotation can't work like this.
    pub fn problem(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Problem, code, message)
    }

    /// What the administrator can do, with the command where there is one.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}
