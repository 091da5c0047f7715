//! The root key: wraps the data keys, and is never in the database.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rotord_root_key::{Derived, LEAST_BYTES, Unusable};
use zeroize::Zeroizing;

use crate::folder;
use crate::seal::{KEY_LEN, Location, SealError, SealingKey, random_key};
use crate::secret::Secret;

/// The name, in the state directory, of a root key that was made at first start.
pub const OWN_KEY_FILE: &str = "root.key";

/// Where the root key comes from.
#[derive(Debug, Clone)]
pub enum RootKeySource {
    /// Its bytes, such as those of a systemd credential.
    Given(Secret),
    /// A file that an administrator keeps. Never made here.
    File(PathBuf),
    /// [`OWN_KEY_FILE`] in the state directory. Made (0600) where it is missing *and* no database exists.
    Own,
}

impl RootKeySource {
    /// Whether the key is there and can be used. One of our own may be missing: the first start makes it.
    ///
    /// # Errors
    /// What a start would refuse.
    pub fn check(&self) -> Result<(), RootKeyError> {
        match self {
            Self::Given(bytes) => RootKey::from_bytes(bytes.expose()),
            Self::File(path) => RootKey::from_file(path),
            Self::Own => return Ok(()),
        }
        .map(drop)
    }

    /// What tells this root key from others, and nothing else of it. Nothing is made for it.
    ///
    /// # Errors
    /// It is not there, or can't be used.
    pub fn label(&self, dir: &Path) -> Result<String, RootKeyError> {
        RootKey::load(self, dir, true).map(|key| key.label)
    }
}

/// Why there is no root key.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    /// It is not there, and what it opens is: a new one would open nothing.
    #[error("the root key {} is missing; without it nothing in the database can be opened", .path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Its file can't be read, or written at first start.
    #[error("can't read or write the root key {}", .path.display())]
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read it, or its group may write it.
    #[error("the root key {} is open to others (mode {mode:04o}): chmod 0600 it", .path.display())]
    Exposed {
        /// Where it is.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is shorter than a key must be.
    #[error("the root key has fewer than {LEAST_BYTES} bytes")]
    TooShort,
    /// The cryptographic library could not do its work.
    #[error("the root key can't be used")]
    Cipher(#[source] SealError),
}

impl From<Unusable> for RootKeyError {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::TooShort => Self::TooShort,
            Unusable::Derivation => Self::Cipher(SealError::Cipher),
        }
    }
}

/// A root key, derived from its bytes: of these, any 32 or more will do.
pub(crate) struct RootKey {
    /// Tells root keys apart, and tells nothing else of them.
    pub(crate) label: String,
    wrapping: SealingKey,
}

impl RootKey {
    /// `database_exists` decides whether a missing key of our own may be made.
    pub(crate) fn load(
        source: &RootKeySource,
        dir: &Path,
        database_exists: bool,
    ) -> Result<Self, RootKeyError> {
        match source {
            RootKeySource::Given(bytes) => Self::from_bytes(bytes.expose()),
            RootKeySource::File(path) => Self::from_file(path),
            RootKeySource::Own => {
                let path = dir.join(OWN_KEY_FILE);
                match Self::from_file(&path) {
                    Err(RootKeyError::Missing { .. }) if !database_exists => make(&path)?,
                    other => return other,
                }
                Self::from_file(&path)
            }
        }
    }

    pub(crate) fn from_file(path: &Path) -> Result<Self, RootKeyError> {
        let unreadable = |source: io::Error| {
            let path = path.to_owned();
            if source.kind() == io::ErrorKind::NotFound {
                RootKeyError::Missing { path }
            } else {
                RootKeyError::Unreadable { path, source }
            }
        };
        let file = File::open(path).map_err(unreadable)?;
        let mode = file.metadata().map_err(unreadable)?.mode() & 0o777;
        // A group may read it (root:rotord 0640), nobody else, and only its owner may change it.
        if mode & 0o027 != 0 {
            return Err(RootKeyError::Exposed {
                path: path.to_owned(),
                mode,
            });
        }
        let bytes = Zeroizing::new(fs::read(path).map_err(unreadable)?);
        Self::from_bytes(&bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, RootKeyError> {
        let derived = Derived::from_bytes(bytes)?;
        let wrapping = derived.wrapping_key()?;
        Ok(Self {
            label: derived.label()?,
            wrapping: SealingKey::new(&*wrapping).map_err(RootKeyError::Cipher)?,
        })
    }

    pub(crate) fn wrap(&self, data_key: i64, key: &[u8]) -> Result<Vec<u8>, SealError> {
        self.wrapping.seal(self.location(data_key), key)
    }

    pub(crate) fn unwrap(
        &self,
        data_key: i64,
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.wrapping.open(self.location(data_key), wrapped)
    }

    fn location(&self, data_key: i64) -> Location<'_> {
        Location {
            table: "wrapped_keys",
            row: &self.label,
            version: data_key,
        }
    }
}

/// Makes a key, on disk for good before anything is sealed under it.
fn make(path: &Path) -> Result<(), RootKeyError> {
    // Whole or not at all: a crash must not leave half a key where one is looked for.
    draft(path)?;
    put_in_place(path)
}

/// Writes a fresh key beside `path`, on disk for good.
pub(crate) fn draft(path: &Path) -> Result<(), RootKeyError> {
    let unreadable = |source| RootKeyError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let key = random_key().map_err(RootKeyError::Cipher)?;
    // As text, so that it can be copied to where keys are kept.
    let mut text = Zeroizing::new(String::with_capacity(2 * KEY_LEN + 1));
    for byte in key.iter() {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    text.push('\n');
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(draft_of(path))
        .map_err(unreadable)?;
    file.write_all(text.as_bytes()).map_err(unreadable)?;
    file.sync_all().map_err(unreadable)?;
    sync_above(path).map_err(unreadable)
}

/// Where the draft of a key is.
pub(crate) fn draft_of(path: &Path) -> PathBuf {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    draft.into()
}

/// The draft becomes the key, for good.
pub(crate) fn put_in_place(path: &Path) -> Result<(), RootKeyError> {
    fs::rename(draft_of(path), path)
        .and_then(|()| sync_above(path))
        .map_err(|source| RootKeyError::Unreadable {
            path: path.to_owned(),
            source,
        })
}

/// What the folder of `path` holds is on disk for good.
pub(crate) fn sync_above(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), folder::sync)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(bytes: &[u8]) -> Result<RootKey, RootKeyError> {
        RootKey::from_bytes(bytes)
    }

    #[test]
    fn a_wrapped_key_opens_for_its_data_key_and_root_key_alone() {
        let (one, other) = (key(&[1; 32]).unwrap(), key(&[2; 32]).unwrap());
        let wrapped = one.wrap(1, &[9; KEY_LEN]).unwrap();
        assert_eq!(one.unwrap(1, &wrapped).unwrap().as_slice(), [9; KEY_LEN]);
        assert!(one.unwrap(2, &wrapped).is_err());
        assert!(other.unwrap(1, &wrapped).is_err());
        assert_ne!(one.label, other.label);
    }
}
