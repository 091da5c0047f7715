//! The provider host: runs providers, WebAssembly components dropped into a folder, as strangers.
//!
//! A provider gets a fresh instance for each call, with bounded memory, time and output. It sees the
//! one connection and target that the call is about, a clock, random numbers, a log and [`http`], and
//! reaches only the hosts that it declares *and* the administrator grants. A trap, a loop or a lie of a
//! provider fails one call and nothing else. This crate alone knows wasmtime; what it hands out are the
//! plain types of [`contract`].
//!
//! ```no_run
//! # async fn example() -> Result<(), rotord_provider::HostError> {
//! use rotord_provider::{Host, HostSettings};
//!
//! let host = Host::new(HostSettings {
//!     directories: vec!["/usr/lib/rotord/providers".into()],
//!     ..HostSettings::default()
//! })?;
//! for report in host.load_all().await {
//!     println!("{report}");
//! }
//! for provider in host.providers() {
//!     println!("{} {}", provider.slug(), provider.description().title);
//! }
//! # Ok(()) }
//! ```

mod bindings;
mod cache;
pub mod contract;
mod convert;
mod engine;
mod guest;
mod host;
pub mod http;
mod log;
mod outcome;
mod provider;
mod scrub;
mod secret;
mod settings;
mod ticker;

pub use crate::cache::CacheKey;
pub use crate::host::{Host, HostError, LoadError, Loaded, PluginReport};
pub use crate::outcome::{CallError, CallOutcome, TrapKind};
pub use crate::provider::{Health, HostReach, Provider, Turn};
pub use crate::secret::Secret;
pub use crate::settings::{Admission, CacheSettings, EngineKind, Grant, HostSettings, Limits};
