//! The daemon's settings file, as a command changes it: what a person wrote there stays as it is, and wrong settings
//! change nothing.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::fs::{FlockOperation, flock};
use tokio::process::Command;
use toml::Table;

use crate::error::CtlError;
use crate::folder::{folder_of, sync_folder_of};
use crate::rotord;

/// Where the daemon looks unless it is told otherwise; this one may be missing.
const DEFAULT: &str = "/etc/rotord/rotord.toml";

/// A settings file, as it is.
pub(super) struct SettingsFile {
    /// Where it is.
    pub(super) path: PathBuf,
    /// What it holds; nothing where it is not there.
    pub(super) text: String,
    /// The same, read.
    pub(super) settings: Table,
    /// Held until it is written: a change that another command makes meanwhile would be lost.
    _lock: Option<File>,
}

impl SettingsFile {
    /// The one that is named, or the daemon's own. One that is named has to be there, unless `make` says that it is to
    /// be made: so it is for the daemon.
    pub(super) fn open(named: Option<&Path>, make: bool) -> Result<Self, CtlError> {
        let path = found(named);
        let lock = lock(folder_of(&path))?;
        Ok(Self {
            _lock: lock,
            ..Self::at(path, named.is_some() && !make)?
        })
    }

    /// The same, to be looked at alone.
    pub(super) fn read(named: Option<&Path>) -> Result<Self, CtlError> {
        Self::at(found(named), named.is_some())
    }

    fn at(path: PathBuf, must_be: bool) -> Result<Self, CtlError> {
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if must_be {
                    return Err(CtlError::settings(format!(
                        "there is no settings file {}",
                        path.display()
                    ))
                    .hint("see what --config names; a new file is made by: rotorctl credential grant --create"));
                }
                String::new()
            }
            text => text.map_err(|source| no_file("read", &path, source))?,
        };
        let settings = text.parse().map_err(|source: toml::de::Error| {
            CtlError::settings(format!("the settings file {} is wrong", path.display()))
                .because(source)
        })?;
        Ok(Self {
            path,
            text,
            settings,
            _lock: None,
        })
    }

    /// Where units ask, as the daemon reads it from these settings.
    pub(super) fn socket(&self) -> PathBuf {
        let text = |table: &str| self.settings.get(table)?.get("socket")?.as_str();
        text("credentials").map_or_else(
            || {
                let admin = text("admin").unwrap_or(crate::client::DEFAULT_SOCKET);
                Path::new(admin).with_file_name("credentials.sock")
            },
            PathBuf::from,
        )
    }

    /// Puts settings in the place of these once the daemon says that they are right: wrong ones change nothing.
    pub(super) async fn replace(&self, text: &str) -> Result<(), CtlError> {
        let file = &self.path;
        let written = |source| no_file("write", file, source);
        let folder = folder_of(file);
        fs::create_dir_all(folder).map_err(written)?;
        let mut draft = tempfile::Builder::new()
            .prefix(".rotord.toml.")
            .tempfile_in(folder)
            .map_err(written)?;
        draft.write_all(text.as_bytes()).map_err(written)?;
        let before = fs::metadata(file).ok();
        let mode = before
            .as_ref()
            .map_or(0o644, |before| before.mode() & 0o7777);
        draft
            .as_file()
            .set_permissions(Permissions::from_mode(mode))
            .map_err(written)?;
        if let Some(before) = before {
            std::os::unix::fs::fchown(draft.as_file(), Some(before.uid()), Some(before.gid()))
                .map_err(written)?;
        }
        if let Some(said) = refused(draft.path(), file).await? {
            // What is wrong is what is there, or what was asked for.
            let is_right = self.text.is_empty() || refused(file, file).await?.is_none();
            let error = if is_right {
                CtlError::usage(format!("the daemon would refuse that: {said}"))
            } else {
                CtlError::settings(format!("a daemon would not start with it: {said}"))
            };
            return Err(error.hint(format!("{} is as it was", file.display())));
        }
        draft.as_file().sync_all().map_err(written)?;
        draft.persist(file).map_err(|error| written(error.error))?;
        sync_folder_of(file).map_err(written)
    }
}

/// Where it is a link, what it leads to.
fn found(named: Option<&Path>) -> PathBuf {
    let path = named.unwrap_or(Path::new(DEFAULT));
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Waits for whoever changes a settings file in this folder. None where there is no folder yet.
fn lock(folder: &Path) -> Result<Option<File>, CtlError> {
    let opened = match File::open(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened,
    };
    opened
        .and_then(|opened| {
            flock(&opened, FlockOperation::LockExclusive)?;
            Ok(Some(opened))
        })
        .map_err(|source| no_file("lock", folder, source))
}

/// What the daemon says against these settings, as if they stood in `file`; none where they are right.
async fn refused(settings: &Path, file: &Path) -> Result<Option<String>, CtlError> {
    let program = rotord::program();
    let mut command = Command::new(&program);
    command.arg("--check").arg("--config").arg(settings);
    let checked = command.stdin(Stdio::null()).output().await;
    let checked = checked.map_err(|source| {
        CtlError::failed(format!("can't run {}", program.display())).because(source)
    })?;
    if checked.status.success() {
        return Ok(None);
    }
    let said = rotord::said(&checked.stderr);
    let (settings, file) = (settings.display().to_string(), file.display().to_string());
    Ok(Some(said.replace(&settings, &file)))
}

fn no_file(what: &str, file: &Path, source: io::Error) -> CtlError {
    let denied = source.kind() == io::ErrorKind::PermissionDenied;
    let error =
        CtlError::failed(format!("can't {what} the settings {}", file.display())).because(source);
    if denied {
        error.hint("use sudo")
    } else {
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_ask_beside_the_admin_socket_unless_the_settings_say_where() {
        for (text, at) in [
            ("", "/run/rotord/credentials.sock"),
            ("[admin]\nsocket = '/x/admin.sock'", "/x/credentials.sock"),
            ("[credentials]\nsocket = '/y/c.sock'", "/y/c.sock"),
        ] {
            let file = SettingsFile {
                path: PathBuf::new(),
                text: text.to_owned(),
                settings: text.parse().unwrap(),
                _lock: None,
            };
            assert_eq!(file.socket(), Path::new(at));
        }
    }

    #[test]
    fn who_changes_it_waits_for_whoever_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rotord.toml");
        let first = SettingsFile::open(Some(&path), true).unwrap();
        let other = File::open(folder.path()).unwrap();
        assert!(flock(&other, FlockOperation::NonBlockingLockExclusive).is_err());
        drop(first);
        flock(&other, FlockOperation::NonBlockingLockExclusive).unwrap();
    }

    #[test]
    fn a_file_that_is_named_has_to_be_there_unless_it_is_to_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rotord.toml");
        let refused = SettingsFile::open(Some(&path), false).err().unwrap();
        assert!(refused.to_string().contains("no settings file"));
        assert_eq!(SettingsFile::open(Some(&path), true).unwrap().text, "");
        assert!(!path.exists());
    }
}
