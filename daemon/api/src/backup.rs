//! Backups: the body that asks for one, and what a restore says.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::issue::Issues;
use crate::reader::{Reader, as_text};
use crate::rules;
use crate::sensitive::Sensitive;
use crate::timestamp::Timestamp;

/// Asks for a backup. The answer is the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TakeBackup {
    /// Opens the backup where the root key of this host is lost. Without it, only that key does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<Sensitive>,
}

impl TakeBackup {
    /// Reads a body; null stands for none.
    ///
    /// # Errors
    /// Everything that is wrong with it; never the passphrase itself.
    pub fn from_json(body: Value) -> Result<Self, Issues> {
        if body.is_null() {
            return Ok(Self::default());
        }
        let mut fields = Reader::new(body)?;
        let passphrase = fields.nullable("passphrase", as_text(rules::passphrase));
        fields.finish()?;
        Ok(Self {
            passphrase: passphrase.flatten(),
        })
    }
}

/// What a backup is of. It says so before it is opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupAbout {
    /// The installation's id.
    pub installation: String,
    /// How many transactions it had committed.
    pub generation: u64,
    /// When it was taken.
    pub taken_at: Timestamp,
    /// The version of rotord that took it.
    pub rotord: String,
    /// The labels of the root keys that open it.
    pub root_keys: Vec<String>,
    /// A passphrase opens it, too.
    pub passphrase: bool,
}

/// What a restore would meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestoreOutlook {
    /// What the backup is of.
    pub backup: BackupAbout,
    /// The state directory that it would go to.
    pub directory: String,
    /// This host's root key opens it: no passphrase is needed.
    pub root_key_opens: bool,
    /// The database that is there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<ExistingDatabase>,
}

/// A database that a restore would replace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExistingDatabase {
    /// The rotations in it, where it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotations: Option<u64>,
    /// Why it can't be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestoreReport {
    /// What the backup is of.
    pub backup: BackupAbout,
    /// The state directory.
    pub directory: String,
    /// The rotations in it.
    pub rotations: u64,
    /// Where what was there before is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_aside: Option<String>,
    /// What happens at the next start, and what a person does then, in words.
    pub next: Vec<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::TakeBackup;

    #[test]
    fn a_passphrase_is_long_or_none_and_never_shows() {
        let read = |body| TakeBackup::from_json(body);
        assert_eq!(read(json!(null)).unwrap(), TakeBackup::default());
        assert_eq!(read(json!({"passphrase": null})).unwrap().passphrase, None);
        let short = read(json!({"passphrase": "hunter2"})).unwrap_err();
        assert!(!short.to_string().contains("hunter2"), "{short}");
        let long = read(json!({"passphrase": "hunter2 hunter2"})).unwrap();
        assert!(!format!("{long:?}").contains("hunter2"));
    }
}
