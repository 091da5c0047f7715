use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rotord_store::{
    Actor, AuditEntry, BackupFile, OpenError, Restoring, RewrapError, RootKeySource, RootKeys,
    Secret, Store,
};
use serde_json::json;

use crate::driver::{Books, options, start, value};

const PASSPHRASE: &str = "a passphrase for the worst day";

fn given(text: &str) -> RootKeySource {
    RootKeySource::Given(Secret::new(text.repeat(40)))
}

fn note(before: &RootKeys, label: &str) -> AuditEntry {
    AuditEntry {
        actor: Actor::Daemon,
        action: "rewrap-root-key".to_owned(),
        rotation: None,
        detail: json!({"from": before.in_use, "to": label}),
    }
}

fn labels(store: &Store) -> RootKeys {
    store.as_reader().root_keys().unwrap()
}

fn is_refused(opened: &Result<Store, OpenError>) -> bool {
    matches!(opened, Err(OpenError::WrongRootKey { .. }))
}

#[test]
fn a_root_key_that_comes_from_elsewhere_is_replaced_in_two_steps() {
    let mut books = Books::new();
    books.published("app", "hunter2");
    let place = books.root("dev");
    let dir = books.dir.path().to_owned();
    let (old, new) = (RootKeySource::Own, given("new"));
    let label = books.store.rewrap(&new, start(), note).unwrap();
    assert_eq!(labels(&books.store).waiting(), [label.as_str()]);
    let noted = &books.store.as_reader().audit(None, None, 1).unwrap()[0].entry;
    assert_eq!(noted.detail["to"], label.as_str());
    // The old one still opens it, and is not forgotten by that.
    let Books { dir: _keep, store } = books.reopened().reopened();
    assert_eq!(labels(&store).opening.len(), 2);
    drop(store);
    let store = Store::open(&dir, &new, options()).unwrap();
    assert_eq!(value(&store, &place, "app-secret").unwrap(), "hunter2");
    assert_eq!(labels(&store).opening, [label]);
    drop(store);
    // Once the new one has, the old one does no more.
    assert!(is_refused(&Store::open(&dir, &old, options())));
}

#[test]
fn a_root_key_that_waits_is_taken_back_by_the_one_in_use() {
    let mut books = Books::new();
    let dir = books.dir.path().to_owned();
    let own = RootKeySource::Given(Secret::new(fs::read(dir.join("root.key")).unwrap()));
    let again = books.store.rewrap(&own, start(), note);
    assert!(matches!(again, Err(RewrapError::InUse { .. })), "{again:?}");
    books.store.rewrap(&given("wrong"), start(), note).unwrap();
    books.store.rewrap(&own, start(), note).unwrap();
    assert!(labels(&books.store).waiting().is_empty());
    let Books { dir: _keep, store } = books.reopened();
    assert_eq!(labels(&store).opening.len(), 1);
    drop(store);
    assert!(is_refused(&Store::open(&dir, &given("wrong"), options())));
}

#[test]
fn of_several_that_wait_each_opens_it_and_drops_those_before_it() {
    let mut books = Books::new();
    let dir = books.dir.path().to_owned();
    for text in ["one", "two", "three"] {
        books.store.rewrap(&given(text), start(), note).unwrap();
    }
    let Books { dir: _keep, store } = books;
    drop(store);
    drop(Store::open(&dir, &given("two"), options()).unwrap());
    assert!(is_refused(&Store::open(&dir, &given("one"), options())));
    drop(Store::open(&dir, &given("three"), options()).unwrap());
    assert!(is_refused(&Store::open(&dir, &given("two"), options())));
}

#[test]
fn a_key_that_is_too_short_is_refused_and_nothing_is_changed() {
    let mut books = Books::new();
    let short = RootKeySource::Given(Secret::new("short"));
    let refused = books.store.rewrap(&short, start(), note);
    assert!(matches!(refused, Err(RewrapError::RootKey(_))));
    assert_eq!(labels(&books.store).opening.len(), 1);
}

