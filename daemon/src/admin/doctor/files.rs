//! Whether files and directories belong to whom they should, and only he can read and write them.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rotord_api::catalogue::{FILE_MISSING, FILE_MODE, FILE_OWNER, FILES};
use rotord_api::doctor::DoctorFinding;
use rotord_api::issue::Severity;
use rotord_store::open::DATABASE_FILE;
use rotord_store::root_key::OWN_KEY_FILE;

use super::{Looking, off_thread};
use crate::admin::Shared;
use crate::app::keys::{CACHE_KEY_FILE, KeyPlace};
use crate::settings::Settings;

const ABOUT: &str = "files";
/// Nobody but its owner.
const PRIVATE: u32 = 0o077;
/// Everybody may read it, and nobody but its owner change it.
const OWN_TO_WRITE: u32 = 0o022;
/// A group may read it, nobody else, and only its owner change it: as the root key is taken at a start.
const FOR_A_GROUP: u32 = 0o027;
const WRITE: u32 = 0o022;

pub(super) fn look(daemon: &Shared) -> Looking<'_> {
    let settings = daemon.settings.now();
    off_thread(ABOUT, move || {
        let us = rustix::process::geteuid().as_raw();
        let wanted = wanted(&settings);
        let found: Vec<_> = wanted
            .iter()
            .flat_map(|wanted| wanted.judge(fs::metadata(&wanted.path), us))
            .collect();
        if found.is_empty() {
            let message = format!(
                "{} files and directories are as they should be",
                wanted.len()
            );
            return vec![DoctorFinding::fine(&FILES, ABOUT, message)];
        }
        found
    })
}

/// Those that are not there: what the daemon holds open of them ends with it.
pub(in crate::admin) async fn missing(daemon: &Shared) -> Vec<DoctorFinding> {
    let mut found = look(daemon).await;
    found.retain(|finding| finding.code == FILE_MISSING.code);
    found
}

/// A file or directory, and what it should be.
struct Wanted {
    path: PathBuf,
    /// Bits of the mode that must not be set.
    closed: u32,
    /// How bad it is if others can only read it.
    readable: Severity,
    must_exist: bool,
}

impl Wanted {
    fn new(path: impl Into<PathBuf>, closed: u32) -> Self {
        Self {
            path: path.into(),
            closed,
            readable: Severity::Warning,
            must_exist: true,
        }
    }

    /// Whoever reads it has what it opens.
    fn a_key(self) -> Self {
        Self {
            readable: Severity::Problem,
            ..self
        }
    }

    fn if_there(self) -> Self {
        Self {
            must_exist: false,
            ..self
        }
    }

