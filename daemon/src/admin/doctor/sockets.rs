//! Whether the sockets are at their paths, for those that they are meant for.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use rotord_api::catalogue::{SOCKET_MISSING, SOCKET_MODE, SOCKETS};
use rotord_api::doctor::DoctorFinding;
use rotord_api::issue::Severity;

use super::{Looking, off_thread};
use crate::admin::Shared;
use crate::listen::{ADMIN_MODE, CREDENTIALS_MODE, READER_MODE};

const ABOUT: &str = "sockets";

pub(super) fn look(daemon: &Shared) -> Looking<'_> {
    let settings = daemon.settings.now();
    off_thread(ABOUT, move || {
        let all = [
            (settings.admin.socket.clone(), ADMIN_MODE),
            (settings.reader.socket.clone(), READER_MODE),
            (settings.credentials_socket(), CREDENTIALS_MODE),
        ];
        let found: Vec<_> = all
            .iter()
            .filter_map(|(path, mode)| judge(path, *mode))
            .collect();
        if found.is_empty() {
            let all = all.map(|(path, mode)| format!("{} ({mode:04o})", path.display()));
            return vec![DoctorFinding::fine(&SOCKETS, ABOUT, all.join(", "))];
        }
        found
    })
}

fn judge(path: &Path, wanted: u32) -> Option<DoctorFinding> {
    let about = format!("socket {}", path.display());
    let missing = |message: String| Some(DoctorFinding::problem(&SOCKET_MISSING, &about, message));
    let found = match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => found,
        Ok(_) => return missing("something else is at its path".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return missing("it is not at its path any more".to_owned());
        }
        Err(error) => return missing(format!("it can't be looked at: {error}")),
    };
    let mode = found.mode() & 0o777;
    if mode != wanted {
        // Too open is worse than too narrow.
        let severity = if mode & !wanted == 0 {
            Severity::Warning
        } else {
            Severity::Problem
        };
        let message = format!("its mode is {mode:04o} and should be {wanted:04o}");
        return Some(
            DoctorFinding::new(&SOCKET_MODE, severity, about, message)
                .fix(format!("sudo chmod {wanted:04o} {}", path.display())),
        );
    }
    let directory = path.parent()?;
    let mode = fs::metadata(directory).ok()?.mode();
    let is_sticky = mode & 0o1000 != 0;
    (mode & 0o022 != 0 && !is_sticky).then(|| {
        let message = format!(
            "others may write to its directory (mode {:04o}), and so put another socket in its place",
            mode & 0o7777
        );
        DoctorFinding::problem(&SOCKET_MODE, about, message)
            .fix(format!("sudo chmod go-w {}", directory.display()))
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::listen;

    #[test]
    fn a_socket_that_is_gone_wider_or_replaceable_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("admin.sock");
        let found = |path: &Path| judge(path, 0o660).map(|found| (found.code, found.severity));
        let code = |code: &str, severity| Some((code.to_owned(), severity));
        assert_eq!(found(&path), code("socket-missing", Severity::Problem));
        let _listener = listen::bind(&path, 0o660, None).unwrap();
        assert_eq!(found(&path), None);
        let chmod = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        chmod(&path, 0o666);
        assert_eq!(found(&path), code("socket-mode", Severity::Problem));
        chmod(&path, 0o600);
        assert_eq!(found(&path), code("socket-mode", Severity::Warning));
        chmod(&path, 0o660);
        chmod(dir.path(), 0o777);
        assert_eq!(found(&path), code("socket-mode", Severity::Problem));
        chmod(dir.path(), 0o1777);
        assert_eq!(found(&path), None);
    }
}
