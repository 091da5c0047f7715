//! What `rotorctl doctor` is told: everything that was looked at, and what would make rotations fail.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::catalogue::Entry;
use crate::issue::{Finding, Severity};

/// What is to be looked at. Without either: the installation, every connection and every rotation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
pub struct DoctorQuery {
    /// Only this connection and what rotates by it.
    pub connection_id: Option<Uuid>,
    /// Only this rotation and its connection.
    pub rotation_id: Option<Uuid>,
}

/// Everything that was seen, the worst first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DoctorReport {
    /// The worst of the findings.
    pub worst: Severity,
    /// How many milliseconds it took.
    pub took_ms: u64,
    /// What was seen.
    pub findings: Vec<DoctorFinding>,
}

/// One thing that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DoctorFinding {
    /// A short, stable name, which `rotorctl explain` knows.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about, such as `connection azure`.
    pub about: String,
    /// What was seen, with numbers and names.
    pub message: String,
    /// What brings it about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What helps, with the command where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The provider whose finding it is, where it is not the daemon's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_by: Option<String>,
}

impl DoctorReport {
    /// The findings in order, and the worst of them.
    pub fn new(mut findings: Vec<DoctorFinding>, took_ms: u64) -> Self {
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        Self {
            worst: findings
                .first()
                .map_or(Severity::Fine, |finding| finding.severity),
            took_ms,
            findings,
        }
    }
}

impl DoctorFinding {
    /// Something is as it should be.
    pub fn fine(of: &'static Entry, about: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(of, Severity::Fine, about, message)
    }

    /// Something will go wrong later, or could be better.
    pub fn warning(
        of: &'static Entry,
        about: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self::new(of, Severity::Warning, about, message)
    }

    /// Rotation can't work like this.
    pub fn problem(
        of: &'static Entry,
        about: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self::new(of, Severity::Problem, about, message)
    }

    /// A finding of any severity. What is not fine says what it means and what helps, in the catalogue's words
    /// until better ones are given.
    pub fn new(
        of: &'static Entry,
        severity: Severity,
        about: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let help = |text: &str| (severity != Severity::Fine).then(|| text.to_owned());
        Self {
            code: of.code.to_owned(),
            severity,
            about: about.into(),
            message: message.into(),
            cause: help(of.means),
            remedy: help(of.person),
            reported_by: None,
        }
    }

    /// What a provider found, under a code of its own.
    pub fn of_provider(provider: &str, about: impl Into<String>, found: Finding) -> Self {
        Self {
            code: found.code,
            severity: found.severity,
            about: about.into(),
            message: found.message,
            cause: None,
            // What is fine needs no help, though a provider may know how to get more of it.
            remedy: found.remedy.filter(|_| found.severity != Severity::Fine),
            reported_by: Some(provider.to_owned()),
        }
    }

    /// With what brings it about here.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// With what helps here.
    #[must_use]
    pub fn fix(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::{DoctorFinding, DoctorReport};
    use crate::catalogue;
    use crate::issue::Severity;

    #[test]
    fn the_worst_stands_first_and_counts() {
        let report = DoctorReport::new(
            vec![
                DoctorFinding::fine(&catalogue::CLOCK, "a", "is right"),
                DoctorFinding::problem(&catalogue::HOST_UNKNOWN, "b", "has no address"),
                DoctorFinding::warning(&catalogue::DISK_LOW, "c", "is low"),
            ],
            1,
        );
        let about: Vec<_> = report.findings.iter().map(|f| f.about.as_str()).collect();
        assert_eq!(
            (report.worst, about),
            (Severity::Problem, vec!["b", "c", "a"])
        );
        assert_eq!(DoctorReport::new(Vec::new(), 0).worst, Severity::Fine);
    }

    #[test]
    fn only_what_is_not_fine_comes_with_help() {
        let fine = DoctorFinding::fine(&catalogue::CLOCK, "a", "is right");
        assert_eq!((fine.cause, fine.remedy), (None, None));
        let low = DoctorFinding::warning(&catalogue::DISK_LOW, "c", "is low").fix("make room");
        assert_eq!(low.remedy.as_deref(), Some("make room"));
        assert_eq!(low.cause.as_deref(), Some(catalogue::DISK_LOW.means));
    }
}
