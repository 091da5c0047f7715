//! What travels over the admin and reader sockets: the types that the daemon and `rotorctl` share.
//!
//! There is no I/O here. Bodies that a caller sends are read by `from_json` functions, which check every
//! field rule that needs no state and answer with the whole list of what is wrong, unknown fields included; the
//! daemon adds what needs state (does the connection exist, is the name taken). Response types serialise exactly the
//! names and types that existing clients of this route family expect; what rotord adds to them is always
//! optional, so those clients are not disturbed.

pub mod alike;
pub mod audit;
pub mod backup;
pub mod catalogue;
pub mod choices;
pub mod connection;
pub mod doctor;
pub mod error;
pub mod field;
pub mod issue;
pub mod project;
pub mod provider;
pub mod query;
mod reader;
pub mod root_key;
pub mod rotation;
pub mod routes;
pub mod rules;
pub mod secret;
pub mod sensitive;
pub mod status;
pub mod timestamp;
mod tolerated;

pub use error::ErrorBody;
pub use issue::{Issue, Issues};
pub use sensitive::Sensitive;
pub use timestamp::Timestamp;
