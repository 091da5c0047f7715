//! The sockets themselves: nobody can connect before mode and group are right, and only what is certainly a dead
//! socket is replaced.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use listenfd::ListenFd;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::settings::{Admin, Settings};

/// Who may connect to the admin socket: root and its group.
pub(crate) const ADMIN_MODE: u32 = 0o660;
/// Anyone may connect to the reader socket, and reads what is granted.
pub(crate) const READER_MODE: u32 = 0o666;
/// The service manager alone connects to the credential socket.
pub(crate) const CREDENTIALS_MODE: u32 = 0o600;
/// Connections that wait to be accepted.
const BACKLOG: i32 = 128;

/// Why there is no socket. The text is for an administrator.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Something answers there.
    #[error("the socket {} is already in use by a running daemon", .0.display())]
    InUse(PathBuf),
    /// Something is there that is no socket, and is left alone.
    #[error("{} is there and is no socket: it is left alone", .0.display())]
    NotASocket(PathBuf),
    /// There is no such group.
    #[error("there is no group {0} in /etc/group")]
    Group(String),
    /// The system refused.
    #[error("can't make the socket {}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The daemon's sockets.
#[derive(Debug)]
pub struct Sockets {
    /// Who may administer.
    pub admin: UnixListener,
    /// Who may read.
    pub reader: UnixListener,
    /// Where the service manager asks for units' credentials.
    pub credentials: UnixListener,
}

/// Those that the service manager hands over by their paths, else new ones.
///
/// # Errors
/// One of them can't be made.
pub fn sockets(settings: &Settings) -> Result<Sockets, BindError> {
    let mut handed_over = handed_over();
    let mut listener = |path: &Path, mode, group: Option<&str>| {
        let found = handed_over.iter().position(|(known, _)| known == path);
        match found {
            Some(at) => Ok(handed_over.swap_remove(at).1),
            None => bind(path, mode, group),
        }
    };
    let (admin, group) = (&settings.admin.socket, settings.admin.group.as_deref());
    let sockets = Sockets {
        admin: listener(admin, ADMIN_MODE, group)?,
        reader: listener(&settings.reader.socket, READER_MODE, None)?,
        credentials: listener(&settings.credentials_socket(), CREDENTIALS_MODE, None)?,
    };
    for (path, _) in handed_over {
        tracing::error!(
            "the service manager holds a socket at {}, where the settings name none: whoever connects there waits for ever. \
             Change the ListenStream= of its unit as well",
            path.display()
        );
    }
    Ok(sockets)
}

/// Whether the group that the settings name exists.
///
/// # Errors
/// It does not.
pub fn check_group(admin: &Admin) -> Result<(), BindError> {
    admin
        .group
        .as_deref()
        .map_or(Ok(()), |group| group_id(group).map(drop))
}

fn handed_over() -> Vec<(PathBuf, UnixListener)> {
    let mut manager = ListenFd::from_env();
    (0..manager.len())
        .filter_map(|at| manager.take_unix_listener(at).ok()?)
        .filter_map(|listener| {
            let path = listener.local_addr().ok()?.as_pathname()?.to_owned();
            Some((path, listener))
        })
        .collect()
}

/// A socket at this path, with this mode and, where one is named, this group (a name in `/etc/group` or a number).
///
/// # Errors
/// It is in use, something else is there, or the system refuses.
pub fn bind(path: &Path, mode: u32, group: Option<&str>) -> Result<UnixListener, BindError> {
    let failed = |source: io::Error| BindError::Io {
        path: path.to_owned(),
        source,
    };
    let group = group.map(group_id).transpose()?;
    check_place(path)?;
    // Made beside its place and moved there when it is ready.
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    if is_socket(&draft) {
        fs::remove_file(&draft).map_err(failed)?;
    }
    let listener = make(&draft, mode, group).and_then(|listener| {
        fs::rename(&draft, path)?;
        Ok(listener)
    });
    listener.map_err(|error| {
        if is_socket(&draft) {
            // What failed is what is told.
            let _ = fs::remove_file(&draft);
        }
        failed(error)
    })
}

/// Whoever connects before `listen` is refused, so there is no moment with the wrong mode.
fn make(path: &Path, mode: u32, group: Option<u32>) -> io::Result<UnixListener> {
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    if group.is_some() {
        std::os::unix::fs::chown(path, None, group)?;
    }
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(UnixListener::from(socket))
}

/// Nothing is at this path, or a socket that nobody listens on.
fn check_place(path: &Path) -> Result<(), BindError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => {
            let path = path.to_owned();
            return Err(BindError::Io { path, source });
        }
        Ok(found) if !found.file_type().is_socket() => {
            return Err(BindError::NotASocket(path.to_owned()));
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        // It was removed just now.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(_) => Err(BindError::InUse(path.to_owned())),
        Err(source) => {
            let path = path.to_owned();
            Err(BindError::Io { path, source })
        }
    }
}

fn is_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
}

fn group_id(group: &str) -> Result<u32, BindError> {
    if let Ok(id) = group.parse() {
        return Ok(id);
    }
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    let id = groups.lines().find_map(|line| {
        let mut parts = line.split(':');
        (parts.next() == Some(group))
            .then(|| parts.nth(1)?.parse().ok())
            .flatten()
    });
    id.ok_or_else(|| BindError::Group(group.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_socket_gets_its_mode_whatever_the_umask_and_answers_at_its_path() {
        let dir = tempfile::tempdir().unwrap();
        for (name, wanted) in [("admin.sock", 0o660), ("reader.sock", 0o666)] {
            let path = dir.path().join(name);
            let listener = bind(&path, wanted, None).unwrap();
            assert_eq!(mode(&path), wanted);
            UnixStream::connect(&path).unwrap();
            drop(listener);
        }
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            2,
            "no draft is left"
        );
    }

    #[test]
    fn a_living_socket_is_in_use_and_a_dead_one_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("admin.sock");
        let first = bind(&path, 0o660, None).unwrap();
        let second = bind(&path, 0o660, None).unwrap_err();
        assert!(matches!(second, BindError::InUse(_)), "{second}");
        assert!(
            second
                .to_string()
                .contains("already in use by a running daemon")
        );
        UnixStream::connect(&path).unwrap();
        drop(first);
        bind(&path, 0o660, None).unwrap();
    }

    #[test]
    fn what_is_no_socket_is_never_touched() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("admin.sock");
        fs::write(&path, "precious").unwrap();
        assert!(matches!(
            bind(&path, 0o660, None),
            Err(BindError::NotASocket(_))
        ));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        // Not even through a link.
        let link = dir.path().join("link.sock");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(
            bind(&link, 0o660, None),
            Err(BindError::NotASocket(_))
        ));
    }

    #[test]
    fn a_missing_directory_and_a_missing_group_are_said() {
        let dir = tempfile::tempdir().unwrap();
        let nowhere = dir.path().join("none/admin.sock");
        assert!(matches!(
            bind(&nowhere, 0o660, None),
            Err(BindError::Io { .. })
        ));
        let path = dir.path().join("admin.sock");
        let unknown = bind(&path, 0o660, Some("no-such-group-here")).unwrap_err();
        assert!(unknown.to_string().contains("no-such-group-here"));
        assert!(!path.exists());
    }
}
