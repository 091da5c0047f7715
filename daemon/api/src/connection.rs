//! Connections: how the daemon logs in at a provider's service.

mod body;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

pub use body::{CreateConnection, UpdateConnection};

use crate::issue::{Finding, Severity};
use crate::timestamp::Timestamp;

/// A connection as every route answers with it. Secret fields are not in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppConnection {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Counts its changes, from 1.
    pub version: u32,
    /// The organisation; one per installation.
    pub org_id: String,
    /// The project that alone may use it, where there is one.
    #[serde(default)]
    pub project_id: Option<String>,
    /// The slug of its kind, such as `azure-client-secrets`.
    pub app: String,
    /// How it logs in, such as `client-secret`.
    pub method: String,
    /// What of its credentials is no secret.
    pub credentials: BTreeMap<String, Value>,
    /// Always false: nothing but this daemon manages it.
    #[serde(default)]
    pub is_platform_managed_credentials: bool,
    /// Always null: the daemon is on the host itself.
    #[serde(default)]
    pub gateway_id: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The rotations that use it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used_by: Vec<RotationName>,
}

/// A rotation, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RotationName {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

/// One connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppConnectionAnswer {
    /// It.
    pub app_connection: AppConnection,
}

/// Several connections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppConnectionsAnswer {
    /// They.
    pub app_connections: Vec<AppConnection>,
}

/// A connection that a rotation could use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AvailableConnection {
    /// The slug of its kind.
    pub app: String,
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: Uuid,
    /// The project that alone may use it.
    pub project_id: Option<String>,
    /// The organisation.
    pub org_id: String,
}

/// The connections that a rotation could use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AvailableConnectionsAnswer {
    /// They.
    pub app_connections: Vec<AvailableConnection>,
}

/// A kind of connection that can be created here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AppConnectionOption {
    /// For a person.
    pub name: String,
    /// Its slug.
    pub app: String,
    /// The ways to log in.
    pub methods: Vec<String>,
}

/// The kinds of connection that can be created here, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppConnectionOptionsAnswer {
    /// They.
    pub app_connection_options: Vec<AppConnectionOption>,
}

/// What a check of a connection saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionCheck {
    /// Who we are at the service, where the login worked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What was seen: network paths, login, permissions, clocks.
    pub findings: Vec<Finding>,
    /// The service's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_time: Option<Timestamp>,
}

impl ConnectionCheck {
    /// Whether rotation could work with it.
    pub fn is_usable(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.severity != Severity::Problem)
    }
}
