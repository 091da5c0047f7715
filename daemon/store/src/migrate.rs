//! The schema's versions, one file each.

use rusqlite::{Connection, Transaction, TransactionBehavior};

/// The version that this build reads and writes.
pub(crate) const NEWEST: u32 = 4;

/// `MIGRATIONS[n]` leads from version n to n + 1. A file that was released is never changed.
const MIGRATIONS: [&str; NEWEST as usize] = [
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
    include_str!("migrations/0004.sql"),
];

/// "rotd": tells our files from other programs'.
const APPLICATION_ID: i64 = 0x726f_7464;

/// What a database file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schema {
    /// Nothing is in it.
    Empty,
    /// Ours, at this version.
    At(u32),
    /// Another program's.
    Foreign,
}

pub(crate) fn schema(connection: &Connection) -> rusqlite::Result<Schema> {
    let ask = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let version = ask("PRAGMA user_version")?;
    let application = ask("PRAGMA application_id")?;
    let tables = ask("SELECT count(*) FROM sqlite_schema")?;
    Ok(match (application, u32::try_from(version)) {
        (0, Ok(0)) if tables == 0 => Schema::Empty,
        (APPLICATION_ID, Ok(version)) => Schema::At(version),
        _ => Schema::Foreign,
    })
}

/// Leads from `from` to [`NEWEST`] in one transaction, which `fill` completes where the database was empty: half a
/// first start leaves an empty database.
pub(crate) fn migrate<E: From<rusqlite::Error>>(
    connection: &mut Connection,
    from: u32,
    fill: impl FnOnce(&Transaction<'_>) -> Result<(), E>,
) -> Result<(), E> {
    if from == NEWEST {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for migration in MIGRATIONS.iter().skip(from as usize) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", NEWEST)?;
    if from == 0 {
        fill(&transaction)?;
    }
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::{APPLICATION_ID, MIGRATIONS, NEWEST, Schema, migrate, schema};

    fn tables(connection: &Connection) -> Vec<String> {
        let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name";
        let mut statement = connection.prepare(sql).unwrap();
        let tables = statement.query_map([], |row| row.get(0)).unwrap();
        tables.collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn every_older_version_leads_to_the_newest() {
        let filled = |_: &rusqlite::Transaction<'_>| Ok::<_, rusqlite::Error>(());
        let mut newest = Connection::open_in_memory().unwrap();
        migrate(&mut newest, 0, filled).unwrap();
        for version in 1..=NEWEST {
            let mut old = Connection::open_in_memory().unwrap();
            for migration in MIGRATIONS.iter().take(version as usize) {
                old.execute_batch(migration).unwrap();
            }
            old.pragma_update(None, "application_id", APPLICATION_ID)
                .unwrap();
            old.pragma_update(None, "user_version", version).unwrap();
            assert_eq!(schema(&old).unwrap(), Schema::At(version));
            migrate(&mut old, version, filled).unwrap();
            assert_eq!(schema(&old).unwrap(), Schema::At(NEWEST));
            assert_eq!(tables(&old), tables(&newest));
        }
    }
}
