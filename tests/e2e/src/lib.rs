//! The whole thing run as a user runs it: the built daemon with its provider component, on real sockets
//! and real TLS, against the stand-in for Entra and Graph. The `demo` binary and the tests drive it with
//! what is here.
//!
//! ```text
//! Azure (the stand-in) ◄──TLS── Daemon (process, temporary directory) ◄──Unix socket── Http, rotorctl, curl
//!        ▲                                                                                │
//!        └────────logs in, a fresh connection each time──────── Consumer ──reads──────────┘
//! ```

pub mod azure;
pub mod built;
pub mod clock;
pub mod command;
pub mod consumer;
pub mod credential;
pub mod daemon;
pub mod disk;
pub mod failure;
pub mod http;
pub mod operator;
pub mod preload;
mod ready;
pub mod settings;
pub mod wait;

pub use azure::Azure;
pub use consumer::Consumer;
pub use daemon::Daemon;
pub use failure::Failure;
pub use http::{Http, Reply};
pub use operator::Operator;
pub use settings::Settings;
pub use wait::until;
