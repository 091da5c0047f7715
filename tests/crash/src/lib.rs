//! The real daemon, killed at named places and at random, beside a stand-in for Azure with the weather of the real
//! one: nothing is lost, whatever dies.
//!
//! A [`Plan`] is drawn from a seed; [`play`] plays it with a test build of the daemon and checks the promises against
//! the stand-in's own record. The binary `crash` plays many and keeps a [`ledger`].

pub mod check;
pub mod ledger;
pub mod old;
pub mod plan;
pub mod play;
pub mod power;
pub mod stage;

pub use plan::Plan;
pub use play::{Outcome, play};
pub use stage::Template;
