use std::fs;

use rotord_store::StoreError;
use rotord_store::seal::SealError;

use crate::driver::{Books, value};

fn is_sealed_elsewhere<T: std::fmt::Debug>(result: &Result<T, StoreError>) {
    assert!(
        matches!(
            result,
            Err(StoreError::Sealed(SealError::NotSealedHere { .. }))
        ),
        "{result:?}"
    );
}

/// Writes past the store, as somebody could who has the file and not the key.
fn tamper(books: &Books, sql: &str) {
    assert!(books.tamper().execute(sql, []).unwrap() > 0);
}

#[test]
fn a_value_that_was_copied_to_another_secret_does_not_open() {
    let mut books = Books::new();
    let place = books.root("dev");
    books.published("one", "v1");
    books.published("two", "w1");
    tamper(
        &books,
        "UPDATE secret_versions SET value =
            (SELECT v.value FROM secret_versions v JOIN secret_names n ON n.secret = v.secret
             WHERE n.name = 'one-secret')
         WHERE secret = (SELECT secret FROM secret_names WHERE name = 'two-secret')",
    );
    assert_eq!(value(&books.store, &place, "one-secret").unwrap(), "v1");
    is_sealed_elsewhere(&value(&books.store, &place, "two-secret"));
}

#[test]
fn an_old_value_can_not_be_passed_off_as_the_newest() {
    let mut books = Books::new();
    let place = books.root("dev");
    let mut driven = books.published("app", "v1");
    driven.rotate(&mut books.store, "v2");
    tamper(
        &books,
        "UPDATE secret_versions SET value =
            (SELECT o.value FROM secret_versions o WHERE o.secret = secret_versions.secret AND o.version = 1)
         WHERE version = 2",
    );
    is_sealed_elsewhere(&value(&books.store, &place, "app-secret"));
    // The next publication is not stopped by that.
    driven.rotate(&mut books.store, "v3");
    assert_eq!(value(&books.store, &place, "app-secret").unwrap(), "v3");
}

#[test]
fn outputs_and_connections_are_bound_to_their_rows() {
    let mut books = Books::new();
    let mut driven = books.published("app", "v1");
    let first = driven.active();
    driven.rotate(&mut books.store, "v2");
    tamper(
        &books,
        "UPDATE credentials SET outputs = (SELECT outputs FROM credentials WHERE slot = 1) WHERE slot = 0",
    );
    is_sealed_elsewhere(&books.store.as_reader().outputs_of(first));

    let (one, other) = (books.connection("one"), books.connection("other"));
    tamper(
        &books,
        "UPDATE connections SET secrets = (SELECT secrets FROM connections WHERE name = 'one')
         WHERE name = 'other'",
    );
    let reader = books.store.as_reader();
    reader.connection_secrets(one.id).unwrap();
    is_sealed_elsewhere(&reader.connection_secrets(other.id));
}

#[test]
fn a_data_key_stays_while_a_row_names_it() {
    let mut books = Books::new();
    books.published("app", "v1");
    let sql = books.tamper();
    sql.pragma_update(None, "foreign_keys", true).unwrap();
    assert!(sql.execute("DELETE FROM data_keys", []).is_err());
}

#[test]
fn the_files_contain_no_secret_value() {
    const VALUES: [&str; 4] = [
        "connection-hunter2",
        "first-value-Q7w",
        "second-value-Z9k",
        "third-value-X1c",
    ];
    let mut books = Books::new();
    let mut driven = books.published("app", VALUES[1]);
    driven.rotate(&mut books.store, VALUES[2]);
    driven.rotate(&mut books.store, VALUES[3]);
    let mut read = 0;
    let mut found = |books: &Books, value: &str| {
        fs::read_dir(books.dir.path()).unwrap().any(|entry| {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            read += bytes.len();
            bytes
                .windows(value.len())
                .any(|window| window == value.as_bytes())
        })
    };
    // What is there in plain text is found: the search works.
    assert!(found(&books, "app-secret"));
    for value in VALUES {
        assert!(!found(&books, value), "{value} with its log");
    }
    let books = books.reopened();
    for value in VALUES {
        assert!(!found(&books, value), "{value} after a restart");
    }
    assert!(read > 100_000);
}

#[test]
fn errors_and_debug_show_no_value() {
    let mut books = Books::new();
    let place = books.root("dev");
    let driven = books.published("app", "hunter2");
    tamper(&books, "UPDATE secret_versions SET value = x'00'");
    let error = value(&books.store, &place, "app-secret").unwrap_err();
    let reader = books.store.as_reader();
    let shown = format!(
        "{error} {error:?} {:?} {:?} {:?}",
        books.store,
        reader.generated(driven.id).unwrap(),
        reader.rotation(driven.id).unwrap(),
    );
    assert!(!shown.contains("hunter2"));
}
