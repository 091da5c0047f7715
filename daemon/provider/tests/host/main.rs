//! The provider host as the daemon uses it: real components, real TLS.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too, which clippy does not see"
)]

mod calls;
mod egress;
mod limits;
mod loading;
mod reaching;
mod secrets;
mod server;
mod support;
