//! The `http` import: the only way out of a guest.
//!
//! TLS only, verified; no redirects, no proxy. The name is checked against what the provider declared and
//! the administrator granted, and each address that it resolves to is checked again before it is
//! connected to. Count, time and size are bounded.
//!
//! A provider must be able to rely on the difference between *unreachable* (no byte of the request was
//! sent) and *interrupted*. So reqwest does the work with all its helpfulness turned off, a request has a
//! client and a connection of its own, and the moment at which that connection stood is noted: before it,
//! nothing can have been sent.

mod address;
mod answer;
mod authority;
mod connect;
mod error;
mod policy;
mod probe;
mod request;
mod resolve;
mod rule;
mod session;

pub(crate) use self::authority::Authorities;
pub(crate) use self::connect::Connector;
pub(crate) use self::error::chain;
pub(crate) use self::policy::{EgressPolicy, reaches};
pub(crate) use self::probe::probe;
pub use self::probe::{Certificate, Reached};
pub use self::rule::{HostRule, InvalidHostRule};
pub(crate) use self::session::HttpSession;
