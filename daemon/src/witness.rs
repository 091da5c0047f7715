//! A witness of how far the database had come, kept outside of the state directory.
//!
//! Each commit counts the installation's generation up; the witness is synced with it before the step's call is
//! made, and when a run has ended. A database that counts less than its witness was restored from a copy: what it calls
//! a lost answer, or unproved, may be the live credential. A rollback of the whole machine, witness included, is caught by the labels alone.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rotord_rotation::InstallationId;
use rotord_store::folder;

use crate::health::Health;

/// The file that is kept. One line of fixed width: the installation and its generation.
#[derive(Debug)]
pub struct Witness {
    path: PathBuf,
    file: File,
    installation: InstallationId,
    /// What it said when it was opened, where that was ahead of the database: not lowered until every rotation
    /// has written down that the database is old.
    ahead: AtomicU64,
}

impl Witness {
    /// What an older database is compared with from its second start on, until every rotation knows of it.
    pub const SEEN_BEFORE: u64 = u64::MAX;

    /// Opens the witness, which is made where it is missing, and compares it with the database.
    ///
    /// # Errors
    /// The file can't be made or read.
    pub fn open(path: &Path, installation: InstallationId, generation: u64) -> io::Result<Self> {
        if let Some(directory) = path.parent() {
            folder::make(directory, 0o755)?;
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        let mut text = [0; LINE];
        let said = match file.read_exact_at(&mut text, 0) {
            Ok(()) => parse(&text, installation),
            // New, or cut off while it was made.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
            Err(error) => return Err(error),
        };
        let ahead = said.filter(|said| *said > generation).unwrap_or(0);
        let witness = Self {
            path: path.to_owned(),
            file,
            installation,
            ahead: AtomicU64::new(ahead),
        };
        // Until it is settled every start is to see it, however many commits there are in between.
        witness.write(if ahead > 0 {
            Self::SEEN_BEFORE
        } else {
            generation
        })?;
        if let Some(directory) = path.parent() {
            // Its name, too, is to outlive a power cut.
            folder::sync(directory)?;
        }
        Ok(witness)
    }

    /// The generation that was seen before, where the database has less.
    pub fn ahead(&self) -> Option<u64> {
        Some(self.ahead.load(Ordering::Acquire)).filter(|ahead| *ahead > 0)
    }

    /// The database has come so far. Blocks until it is on disk.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn note(&self, generation: u64) -> io::Result<()> {
        if self.ahead.load(Ordering::Acquire) > 0 {
            return Ok(());
        }
        self.write(generation)
    }

    /// The same; how it went is told to whoever asks how the daemon is.
    pub fn note_in(&self, health: &Health, generation: u64) {
        self.tell(health, &self.note(generation));
    }

    /// The same as [`Witness::settle`]; how it went is told to whoever asks how the daemon is.
    pub fn settle_in(&self, health: &Health, generation: u64) {
        self.tell(health, &self.settle(generation));
    }

    fn tell(&self, health: &Health, result: &io::Result<()>) {
        if let Err(error) = result {
            tracing::error!(path = %self.path.display(), %error, "the witness of the database can't be written");
        }
        health.witnessed(&self.path, result);
    }

    fn write(&self, generation: u64) -> io::Result<()> {
        let line = format!("{} {generation:020}\n", self.installation);
        self.file.write_all_at(line.as_bytes(), 0)?;
        self.file.sync_data()
    }

    /// Every rotation knows that the database is old: from here on it is what counts.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn settle(&self, generation: u64) -> io::Result<()> {
        self.ahead.store(0, Ordering::Release);
        self.note(generation)
    }
}

/// An id, a space, twenty digits, the line's end.
const LINE: usize = 36 + 1 + 20 + 1;

fn parse(text: &[u8], installation: InstallationId) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let (id, generation) = text.trim_end().split_once(' ')?;
    // Another installation's: the state directory was begun anew.
    (id == installation.to_string())
        .then(|| generation.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> InstallationId {
        InstallationId(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn a_database_that_counts_less_was_restored() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/witness");
        let witness = Witness::open(&path, id(1), 5).unwrap();
        assert_eq!(witness.ahead(), None);
        witness.note(17).unwrap();
        drop(witness);
        assert_eq!(Witness::open(&path, id(1), 17).unwrap().ahead(), None);
        let old = Witness::open(&path, id(1), 9).unwrap();
        assert_eq!(old.ahead(), Some(17));
        // Until it is settled, another start sees it again, whatever was committed since.
        old.note(10).unwrap();
        assert_eq!(
            Witness::open(&path, id(1), 90).unwrap().ahead(),
            Some(Witness::SEEN_BEFORE)
        );
        old.settle(11).unwrap();
        assert_eq!(Witness::open(&path, id(1), 11).unwrap().ahead(), None);
    }

    #[test]
    fn another_installation_begins_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("witness");
        Witness::open(&path, id(1), 500).unwrap();
        assert_eq!(Witness::open(&path, id(2), 3).unwrap().ahead(), None);
        assert_eq!(Witness::open(&path, id(2), 2).unwrap().ahead(), Some(3));
    }
}
