//! What an author of a rotord provider uses.
//!
//! A provider is a type that implements [`Provider`] and is exported with [`export_provider!`]. Every
//! call gets an instance of its own and everything it needs as arguments: what it was asked about, and a
//! [`Host`] that lends HTTP, a clock, random numbers and a log. Logic that takes a `&dyn Host` runs
//! natively with `mock::MockHost`, so it is tested like any other Rust.
//!
//! `plugins/README.md` shows a whole provider in five minutes.

#![allow(
    clippy::result_large_err,
    reason = "the contract's fault is a record, and calls that fail are followed by seconds of waiting"
)]
#![allow(
    clippy::missing_errors_doc,
    reason = "every error is a `Fault`, which says itself what it means"
)]

// Generated code names this crate by its public name.
extern crate self as rotor_provider_sdk;

#[doc(hidden)]
#[cfg(target_arch = "wasm32")]
pub use talc::wasm as allocator;
#[doc(hidden)]
pub mod bindings;
#[doc(hidden)]
pub mod component;
pub mod description;
mod fault;
pub mod host;
pub mod http;
#[cfg(not(target_arch = "wasm32"))]
pub mod mock;
mod provider;
mod secret;
pub mod time;
mod values;

#[doc(hidden)]
pub use wit_bindgen::rt as runtime;

pub use bindings::exports::rotor::provider::provider::{
    Choice, ChoicePage, Identity, Inspection, ListedCredential, Revocation, RevocationOutcome,
    SurveyResult, Verdict, Verification,
};
pub use bindings::rotor::provider::types::{
    Fault, FaultKind, Finding, NamedValue, OptionEntry, Severity, Timestamp, Value,
};
pub use host::{Clock, Host, Level, Log, Random};
pub use http::Http;
pub use provider::{IssueRequest, Issued, Output, Outputs, Provider};
pub use secret::Secret;
pub use values::{Connection, Target, Values};

/// What a provider answers with: a result, or what went wrong as exactly as it can know.
pub type Result<T> = std::result::Result<T, Fault>;

/// The example in the authors' guide is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Guide;
