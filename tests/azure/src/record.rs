//! What was asked and answered, for assertions: everything but secret values.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::fault::Operation;
use crate::model::{AppId, KeyId};

/// One request and what became of it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Entry {
    /// Counts from 1 since the start.
    pub sequence: u64,
    /// When, by the stand-in's clock.
    pub at: DateTime<Utc>,
    /// Which connection it came on, counted from 1.
    pub connection: u64,
    /// The method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query's names, and the values of `OData` options alone.
    pub query: Option<String>,
    /// What it asks for.
    pub operation: Operation,
    /// The status; absent if the connection was cut without an answer.
    pub status: Option<u16>,
    /// Graph's error code, or the AADSTS number, of a refusal.
    pub error: Option<String>,
    /// Who called: the client of the login or of the access token, as far as it was believed.
    pub caller: Option<AppId>,
    /// The application it is about.
    pub app: Option<AppId>,
    /// The secret or certificate that was used, added or removed.
    pub key_id: Option<KeyId>,
    /// The fault that struck it.
    pub fault: Option<String>,
    /// Whether it changed the directory.
    pub changed: bool,
    /// `User-Agent`.
    pub user_agent: Option<String>,
}

/// All entries since the start or the last clearing.
#[derive(Debug, Default)]
pub struct Record {
    entries: Vec<Entry>,
    last: u64,
}

impl Record {
    /// Adds an entry under the next number.
    pub fn add(&mut self, mut entry: Entry) {
        self.last += 1;
        entry.sequence = self.last;
        self.entries.push(entry);
    }

    /// The entries after a number.
    pub fn since(&self, sequence: u64) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(move |entry| entry.sequence > sequence)
    }

    /// Forgets the entries; numbers go on.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

/// The query with the values of everything but `OData` options left out: a client's mistake must not
/// write a secret into the record.
pub(crate) fn public_query(query: &str) -> String {
    query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if !(name.starts_with('$') || name.starts_with("%24")) => {
                format!("{name}=…")
            }
            _ => pair.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_odata_options_keep_their_values() {
        assert_eq!(
            public_query("$top=5&client_secret=abc&flag&%24select=id"),
            "$top=5&client_secret=…&flag&%24select=id"
        );
    }
}
