//! The stand-in as clients meet it: over TLS.
#![allow(
    clippy::unwrap_used,
    reason = "every function here is a test's; the lint's own exception knows only those marked so"
)]

mod binary;
mod certificate;
mod control;
mod faults;
mod query;
mod recordings;
mod replication;
mod rig;
mod secrets;
mod token;
