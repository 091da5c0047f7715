//! Folders that are there after a power cut: a file is, once it was synced, but its name only once its folder was,
//! and the folder's own name once the one above was.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

/// Makes a folder, and those above it that are missing, for good. `mode` is for those that are made.
///
/// # Errors
/// It can't be made, or not be kept.
pub fn make(folder: &Path, mode: u32) -> io::Result<()> {
    let absent = folder
        .ancestors()
        .take_while(|above| !above.exists())
        .count();
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(folder)?;
    // Its own name even where it was there: whoever made it may have died before this.
    for named in folder.ancestors().take(absent.max(1)) {
        let above = named.parent().filter(|above| *above != Path::new(""));
        match sync(above.unwrap_or(Path::new("."))) {
            // Made by who set up the host, above what this user may look into, and not lately.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            synced => synced?,
        }
    }
    Ok(())
}

/// The names of what is in a folder are kept from here on.
///
/// # Errors
/// The folder can't be opened or synced.
pub fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn a_folder_is_made_with_those_above_it_and_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("one/two/three");
        make(&folder, 0o700).unwrap();
        make(&folder, 0o755).unwrap();
        assert_eq!(folder.metadata().unwrap().mode() & 0o777, 0o700);
        std::fs::write(dir.path().join("file"), b"").unwrap();
        assert!(make(&dir.path().join("file/below"), 0o700).is_err());
    }
}
