//! The simulator: one rotation, a provider whose replicas lag, a consumer that logs in, and everything
//! that can go wrong in between, in virtual time and from one seed.
//!
//! After every step the five promises are checked against what the provider really holds. A seed that fails is
//! made smaller for as long as it still fails, and prints its story: what happened, in order, with virtual times.
//!
//! Start reading at [`scenario`] (what a story is about), [`world`] (how it goes) and [`checks`] (what must hold).

pub mod books;
pub mod checks;
pub mod clock;
pub mod consumer;
pub mod fault;
pub mod provider;
pub mod report;
pub mod rng;
pub mod scenario;
pub mod shrink;
pub mod world;

pub use fault::{Fault, Strengths};
pub use report::{Report, Violation};
pub use scenario::Scenario;
pub use world::{Detail, World};
