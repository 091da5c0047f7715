use chrono::TimeDelta;
use rotord_rotation::rotation::Facts;
use rotord_rotation::{Command, RotationId};
use rotord_store::{
    Actor, AuditEntry, Conflict, ConnectionId, FolderId, NewRotation, RotationChange, StoreError,
    TakenName, What,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::driver::{Books, Driven, mapping, new_rotation, object, start};

fn conflict<T: std::fmt::Debug>(result: Result<T, StoreError>) -> Conflict {
    match result {
        Err(StoreError::Conflict(conflict)) => conflict,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_rotation_reads_back_by_id_and_by_name() {
    let mut books = Books::new();
    let driven = books.created("app");
    let place = books.root("dev");
    let reader = books.store.as_reader();
    let record = reader.rotation(driven.id).unwrap();
    let mut expected = driven.rotation.clone();
    expected.facts = Facts::default();
    assert_eq!(record.state, expected);
    assert_eq!(record.place, place);
    assert_eq!(record.connection_app, "azure");
    assert_eq!(record.details.mapping, mapping("app-id", "app-secret"));
    assert_eq!(record.details.parameters["objectId"], "o");
    assert_eq!(
        reader.rotation_by_name(place.folder.id, "app").unwrap(),
        record
    );
    assert!(reader.rotation_by_name(place.folder.id, "other").is_err());
}

#[test]
fn names_are_taken_at_once() {
    let mut books = Books::new();
    books.created("app");
    let (folder, connection) = (
        books.root("dev").folder.id,
        books
            .store
            .as_reader()
            .connection_by_name("azure")
            .unwrap()
            .id,
    );
    let store = &mut books.store;
    let same = new_rotation("app", folder, connection);
    let taken = Conflict::RotationName {
        name: "app".to_owned(),
        path: "/".to_owned(),
    };
    assert_eq!(conflict(Driven::create(store, &same).map(drop)), taken);
    let same_secrets = NewRotation {
        name: "other".to_owned(),
        mapping: mapping("app-id", "app-secret"),
        ..same.clone()
    };
    let of_app = |name: &str| TakenName {
        name: name.to_owned(),
        rotation: Some("app".to_owned()),
    };
    let taken = Conflict::SecretNames {
        names: vec![of_app("app-id"), of_app("app-secret")],
        environment: "dev".to_owned(),
        path: "/".to_owned(),
    };
    assert_eq!(
        conflict(Driven::create(store, &same_secrets).map(drop)),
        taken
    );
    let twice = NewRotation {
        name: "other".to_owned(),
        mapping: mapping("x", "x"),
        ..same
    };
    assert!(matches!(
        conflict(Driven::create(store, &twice).map(drop)),
        Conflict::MappedTwice { .. }
    ));
    // Nothing of what was refused is left.
    let project = books.root("dev").project.id;
    let reader = books.store.as_reader();
    assert_eq!(reader.rotations(project, None).unwrap().len(), 1);
    books.created("other");
}

#[test]
fn an_unknown_folder_or_connection_is_named() {
    let mut books = Books::new();
    let connection = books.connection("azure").id;
    let folder = books.root("dev").folder.id;
    let store = &mut books.store;
    let nowhere = new_rotation("app", FolderId(Uuid::nil()), connection);
    let unreachable = new_rotation("app", folder, ConnectionId(Uuid::nil()));
    for (new, what) in [(nowhere, What::Folder), (unreachable, What::Connection)] {
        let refused = Driven::create(store, &new).map(drop).unwrap_err();
        assert!(matches!(refused, StoreError::NotFound { what: named, .. } if named == what));
    }
}

#[test]
fn the_same_name_may_stand_in_another_folder() {
    let mut books = Books::new();
    books.created("app");
    let connection = books
        .store
        .as_reader()
        .connection_by_name("azure")
        .unwrap()
        .id;
    let prod = books.root("prod").folder.id;
    let new = new_rotation("app", prod, connection);
    Driven::create(&mut books.store, &new).map(drop).unwrap();
    let project = books.root("dev").project.id;
    let list = books.store.as_reader().rotations(project, None).unwrap();
    let environments: Vec<_> = list
        .iter()
        .map(|record| record.place.environment.slug.as_str())
        .collect();
    assert_eq!(environments, ["dev", "prod"]);
}

#[test]
fn rotations_are_listed_by_provider_and_paged_by_id() {
    let mut books = Books::new();
    for name in ["c", "a", "b"] {
        books.created(name);
    }
    let project = books.root("dev").project.id;
    let reader = books.store.as_reader();
    let names: Vec<_> = reader
        .rotations(project, Some("azure-client-secret"))
        .unwrap()
        .into_iter()
        .map(|record| record.details.name)
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert!(reader.rotations(project, Some("x")).unwrap().is_empty());
    let first = reader.rotation_ids(None, 2).unwrap();
    let rest = reader.rotation_ids(first.last().copied(), 2).unwrap();
    assert_eq!((first.len(), rest.len()), (2, 1));
    assert!(first[0] < first[1] && first[1] < rest[0]);
}

#[test]
fn what_is_due_comes_by_its_time_from_the_index() {
    let mut books = Books::new();
    let ids: Vec<RotationId> = ["a", "b", "c"].map(|name| books.created(name).id).into();
    let at = |minutes| Some(start() + TimeDelta::minutes(minutes));
    let store = &mut books.store;
    for (id, wake) in ids.iter().zip([at(30), at(10), None]) {
        store.postpone(*id, wake).unwrap();
    }
    let reader = store.as_reader();
    assert_eq!(reader.next_wake().unwrap(), at(10));
    assert!(reader.due(start(), 10).unwrap().is_empty());
    let due = |minutes, limit| reader.due(at(minutes).unwrap(), limit).unwrap();
    assert_eq!(due(10, 10), [ids[1]]);
    assert_eq!(due(60, 10), [ids[1], ids[0]]);
    assert_eq!(due(60, 1), [ids[1]]);
    let plan: String = books
        .tamper()
        .query_row(
            "EXPLAIN QUERY PLAN SELECT id FROM rotations WHERE wake_at <= 5 ORDER BY wake_at LIMIT 9",
            [],
            |row| row.get(3),
        )
        .unwrap();
    assert!(plan.contains("rotations_by_wake"), "{plan}");
}

#[test]
fn a_step_sets_when_the_rotation_is_looked_at_next() {
    let mut books = Books::new();
    let driven = books.published("app", "v1");
    let wake = driven.last.as_ref().unwrap().wake_at;
    let next = books.store.as_reader().next_wake().unwrap();
    // Columns hold milliseconds.
    let millis = |at: Option<chrono::DateTime<_>>| at.map(|at| at.timestamp_millis());
    assert_eq!(millis(next), millis(wake));
}

#[test]
fn a_change_keeps_what_it_does_not_mention() {
    let mut books = Books::new();
    let driven = books.published("app", "v1");
    let later = start() + TimeDelta::days(1);
    let before = books.store.as_reader().rotation(driven.id).unwrap();
    let change = RotationChange {
        name: Some("renamed".to_owned()),
        description: Some(None),
        parameters: Some(object(json!({"objectId": "o", "appName": "App"}))),
        ..RotationChange::default()
    };
    let entry = AuditEntry {
        actor: Actor::Daemon,
        action: "rotation.change".to_owned(),
        rotation: Some(driven.id),
        detail: Value::Null,
    };
    let noted = [entry.clone()];
    let store = &mut books.store;
    let changed = store
        .change_rotation(later, driven.id, &change, &noted)
        .unwrap();
    assert_eq!(changed.details.name, "renamed");
    assert_eq!(changed.details.description, None);
    assert_eq!(changed.details.parameters["appName"], "App");
    assert_eq!(changed.details.updated_at, later);
    assert_eq!(changed.details.mapping, before.details.mapping);
    assert_eq!(changed.state, before.state);
    let audit = store.as_reader().audit(Some(driven.id), None, 5).unwrap();
    assert_eq!(audit.len(), 1);
    assert_eq!(audit[0].entry, entry);
}

#[test]
fn a_change_to_a_taken_name_changes_nothing() {
    let mut books = Books::new();
    books.created("one");
    let two = books.created("two");
    let before = books.store.as_reader().rotation(two.id).unwrap();
    let generation = books.store.generation();
    let change = RotationChange {
        description: Some(None),
        mapping: Some(mapping("one-id", "new")),
        ..RotationChange::default()
    };
    let store = &mut books.store;
    let refused = conflict(store.change_rotation(start(), two.id, &change, &[]));
    assert_eq!(
        refused.to_string(),
        "these secrets already exist at the path \"/\" in \"dev\": one-id (fed by the rotation one)"
    );
    let change = RotationChange {
        name: Some("one".to_owned()),
        ..RotationChange::default()
    };
    let refused = conflict(store.change_rotation(start(), two.id, &change, &[]));
    assert!(matches!(refused, Conflict::RotationName { .. }));
    assert_eq!(store.as_reader().rotation(two.id).unwrap(), before);
    assert_eq!(store.generation(), generation);
}

#[test]
fn the_target_is_not_changed_while_it_holds_live_credentials() {
    let mut books = Books::new();
    let new_target = RotationChange {
        target_key: Some("elsewhere".to_owned()),
        ..RotationChange::default()
    };
    let fresh = books.created("fresh");
    let used = books.published("used", "v1");
    let store = &mut books.store;
    store
        .change_rotation(start(), fresh.id, &new_target, &[])
        .unwrap();
    let refused = conflict(store.change_rotation(start(), used.id, &new_target, &[]));
    assert_eq!(refused, Conflict::TargetInUse);
    let reader = store.as_reader();
    assert_eq!(reader.rotations_of_target("elsewhere").unwrap(), [fresh.id]);
    assert_eq!(
        reader.rotations_of_target("target of used").unwrap(),
        [used.id]
    );
    // The same one again is no change.
    let same = RotationChange {
        target_key: Some("target of used".to_owned()),
        ..RotationChange::default()
    };
    store.change_rotation(start(), used.id, &same, &[]).unwrap();
}

#[test]
fn a_rotation_that_is_being_deleted_can_not_be_changed() {
    let mut books = Books::new();
    let mut driven = books.published("app", "v1");
    driven.command(&mut books.store, Command::Delete { revoke: true });
    let change = RotationChange::default();
    let store = &mut books.store;
    let refused = conflict(store.change_rotation(start(), driven.id, &change, &[]));
    assert_eq!(refused, Conflict::Deleting);
}

#[test]
fn descriptions_of_providers_are_kept_and_replaced() {
    let mut books = Books::new();
    let store = &mut books.store;
    let later = start() + TimeDelta::days(1);
    store
        .keep_description(start(), "azure", &json!({"v": 1}))
        .unwrap();
    let generation = store.generation();
    store
        .keep_description(later, "azure", &json!({"v": 1}))
        .unwrap();
    assert_eq!(store.generation(), generation, "nothing was new");
    store
        .keep_description(later, "azure", &json!({"v": 2}))
        .unwrap();
    let kept = store.as_reader().descriptions().unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (&kept[0].description, kept[0].described_at),
        (&json!({"v": 2}), later)
    );
}

#[test]
fn everything_is_counted() {
    let mut books = Books::new();
    books.created("new");
    books.published("live", "v1");
    let mut deleted = books.published("deleted", "v1");
    deleted.command(&mut books.store, Command::Delete { revoke: true });
    let counts = books.store.as_reader().counts(start()).unwrap();
    let lives = |name: &str| counts.rotations.get(name).copied();
    assert_eq!(lives("creating"), Some(1));
    assert_eq!(lives("live"), Some(1));
    assert_eq!(lives("deleting"), Some(1));
    assert_eq!(counts.credentials.get("active"), Some(&1));
    assert_eq!(counts.credentials.get("retiring"), Some(&1));
    assert_eq!(
        (counts.scheduled, counts.overdue, counts.failing),
        (1, 0, 0)
    );
    assert_eq!(
        (counts.secrets, counts.connections, counts.attention),
        (4, 1, 0)
    );
    let late = start() + TimeDelta::days(60);
    assert_eq!(books.store.as_reader().counts(late).unwrap().overdue, 1);
}
