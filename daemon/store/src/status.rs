//! How much there is.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::columns::Millis;
use crate::error::StoreError;
use crate::reader::Reader;

/// Counts for a status page and a monitor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Rotations by their life: `creating`, `live`, `failed`, `deleting`.
    pub rotations: BTreeMap<String, u64>,
    /// Live rotations that rotate by schedule.
    pub scheduled: u64,
    /// Live rotations whose due time has passed.
    pub overdue: u64,
    /// Rotations, not being deleted, whose last run failed.
    pub failing: u64,
    /// Rotations with something in doubt, or that wait for a person.
    pub attention: u64,
    /// Credentials that are not settled, by their stage.
    pub credentials: BTreeMap<String, u64>,
    /// Secrets that can be read.
    pub secrets: u64,
    /// Connections.
    pub connections: u64,
}

impl Reader {
    /// Counts everything.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn counts(&self, now: DateTime<Utc>) -> Result<Counts, StoreError> {
        self.read(|books| {
            let by = |sql: &str| {
                let mut statement = books.sql.prepare_cached(sql)?;
                let rows = statement.query_map([], |row| Ok((row.get(0)?, count(row.get(1)?))))?;
                rows.collect::<rusqlite::Result<BTreeMap<String, u64>>>()
            };
            let sql = "SELECT
                (SELECT count(*) FROM rotations WHERE life = 'live' AND auto = 1),
                (SELECT count(*) FROM rotations WHERE life = 'live' AND due_at <= ?1),
                (SELECT count(*) FROM rotations WHERE life <> 'deleting' AND failed = 1),
                (SELECT count(*) FROM rotations WHERE attention = 1),
                (SELECT count(*) FROM secrets WHERE version > 0),
                (SELECT count(*) FROM connections)";
            let mut counts = books
                .sql
                .prepare_cached(sql)?
                .query_row([Millis(now)], |row| {
                    Ok(Counts {
                        scheduled: count(row.get(0)?),
                        overdue: count(row.get(1)?),
                        failing: count(row.get(2)?),
                        attention: count(row.get(3)?),
                        secrets: count(row.get(4)?),
                        connections: count(row.get(5)?),
                        ..Counts::default()
                    })
                })?;
            counts.rotations = by("SELECT life, count(*) FROM rotations GROUP BY life")?;
            counts.credentials =
                by("SELECT stage, count(*) FROM credentials WHERE settled = 0 GROUP BY stage")?;
            Ok(counts)
        })
    }
}

/// What is counted is never below 0.
fn count(counted: i64) -> u64 {
    counted.unsigned_abs()
}
