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
use crate::folder::{folder_of, sync_folder_of};
use crate::output::note;
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

/// How often a passphrase is asked for before it is given up.
const TRIES: usize = 3;

fn ask(session: &mut Session) -> Result<Sensitive, CtlError> {
    if !session.person.is_there() {
        return Err(CtlError::usage("nobody can be asked for the passphrase").hint(
            "say --passphrase-file FILE (or - for standard input), or --no-passphrase if this host's root key is kept elsewhere",
        ));
    }
    let question = format!(
        "Recovery passphrase (at least {} characters)",
        rules::LEAST_PASSPHRASE
    );
    let mut wrong = CtlError::failed("nothing was saved");
    for _ in 0..TRIES {
        wrong = match checked(&session.person.secret(&question)?) {
            Err(short) => short,
            Ok(first) if session.person.secret("The same again")? == first => return Ok(first),
            Ok(_) => CtlError::failed("the two passphrases differ"),
        };
        note(&wrong.to_string());
    }
    Err(wrong.hint("nothing was saved"))
}

fn checked(passphrase: &Sensitive) -> Result<Sensitive, CtlError> {
    rules::passphrase(passphrase.expose())
        .map_err(|issue| CtlError::usage(format!("the passphrase {}", issue.message)))
}

/// What is there already is an earlier backup, or nothing.
fn refuse_other(path: &Path) -> Result<(), CtlError> {
    if path.is_dir() {
        return Err(
            CtlError::usage(format!("{} is a folder", path.display())).hint(format!(
                "name the file too, such as {}",
                path.join("rotord.backup").display()
            )),
        );
    }
    let folder = folder_of(path);
    if !folder.is_dir() {
        return Err(
            CtlError::missing(format!("there is no folder {}", folder.display()))
                .hint("make it first, or name a file in another one"),
        );
    }
    let mut beginning = [0; BEGINNING.len()];
    match File::open(path).and_then(|mut file| file.read_exact(&mut beginning)) {
        Ok(()) if beginning == BEGINNING => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(CtlError::failed(
            format!("can't tell whether {} is an earlier backup", path.display()),
        )
        .because(error)
        .hint("use sudo where it is another user's")),
        _ => Err(CtlError::failed(format!(
            "{} is there and is no backup of rotord: it is left alone",
            path.display()
        ))
        .hint("name another file, or remove this one")),
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
        sync_folder_of(path).map_err(|source| unwritten(path, source))
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
    let is_closed = source.kind() == io::ErrorKind::PermissionDenied;
    let error = CtlError::failed(format!("can't write {}", path.display())).because(source);
    if is_closed {
        let folder = folder_of(path).display();
        error.hint(format!(
            "you may not write into {folder}: use sudo, or name a file in a folder of yours"
        ))
    } else {
        error
    }
}

#[cfg(test)]
mod tests {
    use rotord_api::Sensitive;

    use super::{ask, refuse_other};
    use crate::error::CtlError;
    use crate::fake::Fake;
    use crate::prompt::tests::Scripted;
    use crate::session::tests::session;

    const LONG: &str = "correct horse battery";
    const PROMPT: &str = "at least 12 characters";

    fn asked(answers: &[(&'static str, &'static str)]) -> Result<Sensitive, CtlError> {
        let (mut session, _) = session(&Fake::start(), Scripted::new(answers));
        ask(&mut session)
    }

    #[test]
    fn a_passphrase_is_asked_for_again_until_it_is_long_enough_and_the_same_twice() {
        let passphrase = asked(&[
            (PROMPT, "hunter2"),
            (PROMPT, LONG),
            ("again", "correct horse batery"),
            (PROMPT, LONG),
            ("again", LONG),
        ]);
        assert_eq!(passphrase.unwrap().expose(), LONG);
    }

    #[test]
    fn it_is_given_up_after_three_times_without_being_repeated() {
        let error = asked(&[
            (PROMPT, "hunter2"),
            (PROMPT, "hunter2"),
            (PROMPT, "hunter2"),
        ])
        .unwrap_err();
        assert!(error.to_string().contains("at least 12"), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[test]
    fn a_place_that_can_hold_no_backup_is_refused_before_anything_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |path: &std::path::Path| refuse_other(path).unwrap_err().to_string();
        assert!(refused(folder.path()).contains("is a folder"));
        assert!(refused(&folder.path().join("none/b")).contains("there is no folder"));
        let other = folder.path().join("other");
        std::fs::write(&other, "something else").unwrap();
        assert!(refused(&other).contains("is no backup of rotord"));
        assert!(refuse_other(&folder.path().join("new")).is_ok());
    }
}
