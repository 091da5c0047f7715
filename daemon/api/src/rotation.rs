//! Rotations: the object that every route answers with, and the bodies that routes take.

mod actions;
mod create;
mod generated;
mod state;
mod update;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

pub use actions::{AdoptCredential, MoveRotation, RemoveCredential, RetireCredential, RotateNow};
pub use create::CreateRotation;
pub use generated::{GeneratedCredential, GeneratedCredentials};
pub use state::{
    Attention, CredentialStage, CredentialState, ReleasedCredential, RotationState, RunReason,
    RunState, RunStep,
};
pub use update::UpdateRotation;

use crate::timestamp::Timestamp;

/// Output of the provider → name of the secret that it feeds.
pub type SecretsMapping = BTreeMap<String, String>;

/// A rotation as every route answers with it. Generated credentials are never in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretRotation {
    /// Its id.
    pub id: Uuid,
    /// Its name, unique in its folder.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The provider's slug, such as `azure-client-secret`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is rotated, in the provider's terms.
    pub parameters: BTreeMap<String, Value>,
    /// Which output feeds which secret.
    pub secrets_mapping: SecretsMapping,
    /// Whether it rotates by itself.
    pub is_auto_rotation_enabled: bool,
    /// The slot that is published, 0 or 1.
    pub active_index: u32,
    /// Days between two rotations.
    pub rotation_interval: u32,
    /// The time of day of the next rotation, in UTC. With a time zone it follows that zone's clock changes.
    pub rotate_at_utc: TimeOfDay,
    /// How the last run ended, or that one is under way.
    pub rotation_status: RotationStatus,
    /// Why the last run failed, for a person; null after a success.
    pub last_rotation_message: Option<String>,
    /// When a run was last tried. Null only before the first one.
    pub last_rotation_attempted_at: Option<Timestamp>,
    /// When a run last succeeded. Null until the first one has.
    pub last_rotated_at: Option<Timestamp>,
    /// The id of the last run.
    pub last_rotation_job_id: Option<String>,
    /// When it rotates next, or tries again; null where it doesn't rotate by itself.
    pub next_rotation_at: Option<Timestamp>,
    /// Whether a person asked for the last run. Creation counts as asked for.
    pub is_last_rotation_manual: bool,
    /// The connection's id.
    pub connection_id: Uuid,
    /// The connection by which it reaches the provider.
    pub connection: ConnectionSummary,
    /// The folder's id.
    pub folder_id: Uuid,
    /// The folder that its secrets are in.
    pub folder: FolderSummary,
    /// The environment that its folder is in.
    pub environment: EnvironmentSummary,
    /// The project that its environment is in.
    pub project_id: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The IANA zone in which the time of day is meant, where it is not UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The time of day in that zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotate_at_local: Option<TimeOfDay>,
    /// For how many hours a replaced credential stays valid; absent: until the next rotation is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap_hours: Option<u32>,
    /// What a person wants to know of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<RotationState>,
}

/// How the last run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RotationStatus {
    /// What it issued is published.
    Success,
    /// It published nothing.
    Failed,
    /// The first run has not ended yet, or one is under way that a person asked for.
    Pending,
}

impl fmt::Display for RotationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Pending => "pending",
        })
    }
}

/// A time of day, to the minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TimeOfDay {
    /// 0..23.
    pub hours: u32,
    /// 0..59.
    pub minutes: u32,
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hours, self.minutes)
    }
}

/// A connection as a rotation names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectionSummary {
    /// The service, such as `azure`.
    pub app: String,
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: Uuid,
}

/// A folder as a rotation names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FolderSummary {
    /// Its id.
    pub id: Uuid,
    /// Its path, such as `/`.
    pub path: String,
}

/// An environment as a rotation names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnvironmentSummary {
    /// Its slug, such as `dev`.
    pub slug: String,
    /// Its name, such as `Development`.
    pub name: String,
    /// Its id.
    pub id: Uuid,
}

/// One rotation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretRotationAnswer {
    /// It.
    pub secret_rotation: SecretRotation,
}

/// Several rotations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretRotationsAnswer {
    /// They.
    pub secret_rotations: Vec<SecretRotation>,
    /// What deleted rotations left alive at their providers, until it ends; with those that are deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub released_credentials: Vec<ReleasedCredential>,
}

/// A kind of rotation that can be created here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecretRotationOption {
    /// Its title, such as `Azure Client Secret`.
    pub name: String,
    /// The slug of the connections that it needs.
    pub connection: String,
    /// The provider's slug.
    #[serde(rename = "type")]
    pub kind: String,
    /// What to begin with.
    pub template: RotationTemplate,
}

/// What a new rotation can begin with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RotationTemplate {
    /// Suggested names.
    pub secrets_mapping: SecretsMapping,
}

/// The kinds of rotation that can be created here, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretRotationOptionsAnswer {
    /// They.
    pub secret_rotation_options: Vec<SecretRotationOption>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::SecretRotationAnswer;

    #[test]
    fn the_documented_answer_keeps_every_name_and_type() {
        let id = "3c90c3cc-0d44-4b50-8888-8dd25736052a";
        let at = "2023-11-07T05:31:56.000Z";
        let documented = json!({"secretRotation": {
            "id": id, "name": "my-azure-rotation", "description": "my client secret rotation",
            "secretsMapping": {"clientId": "AZURE_CLIENT_ID", "clientSecret": "AZURE_CLIENT_SECRET"},
            "isAutoRotationEnabled": true, "activeIndex": 0, "folderId": id, "connectionId": id,
            "createdAt": at, "updatedAt": at, "rotationInterval": 30, "rotationStatus": "success",
            "lastRotationAttemptedAt": at, "lastRotatedAt": at, "lastRotationJobId": id, "nextRotationAt": at,
            "isLastRotationManual": true,
            "connection": {"app": "azure", "name": "my-azure-connection", "id": id},
            "environment": {"slug": "dev", "name": "Development", "id": id},
            "projectId": id, "folder": {"id": id, "path": "/"}, "rotateAtUtc": {"hours": 0, "minutes": 0},
            "lastRotationMessage": null, "type": "azure-client-secret",
            "parameters": {"objectId": "...", "appName": "...", "clientId": "..."}
        }});
        let answer: SecretRotationAnswer = serde_json::from_value(documented.clone()).unwrap();
        assert_eq!(serde_json::to_value(answer).unwrap(), documented);
    }
}
