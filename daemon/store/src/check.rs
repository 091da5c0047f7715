//! Whether a start could use the state directory, told from outside: nothing is made, locked or written for it, and a
//! daemon that works there is not disturbed.
//!
//! Who asks is seldom who would start: root asks for the user that the directory belongs to, and an administrator may
//! not look inside. What only a start can tell (the lock, the root key, damage) is left to it.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags, StatVfsMountFlags};

use crate::lock::LOCK_FILE;
use crate::migrate;
use crate::open::{self, DATABASE_FILE, JOURNAL_FILE, OpenError, SHARED_FILE};

/// What of it a start writes.
const FILES: [&str; 4] = [DATABASE_FILE, JOURNAL_FILE, SHARED_FILE, LOCK_FILE];

/// What the path of a URI does not hold as it is.
const NOT_IN_A_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What could be told of a state directory in which nothing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The user that it belongs to can use it.
    Usable {
        /// His id.
        owner: u32,
    },
    /// It belongs to another user, and whoever asks may not look inside.
    Closed {
        /// The other user's id.
        owner: u32,
    },
    /// It is not there yet.
    Absent {
        /// Whether whoever asks could make it.
        can_be_made: bool,
    },
}

/// Looks at a state directory, for whoever asks where it is theirs or nobody's yet, and else for its owner.
///
/// # Errors
/// What a start would refuse.
pub fn check(dir: &Path) -> Result<Standing, OpenError> {
    let failed = |source| OpenError::Directory {
        path: dir.to_owned(),
        source,
    };
    let asker = rustix::process::geteuid().as_raw();
    let about = match fs::metadata(dir) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return absent(dir).map_err(failed);
        }
        Err(error) => return hidden(dir, asker, error).map_err(failed),
    };
    if !about.is_dir() {
        return Err(failed(io::ErrorKind::NotADirectory.into()));
    }
    refuse_read_only(dir).map_err(failed)?;
    let owner = about.uid();
    if owner == asker || asker == 0 {
        // Root may everything, and asks for the owner.
        if owner != 0 && about.mode() & 0o700 != 0o700 {
            return Err(failed(io::ErrorKind::PermissionDenied.into()));
        }
    } else if !may_write(dir) {
        return closed(owner, io::ErrorKind::PermissionDenied.into()).map_err(failed);
    }
    for name in FILES {
        let Ok(about) = fs::metadata(dir.join(name)) else {
            continue;
        };
        if !could_use(&about, owner) {
            let words = format!(
                "{name} belongs to the user {} (mode {:04o}), and the directory to the user {owner}",
                about.uid(),
                about.mode() & 0o7777
            );
            let source = io::Error::new(io::ErrorKind::PermissionDenied, words);
            return Err(failed(source));
        }
    }
    recognise(&dir.join(DATABASE_FILE))?;
    Ok(Standing::Usable { owner })
}

/// A directory of another user's, who may use it. Root's own is for root alone, whom no daemon needs to be.
fn closed(owner: u32, error: io::Error) -> io::Result<Standing> {
    if owner == 0 {
        return Err(error);
    }
    Ok(Standing::Closed { owner })
}

/// It can't even be looked at: whose it is, is judged by what hides it.
fn hidden(dir: &Path, asker: u32, error: io::Error) -> io::Result<Standing> {
    let above = dir.ancestors().skip(1);
    let hides = above.map(fs::metadata).find_map(Result::ok);
    let owner = hides.map_or(asker, |hides| hides.uid());
    if error.kind() != io::ErrorKind::PermissionDenied || owner == asker {
        return Err(error);
    }
    closed(owner, error)
}

/// What is above it, as far down as it is there, decides.
fn absent(dir: &Path) -> io::Result<Standing> {
    let named = if dir.is_absolute() {
        dir.to_owned()
    } else {
        std::env::current_dir()?.join(dir)
    };
    let above = named.ancestors().skip(1).find(|above| above.exists());
    let above = above.unwrap_or(Path::new("/"));
    if !above.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    refuse_read_only(above)?;
    Ok(Standing::Absent {
        can_be_made: may_write(above),
    })
}

fn refuse_read_only(dir: &Path) -> io::Result<()> {
    let mount = rustix::fs::statvfs(dir)?;
    if mount.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return Err(io::ErrorKind::ReadOnlyFilesystem.into());
    }
    Ok(())
}

/// Whether whoever asks may make files in it.
fn may_write(dir: &Path) -> bool {
    let wanted = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    rustix::fs::accessat(CWD, dir, wanted, AtFlags::EACCESS).is_ok()
}

