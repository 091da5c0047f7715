use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rotord_store::restore::{Existing, Outlook};
use rotord_store::root_key::RootKeyError;
use rotord_store::{
    BackupError, BackupFile, RestoreError, Restored, Restoring, RootKeySource, Secret, Store,
};
use tempfile::TempDir;

use crate::driver::{Books, options, start, value};

const PASSPHRASE: &str = "a passphrase for the worst day";

/// A database with one rotation, and a backup of it.
struct Backed {
    books: Books,
    file: PathBuf,
    folder: TempDir,
}

fn backed(passphrase: Option<&str>) -> Backed {
    let mut books = Books::new();
    books.published("app", "hunter2");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    fs::write(&file, sealed(&books, passphrase)).unwrap();
    Backed {
        books,
        file,
        folder,
    }
}

fn sealed(books: &Books, passphrase: Option<&str>) -> Vec<u8> {
    let snapshot = books.store.as_reader().snapshot(start()).unwrap();
    snapshot.seal(passphrase.map(Secret::new).as_ref()).unwrap()
}

fn restore(dir: &Path, file: &Path, passphrase: Option<&str>) -> Result<Restored, RestoreError> {
    with(dir, passphrase, false, |restoring| {
        restoring.restore(&BackupFile::read(file)?)
    })
}

fn with<T>(
    dir: &Path,
    passphrase: Option<&str>,
    replace: bool,
    work: impl FnOnce(&Restoring<'_>) -> T,
) -> T {
    work(&Restoring {
        dir,
        root_key: &RootKeySource::Own,
        passphrase: passphrase.map(Secret::new).as_ref(),
        replace,
        now: start(),
    })
}

fn open(dir: &Path) -> Store {
    Store::open(dir, &RootKeySource::Own, options()).unwrap()
}

/// Every file with its bytes.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        files.insert(path.clone(), fs::read(&path).unwrap());
    }
    files
}

#[test]
fn a_backup_is_taken_while_the_books_are_open_and_holds_what_is_committed() {
    let Backed {
        books,
        file,
        folder: _folder,
    } = backed(Some(PASSPHRASE));
    let about = BackupFile::read(&file).unwrap().about();
    assert_eq!(about.generation, books.store.generation());
    assert_eq!(about.taken_at, start());
    assert!(about.passphrase);
    assert_eq!(about.root_keys.len(), 1);
    // The one that goes on is not marked.
    let reader = books.store.as_reader();
    assert_eq!(reader.installation().unwrap().backup_of, None);
}

#[test]
fn nothing_in_a_backup_is_readable_but_its_header() {
    let Backed {
        books,
        file,
        folder: _folder,
    } = backed(Some(PASSPHRASE));
    let bytes = fs::read(&file).unwrap();
    for text in [
        "hunter2",
        "app-secret",
        "SQLite format",
        PASSPHRASE,
        "CREATE TABLE",
    ] {
        let found = bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes());
        assert!(!found, "{text} is in it");
    }
    drop(books);
}

#[test]
fn what_died_with_its_host_is_restored_by_its_passphrase_under_a_new_root_key() {
    let Backed {
        books,
        file,
        folder: _folder,
    } = backed(Some(PASSPHRASE));
    let id = books.store.as_reader().installation().unwrap().id;
    drop(books);
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("state");
    let restored = restore(&dir, &file, Some(PASSPHRASE)).unwrap();
    assert!(restored.root_key_made);
    assert_eq!((restored.rotations, &restored.aside), (1, &None));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    for path in files(&dir).keys() {
        assert_eq!(mode(path), 0o600, "{}", path.display());
    }
    let store = open(&dir);
    let installation = store.as_reader().installation().unwrap();
    assert_eq!(installation.id, id);
    assert_eq!(installation.backup_of, Some(start()), "marked at birth");
    let reader = store.as_reader();
    let project = reader.project("default").unwrap();
    let environment = reader.environment(project.id, "dev").unwrap();
    let folder = reader.folder(environment.id, "/").unwrap();
    let place = reader.place(folder.id).unwrap();
    assert_eq!(value(&store, &place, "app-secret").unwrap(), "hunter2");
}

