//! The data keys in the database, each wrapped by the root key, or by two while it is being replaced.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use crate::columns::Millis;
use crate::error::StoreError;
use crate::open::OpenError;
use crate::root_key::RootKey;
use crate::seal::{DataKeyId, PlainKey, random_key};

/// The first data key.
pub(crate) fn make(
    sql: &Connection,
    root_key: &RootKey,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let key = random_key()?;
    sql.execute(
        "INSERT INTO data_keys (id, created_at) VALUES (1, ?1)",
        [Millis(now)],
    )?;
    wrap(sql, root_key, 1, key.as_slice())
}

/// A start with this root key has succeeded: those that it replaced open nothing any more.
pub(crate) fn forget_replaced(sql: &Connection, root_key: &RootKey) -> rusqlite::Result<()> {
    sql.execute(
        "DELETE FROM wrapped_keys WHERE EXISTS (
            SELECT 1 FROM wrapped_keys AS mine
            WHERE mine.data_key = wrapped_keys.data_key AND mine.root_key = ?1
                AND mine.position > wrapped_keys.position)",
        [&root_key.label],
    )
    .map(drop)
}

/// All data keys, opened by the root key.
pub(crate) fn unwrap_all(
    sql: &Connection,
    root_key: &RootKey,
    path: &Path,
) -> Result<Vec<(DataKeyId, PlainKey)>, OpenError> {
    let unreadable = |source: StoreError| OpenError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let rows = wrapped_keys(sql).map_err(|error| unreadable(error.into()))?;
    let wrong = || {
        let mut known: Vec<String> = rows.iter().map(|(_, label, _)| label.clone()).collect();
        known.sort();
        known.dedup();
        OpenError::WrongRootKey {
            path: path.to_owned(),
            given: root_key.label.clone(),
            known,
        }
    };
    let mut ids: Vec<DataKeyId> = rows.iter().map(|(id, ..)| *id).collect();
    ids.dedup();
    ids.into_iter()
        .map(|id| {
            let (_, _, wrapped) = rows
                .iter()
                .find(|(of, label, _)| *of == id && *label == root_key.label)
                .ok_or_else(wrong)?;
            let key = root_key
                .unwrap(id, wrapped)
                .map_err(|error| unreadable(error.into()))?;
            Ok((id, key))
        })
        .collect()
}

/// Every data key with the label of the root key that wraps it.
pub(crate) fn wrapped_keys(
    sql: &Connection,
) -> rusqlite::Result<Vec<(DataKeyId, String, Vec<u8>)>> {
    // From the data keys on: one without a wrapping is as bad as a wrong root key.
    sql.prepare(
        "SELECT k.id, coalesce(w.root_key, 'none'), coalesce(w.wrapped, x'')
         FROM data_keys k LEFT JOIN wrapped_keys w ON w.data_key = k.id ORDER BY k.id, w.position",
    )?
    .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
    .collect()
}

/// A wrapping by the same root key is made anew, and is then the newest.
pub(crate) fn wrap(
    sql: &Connection,
    root_key: &RootKey,
    data_key: DataKeyId,
    key: &[u8],
) -> Result<(), StoreError> {
    let wrapped = root_key.wrap(data_key, key)?;
    sql.execute(
        "INSERT OR REPLACE INTO wrapped_keys (data_key, root_key, wrapped) VALUES (?1, ?2, ?3)",
        (data_key, &root_key.label, wrapped),
    )?;
    Ok(())
}
