//! The record, read.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use e2e::Failure;
use e2e::failure::OrFail as _;

/// One operation of the daemon.
#[derive(Debug)]
pub(crate) struct Entry {
    /// When it was done; of a sync, when it was begun.
    pub(crate) at: DateTime<Utc>,
    /// What was done.
    pub(crate) what: Operation,
}

/// What was done. Files are told apart by their inode, since a name may pass to another.
#[derive(Debug)]
pub(crate) enum Operation {
    Create {
        file: u64,
        path: PathBuf,
    },
    Write {
        file: u64,
        offset: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        file: u64,
        length: usize,
    },
    Sync {
        file: u64,
    },
    SyncFolder {
        path: PathBuf,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    Link {
        from: PathBuf,
        to: PathBuf,
    },
    Unlink {
        path: PathBuf,
    },
    MakeFolder {
        path: PathBuf,
    },
}

impl Entry {
    pub(crate) fn is_sync(&self) -> bool {
        matches!(
            self.what,
            Operation::Sync { .. } | Operation::SyncFolder { .. }
        )
    }
}

/// Reads a record whole. An entry that was cut off by the daemon's end is none.
pub(crate) fn read(path: &Path) -> Result<Vec<Entry>, Failure> {
    let bytes = std::fs::read(path).or_fail(|| "there is no record".to_owned())?;
    let mut rest = Rest(&bytes);
    let mut entries = Vec::new();
    while let Some(entry) = rest.entry() {
        entries.push(entry.or_fail(|| "the record is damaged".to_owned())?);
    }
    Ok(entries)
}

/// What is not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        Some(u64::from_ne_bytes(self.take(8)?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = u32::from_ne_bytes(self.take(4)?.try_into().ok()?);
        self.take(length as usize)
    }

    fn entry(&mut self) -> Option<Result<Entry, std::io::Error>> {
        let kind = *self.take(1)?.first()?;
        let (time, file, number) = (self.number()?, self.number()?, self.number()?);
        let path = PathBuf::from(String::from_utf8_lossy(self.text()?).into_owned());
        let bytes = self.text()?.to_owned();
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        let second_path = || PathBuf::from(String::from_utf8_lossy(&bytes).into_owned());
        let what = match kind {
            1 => Operation::Create { file, path },
            2 => Operation::Write {
                file,
                offset: number,
                bytes,
            },
            3 => Operation::Truncate {
                file,
                length: number,
            },
            4 => Operation::Sync { file },
            5 => Operation::SyncFolder { path },
            6 => Operation::Rename {
                from: path,
                to: second_path(),
            },
            7 => Operation::Unlink { path },
            8 => Operation::MakeFolder { path },
            9 => Operation::Link {
                from: path,
                to: second_path(),
            },
            other => {
                let what = format!("an entry of the unknown kind {other}");
                return Some(Err(std::io::Error::other(what)));
            }
        };
        let at = DateTime::from_timestamp_nanos(i64::try_from(time).unwrap_or(i64::MAX));
        Some(Ok(Entry { at, what }))
    }
}
