//! Why the daemon's socket can't be reached, and who could: told without a daemon.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rotord_api::catalogue::{DAEMON_UNREACHABLE, SOCKET_DENIED};
use rotord_api::doctor::DoctorFinding;

/// What it means that a connection to this socket failed.
pub(crate) fn judge(socket: &Path, error: &io::Error) -> DoctorFinding {
    let about = format!("socket {}", socket.display());
    match error.kind() {
        io::ErrorKind::NotFound => DoctorFinding::problem(
            &DAEMON_UNREACHABLE,
            about,
            "there is no such socket: the daemon does not run, or listens elsewhere",
        ),
        io::ErrorKind::ConnectionRefused => DoctorFinding::problem(
            &DAEMON_UNREACHABLE,
            about,
            "the socket is there and nobody listens: the daemon does not run any more",
        ),
        io::ErrorKind::PermissionDenied => denied(socket, about),
        _ => DoctorFinding::problem(&DAEMON_UNREACHABLE, about, error.to_string()),
    }
}

fn denied(socket: &Path, about: String) -> DoctorFinding {
    let message = match fs::metadata(socket) {
        Err(_) => "you may not even look into its directory".to_owned(),
        Ok(found) => format!(
            "you may not connect: its mode is {:04o}, its owner the user {}, its group {}",
            found.mode() & 0o777,
            found.uid(),
            group(found.gid())
        ),
    };
    DoctorFinding::problem(&SOCKET_DENIED, about, message).fix(advice(socket))
}

/// How somebody comes to use a socket that is closed to them.
pub(crate) fn advice(socket: &Path) -> String {
    match fs::metadata(socket) {
        Err(_) => remedy(0o660, None, "rotord"),
        Ok(found) => remedy(found.mode() & 0o777, Some(found.gid()), &group(found.gid())),
    }
}

/// Nobody is to join root's group for it.
fn remedy(mode: u32, gid: Option<u32>, group: &str) -> String {
    if gid == Some(0) || mode & 0o020 == 0 {
        "use sudo; started by its unit, the daemon lets members of the group rotord connect"
            .to_owned()
    } else {
        format!(
            "members of the group {group} may: use sudo, or sudo usermod -aG {group} $USER and log in again"
        )
    }
}

/// A group by its name, or by its number where it has none.
fn group(gid: u32) -> String {
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    group_name(&groups, gid).unwrap_or_else(|| gid.to_string())
}

fn group_name(groups: &str, gid: u32) -> Option<String> {
    let line = groups
        .lines()
        .find(|line| line.split(':').nth(2).and_then(|id| id.parse().ok()) == Some(gid))?;
    line.split(':').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_called_by_its_name() {
        let groups = "root:x:0:\nrotord:x:998:ann,bob\n";
        assert_eq!(group_name(groups, 998).as_deref(), Some("rotord"));
        assert_eq!(group_name(groups, 99), None);
    }

    #[test]
    fn who_may_not_connect_is_told_which_group_to_join() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("s");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let found = judge(&socket, &io::ErrorKind::PermissionDenied.into());
        assert_eq!(found.code, "socket-denied");
        assert!(found.remedy.is_some());
        assert!(remedy(0o660, Some(998), "rotord").contains("sudo usermod -aG rotord"));
        for (mode, gid) in [(0o660, 0), (0o600, 998)] {
            assert!(!remedy(mode, Some(gid), "it").contains("usermod"));
        }
        assert!(advice(&dir.path().join("closed/s")).contains("usermod -aG rotord"));
    }
}