    fn judge(&self, found: io::Result<fs::Metadata>, us: u32) -> Vec<DoctorFinding> {
        match found {
            Ok(found) => {
                let (mode, owner) = (found.mode() & 0o7777, found.uid());
                let mut findings = Vec::new();
                findings.extend(self.judge_mode(mode));
                findings.extend(self.judge_owner(owner, us));
                findings
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.must_exist => Vec::new(),
            Err(error) => {
                let message = format!("it can't be looked at: {error}");
                vec![DoctorFinding::problem(&FILE_MISSING, self.about(), message)]
            }
        }
    }

    fn judge_mode(&self, mode: u32) -> Option<DoctorFinding> {
        let open = mode & self.closed;
        if open == 0 {
            return None;
        }
        let (severity, what) = if open & WRITE == 0 {
            (self.readable, "read")
        } else {
            (Severity::Problem, "write")
        };
        let message = format!("others may {what} it: its mode is {mode:04o}");
        let right = mode & !self.closed;
        let path = self.path.display();
        Some(
            DoctorFinding::new(&FILE_MODE, severity, self.about(), message)
                .fix(format!("sudo chmod {right:04o} {path}")),
        )
    }

    /// Root may change everything as it is.
    fn judge_owner(&self, owner: u32, us: u32) -> Option<DoctorFinding> {
        if owner == us || owner == 0 {
            return None;
        }
        let message = format!("it belongs to the user {owner}, and the daemon runs as {us}");
        let path = self.path.display();
        Some(
            DoctorFinding::problem(&FILE_OWNER, self.about(), message)
                .fix(format!("sudo chown {us} {path}")),
        )
    }

    fn about(&self) -> String {
        self.path.display().to_string()
    }
}

fn wanted(settings: &Settings) -> Vec<Wanted> {
    let state = &settings.state.directory;
    let mut wanted = vec![
        Wanted::new(state, PRIVATE),
        Wanted::new(state.join(DATABASE_FILE), PRIVATE),
        Wanted::new(state.join(CACHE_KEY_FILE), PRIVATE)
            .a_key()
            .if_there(),
    ];
    for journal in ["-wal", "-shm"] {
        let journal = format!("{DATABASE_FILE}{journal}");
        wanted.push(Wanted::new(state.join(journal), PRIVATE).if_there());
    }
    match KeyPlace::of(&settings.state) {
        // The service manager's, who keeps it as it should be.
        KeyPlace::Credential(_) => {}
        KeyPlace::File(path) => wanted.push(Wanted::new(path, FOR_A_GROUP).a_key()),
        KeyPlace::Own => wanted.push(Wanted::new(state.join(OWN_KEY_FILE), FOR_A_GROUP).a_key()),
    }
    let witness = &settings.state.witness;
    if witness != Path::new("") {
        wanted.push(Wanted::new(witness, PRIVATE).if_there());
        wanted.extend(
            witness
                .parent()
                .map(|at| Wanted::new(at, OWN_TO_WRITE).if_there()),
        );
    }
    wanted.extend(
        settings
            .file
            .iter()
            .map(|file| Wanted::new(file, OWN_TO_WRITE)),
    );
    for file in &settings.providers.extra_ca {
        wanted.push(Wanted::new(file, OWN_TO_WRITE));
    }
    let cache = &settings.providers.cache;
    if cache != Path::new("") {
        wanted.push(Wanted::new(cache, PRIVATE).if_there());
    }
    for directory in &settings.providers.directories {
        wanted.push(Wanted::new(directory, OWN_TO_WRITE).if_there());
        wanted.extend(components(directory));
    }
    wanted
}

/// Whoever may write to a component decides what the daemon runs.
fn components(directory: &Path) -> impl Iterator<Item = Wanted> + use<> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|is| is == "wasm"))
        .map(|path| Wanted::new(path, OWN_TO_WRITE).if_there())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn found(wanted: &Wanted, mode: u32) -> Option<(Severity, String)> {
        let found = wanted.judge_mode(mode)?;
        Some((found.severity, found.remedy.unwrap()))
    }

    #[test]
    fn writing_is_worse_than_reading_and_a_key_is_not_even_read() {
        let database = Wanted::new("/s/rotord.db", PRIVATE);
        let key = Wanted::new("/s/root.key", FOR_A_GROUP).a_key();
        let chmod = |mode: &str, path: &str| format!("sudo chmod {mode} {path}");
        assert_eq!(found(&database, 0o600), None);
        assert_eq!(
            found(&database, 0o644),
            Some((Severity::Warning, chmod("0600", "/s/rotord.db")))
        );
        assert_eq!(
            found(&database, 0o620),
            Some((Severity::Problem, chmod("0600", "/s/rotord.db")))
        );
        assert_eq!(found(&key, 0o640), None);
        assert_eq!(
            found(&key, 0o604),
            Some((Severity::Problem, chmod("0600", "/s/root.key")))
        );
    }

    #[test]
    fn somebody_elses_file_is_found_and_roots_is_not() {
        let file = Wanted::new("/s/rotord.db", PRIVATE);
        assert_eq!(file.judge_owner(998, 998), None);
        assert_eq!(file.judge_owner(0, 998), None);
        let found = file.judge_owner(1000, 998).unwrap();
        assert_eq!(
            (found.code.as_str(), found.severity),
            ("file-owner", Severity::Problem)
        );
    }

    #[test]
    fn what_is_looked_at_is_what_the_settings_name() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        fs::create_dir(&state).unwrap();
        fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();
        let providers = dir.path().join("providers");
        fs::create_dir(&providers).unwrap();
        fs::write(providers.join("a.wasm"), b"").unwrap();
        fs::set_permissions(providers.join("a.wasm"), fs::Permissions::from_mode(0o666)).unwrap();
        let mut settings = Settings::default();
        settings.state.directory.clone_from(&state);
        settings.state.witness = PathBuf::new();
        settings.providers.directories = vec![providers];
        settings.providers.cache = PathBuf::new();
        let us = rustix::process::geteuid().as_raw();
        let found: Vec<(String, String)> = wanted(&settings)
            .iter()
            .flat_map(|wanted| wanted.judge(fs::metadata(&wanted.path), us))
            .map(|found| (found.code, found.about))
            .collect();
        let missing = |name: &str| {
            let about = state.join(name).display().to_string();
            ("file-missing".to_owned(), about)
        };
        assert!(found.contains(&missing("rotord.db")), "{found:?}");
        assert!(found.contains(&missing("root.key")), "{found:?}");
        assert!(
            found
                .iter()
                .any(|(code, about)| code == "file-mode" && about.ends_with("a.wasm")),
            "{found:?}"
        );
        assert_eq!(found.len(), 3, "{found:?}");
    }
}
