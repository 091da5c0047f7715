//! The store as the daemon uses it: through its public face, with the domain deciding.

#![allow(clippy::unwrap_used, reason = "a test that can't go on ends")]

mod connections;
mod deleting;
mod driver;
mod names;
mod opening;
mod places;
mod restoring;
mod rewrapping;
mod rotations;
mod sealing;
mod secrets;
mod steps;
