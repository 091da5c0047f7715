//! The daemon's own program, for what only it can do or judge.

use std::path::PathBuf;

/// Beside this program, or on the path.
pub(crate) fn program() -> PathBuf {
    let beside = std::env::current_exe()
        .map(|program| program.with_file_name("rotord"))
        .ok()
        .filter(|program| program.is_file());
    beside.unwrap_or_else(|| "rotord".into())
}

/// Why it ended, from what it wrote to standard error.
pub(crate) fn said(errors: &[u8]) -> String {
    let said = String::from_utf8_lossy(errors);
    let said = said.trim();
    said.strip_prefix("rotord: ").unwrap_or(said).to_owned()
}
