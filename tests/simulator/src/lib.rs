//! The simulator: one rotation, a provider whose replicas lag, a consumer that logs in, and everything
//! that can go wrong in between, in virtual time and from one seed.
//!
//! After every step the five promises are checked against what the provider really holds. A seed that fails
//! prints its story: what happened, in order, with virtual times.

pub mod provider;
pub mod rng;
pub mod world;

pub use world::{Report, Scenario, Violation, World};
