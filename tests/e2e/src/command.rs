//! Programs run as a person types them: `rotorctl`, `curl`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::failure::{Failure, OrFail as _};

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

impl Ended {
    /// What it wrote, where it ended well.
    ///
    /// # Errors
    /// It did not.
    pub fn well(self) -> Result<String, Failure> {
        if self.code == Some(0) {
            return Ok(self.stdout);
        }
        let Self {
            code,
            stdout,
            stderr,
        } = self;
        let code = code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
        Err(Failure::new(format!(
            "ended with {code}: {}",
            [stdout.trim(), stderr.trim()].join("\n").trim()
        )))
    }

    /// What it wrote, as JSON, however it ended.
    ///
    /// # Errors
    /// It is none.
    pub fn json(&self) -> Result<Value, Failure> {
        serde_json::from_str(&self.stdout)
            .or_fail(|| format!("no JSON: {}\n{}", self.stdout, self.stderr))
    }
}

/// A program with its arguments, that can be shown and run.
#[derive(Debug)]
pub struct Line {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(String, OsString)>,
    input: Vec<u8>,
    uid: Option<u32>,
}

impl Line {
    /// A program without arguments.
    pub fn new(program: impl AsRef<Path>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            input: Vec::new(),
            uid: None,
        }
    }

    /// With further arguments.
    #[must_use]
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// With a variable of the environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// With this on its standard input.
    #[must_use]
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// As another user, in no group but that user's own. Only root may.
    #[must_use]
    pub fn as_user(mut self, uid: u32) -> Self {
        self.uid = Some(uid);
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// It could not be started.
    pub async fn run(self) -> Result<Ended, Failure> {
        self.run_seen(|_| ()).await
    }

    /// Runs it to its end; `look` gets its process id while it waits for its input.
    ///
    /// # Errors
    /// It could not be started.
    pub async fn run_seen(self, look: impl FnOnce(u32)) -> Result<Ended, Failure> {
        let name = self.program.display().to_string();
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .envs(self.environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(uid) = self.uid {
            // Changing the user as root drops the supplementary groups too.
            command.uid(uid).gid(uid);
        }
        let mut child = command
            .spawn()
            .or_fail(|| format!("{name} can't be started"))?;
        if let Some(pid) = child.id() {
            // Starting a program returns once its memory is the new program's, a moment before what it was given is there.
            for shown in ["cmdline", "environ"] {
                let shown = format!("/proc/{pid}/{shown}");
                while std::fs::read(&shown).is_ok_and(|words| words.is_empty())
                    && matches!(child.try_wait(), Ok(None))
                {
                    tokio::task::yield_now().await;
                }
            }
            look(pid);
        }
        let feed = async {
            if let Some(mut stdin) = child.stdin.take() {
                // A program that does not read it is free to.
                let _ = stdin.write_all(&self.input).await;
            }
        };
        feed.await;
        let output = child
            .wait_with_output()
            .await
            .or_fail(|| format!("{name} was lost"))?;
        Ok(Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}
