//! What keeps the daemon from writing down what it does: seen by status and show, gone when a write works again.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use rotord_store::{DiskState, StoreError};

/// Shared by whoever writes and whoever tells.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<Troubles>>);

#[derive(Debug, Default)]
struct Troubles {
    writing: Option<Trouble>,
    reading: Option<Trouble>,
    witness: Option<Trouble>,
    settings: Option<Trouble>,
}

/// Something that does not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Since when, by the wall clock.
    pub since: DateTime<Utc>,
    /// What it says, for a person.
    pub what: String,
    /// What a person can do.
    pub remedy: &'static str,
}

const ROOM: &str = "make room on its file system; it goes on by itself within a minute";
const WRITABLE: &str = "make its file system writable again; it goes on by itself within a minute";
const RESTORE: &str = "stop the daemon, keep its state directory, and put a backup back: rotorctl restore FILE --replace";
const LOOK: &str =
    "see the daemon's log and the kernel's; it goes on by itself when that works again";

/// What of an error is the disk's doing or the file's, and no answer to what was asked.
pub fn remedy(error: &StoreError) -> Option<&'static str> {
    match error {
        StoreError::Full
        | StoreError::Disk {
            found: DiskState::Full,
            ..
        } => Some(ROOM),
        StoreError::ReadOnly
        | StoreError::Disk {
            found: DiskState::ReadOnly,
            ..
        } => Some(WRITABLE),
        StoreError::Corrupt(_) | StoreError::Unreadable(_) | StoreError::Sealed(_) => Some(RESTORE),
        StoreError::Disk { .. } | StoreError::Busy | StoreError::Sql(_) => Some(LOOK),
        StoreError::Conflict(_) | StoreError::NotFound { .. } | StoreError::NoSuchOutput { .. } => {
            None
        }
    }
}

impl Health {
    /// A write to the books ended like this.
    pub fn wrote<T>(&self, result: &Result<T, StoreError>) {
        self.note(|troubles| &mut troubles.writing, result);
    }

    /// A look into the books ended like this. What one row says clears nothing that another said.
    pub fn read<T>(&self, result: &Result<T, StoreError>) {
        if result.is_err() {
            self.note(|troubles| &mut troubles.reading, result);
        }
    }

    /// Every row was read.
    pub fn read_all(&self) {
        self.lock().reading = None;
    }

    /// The witness was written, or could not be.
    pub fn witnessed(&self, path: &Path, result: &std::io::Result<()>) {
        let mut troubles = self.lock();
        troubles.witness = result.as_ref().err().map(|error| Trouble {
            since: troubles.witness.as_ref().map_or_else(now, |known| known.since),
            what: format!(
                "{} can't be written ({error}): until it can, a database that is restored from a copy is told by its \
                 file and by the labels at the provider alone",
                path.display()
            ),
            remedy: "make it writable; it is written again with the next step",
        });
    }

    /// The settings were read anew, or are wrong; why, for a person.
    pub fn renewed(&self, result: &Result<(), String>) {
        let mut troubles = self.lock();
        troubles.settings = result.as_ref().err().map(|why| Trouble {
            since: troubles.settings.as_ref().map_or_else(now, |known| known.since),
            what: format!("{why}; the settings of before stay in force"),
            remedy: "mend the settings (rotord --check says whether they are right), then: systemctl reload rotord",
        });
    }

    /// What is wrong with the settings that were to be read anew.
    pub fn settings(&self) -> Option<Trouble> {
        self.lock().settings.clone()
    }

    /// Why nothing can be written to the books.
    pub fn writing(&self) -> Option<Trouble> {
        self.lock().writing.clone()
    }

    /// Why something in the books can't be read.
    pub fn reading(&self) -> Option<Trouble> {
        self.lock().reading.clone()
    }

    /// Why there is no witness.
    pub fn witness(&self) -> Option<Trouble> {
        self.lock().witness.clone()
    }

    fn note<T>(
        &self,
        which: impl FnOnce(&mut Troubles) -> &mut Option<Trouble>,
        result: &Result<T, StoreError>,
    ) {
        let mut troubles = self.lock();
        let known = which(&mut troubles);
        match result {
            Ok(_) => *known = None,
            // A plain no: the books are well.
            Err(error) => {
                if let Some(remedy) = remedy(error) {
                    let since = known.as_ref().map_or_else(now, |known| known.since);
                    *known = Some(Trouble {
                        since,
                        what: in_full(error),
                        remedy,
                    });
                }
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Troubles> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// An error with all that caused it.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_keeps_its_beginning_and_goes_with_the_next_write_that_works() {
        let health = Health::default();
        health.wrote(&Err::<(), _>(StoreError::Full));
        let first = health.writing().unwrap();
        health.wrote(&Err::<(), _>(StoreError::ReadOnly));
        let second = health.writing().unwrap();
        assert_eq!(first.since, second.since);
        assert_ne!(first.what, second.what);
        health.wrote(&Ok(()));
        assert_eq!(health.writing(), None);
    }

    #[test]
    fn a_refusal_is_no_trouble() {
        let health = Health::default();
        let refused = StoreError::Conflict(rotord_store::Conflict::Deleting);
        health.wrote(&Err::<(), _>(refused));
        assert_eq!(health.writing(), None);
    }
}
