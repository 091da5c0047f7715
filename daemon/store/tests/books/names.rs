//! Renaming, former names, moving.

use rotord_rotation::{Command, Stage, Step};
use rotord_store::{Commit, Conflict, RotationChange, SecretsFate, StoreError};

use crate::driver::{Books, Driven, mapping, start, value};

fn renamed(books: &mut Books, driven: &Driven, id: &str, secret: &str) -> Result<(), StoreError> {
    let change = RotationChange {
        mapping: Some(mapping(id, secret)),
        ..RotationChange::default()
    };
    books
        .store
        .change_rotation(driven.now, driven.id, &change, &[])
        .map(drop)
}

fn names(books: &Books) -> Vec<(String, Option<String>)> {
    let environment = books.root("dev").environment.id;
    let list = books
        .store
        .as_reader()
        .secrets(environment, "/", false, false)
        .unwrap();
    list.into_iter()
        .map(|secret| (secret.name, secret.renamed_to))
        .collect()
}

fn present(name: &str) -> (String, Option<String>) {
    (name.to_owned(), None)
}

fn former(name: &str, now: &str) -> (String, Option<String>) {
    (name.to_owned(), Some(now.to_owned()))
}

#[test]
fn a_renamed_secret_keeps_its_id_and_history_and_its_former_name_for_a_while() {
    let mut books = Books::new();
    let place = books.root("dev");
    let mut driven = books.published("app", "v1");
    let find = |books: &Books, name: &str, version| {
        books
            .store
            .as_reader()
            .secret(place.environment.id, "/", name, version, true)
    };
    let before = find(&books, "app-secret", None).unwrap();
    renamed(&mut books, &driven, "app-id", "NEW").unwrap();
    assert_eq!(
        names(&books),
        [
            present("NEW"),
            present("app-id"),
            former("app-secret", "NEW")
        ]
    );
    let after = find(&books, "NEW", None).unwrap();
    assert_eq!((after.id, after.version), (before.id, before.version));

    // Both names give the newest value, and the history goes on.
    let published = driven.active();
    driven.rotate(&mut books.store, "v2");
    assert_eq!(value(&books.store, &place, "NEW").unwrap(), "v2");
    assert_eq!(value(&books.store, &place, "app-secret").unwrap(), "v2");
    let old = find(&books, "NEW", Some(1)).unwrap();
    assert_eq!(old.value, before.value);

    // Retired is the credential that was published then: the former name ends.
    driven.command(&mut books.store, Command::Pause);
    let gone = |step: &Step| {
        step.rotation
            .credential(published)
            .is_some_and(|c| c.stage == Stage::Gone)
    };
    driven.until(&mut books.store, "", gone);
    assert_eq!(names(&books), [present("NEW"), present("app-id")]);
    assert!(find(&books, "app-secret", None).is_err());
}

#[test]
fn a_former_name_is_taken_for_others_and_free_for_its_own() {
    let mut books = Books::new();
    let driven = books.published("app", "v1");
    let other = books.published("other", "w1");
    renamed(&mut books, &driven, "app-id", "NEW").unwrap();
    let refused = renamed(&mut books, &other, "other-id", "app-secret").unwrap_err();
    assert!(
        matches!(&refused, StoreError::Conflict(Conflict::SecretNames { names, .. })
            if names.len() == 1 && names[0].name == "app-secret"),
        "{refused}"
    );
    renamed(&mut books, &driven, "app-id", "app-secret").unwrap();
    assert_eq!(
        names(&books)[..3],
        [
            former("NEW", "app-secret"),
            present("app-id"),
            present("app-secret")
        ]
    );
}

#[test]
fn two_secrets_may_swap_their_names() {
    let mut books = Books::new();
    let place = books.root("dev");
    let driven = books.published("app", "v1");
    renamed(&mut books, &driven, "app-secret", "app-id").unwrap();
    assert_eq!(names(&books), [present("app-id"), present("app-secret")]);
    assert_eq!(value(&books.store, &place, "app-id").unwrap(), "v1");
    assert!(renamed(&mut books, &driven, "same", "same").is_err());
}

#[test]
fn before_a_value_was_published_a_rename_leaves_nothing_behind() {
    let mut books = Books::new();
    let mut driven = books.created("app");
    renamed(&mut books, &driven, "A", "B").unwrap();
    driven.until_published(&mut books.store, "v1");
    assert_eq!(names(&books), [present("A"), present("B")]);
    books.published("app-again", "v1");
    let other = books.published("other", "v1");
    renamed(&mut books, &other, "app-id", "app-secret").unwrap();
}

