use rotord_store::{Actor, AuditEntry, Conflict, ConnectionChange, ConnectionId, StoreError, What};
use serde_json::json;
use uuid::Uuid;

use crate::driver::{Books, object, outputs, start};

#[test]
fn a_connection_reads_back_without_its_secrets_which_open_apart() {
    let mut books = Books::new();
    let made = books.connection("azure");
    let reader = books.store.as_reader();
    assert_eq!(reader.connection(made.id).unwrap(), made);
    assert_eq!(reader.connection_by_name("azure").unwrap(), made);
    assert_eq!((made.version, made.created_at), (1, start()));
    assert!(!format!("{made:?}").contains("hunter2"));
    let secrets = reader.connection_secrets(made.id).unwrap();
    assert_eq!(secrets, outputs("clientSecret", "connection-hunter2"));
}

#[test]
fn connections_are_listed_by_kind() {
    let mut books = Books::new();
    books.connection("b");
    books.connection("a");
    let reader = books.store.as_reader();
    let names: Vec<_> = reader
        .connections(Some("azure-client-secrets"))
        .unwrap()
        .into_iter()
        .map(|connection| connection.name)
        .collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(reader.connections(None).unwrap().len(), 2);
    assert!(reader.connections(Some("other")).unwrap().is_empty());
}

#[test]
fn a_change_leaves_what_it_does_not_mention() {
    let mut books = Books::new();
    let made = books.connection("azure");
    let later = start() + chrono::TimeDelta::hours(1);
    let change = ConnectionChange {
        name: Some("renamed".to_owned()),
        fields: Some(object(json!({"tenantId": "fabrikam"}))),
        ..ConnectionChange::default()
    };
    let store = &mut books.store;
    let changed = store
        .change_connection(later, made.id, &change, &[])
        .unwrap();
    assert_eq!(changed.name, "renamed");
    assert_eq!(changed.fields["tenantId"], "fabrikam");
    assert_eq!((changed.version, changed.updated_at), (2, later));
    assert_eq!(changed.method, made.method);
    let secrets = store.as_reader().connection_secrets(made.id).unwrap();
    assert_eq!(secrets, outputs("clientSecret", "connection-hunter2"));

    let change = ConnectionChange {
        secrets: Some(outputs("clientSecret", "newer")),
        description: Some(Some("why".to_owned())),
        ..ConnectionChange::default()
    };
    let changed = store
        .change_connection(later, made.id, &change, &[])
        .unwrap();
    assert_eq!(changed.description.as_deref(), Some("why"));
    let secrets = store.as_reader().connection_secrets(made.id).unwrap();
    assert_eq!(secrets, outputs("clientSecret", "newer"));
}

#[test]
fn what_is_read_at_once_is_of_one_state_even_while_a_connection_is_changed() {
    let mut books = Books::new();
    let made = books.connection("azure");
    let reader = books.store.reader().unwrap();
    let change = ConnectionChange {
        method: Some("certificate".to_owned()),
        secrets: Some(outputs("privateKey", "newer")),
        ..ConnectionChange::default()
    };
    let seen = reader.at_once(|reader| {
        let before = reader.connection(made.id)?;
        let store = &mut books.store;
        store.change_connection(start(), made.id, &change, &[])?;
        Ok((before, reader.connection_secrets(made.id)?))
    });
    let old = outputs("clientSecret", "connection-hunter2");
    assert_eq!(seen.unwrap(), (made.clone(), old));
    let now = reader.connection(made.id).unwrap();
    assert_eq!(now.method, "certificate");
}

#[test]
fn names_are_unique() {
    let mut books = Books::new();
    let (one, _two) = (books.connection("one"), books.connection("two"));
    let to = |name: &str| ConnectionChange {
        name: Some(name.to_owned()),
        ..ConnectionChange::default()
    };
    let store = &mut books.store;
    let taken = store.change_connection(start(), one.id, &to("two"), &[]);
    let Err(StoreError::Conflict(conflict)) = taken else {
        panic!("{taken:?}");
    };
    let name = "two".to_owned();
    assert_eq!(conflict, Conflict::ConnectionName { name });
    // Its own name is free for it.
    store
        .change_connection(start(), one.id, &to("one"), &[])
        .unwrap();
}

#[test]
fn a_connection_that_is_needed_stays() {
    let mut books = Books::new();
    books.created("app");
    let id = books
        .store
        .as_reader()
        .connection_by_name("azure")
        .unwrap()
        .id;
    let refused = books.store.delete_connection(start(), id, &[]);
    let Err(StoreError::Conflict(conflict)) = refused else {
        panic!("{refused:?}");
    };
    let rotations = vec!["app".to_owned()];
    assert_eq!(conflict, Conflict::ConnectionInUse { rotations });
    let unused = books.connection("unused");
    let was = books
        .store
        .delete_connection(start(), unused.id, &[])
        .unwrap();
    assert_eq!(was, unused);
    assert!(matches!(
        books.store.as_reader().connection(unused.id),
        Err(StoreError::NotFound {
            what: What::Connection,
            ..
        })
    ));
}

#[test]
fn an_unknown_connection_is_named() {
    let mut books = Books::new();
    let id = ConnectionId(Uuid::from_u128(7));
    let refused = books
        .store
        .change_connection(start(), id, &ConnectionChange::default(), &[])
        .unwrap_err();
    assert_eq!(refused.to_string(), format!("there is no connection {id}"));
}

#[test]
fn what_was_done_is_noted_with_it_and_never_changed() {
    let mut books = Books::new();
    let made = books.connection("azure");
    let entry = |action: &str| AuditEntry {
        actor: Actor::Peer {
            uid: 1000,
            gid: 100,
            pid: Some(42),
        },
        action: action.to_owned(),
        rotation: None,
        detail: json!({"connection": made.id}),
    };
    let store = &mut books.store;
    let daemon = AuditEntry {
        actor: Actor::Daemon,
        ..entry("daemon.start")
    };
    store.note(&[(start(), daemon.clone())]).unwrap();
    let noted = [entry("connection.delete")];
    store.delete_connection(start(), made.id, &noted).unwrap();
    // What is refused is not noted as done.
    store
        .delete_connection(start(), made.id, &noted)
        .unwrap_err();
    let audit = store.as_reader().audit(None, None, 10).unwrap();
    let entries: Vec<_> = audit.iter().map(|record| record.entry.clone()).collect();
    assert_eq!(entries, [noted[0].clone(), daemon.clone()]);
    let older = store
        .as_reader()
        .audit(None, Some(audit[0].id), 10)
        .unwrap();
    assert_eq!(older.len(), 1);

    let sql = books.tamper();
    assert!(sql.execute("DELETE FROM audit", []).is_err());
    assert!(sql.execute("UPDATE audit SET action = 'x'", []).is_err());
}
