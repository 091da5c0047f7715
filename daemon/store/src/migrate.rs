//! The schema's versions, one file each.

use rusqlite::{Connection, Transaction, TransactionBehavior};

/// The version that this build reads and writes.
pub(crate) const NEWEST: u32 = 3;

/// `MIGRATIONS[n]` leads from version n to n + 1. A file that was released is never changed.
const MIGRATIONS: [&str; NEWEST as usize] = [
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
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