/// False only where it is certain: which groups a user is in is not looked up.
fn could_use(file: &Metadata, user: u32) -> bool {
    let bits = |shift: u32| (file.mode() >> shift) & 0o6 == 0o6;
    user == 0
        || if file.uid() == user {
            bits(6)
        } else {
            bits(3) || bits(0)
        }
}

/// The kind of database, where whoever asks may read it. Its journal is not read, which holds another kind only for
/// moments: `SQLite` would write for that.
fn recognise(path: &Path) -> Result<(), OpenError> {
    // What is no file is not waited for; a start says what it is.
    let looked = rustix::fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty());
    let is_file = |file| fs::File::from(file).metadata().map(|about| about.is_file());
    if !looked
        .map_err(io::Error::from)
        .and_then(is_file)
        .unwrap_or(false)
    {
        return Ok(());
    }
    let uri = format!(
        "file:{}?immutable=1",
        percent_encode(path.as_os_str().as_bytes(), NOT_IN_A_PATH)
    );
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let found = Connection::open_with_flags(uri, flags).and_then(|found| migrate::schema(&found));
    match found {
        Ok(schema) => open::version_of(schema, path).map(drop),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            Err(open::no_database(path))
        }
        // A daemon may be writing this very page: what else is wrong with it is for a start to say.
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use rustix::fs::FileType;

    use super::*;
    use crate::open::Options;
    use crate::root_key::RootKeySource;
    use crate::store::Store;

    /// What is in a directory, with what would tell a change.
    fn inside(dir: &Path) -> Vec<(std::ffi::OsString, u64, i64)> {
        let mut found: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let about = entry.metadata().unwrap();
                (entry.file_name(), about.len(), about.mtime_nsec())
            })
            .collect();
        found.sort();
        found
    }

    fn refused(dir: &Path) -> OpenError {
        check(dir).unwrap_err()
    }

    #[test]
    fn what_a_start_made_is_usable_while_it_runs_and_after_and_a_look_changes_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("a state? %20#");
        let usable = Standing::Usable {
            owner: rustix::process::geteuid().as_raw(),
        };
        let store = Store::open(&dir, &RootKeySource::Own, Options::default()).unwrap();
        let before = inside(&dir);
        assert_eq!(check(&dir).unwrap(), usable);
        assert_eq!(inside(&dir), before);
        drop(store);
        let before = inside(&dir);
        assert_eq!(check(&dir).unwrap(), usable);
        assert_eq!(inside(&dir), before);
    }

    #[test]
    fn what_is_not_there_is_not_made() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("one/two");
        let absent = Standing::Absent { can_be_made: true };
        assert_eq!(check(&dir).unwrap(), absent);
        assert!(inside(parent.path()).is_empty());
    }

    #[test]
    fn what_is_no_directory_or_below_none_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        for dir in [file.clone(), file.join("below")] {
            assert!(
                matches!(refused(&dir), OpenError::Directory { .. }),
                "{}",
                dir.display()
            );
        }
    }

    #[test]
    fn another_programs_a_newer_and_no_database_are_refused_as_by_a_start() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(DATABASE_FILE);
        drop(Store::open(dir.path(), &RootKeySource::Own, Options::default()).unwrap());
        let set = |pragma: &str, value: u32| {
            let sql = Connection::open(&path).unwrap();
            sql.pragma_update(None, pragma, value).unwrap();
        };
        set("user_version", migrate::NEWEST + 1);
        let newer = refused(dir.path());
        assert!(matches!(newer, OpenError::Newer { .. }), "{newer}");
        set("application_id", 7);
        let foreign = refused(dir.path());
        assert!(matches!(foreign, OpenError::Foreign { .. }), "{foreign}");
        fs::write(&path, "no database at all".repeat(99)).unwrap();
        let damaged = refused(dir.path());
        assert!(matches!(damaged, OpenError::Damaged { .. }), "{damaged}");
    }

    #[test]
    fn a_pipe_in_the_databases_place_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(DATABASE_FILE);
        rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        assert!(matches!(check(dir.path()), Ok(Standing::Usable { .. })));
    }

    #[test]
    fn files_that_their_directorys_owner_could_not_write_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(DATABASE_FILE);
        fs::write(&path, "").unwrap();
        let about = |mode| {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            fs::metadata(&path).unwrap()
        };
        let file = about(0o600);
        let owner = file.uid();
        assert!(could_use(&file, owner) && could_use(&file, 0));
        assert!(!could_use(&file, owner + 1));
        assert!(could_use(&about(0o660), owner + 1), "by its group");
        assert!(owner == 0 || !could_use(&about(0o400), owner));
    }
}
