//! `systemd-creds`, which seals what systemd hands to a unit. The key goes in and out by pipes alone.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::ValueEnum;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;
use zeroize::Zeroizing;

use super::key_file::Key;
use crate::error::CtlError;
use crate::output::note;

/// The credential's name, which is sealed with it: under another one it does not open.
pub(super) const NAME: &str = "rotord.root-key";

/// What opens a sealed credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum WithKey {
    /// This host's file /var/lib/systemd/credential.secret
    Host,
    /// This host's TPM
    Tpm2,
    /// Both
    #[value(name = "host+tpm2")]
    HostAndTpm2,
    /// What systemd takes here: both where there is a TPM
    Auto,
}

impl WithKey {
    fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Tpm2 => "tpm2",
            Self::HostAndTpm2 => "host+tpm2",
            Self::Auto => "auto",
        }
    }
}

/// More than any root key is long, sealed.
const MOST_OUTPUT: usize = 1 << 16;

/// The program.
#[derive(Debug)]
pub(super) struct SystemdCreds(PathBuf);

impl SystemdCreds {
    pub(super) fn new(program: impl Into<PathBuf>) -> Self {
        Self(program.into())
    }

    /// What it is called with to seal, for a person to read.
    pub(super) fn shown(with: WithKey) -> String {
        format!(
            "systemd-creds encrypt --name={NAME} --with-key={}",
            with.name()
        )
    }

    /// The sealed credential.
    pub(super) async fn seal(&self, key: &Key, with: WithKey) -> Result<Key, CtlError> {
        let with = format!("--with-key={}", with.name());
        let name = format!("--name={NAME}");
        let (sealed, said) = self.run(&["encrypt", &name, &with, "-", "-"], key).await?;
        // Such as that a TPM was not used, or binds it to nothing.
        for line in said.lines() {
            note(&format!("systemd-creds says: {line}"));
        }
        Ok(sealed)
    }

    /// What a sealed credential holds.
    pub(super) async fn open(&self, file: &Path) -> Result<Key, CtlError> {
        let name = format!("--name={NAME}");
        let file = file.to_string_lossy();
        let (key, _) = self.run(&["decrypt", &name, &file, "-"], &[]).await?;
        Ok(key)
    }

    /// What it wrote, and what it said beside that.
    async fn run(&self, arguments: &[&str], input: &[u8]) -> Result<(Key, String), CtlError> {
        let failed = || CtlError::failed("systemd-creds failed");
        let mut child = Command::new(&self.0)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| {
                let is_missing = source.kind() == io::ErrorKind::NotFound;
                let error = CtlError::failed("can't run systemd-creds").because(source);
                if is_missing {
                    error.hint("it comes with systemd 250 and newer")
                } else {
                    error
                }
            })?;
        if let Some(mut stdin) = child.stdin.take() {
            // Where it ends without reading, it says why.
            let _ = stdin.write_all(input).await;
        }
        // Reserved whole, so that no copy of a key is left behind by growing.
        let mut out = Zeroizing::new(Vec::with_capacity(MOST_OUTPUT));
        let mut said = Vec::new();
        if let (Some(stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) {
            let most = u64::try_from(MOST_OUTPUT).unwrap_or(u64::MAX);
            let read = async {
                stdout.take(most).read_to_end(&mut out).await?;
                stderr.read_to_end(&mut said).await
            };
            read.await.map_err(|source| failed().because(source))?;
        }
        let status = child.wait().await;
        let status = status.map_err(|source| failed().because(source))?;
        let said = String::from_utf8_lossy(&said);
        let said = said.trim();
        if status.success() && !out.is_empty() {
            return Ok((out, said.to_owned()));
        }
        Err(if said.is_empty() {
            failed()
        } else {
            CtlError::failed(format!("systemd-creds failed: {said}"))
        })
    }
}
