//! The daemon killed at each named place; what is in which build.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "every function here is a test's; the lint's own exception knows only those marked so"
)]

mod builds;
mod old;
mod places;
mod power;
