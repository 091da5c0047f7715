use rotord_rotation::{Command, Event, Stage, Write};
use rotord_store::{Commit, Conflict, NewRotation, Released, SecretsFate, StoreError};

use crate::driver::{Books, Driven, new_rotation, start, value};

fn delete(books: &mut Books, driven: &mut Driven, revoke: bool, fate: SecretsFate) {
    let step = driven.decide(Event::Command(Command::Delete { revoke }));
    let commit = Commit {
        secrets: Some(fate),
        ..Commit::new(driven.now, &driven.rotation, &step)
    };
    books.store.commit_step(&commit).unwrap();
    driven.take(step);
}

#[test]
fn secrets_stay_as_ordinary_ones_and_can_be_removed_then() {
    let mut books = Books::new();
    let place = books.root("dev");
    let mut driven = books.published("app", "v1");
    let find = |books: &Books| {
        books
            .store
            .as_reader()
            .secret(place.environment.id, "/", "app-secret", None, true)
    };
    let secret = find(&books).unwrap();
    assert_eq!(secret.rotation, Some(driven.id));
    let refused = books
        .store
        .delete_secret(start(), secret.id, &[])
        .unwrap_err();
    assert!(matches!(
        refused,
        StoreError::Conflict(Conflict::RotatedSecret { .. })
    ));

    delete(&mut books, &mut driven, false, SecretsFate::Keep);
    // Released at once: nothing was left to settle.
    assert!(books.store.as_reader().rotation(driven.id).is_err());
    let left = find(&books).unwrap();
    assert_eq!(
        (left.id, left.rotation, left.output),
        (secret.id, None, None)
    );
    assert_eq!(left.value, secret.value);
    books.store.delete_secret(start(), secret.id, &[]).unwrap();
    assert!(find(&books).is_err());
    assert!(books.store.delete_secret(start(), secret.id, &[]).is_err());
}

#[test]
fn deleted_with_its_secrets_its_names_are_free_while_it_is_settled() {
    let mut books = Books::new();
    let place = books.root("dev");
    let mut driven = books.published("app", "v1");
    delete(&mut books, &mut driven, true, SecretsFate::Remove);
    let reader = books.store.as_reader();
    assert!(value(&books.store, &place, "app-secret").is_err());
    assert!(reader.rotation_by_name(place.folder.id, "app").is_err());
    assert!(reader.rotations(place.project.id, None).unwrap().is_empty());
    // Its own actor still finds it.
    assert!(reader.rotation(driven.id).is_ok());
    assert_eq!(reader.rotation_ids(None, 5).unwrap(), [driven.id]);
    // What it needs to revoke stays.
    let connection = reader.connection_by_name("azure").unwrap();
    assert!(
        books
            .store
            .delete_connection(start(), connection.id, &[])
            .is_err()
    );

    books.published("app", "again");
    driven.until(&mut books.store, "", |step| {
        step.writes.contains(&Write::RemoveRotation)
    });
    assert_eq!(value(&books.store, &place, "app-secret").unwrap(), "again");
}

#[test]
fn the_row_goes_and_tombstones_stay() {
    let mut books = Books::new();
    let mut driven = books.published("app", "v1");
    driven.rotate(&mut books.store, "v2");
    let nonces: Vec<_> = driven
        .rotation
        .credentials
        .iter()
        .map(|c| c.nonce)
        .collect();
    delete(&mut books, &mut driven, true, SecretsFate::Remove);
    driven.until(&mut books.store, "", |step| {
        step.writes.contains(&Write::RemoveRotation)
    });
    let reader = books.store.as_reader();
    assert!(reader.rotation(driven.id).is_err());
    assert!(reader.generated(driven.id).unwrap().is_empty());
    let tombstones = reader.tombstones(driven.id, &nonces).unwrap();
    assert_eq!(tombstones.len(), 2);
    for tombstone in tombstones {
        assert_eq!(tombstone.stage, Stage::Gone);
        assert!(!tombstone.has_outputs);
        assert_eq!(reader.outputs_of(tombstone.id).unwrap(), None);
    }
    let connection = reader.connection_by_name("azure").unwrap();
    books
        .store
        .delete_connection(start(), connection.id, &[])
        .unwrap();
}

#[test]
fn what_is_left_alive_is_known_until_it_ends_or_another_rotation_has_taken_it_over() {
    let mut books = Books::new();
    let place = books.root("dev");
    let mut driven = books.published("app", "v1");
    driven.rotate(&mut books.store, "v2");
    let left: Vec<_> = driven.rotation.credentials.clone();
    delete(&mut books, &mut driven, false, SecretsFate::Remove);
    let now = driven.now;
    let released = |books: &Books, provider: Option<&str>, now| {
        let reader = books.store.as_reader();
        reader.released(place.project.id, provider, now).unwrap()
    };
    let found = released(&books, None, now);
    let handles = |found: &[Released]| -> Vec<_> {
        let handles = found.iter().map(|one| one.credential.handle.clone());
        handles.collect()
    };
    assert_eq!(
        handles(&found),
        left.iter()
            .map(|one| one.handle.clone())
            .collect::<Vec<_>>()
    );
    assert!(found.iter().all(|one| one.rotation == driven.id
        && one.name == "app"
        && one.environment == "dev"
        && one.path == "/"
        && one.credential.stage == Stage::Released));
    assert_eq!(released(&books, Some(&found[0].provider), now), found);
    assert_eq!(released(&books, Some("another"), now), []);
    let ends = left.iter().filter_map(|one| one.expires_at).max().unwrap();
    assert_eq!(released(&books, None, ends), []);

    // Of another target, a credential of that name is another one.
    let take_over = |books: &mut Books, name: &str, target: &str| {
        let connection = books.store.as_reader().connection_by_name("azure").unwrap();
        let new = NewRotation {
            target_key: target.to_owned(),
            ..new_rotation(name, place.folder.id, connection.id)
        };
        let mut next = Driven::create(&mut books.store, &new).unwrap();
        next.until_published(&mut books.store, name);
        next.command(
            &mut books.store,
            Command::Adopt {
                handle: left[1].handle.clone().unwrap(),
                expires_at: left[1].expires_at,
                has_value: false,
            },
        );
    };
    take_over(&mut books, "elsewhere", "another target");
    assert_eq!(released(&books, None, now), found);
    take_over(&mut books, "next", "target of app");
    assert_eq!(
        handles(&released(&books, None, now)),
        [left[0].handle.clone()]
    );
}

#[test]
fn a_creation_that_is_given_up_gives_its_names_back() {
    let mut books = Books::new();
    let mut driven = books.created("app");
    delete(&mut books, &mut driven, false, SecretsFate::Keep);
    // The call under way ends.
    driven.until(&mut books.store, "v1", |step| {
        step.writes.contains(&Write::RemoveRotation)
    });
    books.published("app", "v1");
}

#[test]
fn a_row_that_goes_without_a_word_on_its_secrets_leaves_them() {
    let mut books = Books::new();
    let place = books.root("dev");
    let mut driven = books.published("app", "v1");
    driven.command(&mut books.store, Command::Delete { revoke: false });
    assert!(books.store.as_reader().rotation(driven.id).is_err());
    assert_eq!(value(&books.store, &place, "app-secret").unwrap(), "v1");
}
