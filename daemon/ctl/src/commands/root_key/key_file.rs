//! Files with root keys, and files that must be there whole, whatever happens.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rotord_api::root_key::{LONGEST, RootKeyText};
use rotord_root_key::{Derived, LEAST_BYTES};
use rustix::fs::OFlags;
use zeroize::Zeroizing;

use crate::error::CtlError;
use crate::folder::sync_folder_of;

/// The bytes of a root key, as they are in its file.
pub(super) type Key = Zeroizing<Vec<u8>>;

/// A key from a file that nobody else may read, as the daemon takes one.
pub(super) fn read(path: &Path) -> Result<Key, CtlError> {
    let unread = |source| unread(path, source);
    // The daemon may have named it: what is no file is not waited for.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(unread)?;
    let about = file.metadata().map_err(unread)?;
    if !about.is_file() {
        return Err(CtlError::usage(format!("{} is no file", path.display())));
    }
    let mode = about.mode() & 0o777;
    if mode & 0o027 != 0 {
        return Err(CtlError::failed(format!(
            "{} is open to others (mode {mode:04o})",
            path.display()
        ))
        .hint(format!("chmod 0600 {}", path.display())));
    }
    all_of(file, &path.display().to_string())
}

/// A key from standard input.
pub(super) fn from_stdin() -> Result<Key, CtlError> {
    all_of(io::stdin().lock(), "standard input")
}

fn all_of(from: impl Read, name: &str) -> Result<Key, CtlError> {
    // Reserved whole, so that no copy is left behind by growing.
    let mut key = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
    let most = u64::try_from(LONGEST + 1).unwrap_or(u64::MAX);
    from.take(most)
        .read_to_end(&mut key)
        .map_err(|source| CtlError::failed(format!("can't read {name}")).because(source))?;
    match key.len() {
        0..LEAST_BYTES => Err(CtlError::usage(format!(
            "{name} has fewer than {LEAST_BYTES} bytes: it is no root key"
        ))),
        LEAST_BYTES..=LONGEST => Ok(key),
        _ => Err(CtlError::usage(format!(
            "{name} has more than {LONGEST} bytes: it is no root key"
        ))),
    }
}

/// The command that destroys a key. In a folder that is not root's its owner could put a link in the key's place, and
/// root would destroy what that leads to: so it is the owner who does.
pub(super) fn shredding(path: &Path) -> String {
    let folder = path.parent().and_then(|folder| fs::metadata(folder).ok());
    let owner = folder.map_or(0, |folder| folder.uid());
    let quoted = path.display().to_string().replace('\'', "'\\''");
    let user = match owner {
        0 => String::new(),
        owner => format!("-u '#{owner}' "),
    };
    format!("sudo {user}shred -u '{quoted}'")
}

/// Tells the key from others, as the daemon's own label of it does.
pub(super) fn label(key: &Key) -> Result<String, CtlError> {
    Derived::from_bytes(key)
        .and_then(|derived| derived.label())
        .map_err(|source| CtlError::failed("it is no root key").because(source))
}

/// A fresh key, as text, so that it can be copied to where keys are kept.
pub(super) fn fresh() -> Result<Key, CtlError> {
    let mut bytes = Zeroizing::new([0; LEAST_BYTES]);
    File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut *bytes))
        .map_err(|source| CtlError::failed("there are no random numbers").because(source))?;
    let text = RootKeyText::new(&*bytes).into_exposed();
    let mut key = Zeroizing::new(Vec::with_capacity(text.len() + 1));
    key.extend_from_slice(text.as_bytes());
    key.push(b'\n');
    Ok(key)
}

/// Makes a key where there is none, on disk for good. Says whether it did.
pub(super) fn make_if_missing(path: &Path) -> Result<bool, CtlError> {
    if path.try_exists().map_err(|source| unread(path, source))? {
        return Ok(false);
    }
    write(path, &fresh()?, 0o600)?;
    Ok(true)
}

/// Writes a file, which is there whole or not at all, and for good.
pub(super) fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), CtlError> {
    let draft = draft(path, bytes, mode)?;
    draft.put(path)
}

/// A file beside its place, removed unless it is put there.
pub(super) struct Draft(std::path::PathBuf);

/// Writes a draft, on disk for good.
pub(super) fn draft(path: &Path, bytes: &[u8], mode: u32) -> Result<Draft, CtlError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    match write() {
        Ok(()) => Ok(Draft(draft)),
        Err(source) => {
            // Half a file is of no use.
            let _ = fs::remove_file(&draft);
            Err(unwritten(path, source))
        }
    }
}

impl Draft {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn put(self, path: &Path) -> Result<(), CtlError> {
        fs::rename(&self.0, path)
            .and_then(|()| sync_folder_of(path))
            .map_err(|source| unwritten(path, source))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Renamed, or of no use.
        let _ = fs::remove_file(&self.0);
    }
}

/// Makes the folder of a file where it is missing.
pub(super) fn make_folder(path: &Path, mode: u32) -> Result<(), CtlError> {
    let Some(folder) = path.parent() else {
        return Ok(());
    };
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(folder)
        .and_then(|()| sync_folder_of(folder))
        .map_err(|source| unwritten(folder, source))
}

/// A second name, which stays when the first one becomes another file's.
pub(super) fn keep_as(path: &Path, kept: &Path) -> Result<(), CtlError> {
    fs::hard_link(path, kept)
        .and_then(|()| sync_folder_of(kept))
        .map_err(|source| unwritten(kept, source))
}

fn unread(path: &Path, source: io::Error) -> CtlError {
    closed(
        CtlError::failed(format!("can't read {}", path.display())),
        source,
    )
}

fn unwritten(path: &Path, source: io::Error) -> CtlError {
    closed(
        CtlError::failed(format!("can't write {}", path.display())),
        source,
    )
}

fn closed(error: CtlError, source: io::Error) -> CtlError {
    let is_closed = source.kind() == io::ErrorKind::PermissionDenied;
    let error = error.because(source);
    if is_closed {
        error.hint("this is root's to do: use sudo")
    } else {
        error
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_for_its_owner_alone_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(make_if_missing(&path).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let key = read(&path).unwrap();
        assert_eq!(key.len(), 65);
        assert!(!make_if_missing(&path).unwrap());
        assert_eq!(*read(&path).unwrap(), *key);
        assert_ne!(*fresh().unwrap(), *key);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_open_to_others_or_no_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write(&path, b"short", 0o600).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("fewer"));
        write(&path, &[b'x'; LONGEST + 1], 0o600).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("more"));
        write(&path, &[b'x'; 64], 0o600).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("open to"));
    }
}
