//! The program that runs with the secrets: started, told, ended.

use std::ffi::OsString;
use std::fs::File;
use std::io::{IsTerminal as _, Write as _, stdin};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::str::FromStr;
use std::time::Duration;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::{DupFlags, dup3};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::signal::unix::SignalKind;
use tokio::time::timeout;

use super::secrets::{Binding, Values};
use crate::error::CtlError;
use crate::exit::Exit;

/// What a new value does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnChange {
    /// The program is ended and started anew.
    Restart,
    /// The program is told.
    Signal(SignalKind),
    /// Nothing.
    Ignore,
}

impl FromStr for OnChange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kind = match text.trim_start_matches("SIG") {
            "restart" => return Ok(Self::Restart),
            "ignore" => return Ok(Self::Ignore),
            "HUP" => SignalKind::hangup(),
            "USR1" => SignalKind::user_defined1(),
            "USR2" => SignalKind::user_defined2(),
            "INT" => SignalKind::interrupt(),
            "TERM" => SignalKind::terminate(),
            _ => {
                return Err(
                    "it must be restart, ignore, or one of HUP, USR1, USR2, INT, TERM".to_owned(),
                );
            }
        };
        Ok(Self::Signal(kind))
    }
}

/// A file in memory, open for as long as this program and its child run.
struct Held {
    binding: Binding,
    file: OwnedFd,
}

/// The program.
pub(super) struct Program {
    words: Vec<OsString>,
    variables: Vec<Binding>,
    files: Vec<Held>,
    child: Option<Child>,
}

impl Program {
    pub(super) fn new(
        words: &[OsString],
        variables: Vec<Binding>,
        files: Vec<Binding>,
    ) -> Result<Self, CtlError> {
        let held = |binding| {
            Ok(Held {
                binding,
                file: sealed("")?,
            })
        };
        Ok(Self {
            words: words.to_vec(),
            variables,
            files: files
                .into_iter()
                .map(held)
                .collect::<Result<_, CtlError>>()?,
            child: None,
        })
    }

    /// Starts it with these values.
    pub(super) fn start(&mut self, values: &Values) -> Result<(), CtlError> {
        self.renew(values)?;
        let (program, arguments) = self
            .words
            .split_first()
            .ok_or_else(|| CtlError::usage("which program? say it after --"))?;
        let mut command = Command::new(program);
        command.args(arguments);
        for binding in &self.variables {
            if let Some(value) = values.get(&binding.name) {
                command.env(&binding.variable, value.as_str());
            }
        }
        for held in &self.files {
            command.env(&held.binding.variable, held.path());
        }
        let child = command.spawn().map_err(|source| {
            CtlError::not_run(format!("can't start {}", program.display()), source)
        })?;
        self.child = Some(child);
        Ok(())
    }

    /// Puts these values into its files. Whoever opens one has an old value or a new one, and no mixture.
    pub(super) fn renew(&mut self, values: &Values) -> Result<(), CtlError> {
        for held in &mut self.files {
            if let Some(value) = values.get(&held.binding.name) {
                let new = sealed(value)?;
                dup3(&new, &mut held.file, DupFlags::CLOEXEC).map_err(no_file)?;
            }
        }
        Ok(())
    }

    /// Waits until it ends by itself.
    pub(super) async fn ended(&mut self) -> Result<Exit, CtlError> {
        let Some(child) = &mut self.child else {
            return std::future::pending().await;
        };
        let status = child.wait().await;
        status
            .map(exit)
            .map_err(|source| CtlError::failed("the program was lost sight of").because(source))
    }

    /// Sends it a signal. ^C at a terminal it has got already.
    pub(super) fn tell(&self, kind: SignalKind) -> Result<(), CtlError> {
        if kind == SignalKind::interrupt() && stdin().is_terminal() {
            return Ok(());
        }
        let id = self.child.as_ref().and_then(Child::id);
        let id = id.and_then(|id| Pid::from_raw(id.cast_signed()));
        let signal = Signal::from_named_raw(kind.as_raw_value());
        let (Some(id), Some(signal)) = (id, signal) else {
            return Ok(());
        };
        match kill_process(id, signal) {
            // It has ended: that is seen next.
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(source) => Err(CtlError::failed("can't tell the program").because(source)),
        }
    }

    /// Ends it, at first kindly.
    pub(super) async fn stop(&mut self, within: Duration) {
        // Where it can't be told it is killed.
        let _ = self.tell(SignalKind::terminate());
        if let Some(child) = &mut self.child {
            if timeout(within, child.wait()).await.is_err() {
                // It has ended meanwhile, or ends now.
                let _ = child.kill().await;
            }
            self.child = None;
        }
    }
}

impl Held {
    /// By way of this process: another file under the same number is seen at once.
    fn path(&self) -> String {
        let number = self.file.as_raw_fd();
        format!("/proc/{}/fd/{number}", std::process::id())
    }
}

/// A file in memory that nobody can change.
fn sealed(text: &str) -> Result<OwnedFd, CtlError> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = File::from(memfd_create("rotord-secret", flags).map_err(no_file)?);
    file.write_all(text.as_bytes()).map_err(no_file)?;
    let all = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    fcntl_add_seals(&file, all).map_err(no_file)?;
    Ok(file.into())
}

fn no_file(source: impl std::error::Error + Send + Sync + 'static) -> CtlError {
    CtlError::failed("can't make a file in memory").because(source)
}

/// As a shell tells it: 128 and the signal's number where one ended it.
fn exit(status: ExitStatus) -> Exit {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    Exit::OfProgram(
        code.and_then(|code| u8::try_from(code).ok())
            .unwrap_or(u8::MAX),
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_a_change_does_is_understood() {
        assert_eq!("restart".parse(), Ok(OnChange::Restart));
        assert_eq!("ignore".parse(), Ok(OnChange::Ignore));
        for name in ["HUP", "SIGHUP"] {
            assert_eq!(name.parse(), Ok(OnChange::Signal(SignalKind::hangup())));
        }
        assert!("KILL".parse::<OnChange>().is_err());
    }

    #[test]
    fn a_file_changes_under_its_path_and_can_not_be_written_to() {
        let binding: Binding = "FILE=A".parse().unwrap();
        let mut program = Program::new(&[], Vec::new(), vec![binding]).unwrap();
        let path = program.files[0].path();
        for value in ["one", "two, and longer"] {
            let values = [("A".to_owned(), value.to_owned().into())].into();
            program.renew(&values).unwrap();
            assert_eq!(program.files[0].path(), path);
            assert_eq!(fs::read_to_string(&path).unwrap(), value);
            assert!(fs::write(&path, "other").is_err());
        }
    }
}