#[test]
fn the_mark_stays_until_somebody_has_written_it_down() {
    let Backed {
        books,
        file,
        folder: _folder,
    } = backed(Some(PASSPHRASE));
    drop(books);
    let dir = tempfile::tempdir().unwrap();
    restore(dir.path(), &file, Some(PASSPHRASE)).unwrap();
    drop(open(dir.path()));
    let mut store = open(dir.path());
    assert!(store.is_copied_file().unwrap());
    assert!(
        store
            .as_reader()
            .installation()
            .unwrap()
            .backup_of
            .is_some()
    );
    store.settle_age(None).unwrap();
    drop(store);
    let store = open(dir.path());
    assert!(!store.is_copied_file().unwrap());
    assert_eq!(store.as_reader().installation().unwrap().backup_of, None);
}

#[test]
fn the_hosts_own_root_key_opens_it_without_a_passphrase() {
    let Backed {
        books,
        file,
        folder: _folder,
    } = backed(None);
    let Books { dir, mut store } = books;
    store.settle_age(None).unwrap();
    drop(store);
    let outlook = with(dir.path(), None, false, |restoring| {
        restoring.outlook(&BackupFile::read(&file).unwrap())
    });
    let Outlook {
        root_key_opens,
        database,
        ..
    } = outlook.unwrap();
    assert!(root_key_opens);
    assert_eq!(database, Some(Existing::Holds { rotations: 1 }));
    let restored = with(dir.path(), None, true, |restoring| {
        restoring.restore(&BackupFile::read(&file).unwrap())
    });
    let restored = restored.unwrap();
    assert!(!restored.root_key_made);
    // What was there is kept, and opens where the root key is.
    let aside = restored.aside.unwrap();
    assert!(aside.starts_with(dir.path()));
    fs::copy(dir.path().join("root.key"), aside.join("root.key")).unwrap();
    let old = open(&aside);
    assert_eq!(old.as_reader().installation().unwrap().backup_of, None);
    assert_eq!(
        old.generation(),
        BackupFile::read(&file).unwrap().about().generation + 1
    );
    assert!(
        open(dir.path())
            .as_reader()
            .installation()
            .unwrap()
            .backup_of
            .is_some()
    );
}

#[test]
fn what_holds_rotations_is_not_replaced_unless_that_is_said() {
    let Backed {
        books,
        file,
        folder: _folder,
    } = backed(None);
    let Books { dir, store } = books;
    drop(store);
    let before = files(dir.path());
    let refused = restore(dir.path(), &file, None).unwrap_err();
    assert!(matches!(refused, RestoreError::Holds { .. }), "{refused}");
    assert!(refused.to_string().contains("--replace"), "{refused}");
    assert_eq!(files(dir.path()), before);
}

#[test]
fn nothing_is_restored_under_a_running_daemon() {
    let Backed {
        books,
        file,
        folder: _folder,
    } = backed(None);
    let refused = with(books.dir.path(), None, true, |restoring| {
        restoring.restore(&BackupFile::read(&file).unwrap())
    });
    let refused = refused.unwrap_err();
    assert!(matches!(refused, RestoreError::Lock(_)), "{refused}");
    books.store.as_reader().installation().unwrap();
}

#[test]
fn a_wrong_passphrase_or_none_changes_nothing() {
    let Backed {
        books,
        file,
        folder: _folder,
    } = backed(Some(PASSPHRASE));
    drop(books);
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("state");
    let wrong = restore(&dir, &file, Some("another passphrase")).unwrap_err();
    assert!(
        matches!(wrong, RestoreError::Backup(BackupError::WrongPassphrase)),
        "{wrong}"
    );
    let none = restore(&dir, &file, None).unwrap_err();
    assert!(
        matches!(
            none,
            RestoreError::Backup(BackupError::OtherRootKey {
                passphrase: true,
                ..
            })
        ),
        "{none}"
    );
    assert!(!dir.exists(), "nothing was made");
}

#[test]
fn a_backup_without_a_passphrase_says_so() {
    let Backed {
        books,
        file,
        folder: _folder,
    } = backed(None);
    drop(books);
    let dir = tempfile::tempdir().unwrap();
    let refused = restore(dir.path(), &file, Some(PASSPHRASE)).unwrap_err();
    assert!(
        matches!(
            refused,
            RestoreError::Backup(BackupError::NoPassphrase { .. })
        ),
        "{refused}"
    );
    let refused = restore(dir.path(), &file, None).unwrap_err().to_string();
    assert!(refused.contains("that root key is needed"), "{refused}");
}

