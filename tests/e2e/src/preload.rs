//! Small libraries that are loaded into a daemon under test before the C library.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::built::root;
use crate::failure::{Failure, OrFail as _};

/// The library of a C source, named from the workspace's root: built where it is missing or older than its source.
///
/// # Errors
/// There is no C compiler, or it refuses.
pub fn library(source: &str) -> Result<PathBuf, Failure> {
    let source = root().join(source);
    let name = source.file_stem().unwrap_or_default();
    let library = root().join("target").join(name).with_extension("so");
    let changed = |path: &Path| path.metadata().and_then(|known| known.modified());
    if let (Ok(built), Ok(written)) = (changed(&library), changed(&source))
        && built > written
    {
        return Ok(library);
    }
    // Several processes may build it at once.
    let draft = library.with_extension(format!("so.{}", std::process::id()));
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&draft, &source])
        .arg("-ldl")
        .status()
        .or_fail(|| "there is no C compiler".to_owned())?;
    if !status.success() {
        return Err(Failure::new(format!(
            "{} can't be compiled",
            source.display()
        )));
    }
    std::fs::rename(&draft, &library).or_fail(|| format!("{} can't be kept", library.display()))?;
    Ok(library)
}
