//! Whoever may write to a plugin decides what the daemon runs next, and with whose credentials.

use std::fs::Metadata;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Warns where others than its owner may write to a plugin or a plugin directory. It is loaded all the
/// same: the administrator may have given a group that right on purpose.
pub(super) fn warn_if_others_can_write(path: &Path, found: &Metadata) {
    if let Some(who) = other_writers(found.permissions().mode()) {
        let kind = if found.is_dir() {
            "plugin directory"
        } else {
            "plugin"
        };
        tracing::warn!(
            path = %path.display(),
            "{who} may write to this {kind}, and so choose what is run here: chmod go-w takes that away"
        );
    }
}

/// A directory's sticky bit changes nothing: a new file can be put there all the same.
fn other_writers(mode: u32) -> Option<&'static str> {
    match (mode & 0o020 != 0, mode & 0o002 != 0) {
        (_, true) => Some("everybody"),
        (true, false) => Some("its group"),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_by_the_owner_alone_is_fine() {
        for (mode, who) in [
            (0o755, None),
            (0o4644, None),
            (0o775, Some("its group")),
            (0o664, Some("its group")),
            (0o1777, Some("everybody")),
            (0o602, Some("everybody")),
        ] {
            assert_eq!(other_writers(mode), who, "{mode:o}");
        }
    }
}
