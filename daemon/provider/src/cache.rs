//! Compiled components on disk, so that a start need not compile them again.
//!
//! The files hold code that the daemon runs, so whoever can write one could take it over. They are
//! therefore authenticated with a key that only the daemon has, before anything looks at them; the
//! directory is the daemon's alone. A file that is missing, foreign, damaged or of another version of the
//! engine is not an error: the component is compiled again and the file replaced.

mod file;
mod trusted;

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::{digest, hmac};
use wasmtime::Engine;
use wasmtime::component::Component;
use zeroize::Zeroizing;

use crate::settings::CacheSettings;

/// Tells this file format and its version; a change of either must change it.
const MAGIC: &[u8] = b"rotord compiled provider 1\n";

/// The length of HMAC-SHA256.
const TAG: usize = 32;

/// The key that authenticates compiled components: 256 random bits. Not printed, zeroised when dropped.
#[derive(Clone)]
pub struct CacheKey(Zeroizing<[u8; 32]>);

impl CacheKey {
    /// Takes the key over.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheKey(..)")
    }
}

/// SHA-256 in hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// The directory of compiled components.
pub(crate) struct Cache {
    directory: PathBuf,
    key: hmac::Key,
    used: Mutex<BTreeSet<String>>,
}

impl Cache {
    /// Opens the directory, making it if needed; `None`, with a warning, if it can't be trusted.
    pub(crate) fn open(settings: &CacheSettings) -> Option<Self> {
        match file::prepare(&settings.directory) {
            Ok(()) => Some(Self {
                directory: settings.directory.clone(),
                key: hmac::Key::new(hmac::HMAC_SHA256, settings.key.0.as_slice()),
                used: Mutex::default(),
            }),
            Err(error) => {
                let directory = settings.directory.display();
                tracing::warn!(%directory, %error, "compiled providers are not cached");
                None
            }
        }
    }

    /// The compiled component, from its file if that can be trusted.
    pub(crate) fn load(
        &self,
        engine: &Engine,
        wasm: &[u8],
        digest: &str,
    ) -> wasmtime::Result<Component> {
        let name = format!("{digest}-{}.cwasm", engine_id(engine));
        let file = self.directory.join(&name);
        self.used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.clone());
        if let Some(component) = self.read(engine, &file, &name) {
            return Ok(component);
        }
        let component = Component::new(engine, wasm)?;
        if let Err(error) = self.write(&file, &name, &component.serialize()?) {
            let file = file.display();
            tracing::warn!(%file, %error, "a compiled provider was not cached");
        }
        Ok(component)
    }

    /// Removes the files that nothing has asked for since this was opened.
    pub(crate) fn prune(&self) {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = file::remove_others(&self.directory, &used) {
            let directory = self.directory.display();
            tracing::debug!(%directory, %error, "the cache was not tidied");
        }
    }

    fn read(&self, engine: &Engine, file: &Path, name: &str) -> Option<Component> {
        let bytes = match file::read(file) {
            Ok(bytes) => bytes,
            Err(error) => {
                if error.kind() != std::io::ErrorKind::NotFound {
                    tracing::warn!(file = %file.display(), %error, "a compiled provider can't be read: compiling");
                }
                return None;
            }
        };
        let Some(code) = self.authenticated(&bytes, name) else {
            tracing::warn!(file = %file.display(), "a compiled provider is not ours or damaged: compiling");
            return None;
        };
        match trusted::deserialize(engine, &code) {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(file = %file.display(), %error, "a compiled provider does not fit: compiling");
                None
            }
        }
    }

    fn authenticated<'a>(&self, bytes: &'a [u8], name: &str) -> Option<trusted::Authenticated<'a>> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (tag, code) = rest.split_at_checked(TAG)?;
        trusted::Authenticated::check(&self.key, tag, name, code)
    }

    fn write(&self, file: &Path, name: &str, code: &[u8]) -> std::io::Result<()> {
        let tag = trusted::tag(&self.key, name, code);
        file::write(file, &[MAGIC, tag.as_ref(), code])
    }
}

/// What must be the same for compiled code to run: the engine's version and settings, and the machine.
pub(crate) fn engine_id(engine: &Engine) -> String {
    let mut hasher = DigestHasher(digest::Context::new(&digest::SHA256));
    engine.precompile_compatibility_hash().hash(&mut hasher);
    let mut id = hex(hasher.0.finish().as_ref());
    id.truncate(16);
    id
}

/// Feeds what is hashed into SHA-256: the standard hasher may change with the compiler.
struct DigestHasher(digest::Context);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finish();
        digest
            .as_ref()
            .iter()
            .take(8)
            .fold(0, |all, byte| (all << 8) | u64::from(*byte))
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]])
        .map(char::from)
        .collect()
}

#[cfg(test)]
mod tests;
