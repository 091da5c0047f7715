//! The provider as the daemon calls it, against a host of paper.

#![allow(
    clippy::unwrap_used,
    clippy::result_large_err,
    reason = "a test that can't go on has failed, and faults are the contract's"
)]

mod answers;
mod certificate;
mod changing;
mod choosing;
mod judging;
mod limiting;
mod standin;
mod target;
