//! What the daemon and a provider say to each other, in the host's own types.
//!
//! These mirror the WIT package `rotor:provider`, with two differences. Secrets are [`Secret`]s. And a
//! case that this version does not know (`other` in the WIT) is turned into the most careful known one
//! where there is one, so that callers need not think of it: see each type.
//!
//! [`Secret`]: crate::Secret

mod description;
mod fault;
mod names;
mod request;
mod results;
#[cfg(test)]
mod sample;

pub use self::description::{
    ChoiceField, ChoiceList, ConnectionKind, ConnectionMethod, DeclaredHost, Family, Field,
    FieldKind, LifetimeRule, OptionEntry, OutputKind, Parameter, Phase, ProviderDescription,
    ProviderLimits,
};
pub use self::fault::{Fault, FaultKind};
pub use self::names::{InvalidSlug, Slug, Timestamp};
pub use self::request::{Connection, IssueRequest, NamedValue, Output, Target, Value};
pub use self::results::{
    ChoicePage, Finding, Identity, Inspection, Issued, ListedCredential, Revocation,
    RevocationOutcome, Severity, Survey, Verdict, Verification,
};
#[cfg(test)]
pub(crate) use self::sample::description_for_tests;
