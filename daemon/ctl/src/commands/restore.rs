//! `rotorctl restore`: asks and shows. What is done is done by `rotord --restore`, which knows the settings and the
//! database.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::Args;
use rotord_api::Sensitive;
use rotord_api::backup::{RestoreOutlook, RestoreReport};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::error::CtlError;
use crate::exit::Exit;
use crate::fields::read_secret;
use crate::rotord;
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup
    file: PathBuf,
    /// The recovery passphrase from a file, or from standard input if it is -; asked for where it is needed
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<String>,
    /// Even where a database with rotations is there; it is kept aside
    #[arg(long)]
    replace: bool,
    /// The daemon's settings file, which says where the state is
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// This host's root key, where the daemon gets it as a systemd credential
    #[arg(long, value_name = "FILE")]
    root_key_file: Option<PathBuf>,
    /// Don't ask
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(session: &mut Session, command: Restore) -> Result<Exit, CtlError> {
    let daemon = Daemon::new(&command);
    let (outlook, _): (RestoreOutlook, _) = daemon.run(&["--dry-run"], None).await?;
    // Before anything is asked: it could not be used.
    refuse_while_running(Path::new(&outlook.directory))?;
    let passphrase = match &command.passphrase_file {
        Some(path) => Some(read_secret(path, false)?),
        None if outlook.root_key_opens => None,
        None => Some(ask(session, &outlook)?),
    };
    let taken_at = session.clock.cell(Some(outlook.backup.taken_at), true);
    session.confirm(
        &format!(
            "Put the backup of {taken_at} back into {}{}?",
            outlook.directory,
            if outlook.database.is_some() {
                " (the database that is there is kept aside)"
            } else {
                ""
            }
        ),
        command.yes,
    )?;
    let mut arguments = Vec::new();
    arguments.extend(command.replace.then_some("--replace"));
    arguments.extend(passphrase.is_some().then_some("--passphrase-stdin"));
    let (report, json): (RestoreReport, _) = {
        let _spinner = session.output.spinner("restoring");
        daemon.run(&arguments, passphrase).await?
    };
    if session.output.is_json() {
        session.output.json(&json)?;
        return Ok(Exit::Done);
    }
    let person = session.output.is_terminal();
    let taken_at = session.clock.cell(Some(outlook.backup.taken_at), person);
    let rotations = match report.rotations {
        1 => "1 rotation".to_owned(),
        count => format!("{count} rotations"),
    };
    session.output.line(format!(
        "restored {rotations} into {}, as of {taken_at}",
        report.directory
    ))?;
    for next in &report.next {
        session.output.line(format!("  {next}"))?;
    }
    Ok(Exit::Done)
}

/// The daemon's lock, in its state directory.
const LOCK: &str = "rotord.lock";

/// Whoever works on the state holds its lock. What can't be looked at is left to `rotord --restore` to judge.
fn refuse_while_running(directory: &Path) -> Result<(), CtlError> {
    let Ok(lock) = File::open(directory.join(LOCK)) else {
        return Ok(());
    };
    match lock.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Err(CtlError::failed(format!(
            "the daemon is running, on {}: stop the daemon first",
            directory.display()
        ))
        .hint("sudo systemctl stop rotord.service 'rotord-*.socket'")),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

fn ask(session: &mut Session, outlook: &RestoreOutlook) -> Result<Sensitive, CtlError> {
    if !outlook.backup.passphrase {
        let known = &outlook.backup.root_keys;
        let label = known.first().map_or("LABEL", String::as_str);
        return Err(CtlError::failed(format!(
            "only the root key {} opens this backup, and it is not this host's",
            outlook.backup.root_keys.join(" or ")
        ))
        .hint(format!(
            "for this restore, put a copy of that key (0600) into {}; where it is this host's after all, name it: \
             --root-key-file FILE",
            Path::new(&outlook.directory)
                .join(format!("root.key.{label}"))
                .display()
        )));
    }
    if !session.person.is_there() {
        return Err(CtlError::usage(
            "this host's root key does not open it, and nobody can be asked for the passphrase",
        )
        .hint("say --passphrase-file FILE (or - for standard input)"));
    }
    session.person.secret("Recovery passphrase")
}

/// `rotord`, with what every run of it is told.
struct Daemon {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl Daemon {
    fn new(command: &Restore) -> Self {
        let mut arguments: Vec<OsString> = vec!["--restore".into(), command.file.clone().into()];
        for (name, value) in [
            ("--config", &command.config),
            ("--root-key-file", &command.root_key_file),
        ] {
            if let Some(value) = value {
                arguments.extend([name.into(), value.clone().into()]);
            }
        }
        Self {
            program: rotord::program(),
            arguments,
        }
    }

    /// What it said, read and as it is.
    async fn run<T: DeserializeOwned>(
        &self,
        arguments: &[&str],
        passphrase: Option<Sensitive>,
    ) -> Result<(T, Value), CtlError> {
        let failed = || CtlError::failed(format!("can't run {}", self.program.display()));
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| failed().because(source))?;
        if let (Some(mut stdin), Some(passphrase)) = (child.stdin.take(), passphrase) {
            // Where it ends without reading it, it says why.
            let _ = stdin.write_all(passphrase.expose().as_bytes()).await;
        }
        let ended = child
            .wait_with_output()
            .await
            .map_err(|source| failed().because(source))?;
        if !ended.status.success() {
            let said = rotord::said(&ended.stderr);
            return Err(match ended.status.code() {
                Some(78) => CtlError::settings(said),
                _ if said.is_empty() => failed(),
                _ => CtlError::failed(said),
            });
        }
        let read = || -> serde_json::Result<(T, Value)> {
            let json: Value = serde_json::from_slice(&ended.stdout)?;
            Ok((T::deserialize(&json)?, json))
        };
        read().map_err(|source| {
            failed()
                .because(source)
                .hint("are rotord and rotorctl of the same version?")
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::{LOCK, refuse_while_running};

    #[test]
    fn a_state_that_somebody_works_on_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        assert!(refuse_while_running(directory.path()).is_ok());
        let lock = File::create(directory.path().join(LOCK)).unwrap();
        assert!(refuse_while_running(directory.path()).is_ok());
        lock.lock().unwrap();
        let error = refuse_while_running(directory.path()).unwrap_err();
        assert!(error.to_string().contains("stop the daemon first"));
        drop(lock);
        assert!(refuse_while_running(directory.path()).is_ok());
    }
}
