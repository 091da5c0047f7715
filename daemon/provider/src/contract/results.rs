//! What a provider answers.

use serde::{Deserialize, Serialize};

use super::{NamedValue, OptionEntry, Output, Timestamp};

/// Who the connection is at the service, and what it lacks.
#[derive(Debug, Clone)]
pub struct Identity {
    /// For a person.
    pub subject: String,
    /// Missing permissions are findings, with the command that grants them.
    pub findings: Vec<Finding>,
    /// The service's clock.
    pub provider_time: Option<Timestamp>,
}

/// Something that a check saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// A short, stable name, such as `missing-role`.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// What was seen.
    pub message: String,
    /// What the administrator can do.
    pub remedy: Option<String>,
}

/// How bad a finding is. An unknown severity counts as a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// As it should be.
    Fine,
    /// Works, with a reservation.
    Warning,
    /// Keeps rotations from working.
    Problem,
}

/// One page of what a person picks from.
#[derive(Debug, Clone)]
pub struct ChoicePage {
    /// The rows; each holds a value for every field of the list, in their order.
    pub rows: Vec<Vec<String>>,
    /// Hand it in for the next page.
    pub next: Option<String>,
}

/// What was learnt of a target.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// The target's name, for a person.
    pub title: String,
    /// The parameters as they should be stored.
    pub parameters: Vec<NamedValue>,
    /// How many credentials this target may hold.
    pub credential_cap: Option<u32>,
    /// The longest lifetime that is allowed here.
    pub max_lifetime: Option<std::time::Duration>,
    /// What an administrator should know.
    pub findings: Vec<Finding>,
    /// The service's clock.
    pub provider_time: Option<Timestamp>,
}

/// A credential that was issued.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The service's name for it; never empty.
    pub handle: String,
    /// Its values: each output of the description once.
    pub outputs: Vec<Output>,
    /// When it ends, by the service's clock.
    pub expires_at: Option<Timestamp>,
    /// The service's clock.
    pub provider_time: Option<Timestamp>,
}

/// What one login said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It works.
    Works,
    /// Refused, as a credential is that has not reached every replica. Why, in the service's words.
    NotYet(String),
    /// No answer that says anything of the credential. A verdict that this version does not know is
    /// this one.
    CannotTell(String),
    /// It can't work until a person changes something.
    Never(String),
}

/// The answer to one login.
#[derive(Debug, Clone)]
pub struct Verification {
    /// What it said.
    pub verdict: Verdict,
    /// The service's clock.
    pub provider_time: Option<Timestamp>,
}

/// What the service said to a revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevocationOutcome {
    /// Done, or will be.
    Accepted,
    /// The service knows no such credential. Alone no proof: a replica may lag.
    NotFound,
    /// An outcome that this version does not know: proves nothing.
    Unknown(String),
}

/// The answer to a revocation.
#[derive(Debug, Clone)]
pub struct Revocation {
    /// What the service said.
    pub outcome: RevocationOutcome,
    /// The service's clock.
    pub provider_time: Option<Timestamp>,
}

/// A credential that the service lists on the target, ours or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCredential {
    /// The service's name for it.
    pub handle: String,
    /// The label that it carries.
    pub label: Option<String>,
    /// From when it is valid.
    pub starts_at: Option<Timestamp>,
    /// Until when it is valid.
    pub expires_at: Option<Timestamp>,
    /// What the service shows of the value.
    pub hint: Option<String>,
}

/// All live credentials of a target.
#[derive(Debug, Clone)]
pub struct Survey {
    /// Each of them.
    pub credentials: Vec<ListedCredential>,
    /// The service's clock.
    pub provider_time: Option<Timestamp>,
    /// What has no field of its own.
    pub options: Vec<OptionEntry>,
}
