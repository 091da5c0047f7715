use std::num::NonZeroU32;

use rotord_store::{Options, RootKeySource, RotationChange, SecretRecord, Store, StoreError, What};

use crate::driver::{Books, mapping, options, start};

fn names(secrets: &[SecretRecord]) -> Vec<String> {
    secrets
        .iter()
        .map(|secret| format!("{}:{}", secret.path, secret.name))
        .collect()
}

/// Rotations at `/`, `/a` and `/a/b` of the environment dev, and at `/ab` beside them.
fn tree() -> Books {
    let mut books = Books::new();
    let environment = books.root("dev").environment.id;
    for (name, path) in [
        ("one", "/"),
        ("two", "/a"),
        ("three", "/a/b"),
        ("four", "/ab"),
    ] {
        let driven = books.published(name, name);
        let change = RotationChange {
            mapping: Some(mapping("ID", "SECRET")),
            ..RotationChange::default()
        };
        let store = &mut books.store;
        if path != "/" {
            let known = store.as_reader().folder(environment, path);
            let folder = match known {
                Ok(folder) => folder,
                Err(_) => store
                    .create_folder(start(), environment, path, &[])
                    .unwrap(),
            };
            store
                .move_rotation(start(), driven.id, folder.id, false, &[])
                .unwrap();
            store
                .change_rotation(start(), driven.id, &change, &[])
                .unwrap();
        }
    }
    books
}

#[test]
fn a_folder_is_listed_alone_or_with_all_below_it() {
    let books = tree();
    let environment = books.root("dev").environment.id;
    let list = |path: &str, recursive| {
        let list = books
            .store
            .as_reader()
            .secrets(environment, path, recursive, true)
            .unwrap();
        list.into_iter()
            .filter(|secret| secret.renamed_to.is_none())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&list("/", false)), ["/:one-id", "/:one-secret"]);
    assert_eq!(names(&list("/a", false)), ["/a:ID", "/a:SECRET"]);
    let below = ["/a:ID", "/a:SECRET", "/a/b:ID", "/a/b:SECRET"];
    assert_eq!(names(&list("/a", true)), below);
    assert_eq!(list("/", true).len(), 8);
    let value = list("/a/b", false)[1].value.clone().unwrap();
    assert_eq!(value.expose(), b"three");
}

#[test]
fn an_empty_folder_is_empty_and_a_missing_one_is_missing() {
    let mut books = Books::new();
    let environment = books.root("dev").environment.id;
    books
        .store
        .create_folder(start(), environment, "/empty", &[])
        .unwrap();
    let reader = books.store.as_reader();
    let list = reader.secrets(environment, "/empty", false, true).unwrap();
    assert!(list.is_empty());
    let missing = |what: What, error: StoreError| {
        assert!(
            matches!(&error, StoreError::NotFound { what: found, .. } if *found == what),
            "{error}"
        );
    };
    missing(
        What::Folder,
        reader.secrets(environment, "/no", true, true).unwrap_err(),
    );
    missing(
        What::Folder,
        reader
            .secret(environment, "/no", "X", None, true)
            .unwrap_err(),
    );
    missing(
        What::Secret,
        reader
            .secret(environment, "/", "X", None, true)
            .unwrap_err(),
    );
}

#[test]
fn values_are_left_sealed_where_they_are_not_asked_for() {
    let mut books = Books::new();
    books.published("app", "v1");
    let environment = books.root("dev").environment.id;
    let reader = books.store.as_reader();
    let list = reader.secrets(environment, "/", false, false).unwrap();
    assert!(list.iter().all(|secret| secret.value.is_none()));
    let one = reader
        .secret(environment, "/", "app-id", None, false)
        .unwrap();
    assert_eq!((one.value, one.version), (None, 1));
}

#[test]
fn earlier_versions_are_kept_to_their_number() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        kept_versions: NonZeroU32::new(3).unwrap(),
        ..options()
    };
    let store = Store::open(dir.path(), &RootKeySource::Own, options).unwrap();
    let mut books = Books { dir, store };
    let mut driven = books.published("app", "v1");
    for version in 2..=5 {
        driven.rotate(&mut books.store, &format!("v{version}"));
    }
    let environment = books.root("dev").environment.id;
    let find = |version| {
        books
            .store
            .as_reader()
            .secret(environment, "/", "app-secret", version, true)
    };
    for version in 3..=5 {
        let found = find(Some(version)).unwrap();
        assert_eq!(found.version, version);
        assert_eq!(
            found.value.unwrap().expose(),
            format!("v{version}").as_bytes()
        );
    }
    assert_eq!(find(None).unwrap().version, 5);
    for gone in [0, 1, 2, 6] {
        assert!(find(Some(gone)).is_err(), "{gone}");
    }
    // The id had one value all along.
    let id = books
        .store
        .as_reader()
        .secret(environment, "/", "app-id", None, true)
        .unwrap();
    assert_eq!(id.version, 1);
}

#[test]
fn a_secret_begins_with_its_first_value() {
    let mut books = Books::new();
    let mut driven = books.created("app");
    let environment = books.root("dev").environment.id;
    driven.until_published(&mut books.store, "v1");
    let published = driven.now.timestamp_millis();
    let find = |books: &Books| {
        books
            .store
            .as_reader()
            .secret(environment, "/", "app-secret", None, true)
            .unwrap()
    };
    let first = find(&books);
    assert_eq!(first.created_at.timestamp_millis(), published);
    assert_eq!(first.updated_at, first.created_at);
    driven.rotate(&mut books.store, "v2");
    let second = find(&books);
    assert_eq!(second.created_at, first.created_at);
    assert_eq!(
        second.updated_at.timestamp_millis(),
        driven.now.timestamp_millis()
    );
}
