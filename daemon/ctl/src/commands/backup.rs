//! `rotorctl backup`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use rotord_api::backup::TakeBackup;
use rotord_api::{Sensitive, routes, rules};
use serde_json::json;

use crate::error::CtlError;
use crate::exit::Exit;
use crate::fields::read_secret;
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// Where to; an earlier backup there is replaced once the new one is whole
    file: PathBuf,
    /// The recovery passphrase from a file, or from standard input if it is -; asked for otherwise
    #[arg(long, value_name = "FILE", conflicts_with = "no_passphrase")]
    passphrase_file: Option<String>,
    /// None: only this host's root key opens the backup
    #[arg(long)]
    no_passphrase: bool,
}

/// What every backup begins with.
const BEGINNING: &[u8] = b"rotord backup ";

pub(crate) async fn run(session: &mut Session, command: Backup) -> Result<Exit, CtlError> {
    refuse_other(&command.file)?;
    let passphrase = match (&command.passphrase_file, command.no_passphrase) {
        (Some(path), _) => Some(checked(&read_secret(path, false)?)?),
        (None, true) => None,
        (None, false) => Some(ask(session)?),
    };
    let with_passphrase = passphrase.is_some();
    let draft = Draft::beside(&command.file)?;
    let bytes = {
        let _spinner = session.output.spinner("taking a backup");
        let mut to = BufWriter::new(&draft.file);
        let body = TakeBackup { passphrase };
        let bytes = session
            .client
            .download(routes::BACKUP, &body, &mut to)
            .await?;
        to.into_inner()
            .map_err(|error| unwritten(&draft.path, error.into_error()))?;
        bytes
    };
    draft.keep(&command.file)?;
    if session.output.is_json() {
        session.output.json(&json!({
            "file": command.file.display().to_string(), "bytes": bytes, "passphrase": with_passphrase
        }))?;
        return Ok(Exit::Done);
    }
    session.output.line(format!(
        "{}: {bytes} bytes, sealed; {}",
        command.file.display(),
        if with_passphrase {
            "its passphrase opens it, or this host's root key"
        } else {
            "only this host's root key opens it: keep a copy of that key elsewhere"
        }
    ))?;
    Ok(Exit::Done)
}

fn ask(session: &mut Session) -> Result<Sensitive, CtlError> {
    if !session.person.is_there() {
        return Err(CtlError::usage("nobody can be asked for the passphrase").hint(
            "say --passphrase-file FILE (or - for standard input), or --no-passphrase if this host's root key is kept elsewhere",
        ));
    }
    let first = checked(&session.person.secret("Recovery passphrase")?)?;
    if session.person.secret("The same again")? == first {
        Ok(first)
    } else {
        Err(CtlError::failed("the two differ; nothing was saved"))
    }
}

fn checked(passphrase: &Sensitive) -> Result<Sensitive, CtlError> {
    rules::passphrase(passphrase.expose())
        .map_err(|issue| CtlError::usage(format!("the passphrase {}", issue.message)))
}

/// What is there already is an earlier backup, or nothing.
fn refuse_other(path: &Path) -> Result<(), CtlError> {
    let mut beginning = [0; BEGINNING.len()];
    match File::open(path).and_then(|mut file| file.read_exact(&mut beginning)) {
        Ok(()) if beginning == BEGINNING => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            Err(CtlError::failed(format!("can't look at {}", path.display())).because(error))
        }
        _ => Err(CtlError::usage(format!(
            "{} is there and is no backup of rotord: it is left alone",
            path.display()
        ))),
    }
}

/// The file while it is written: in its folder, under another name, for its owner alone. Removed unless it is kept.
struct Draft {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl Draft {
    fn beside(path: &Path) -> Result<Self, CtlError> {
        let name = path
            .file_name()
            .ok_or_else(|| CtlError::usage(format!("{} is no name of a file", path.display())))?;
        let draft = path.with_file_name(format!(
            ".{}.{}.new",
            name.to_string_lossy(),
            std::process::id()
        ));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)
            .map_err(|source| unwritten(&draft, source))?;
        Ok(Self {
            path: draft,
            file,
            kept: false,
        })
    }

    fn keep(mut self, path: &Path) -> Result<(), CtlError> {
        self.file
            .sync_all()
            .and_then(|()| fs::rename(&self.path, path))
            .map_err(|source| unwritten(path, source))?;
        self.kept = true;
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|source| unwritten(path, source))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            // Half a backup is of no use to anybody.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn unwritten(path: &Path, source: io::Error) -> CtlError {
    CtlError::failed(format!("can't write {}", path.display())).because(source)
}
