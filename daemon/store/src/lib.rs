//! The books of rotord: everything that it knows, in one `SQLite` database, values sealed.
//!
//! Only this crate knows SQL. It is synchronous: the daemon owns one [`Store`] on a writer thread and opens a
//! [`Reader`] for each of a few reading threads. One call is one transaction. [`Store::commit_step`] is the one
//! that keeps promises: what a step of a rotation decided is in the database whole, or not at all.
//!
//! After an error of a writing call the caller reads the state again: the transaction may have been committed
//! although its answer was lost (an I/O error while syncing), so neither the old nor the new state may be taken
//! from memory.
//!
//! Start reading at [`store`] (what is written how), [`reader`] (what can be asked), and
//! `migrations/0001.sql` (what there is).

mod columns;
mod data_keys;
mod migrate;
mod place;

pub mod audit;
pub mod backup;
pub mod check;
pub mod connections;
pub mod credentials;
pub mod descriptions;
pub mod error;
pub mod folder;
pub mod former;
pub mod id;
pub mod installation;
pub mod lock;
pub mod open;
pub mod places;
pub mod reader;
pub mod restore;
pub mod rewrap;
pub mod root_key;
pub mod rotations;
pub mod seal;
pub mod secret;
pub mod secrets;
pub mod status;
pub mod step;
pub mod store;

pub use audit::{Actor, AuditEntry, AuditRecord};
pub use backup::{BackupError, BackupFile, Snapshot};
pub use check::{Standing, check};
pub use connections::{Connection, ConnectionChange, NewConnection};
pub use credentials::Generated;
pub use descriptions::Description;
pub use error::{Conflict, DiskState, StoreError, TakenName, What, is_passing};
pub use former::Released;
pub use id::{ConnectionId, EnvironmentId, FolderId, ProjectId, SecretId};
pub use installation::Installation;
pub use open::{OpenError, Options};
pub use places::{Environment, Folder, Place, Project};
pub use reader::{Reader, Readers};
pub use restore::{RestoreError, Restored, Restoring};
pub use rewrap::{Replaced, RewrapError, RootKeys};
pub use root_key::{RootKeyError, RootKeySource};
pub use rotations::{NewRotation, RotationChange, RotationDetails, RotationRecord};
pub use secret::{Secret, SecretMap};
pub use secrets::{SealedSecret, SecretRecord};
pub use status::Counts;
pub use step::{Commit, Committed, PublishedSecret, SecretsFate};
pub use store::Store;
