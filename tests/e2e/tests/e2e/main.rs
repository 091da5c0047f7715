//! The daemon, its provider and `rotorctl`, as they are built, against the stand-in for Azure.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "every function here is a test's; the lint's own exception knows only those marked so"
)]

mod adopting;
mod aging;
mod changing;
mod connecting;
mod crashing;
mod deleting;
mod doctoring;
mod doubting;
mod drifting;
mod executing;
mod failing;
mod filling;
mod keeping;
mod loading;
mod mapping;
mod reading;
mod refusing;
mod renewing;
mod rewrapping;
mod rig;
mod rotating;
mod sample;
mod scheduling;
mod settling;
mod silence;
mod starting;
mod stopping;