#[test]
fn an_output_that_is_mapped_later_gets_its_first_value_with_the_next_publication() {
    let mut books = Books::new();
    let place = books.root("dev");
    let mut driven = books.published("app", "v1");
    let change = RotationChange {
        mapping: Some([("tenantId".to_owned(), "TENANT".to_owned())].into()),
        ..RotationChange::default()
    };
    let record = books
        .store
        .change_rotation(start(), driven.id, &change, &[])
        .unwrap();
    assert_eq!(record.details.mapping.len(), 3, "the others stay");
    assert!(value(&books.store, &place, "TENANT").is_err());
    // The name is taken already.
    let other = books.created("other");
    assert!(renamed(&mut books, &other, "x", "TENANT").is_err());
    driven.rotate(&mut books.store, "v2");
    assert_eq!(value(&books.store, &place, "TENANT").unwrap(), "the-tenant");
}

#[test]
fn a_rotation_moves_with_its_secrets_and_their_histories() {
    let mut books = Books::new();
    let prod = books.root("prod");
    let mut driven = books.published("app", "v1");
    driven.rotate(&mut books.store, "v2");
    renamed(&mut books, &driven, "app-id", "NEW").unwrap();
    let store = &mut books.store;
    let moved = store
        .move_rotation(start(), driven.id, prod.folder.id, false, &[])
        .unwrap();
    assert_eq!(moved.place, prod);
    assert!(names(&books).is_empty());
    let list = books
        .store
        .as_reader()
        .secrets(prod.environment.id, "/", false, true)
        .unwrap();
    let found: Vec<_> = list.iter().map(|s| (s.name.as_str(), s.version)).collect();
    assert_eq!(found, [("NEW", 2), ("app-id", 1)]);
    let old = books
        .store
        .as_reader()
        .secret(prod.environment.id, "/", "NEW", Some(1), true);
    assert!(old.is_ok());
    driven.rotate(&mut books.store, "v3");
    assert_eq!(value(&books.store, &prod, "NEW").unwrap(), "v3");
}

#[test]
fn a_move_replaces_ordinary_secrets_on_request_and_those_of_rotations_never() {
    let mut books = Books::new();
    let (dev, prod) = (books.root("dev"), books.root("prod"));
    let mut left = books.published("app", "old");
    let store = &mut books.store;
    store
        .move_rotation(start(), left.id, prod.folder.id, false, &[])
        .unwrap();
    let mut driven = books.published("app", "new");
    let conflict = |books: &mut Books, overwrite| match books.store.move_rotation(
        start(),
        driven.id,
        prod.folder.id,
        overwrite,
        &[],
    ) {
        Err(StoreError::Conflict(conflict)) => conflict,
        other => panic!("{other:?}"),
    };
    assert!(matches!(
        conflict(&mut books, true),
        Conflict::RotationName { .. }
    ));
    let change = RotationChange {
        name: Some("other-name".to_owned()),
        ..RotationChange::default()
    };
    books
        .store
        .change_rotation(start(), left.id, &change, &[])
        .unwrap();
    assert!(matches!(
        conflict(&mut books, true),
        Conflict::SecretNames { .. }
    ));

    // Deleted without its secrets, it leaves ordinary ones.
    let step = left.decide(rotord_rotation::Event::Command(Command::Delete {
        revoke: false,
    }));
    let commit = Commit {
        secrets: Some(SecretsFate::Keep),
        ..Commit::new(start(), &left.rotation, &step)
    };
    books.store.commit_step(&commit).unwrap();
    let Conflict::SecretNames {
        names,
        environment,
        path,
    } = conflict(&mut books, false)
    else {
        panic!("not refused");
    };
    assert_eq!((environment.as_str(), path.as_str()), ("prod", "/"));
    assert_eq!(names.len(), 2);
    assert!(names.iter().all(|taken| taken.rotation.is_none()));
    assert_eq!(value(&books.store, &prod, "app-secret").unwrap(), "old");
    let moved = books
        .store
        .move_rotation(start(), driven.id, prod.folder.id, true, &[]);
    moved.unwrap();
    assert_eq!(value(&books.store, &prod, "app-secret").unwrap(), "new");
    assert!(value(&books.store, &dev, "app-secret").is_err());
    driven.rotate(&mut books.store, "newer");
    assert_eq!(value(&books.store, &prod, "app-secret").unwrap(), "newer");
}
