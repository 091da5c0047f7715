//! What providers last said of themselves: without its component, a rotation can still be listed, paused and
//! deleted.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::columns::{Json, Millis};
use crate::error::StoreError;
use crate::reader::Reader;
use crate::store::Store;

/// A provider's last good description.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// The provider's slug.
    pub slug: String,
    /// The description, in the caller's form.
    pub description: Value,
    /// When it was given.
    pub described_at: DateTime<Utc>,
}

impl Reader {
    /// All descriptions, by slug.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn descriptions(&self) -> Result<Vec<Description>, StoreError> {
        let sql = "SELECT slug, description, described_at FROM provider_descriptions ORDER BY slug";
        let mut statement = self.connection.prepare_cached(sql)?;
        let descriptions = statement.query_map([], |row| {
            Ok(Description {
                slug: row.get(0)?,
                description: row.get::<_, Json<_>>(1)?.0,
                described_at: row.get::<_, Millis>(2)?.0,
            })
        })?;
        Ok(descriptions.collect::<Result<_, _>>()?)
    }
}

impl Store {
    /// Keeps a description; one that is kept already costs no write.
    ///
    /// # Errors
    /// The database can't be written.
    pub fn keep_description(
        &mut self,
        at: DateTime<Utc>,
        slug: &str,
        description: &Value,
    ) -> Result<(), StoreError> {
        let kept = self.as_reader().descriptions()?;
        if kept
            .iter()
            .any(|kept| kept.slug == slug && kept.description == *description)
        {
            return Ok(());
        }
        self.write(|books| {
            books.sql.execute(
                "INSERT OR REPLACE INTO provider_descriptions (slug, description, described_at)
                 VALUES (?1, ?2, ?3)",
                (slug, Json(description), Millis(at)),
            )?;
            Ok(())
        })
    }
}
