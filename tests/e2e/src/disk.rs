//! A disk that can be made to fail under a running daemon, without root: a small library that is loaded before the C
//! library (`disk/trouble.c`).

use std::path::PathBuf;

use rustix::io::Errno;

use crate::daemon::Daemon;
use crate::failure::{Failure, OrFail as _};
use crate::preload;

/// The disk that a daemon's state is on.
#[derive(Debug)]
pub struct Disk {
    trouble: PathBuf,
}

impl Disk {
    /// The disk of a daemon that was not started yet.
    ///
    /// # Errors
    /// There is no C compiler.
    pub fn of(daemon: &mut Daemon) -> Result<Self, Failure> {
        let library = preload::library("tests/e2e/src/disk/trouble.c")?;
        let trouble = daemon.path("disk-trouble");
        let text = |path: PathBuf| Some(path.display().to_string());
        daemon.set_env("LD_PRELOAD", text(library));
        daemon.set_env("DISK_ROOT", text(daemon.path("state")));
        daemon.set_env("DISK_TROUBLE", text(trouble.clone()));
        Ok(Self { trouble })
    }

    /// From now on, whatever would change it fails with this.
    ///
    /// # Errors
    /// It can't be told.
    pub fn fail(&self, with: Errno) -> Result<(), Failure> {
        // Whole or not at all: the daemon reads it at any moment.
        let draft = self.trouble.with_extension("new");
        std::fs::write(&draft, with.raw_os_error().to_string())
            .and_then(|()| std::fs::rename(&draft, &self.trouble))
            .or_fail(|| "the disk can't be told to fail".to_owned())
    }

    /// It works again.
    ///
    /// # Errors
    /// It did not fail.
    pub fn mend(&self) -> Result<(), Failure> {
        std::fs::remove_file(&self.trouble).or_fail(|| "the disk can't be told to work".to_owned())
    }
}
