use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rotord_store::lock::LockError;
use rotord_store::root_key::{RootKeyError, RootKeySource};
use rotord_store::{OpenError, Secret, Store};

use crate::driver::{Books, options, start};

fn open(dir: &Path) -> Result<Store, OpenError> {
    Store::open(dir, &RootKeySource::Own, options())
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn given(text: &str) -> RootKeySource {
    RootKeySource::Given(Secret::new(text.repeat(40)))
}

#[test]
fn a_first_start_makes_what_is_needed_and_later_ones_find_it() {
    let books = Books::new();
    let first = books.store.as_reader().installation().unwrap();
    assert_eq!((first.generation, first.created_at), (0, start()));
    let books = books.reopened();
    assert_eq!(books.store.as_reader().installation().unwrap(), first);
}

#[test]
fn nobody_else_can_read_what_is_made() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("state");
    let _store = open(&dir).unwrap();
    assert_eq!(mode(&dir), 0o700);
    for entry in fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn commits_are_synced_to_a_write_ahead_log() {
    let books = Books::new();
    let journal: String = books
        .tamper()
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(journal, "wal");
}

#[test]
fn a_folded_journal_leaves_the_database_whole_though_a_reader_is_open() {
    let mut books = Books::new();
    books.connection("azure");
    let reader = books.store.reader().unwrap();
    let journal = books.dir.path().join("rotord.db-wal");
    assert!(fs::metadata(&journal).unwrap().len() > 0);
    books.store.fold_journal().unwrap();
    assert_eq!(fs::metadata(&journal).unwrap().len(), 0);
    drop(reader);
}

#[test]
fn a_second_daemon_is_told_who_holds_the_directory() {
    let books = Books::new();
    let refused = open(books.dir.path()).unwrap_err();
    let pid = std::process::id();
    assert!(
        matches!(&refused, OpenError::Lock(LockError::Held { pid: Some(by), .. }) if *by == pid),
        "{refused}"
    );
    assert!(refused.to_string().contains(&format!("process {pid}")));
    // The one that holds it is not disturbed, and the next one takes over when it is gone.
    books.store.as_reader().installation().unwrap();
    books.reopened();
}

#[test]
fn a_missing_root_key_never_becomes_a_new_one() {
    let Books { dir, store } = Books::new();
    drop(store);
    let key = dir.path().join("root.key");
    let kept = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let refused = open(dir.path()).unwrap_err();
    assert!(matches!(
        &refused,
        OpenError::RootKey(RootKeyError::Missing { path }) if *path == key
    ));
    assert!(!key.exists());
    fs::write(&key, kept).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    open(dir.path()).unwrap();
}

#[test]
fn a_write_ahead_log_without_its_database_is_no_first_start() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("rotord.db-wal"), "left over").unwrap();
    assert!(matches!(
        open(dir.path()),
        Err(OpenError::RootKey(RootKeyError::Missing { .. }))
    ));
}

#[test]
fn a_first_start_that_was_cut_off_after_its_key_goes_on_with_it() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    let key = fs::read(dir.path().join("root.key")).unwrap();
    for file in ["rotord.db", "rotord.db-wal", "rotord.db-shm"] {
        fs::remove_file(dir.path().join(file)).ok();
    }
    drop(open(dir.path()).unwrap());
    assert_eq!(fs::read(dir.path().join("root.key")).unwrap(), key);
    // And after the file was made, too: nothing is in it yet.
    fs::write(dir.path().join("rotord.db"), "").unwrap();
    drop(open(dir.path()).unwrap());
}

#[test]
fn another_root_key_opens_nothing_and_both_are_named() {
    let dir = tempfile::tempdir().unwrap();
    drop(Store::open(dir.path(), &given("a"), options()).unwrap());
    let refused = Store::open(dir.path(), &given("b"), options()).unwrap_err();
    let OpenError::WrongRootKey {
        given: label,
        known,
        ..
    } = &refused
    else {
        panic!("{refused}");
    };
    assert_eq!(known.len(), 1);
    assert_ne!(*label, known[0]);
    drop(Store::open(dir.path(), &given("a"), options()).unwrap());
}

