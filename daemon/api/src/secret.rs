//! Secrets as applications read them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::issue::Issues;
use crate::query::{Flag, flag_if_any};
use crate::reader::Reader;
use crate::sensitive::Sensitive;
use crate::timestamp::Timestamp;
use crate::{rules, tolerated};

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
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "flag_if_any"
    )]
    pub view_secret_value: Option<Flag>,
    /// Whether the folders below are wanted too. If absent: no by v3, yes by v4.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "flag_if_any"
    )]
    pub recursive: Option<Flag>,
    /// An earlier version, of a single secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Only secrets with one of these tags. None here has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_slugs: Option<String>,
    /// Only secrets with this metadata. None here has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_filter: Option<String>,
}

/// Where a secret is that is to be deleted, as some clients say it: in the body. The query says the same, and what the
/// body says goes before it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeleteSecret {
    /// The project's id, as v3 calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<String>,
    /// The project's slug; `workspaceSlug` is read too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_slug: Option<String>,
    /// The project's id, as v4 calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The environment's slug.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_path: Option<String>,
}

impl DeleteSecret {
    /// Reads a body, which may be left out.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn from_json(body: Value) -> Result<Self, Issues> {
        if body.is_null() {
            return Ok(Self::default());
        }
        let mut fields = Reader::new(body)?;
        let mut text = |name| fields.text_if_any(name, rules::filled);
        let workspace_slug = text("workspaceSlug");
        let read = Self {
            workspace_id: text("workspaceId"),
            project_slug: text("projectSlug").or(workspace_slug),
            project_id: text("projectId"),
            environment: text("environment"),
            secret_path: text("secretPath"),
        };
        fields.tolerate(tolerated::SECRET);
        fields.finish()?;
        Ok(read)
    }

    /// The query, with what the body says.
    pub fn over(self, query: SecretsQuery) -> SecretsQuery {
        let named = [&self.workspace_id, &self.project_slug, &self.project_id];
        let is_named = named.iter().any(|named| named.is_some());
        let or = |said: Option<String>, query: Option<String>| said.or(query.filter(|_| !is_named));
        SecretsQuery {
            workspace_id: or(self.workspace_id, query.workspace_id),
            workspace_slug: or(self.project_slug, query.workspace_slug),
            project_id: or(self.project_id, query.project_id),
            environment: self.environment.or(query.environment),
            secret_path: self.secret_path.or(query.secret_path),
            ..query
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{DeleteSecret, Secret, SecretsQuery};

    #[test]
    fn a_body_goes_before_the_query_and_may_be_left_out() {
        let query = SecretsQuery {
            project_id: Some("p".to_owned()),
            environment: Some("dev".to_owned()),
            ..SecretsQuery::default()
        };
        let none = DeleteSecret::from_json(serde_json::Value::Null).unwrap();
        assert_eq!(none.over(query.clone()).project_id.as_deref(), Some("p"));
        let body = json!({"workspaceId": "w", "secretPath": "/app", "type": "shared"});
        let over = DeleteSecret::from_json(body).unwrap().over(query);
        assert_eq!(over.workspace_id.as_deref(), Some("w"));
        assert_eq!(over.project_id, None);
        assert_eq!(over.environment.as_deref(), Some("dev"));
        assert_eq!(over.secret_path.as_deref(), Some("/app"));
        assert!(DeleteSecret::from_json(json!({"environment": 7})).is_err());
        // What is not known is sent as null, and what is not said as nothing.
        let body = json!({"workspaceId": null, "projectSlug": "app", "environment": "dev", "secretPath": "", "type": null});
        let by_slug = DeleteSecret::from_json(body).unwrap();
        let query = SecretsQuery {
            project_id: Some("p".to_owned()),
            ..SecretsQuery::default()
        };
        let over = by_slug.over(query);
        assert_eq!(over.workspace_slug.as_deref(), Some("app"));
        assert_eq!((over.project_id, over.secret_path), (None, None));
        // Nobody's own secret is here, and the shared one is not what was meant.
        assert!(DeleteSecret::from_json(json!({"type": "personal"})).is_err());
    }

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
