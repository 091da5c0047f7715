//! rotord: rotates secrets on the host where they are used.
//!
//! `main.rs` reads the settings and hands them to [`app`], which is the map of the daemon's parts. What is
//! decided is in the crate `rotord-rotation`; here it is performed.

pub mod actors;
pub mod admin;
pub mod app;
pub mod calls;
pub mod cli;
pub mod clock;
pub mod codes;
pub mod delivery;
pub mod health;
pub mod listen;
pub mod log;
pub mod notify;
pub mod process;
pub mod providers;
mod restoring;
pub mod settings;
pub mod target;
pub mod witness;