#[test]
fn a_root_key_that_others_can_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    fs::write(&path, "k".repeat(64)).unwrap();
    let source = RootKeySource::File(path.clone());
    let state = dir.path().join("state");
    for (mode, fine) in [
        (0o600, true),
        (0o400, true),
        (0o640, true),
        (0o644, false),
        (0o660, false),
        (0o602, false),
    ] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let opened = Store::open(&state, &source, options());
        assert_eq!(opened.is_ok(), fine, "{mode:o}");
    }
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let books = Books::new();
    let dir = books.dir;
    drop(books.store);
    let path = dir.path().join("rotord.db");
    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.pragma_update(None, "user_version", 99).unwrap();
    drop(sql);
    let before = fs::read(&path).unwrap();
    let refused = open(dir.path()).unwrap_err();
    assert!(matches!(refused, OpenError::Newer { found: 99, .. }));
    assert!(refused.to_string().contains("99"));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn another_programs_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    let path = dir.path().join("rotord.db");
    for file in ["rotord.db", "rotord.db-wal", "rotord.db-shm"] {
        fs::remove_file(dir.path().join(file)).ok();
    }
    let sql = rusqlite::Connection::open(&path).unwrap();
    sql.execute_batch("CREATE TABLE theirs (x)").unwrap();
    drop(sql);
    assert!(matches!(open(dir.path()), Err(OpenError::Foreign { .. })));
}

#[test]
fn what_is_no_database_is_named_as_damaged() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()).unwrap());
    let path = dir.path().join("rotord.db");
    fs::write(&path, "no database at all, but long enough. ".repeat(40)).unwrap();
    let refused = open(dir.path()).unwrap_err();
    assert!(matches!(&refused, OpenError::Damaged { path: named, .. } if *named == path));
    assert!(refused.to_string().contains("rotord.db"));
}

#[test]
fn a_damaged_page_is_found_while_opening() {
    let mut books = Books::new();
    for at in 0..20 {
        books.published(&format!("app-{at}"), "hunter2");
    }
    let Books { dir, store } = books;
    drop(store);
    let path = dir.path().join("rotord.db");
    let mut bytes = fs::read(&path).unwrap();
    // All but the header, so that the schema can still be read.
    for byte in bytes.iter_mut().skip(8 * 4096) {
        *byte ^= 0x5a;
    }
    fs::write(&path, bytes).unwrap();
    let refused = open(dir.path()).unwrap_err();
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
}

#[test]
fn the_generation_counts_every_commit_and_survives() {
    let mut books = Books::new();
    let before = books.store.generation();
    books.connection("azure");
    assert_eq!(books.store.generation(), before + 1);
    books.connection("other");
    let books = books.reopened();
    assert_eq!(books.store.generation(), before + 2);
    let installation = books.store.as_reader().installation().unwrap();
    assert_eq!(installation.generation, before + 2);
}

#[test]
fn the_machine_is_noted_and_changed_only_on_request() {
    let dir = tempfile::tempdir().unwrap();
    let on = |machine: &str| {
        let options = rotord_store::Options {
            machine_id: Some(machine.to_owned()),
            ..options()
        };
        Store::open(dir.path(), &RootKeySource::Own, options).unwrap()
    };
    let noted = |store: &Store| store.as_reader().installation().unwrap().machine_id;
    drop(on("one"));
    let mut store = on("two");
    assert_eq!(noted(&store).as_deref(), Some("one"));
    store.settle_age(Some("two")).unwrap();
    assert_eq!(noted(&store).as_deref(), Some("two"));
}

#[test]
fn readers_work_from_other_threads_and_see_commits() {
    let mut books = Books::new();
    let readers = books.store.readers();
    let reader = readers.open().unwrap();
    assert!(reader.connections(None).unwrap().is_empty());
    books.connection("azure");
    let seen = std::thread::spawn(move || readers.open().unwrap().connections(None).unwrap());
    assert_eq!(seen.join().unwrap().len(), 1);
    assert_eq!(reader.connections(None).unwrap().len(), 1);
}

#[test]
fn a_page_that_is_damaged_at_run_time_is_said_to_be_and_the_others_are_read() {
    let mut books = Books::new();
    let place = books.root("dev");
    let driven = books.published("app", "v1");
    books.store.fold_journal().unwrap();
    let page: u32 = books
        .tamper()
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'secret_versions'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let file = fs::OpenOptions::new()
        .write(true)
        .open(books.database())
        .unwrap();
    let at = u64::from(page - 1) * 4096;
    std::os::unix::fs::FileExt::write_all_at(&file, &[0xff; 4096], at).unwrap();
    let reader = books.store.reader().unwrap();
    let (environment, path) = (place.environment.id, &place.folder.path);
    let damaged = reader.secret(environment, path, "app-secret", None, true);
    assert!(
        matches!(damaged, Err(rotord_store::StoreError::Corrupt(_))),
        "{damaged:?}"
    );
    assert_eq!(reader.rotation(driven.id).unwrap().details.name, "app");
    assert_eq!(reader.connections(None).unwrap().len(), 1);
}
