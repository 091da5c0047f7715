//! Backups: the whole database as one sealed file.
//!
//! A snapshot is taken while the daemon works: one reading transaction, copied into memory, so that not even a full
//! disk keeps one from being taken. It is marked in itself, so that whatever is restored from it knows that it is
//! old. The file is sealed under the newest data key. The data keys are in its header, wrapped: by the root key, as
//! they are in the database, and, where a passphrase is given, by a key that is derived from it as well, for the day
//! on which the root key is lost with its host.

mod container;
mod passphrase;

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, MAIN_DB};

pub use self::container::{About, BackupError, BackupFile};
use self::container::{Header, WrappedKey};
use self::passphrase::Derivation;
use crate::columns::Millis;
use crate::data_keys;
use crate::error::StoreError;
use crate::installation;
use crate::reader::Reader;
use crate::seal::{DataKeyId, KeyRing, Location, SealError, SealingKey};
use crate::secret::Secret;

/// The database as it was at one moment. What is secret in it is sealed.
pub struct Snapshot {
    image: Vec<u8>,
    installation: String,
    generation: u64,
    taken_at: DateTime<Utc>,
    wrapped: Vec<(DataKeyId, String, Vec<u8>)>,
    keys: Arc<KeyRing>,
}

impl Reader {
    /// Copies the database as it is now. Writers are not kept waiting.
    ///
    /// # Errors
    /// The database can't be read, or there is no memory for the copy.
    pub fn snapshot(&self, now: DateTime<Utc>) -> Result<Snapshot, StoreError> {
        let mut copy = Connection::open_in_memory()?;
        // All pages in one step, and so of one state of the database.
        match Backup::new(&self.connection, &mut copy)?.step(-1)? {
            StepResult::Done => {}
            _ => return Err(StoreError::Busy),
        }
        copy.execute("UPDATE installation SET backup_of = ?1", [Millis(now)])?;
        let installation = copy.query_row("SELECT id FROM installation", [], |row| row.get(0))?;
        let generation = installation::generation(&copy)?;
        let wrapped = data_keys::wrapped_keys(&copy)?;
        let mut image = copy.serialize(MAIN_DB)?.to_vec();
        // It has no journal: what the two bytes of the file's format say is that none is to be looked for.
        if let Some(versions) = image.get_mut(18..20) {
            versions.fill(1);
        }
        Ok(Snapshot {
            image,
            installation,
            generation,
            taken_at: now,
            wrapped,
            keys: Arc::clone(&self.keys),
        })
    }
}

impl Snapshot {
    /// How many transactions the database had committed.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The backup file. With a passphrase this takes a while and much memory, as it is to for everyone who tries
    /// one: not for a thread that others wait for.
    ///
    /// # Errors
    /// The cryptographic library fails, or there is no memory for it.
    pub fn seal(self, passphrase: Option<&Secret>) -> Result<Vec<u8>, StoreError> {
        let mut data_keys: Vec<WrappedKey> = self
            .wrapped
            .into_iter()
            .map(|(key, root_key, wrapped)| WrappedKey {
                key,
                root_key: Some(root_key),
                wrapped,
            })
            .collect();
        let derivation = passphrase.map(|_| Derivation::new()).transpose()?;
        if let (Some(passphrase), Some(derivation)) = (passphrase, &derivation) {
            let wrapping = SealingKey::new(&*derivation.derive(passphrase)?)?;
            for (id, plain) in self.keys.plain() {
                data_keys.push(WrappedKey {
                    key: id,
                    root_key: None,
                    wrapped: wrapping.seal(wrapping_place(&self.installation, id), plain)?,
                });
            }
        }
        let header = Header {
            installation: self.installation,
            generation: self.generation,
            taken_at: self.taken_at,
            rotord: env!("CARGO_PKG_VERSION").to_owned(),
            passphrase: derivation,
            data_keys,
        };
        Ok(container::write(&header, &self.keys, &self.image)?)
    }
}

/// Where a data key stands that a passphrase wraps.
fn wrapping_place(installation: &str, key: DataKeyId) -> Location<'_> {
    Location {
        table: "backup_keys",
        row: installation,
        version: key,
    }
}

impl BackupFile {
    /// Reads a file and finds out whether it is whole. Nothing in it is opened.
    ///
    /// # Errors
    /// It can't be read, is no backup, of another version, cut off or damaged.
    pub fn read(path: &Path) -> Result<Self, BackupError> {
        let bytes = std::fs::read(path).map_err(|source| BackupError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, bytes)
    }

    /// The data keys, by the passphrase.
    pub(crate) fn keys_by_passphrase(&self, passphrase: &Secret) -> Result<KeyRing, BackupError> {
        let Some(derivation) = &self.header().passphrase else {
            return Err(BackupError::NoPassphrase {
                path: self.path().to_owned(),
            });
        };
        let wrapping = derivation
            .derive(passphrase)
            .and_then(|key| SealingKey::new(&*key))
            .map_err(|source| self.cipher(source))?;
        let place = |key| wrapping_place(&self.header().installation, key);
        let keys = self.header().wrapped_by(None).map(|key| {
            let plain = wrapping.open(place(key.key), &key.wrapped);
            // The file as a whole is as it was written: it is the passphrase.
            plain
                .map(|plain| (key.key, plain))
                .map_err(|_| BackupError::WrongPassphrase)
        });
        self.ring(keys.collect::<Result<Vec<_>, _>>()?)
    }

    /// The database's image, opened.
    pub(crate) fn image(&self, keys: &KeyRing) -> Result<Vec<u8>, BackupError> {
        container::open(self, keys)
    }

    pub(crate) fn ring(
        &self,
        keys: Vec<(DataKeyId, crate::seal::PlainKey)>,
    ) -> Result<KeyRing, BackupError> {
        KeyRing::new(keys)
            .map_err(|source| self.cipher(source))?
            .ok_or_else(|| self.damaged("it holds no data key"))
    }

    pub(crate) fn cipher(&self, source: SealError) -> BackupError {
        BackupError::Cipher {
            path: self.path().to_owned(),
            source,
        }
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("generation", &self.generation)
            .field("bytes", &self.image.len())
            .finish_non_exhaustive()
    }
}
