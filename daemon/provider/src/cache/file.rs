//! The files themselves.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

/// Makes the directory, or checks that it is this user's alone.
pub(super) fn prepare(directory: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    let found = fs::metadata(directory)?;
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("the directory belongs to another user"));
    }
    if found.mode() & 0o022 != 0 {
        return Err(io::Error::other("others can write to the directory"));
    }
    Ok(())
}

/// Reads a whole file, which must not be a link.
pub(super) fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_flags(OpenOptions::new().read(true))
        .open(file)?
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes a file so that at every moment there is the old one, or the new one, or none.
pub(super) fn write(file: &Path, parts: &[&[u8]]) -> io::Result<()> {
    // Named after the process: another one that uses the same directory does not get in the way.
    let new = file.with_extension(format!("{}.new", std::process::id()));
    match fs::remove_file(&new) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut out =
        open_flags(OpenOptions::new().write(true).create_new(true).mode(0o600)).open(&new)?;
    for part in parts {
        out.write_all(part)?;
    }
    out.sync_all()?;
    fs::rename(&new, file)
}

/// Removes what a cache has left that is not among `keep`.
pub(super) fn remove_others(directory: &Path, keep: &BTreeSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let ours = [".cwasm", ".new"].iter().any(|end| name.ends_with(end));
        if ours && !keep.contains(name) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn open_flags(options: &mut OpenOptions) -> &mut OpenOptions {
    // The bits of two flags are far from the sign.
    options.custom_flags((OFlags::NOFOLLOW | OFlags::CLOEXEC).bits().cast_signed())
}
