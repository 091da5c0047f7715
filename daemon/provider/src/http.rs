//! The `http` import: the only way out of a guest.
//!
//! TLS only, verified; no redirects, no proxy. The name is checked against what the provider declared and
//! the administrator granted, and each address that it resolves to is checked again before it is
//! connected to. Count, time and size are bounded.
//!
//! The client is built on hyper's connection and not on a pooling client, because a provider must be able
//! to rely on the difference between *unreachable* (no byte of the request was sent) and *interrupted*:
//! only who owns the connection can tell. A connection lives at most as long as the call, so that nothing
//! is shared between calls, and a request that asks for a fresh one never gets a used one.

mod address;
mod answer;
mod connect;
mod error;
mod policy;
mod request;
mod rule;
mod session;

pub(crate) use self::connect::{Authorities, Connector};
pub(crate) use self::error::chain;
pub(crate) use self::policy::EgressPolicy;
pub use self::rule::{HostRule, InvalidHostRule};
pub(crate) use self::session::HttpSession;