#[test]
fn the_key_in_the_state_directory_is_replaced_at_once_and_the_old_one_kept() {
    let mut books = Books::new();
    books.published("app", "hunter2");
    let place = books.root("dev");
    let dir = books.dir.path().to_owned();
    let old = fs::read(dir.join("root.key")).unwrap();
    let before = labels(&books.store).in_use;
    let replaced = books.store.replace_own_key(start(), note).unwrap();
    assert!(replaced.old_dropped);
    assert_eq!(replaced.kept, dir.join(format!("root.key.{before}")));
    assert_eq!(fs::read(&replaced.kept).unwrap(), old);
    assert_ne!(fs::read(dir.join("root.key")).unwrap(), old);
    let mode = fs::metadata(dir.join("root.key")).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    let now = labels(&books.store);
    assert_eq!(
        (now.in_use.as_str(), now.opening.as_slice()),
        (replaced.label.as_str(), [replaced.label.clone()].as_slice())
    );
    // Readers know of it, and it can be done again without a start.
    let reader = books.store.reader().unwrap();
    books.store.replace_own_key(start(), note).unwrap();
    assert_ne!(reader.root_keys().unwrap().in_use, replaced.label);
    let books = books.reopened();
    assert_eq!(
        value(&books.store, &place, "app-secret").unwrap(),
        "hunter2"
    );
    drop(books.store);
    let old = RootKeySource::Given(Secret::new(old));
    assert!(is_refused(&Store::open(&dir, &old, options())));
}

#[test]
fn a_key_file_that_was_changed_since_the_start_is_not_replaced() {
    let mut books = Books::new();
    let path = books.dir.path().join("root.key");
    let old = fs::read(&path).unwrap();
    fs::write(&path, "x".repeat(64)).unwrap();
    let refused = books.store.replace_own_key(start(), note);
    assert!(
        matches!(refused, Err(RewrapError::Changed { .. })),
        "{refused:?}"
    );
    fs::write(&path, old).unwrap();
    books.reopened();
}

#[test]
fn a_backup_from_before_opens_by_its_passphrase_or_by_the_key_that_was_kept() {
    let mut books = Books::new();
    books.published("app", "hunter2");
    let place = books.root("dev");
    let folder = tempfile::tempdir().unwrap();
    let passphrase = Secret::new(PASSPHRASE);
    let mut files = Vec::new();
    for (name, passphrase) in [("with", Some(&passphrase)), ("without", None)] {
        let snapshot = books.store.as_reader().snapshot(start()).unwrap();
        let file = folder.path().join(name);
        fs::write(&file, snapshot.seal(passphrase).unwrap()).unwrap();
        files.push(BackupFile::read(&file).unwrap());
    }
    let replaced = books.store.replace_own_key(start(), note).unwrap();
    let Books { dir, store } = books;
    drop(store);
    let restore = |file, passphrase, at| {
        let restoring = Restoring {
            dir: dir.path(),
            root_key: &RootKeySource::Own,
            passphrase,
            replace: true,
            now: start() + chrono::TimeDelta::seconds(at),
        };
        let opens = restoring.outlook(file)?.root_key_opens;
        restoring.restore(file).map(|_| opens)
    };
    let open = || Store::open(dir.path(), &RootKeySource::Own, options()).unwrap();
    for (at, (file, passphrase)) in (0..).zip([(&files[0], Some(&passphrase)), (&files[1], None)]) {
        assert!(restore(file, passphrase, at).unwrap());
        let store = open();
        assert_eq!(value(&store, &place, "app-secret").unwrap(), "hunter2");
        // Under this host's key, and under no other.
        assert_eq!(
            labels(&store).opening,
            std::slice::from_ref(&replaced.label)
        );
    }
    // Without the old key only the passphrase is left.
    fs::remove_file(&replaced.kept).unwrap();
    assert!(restore(&files[1], None, 2).is_err());
    assert!(!restore(&files[0], Some(&passphrase), 3).unwrap());
}

#[test]
fn a_backup_between_the_two_steps_opens_with_either_key() {
    let mut books = Books::new();
    books.published("app", "hunter2");
    let place = books.root("dev");
    books.store.rewrap(&given("new"), start(), note).unwrap();
    let snapshot = books.store.as_reader().snapshot(start()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backup");
    fs::write(&path, snapshot.seal(None).unwrap()).unwrap();
    let file = BackupFile::read(&path).unwrap();
    let own = Secret::new(fs::read(books.dir.path().join("root.key")).unwrap());
    for (name, root_key) in [("old", RootKeySource::Given(own)), ("new", given("new"))] {
        let dir = folder.path().join(name);
        let restoring = Restoring {
            dir: &dir,
            root_key: &root_key,
            passphrase: None,
            replace: false,
            now: start(),
        };
        restoring.restore(&file).unwrap();
        let store = Store::open(&dir, &root_key, options()).unwrap();
        assert_eq!(value(&store, &place, "app-secret").unwrap(), "hunter2");
        assert_eq!(labels(&store).opening.len(), 1, "{name}");
    }
}
