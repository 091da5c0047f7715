//! Where the programs and components are that were built, and what builds those that are missing.

use std::path::{Path, PathBuf};

/// Something was not built.
#[derive(Debug, thiserror::Error)]
#[error("{} is missing: run `{command}` in {}", .path.display(), .root.display())]
pub struct NotBuilt {
    /// What was looked for.
    pub path: PathBuf,
    /// What makes it.
    pub command: &'static str,
    /// Where that is run.
    pub root: PathBuf,
}

/// The workspace's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// A program of the workspace, beside the running one.
///
/// # Errors
/// It was not built.
pub fn program(name: &str) -> Result<PathBuf, NotBuilt> {
    found(profile_folder().join(name), "make build")
}

/// `rotord` as tests need it: its clock can run faster, and it can be killed at named places.
///
/// # Errors
/// It was not built.
pub fn test_daemon() -> Result<PathBuf, NotBuilt> {
    found(profile_folder().join("rotord-test"), "make test-daemon")
}

/// A provider component, by its file's name without `.wasm`.
///
/// # Errors
/// It was not built.
pub fn provider(name: &str) -> Result<PathBuf, NotBuilt> {
    found(
        root().join(format!("build/plugins/{name}.wasm")),
        "plugins/build",
    )
}

/// A component that only tests use, by its file's name without `.wasm`.
///
/// # Errors
/// It was not built.
pub fn guest(name: &str) -> Result<PathBuf, NotBuilt> {
    found(
        root().join(format!("build/guests/{name}.wasm")),
        "plugins/build guests",
    )
}

/// Test executables are in `deps` below the folder of the programs.
fn profile_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let folder = program.parent().unwrap_or(Path::new("/"));
    match folder.file_name() {
        Some(name) if name == "deps" => folder.parent().unwrap_or(folder).to_owned(),
        _ => folder.to_owned(),
    }
}

fn found(path: PathBuf, command: &'static str) -> Result<PathBuf, NotBuilt> {
    if path.is_file() {
        Ok(path)
    } else {
        let root = root();
        Err(NotBuilt {
            path,
            command,
            root,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_the_command_that_makes_it() {
        let missing = guest("nobody-builds-this").unwrap_err().to_string();
        assert!(missing.contains("nobody-builds-this.wasm"), "{missing}");
        assert!(missing.contains("`plugins/build guests`"), "{missing}");
    }

    #[test]
    fn the_root_is_where_the_workspace_is() {
        assert!(root().join("Cargo.lock").is_file());
    }
}
