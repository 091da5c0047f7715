//! Secrets as applications read them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::query::Flag;
use crate::sensitive::Sensitive;
use crate::timestamp::Timestamp;

/// A secret. Has every field that any of the known clients insists on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Secret {
    /// Its id.
    pub id: Uuid,
    /// The same id, by its older name.
    #[serde(rename = "_id")]
    pub legacy_id: Uuid,
    /// The project's id.
    pub workspace: String,
    /// The environment's slug.
    pub environment: String,
    /// Counts its values, from 1.
    pub version: u32,
    /// Always `shared`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub secret_key: String,
    /// Its value; empty where `secretValueHidden`.
    pub secret_value: Sensitive,
    /// Never null.
    pub secret_comment: String,
    /// The folder.
    pub secret_path: String,
    /// Whether the caller asked not to see the value.
    pub secret_value_hidden: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it got this value.
    pub updated_at: Timestamp,
    /// Always empty.
    pub tags: Vec<Value>,
    /// Always empty.
    pub secret_metadata: Vec<Value>,
    /// Always null.
    pub skip_multiline_encoding: Option<bool>,
    /// Whether a rotation feeds it.
    pub is_rotated_secret: bool,
    /// The rotation that feeds it.
    pub rotation_id: Option<Uuid>,
    /// Always null.
    pub secret_reminder_note: Option<String>,
    /// Always null.
    pub secret_reminder_repeat_days: Option<u32>,
}

/// The secrets of a folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SecretsAnswer {
    /// They.
    pub secrets: Vec<Secret>,
    /// Always empty; some clients insist on it.
    pub imports: Vec<Value>,
}

/// One secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SecretAnswer {
    /// It.
    pub secret: Secret,
}

/// What v3 and v4 clients send. What they send beyond this is ignored.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct SecretsQuery {
    /// The project's id, as v3 calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<String>,
    /// The project's slug, as v3 calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_slug: Option<String>,
    /// The project's id, as v4 calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The environment's slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The folder; `/` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_path: Option<String>,
    /// Whether the values are wanted; yes if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view_secret_value: Option<Flag>,
    /// Whether the folders below are wanted too. If absent: no by v3, yes by v4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recursive: Option<Flag>,
    /// An earlier version, of a single secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Secret, SecretsQuery};

    #[test]
    fn the_value_is_in_json_and_nowhere_else() {
        let id = "3c90c3cc-0d44-4b50-8888-8dd25736052a";
        let at = "2026-03-01T10:00:00.000Z";
        let sent = json!({
            "id": id, "_id": id, "workspace": id, "environment": "dev", "version": 1, "type": "shared",
            "secretKey": "AZURE_CLIENT_SECRET", "secretValue": "hunter2", "secretComment": "", "secretPath": "/",
            "secretValueHidden": false, "createdAt": at, "updatedAt": at, "tags": [], "secretMetadata": [],
            "skipMultilineEncoding": null, "isRotatedSecret": true, "rotationId": id, "secretReminderNote": null,
            "secretReminderRepeatDays": null
        });
        let secret: Secret = serde_json::from_value(sent.clone()).unwrap();
        assert!(!format!("{secret:?}").contains("hunter2"));
        assert_eq!(serde_json::to_value(secret).unwrap(), sent);
    }

    #[test]
    fn what_clients_send_beyond_is_ignored() {
        let query: SecretsQuery = serde_json::from_value(json!({
            "workspaceId": "w", "environment": "dev", "include_imports": "true", "tagSlugs": "", "recursive": "false"
        }))
        .unwrap();
        assert_eq!(query.recursive.map(|flag| flag.0), Some(false));
    }
}
