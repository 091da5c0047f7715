//! Where the daemon's keys come from.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rotord_provider::CacheKey;
use rotord_store::{RootKeySource, Secret};

use super::StartError;
use crate::settings::State;

/// The systemd credential that comes first.
const CREDENTIAL: &str = "rotord.root-key";
/// In the state directory.
pub(crate) const CACHE_KEY_FILE: &str = "cache.key";

/// Where the root key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyPlace {
    /// The service manager hands it over.
    Credential(PathBuf),
    /// The settings name it.
    File(PathBuf),
    /// In the state directory.
    Own,
}

impl KeyPlace {
    /// Systemd's credential, else the settings' file, else the state directory's own.
    pub(crate) fn of(state: &State) -> Self {
        let credential = std::env::var_os("CREDENTIALS_DIRECTORY")
            .map(|directory| PathBuf::from(directory).join(CREDENTIAL))
            .filter(|path| File::open(path).is_ok());
        match (credential, &state.root_key_file) {
            (Some(path), _) => Self::Credential(path),
            (None, Some(path)) => Self::File(path.clone()),
            (None, None) => Self::Own,
        }
    }
}

/// The root key, from its place.
pub(crate) fn root_key(state: &State) -> RootKeySource {
    match KeyPlace::of(state) {
        KeyPlace::Credential(path) => match std::fs::read(&path) {
            Ok(bytes) => RootKeySource::Given(Secret::new(bytes)),
            // Its file says what is wrong with it.
            Err(_) => RootKeySource::File(path),
        },
        KeyPlace::File(path) => RootKeySource::File(path),
        KeyPlace::Own => RootKeySource::Own,
    }
}

/// The key that authenticates compiled components. Losing it costs a compilation, so it is made where it is
/// missing.
pub(super) fn cache_key(state: &Path) -> Result<CacheKey, StartError> {
    let path = state.join(CACHE_KEY_FILE);
    read_or_make(&path)
        .map(CacheKey::new)
        .map_err(|source| StartError::Key { path, source })
}

fn read_or_make(path: &Path) -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    match File::open(path).and_then(|mut file| file.read_exact(&mut key)) {
        Ok(()) => return Ok(key),
        // Cut off by a crash while it was made: nothing trusts it yet.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => std::fs::remove_file(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    aws_lc_rs::rand::fill(&mut key)
        .map_err(|_| io::Error::other("the system gives no random numbers"))?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(&key)?;
    file.sync_all()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn the_cache_key_is_made_once_and_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(CACHE_KEY_FILE);
        let key = read_or_make(&path).unwrap();
        assert_eq!(read_or_make(&path).unwrap(), key);
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        std::fs::write(&path, b"short").unwrap();
        assert_ne!(read_or_make(&path).unwrap(), key);
    }
}