#[test]
fn a_lost_root_key_is_not_made_anew_beside_the_database_that_it_opens() {
    let Backed {
        books,
        file,
        folder: _folder,
    } = backed(Some(PASSPHRASE));
    let Books { dir, store } = books;
    drop(store);
    fs::remove_file(dir.path().join("root.key")).unwrap();
    let refused = with(dir.path(), Some(PASSPHRASE), true, |restoring| {
        restoring.restore(&BackupFile::read(&file).unwrap())
    });
    let refused = refused.unwrap_err();
    assert!(
        matches!(refused, RestoreError::KeyOfAnother { .. }),
        "{refused}"
    );
    assert!(!dir.path().join("root.key").exists());
    // A file that an administrator keeps is never made.
    let elsewhere = dir.path().join("kept.key");
    let refused = Restoring {
        dir: &dir.path().join("state"),
        root_key: &RootKeySource::File(elsewhere.clone()),
        passphrase: Some(&Secret::new(PASSPHRASE)),
        replace: false,
        now: start(),
    }
    .restore(&BackupFile::read(&file).unwrap());
    assert!(
        matches!(
            &refused,
            Err(RestoreError::RootKey(RootKeyError::Missing { .. }))
        ),
        "{refused:?}"
    );
    assert!(!elsewhere.exists());
}

#[test]
fn a_file_that_was_cut_or_changed_anywhere_is_refused() {
    let Backed {
        books,
        file,
        folder: _folder,
    } = backed(None);
    let bytes = fs::read(&file).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let changed = dir.path().join("changed");
    let read = |bytes: &[u8]| {
        fs::write(&changed, bytes).unwrap();
        BackupFile::read(&changed).unwrap_err()
    };
    for length in [0, 5, 15, 16, 20, 60, bytes.len() / 2, bytes.len() - 1] {
        let error = read(&bytes[..length]);
        let expected = if length < 16 {
            matches!(
                error,
                BackupError::NotABackup { .. } | BackupError::OtherVersion { .. }
            )
        } else {
            matches!(error, BackupError::Damaged { .. })
        };
        assert!(expected, "{length}: {error}");
    }
    for at in (16..bytes.len()).step_by(bytes.len() / 97) {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        let error = read(&bytes);
        assert!(
            matches!(error, BackupError::Damaged { .. }),
            "{at}: {error}"
        );
    }
    let mut newer = bytes.clone();
    newer[14] = b'7';
    let error = read(&newer);
    assert!(
        matches!(&error, BackupError::OtherVersion { found, .. } if found == "7"),
        "{error}"
    );
    drop(books);
}

#[test]
fn a_content_under_another_backups_header_does_not_open() {
    let Backed {
        mut books,
        file,
        folder: _folder,
    } = backed(None);
    let one = fs::read(&file).unwrap();
    books.connection("other");
    let other = sealed(&books, None);
    // The head of one before the body of the other, with a checksum that fits.
    let head = |bytes: &[u8]| {
        let length = u32::from_be_bytes(bytes[16..20].try_into().unwrap());
        20 + usize::try_from(length).unwrap()
    };
    let mut mixed = one[..head(&one)].to_vec();
    mixed.extend_from_slice(&other[head(&other)..other.len() - 32]);
    let checksum = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &mixed);
    mixed.extend_from_slice(checksum.as_ref());
    fs::write(&file, mixed).unwrap();
    let Books { dir, store } = books;
    drop(store);
    let refused = with(dir.path(), None, true, |restoring| {
        restoring.restore(&BackupFile::read(&file).unwrap())
    });
    assert!(
        matches!(
            refused,
            Err(RestoreError::Backup(BackupError::Damaged { .. }))
        ),
        "{refused:?}"
    );
}

#[test]
fn a_copied_file_is_told_from_the_one_that_was_written() {
    let books = Books::new();
    assert!(!books.store.is_copied_file().unwrap());
    let Books { dir, store } = books.reopened();
    assert!(!store.is_copied_file().unwrap());
    drop(store);
    let copy = dir.path().join("copy");
    fs::copy(dir.path().join("rotord.db"), &copy).unwrap();
    fs::rename(&copy, dir.path().join("rotord.db")).unwrap();
    let store = open(dir.path());
    assert!(store.is_copied_file().unwrap());
}
