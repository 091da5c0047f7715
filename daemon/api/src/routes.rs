//! Every route, as the pattern that the daemon serves and as a function that a client fills in.
//!
//! | Method, path | Takes | Answers |
//! |---|---|---|
//! | GET [`ROTATION_OPTIONS`] | | `SecretRotationOptionsAnswer` |
//! | GET [`ROTATIONS`] | `RotationsQuery` | `SecretRotationsAnswer`, of every type |
//! | GET [`ROTATIONS_OF_TYPE`] | `RotationsQuery` | `SecretRotationsAnswer` |
//! | POST [`ROTATIONS_OF_TYPE`] | `CreateRotation` | 200 (or 202 while it goes on) `SecretRotationAnswer` |
//! | GET [`ROTATION`] | | `SecretRotationAnswer` |
//! | GET [`ROTATION_BY_NAME`] | `RotationNameQuery` | `SecretRotationAnswer` |
//! | PATCH [`ROTATION`] | `UpdateRotation` | `SecretRotationAnswer` |
//! | DELETE [`ROTATION`] | `DeleteRotationQuery` | `SecretRotationAnswer`, as it was |
//! | GET [`GENERATED_CREDENTIALS`] | | `GeneratedCredentials` |
//! | POST [`ROTATE_SECRETS`] | `RotateNow` or nothing | 200 (or 202) `SecretRotationAnswer` |
//! | POST [`CHECK_CREDENTIALS`] | | 204 |
//! | POST [`MOVE_ROTATION`] | `MoveRotation` | `SecretRotationAnswer` |
//! | GET [`CONNECTION_OPTIONS`] | | `AppConnectionOptionsAnswer` |
//! | GET [`CONNECTIONS`] | | `AppConnectionsAnswer`, of every kind |
//! | GET [`CONNECTIONS_OF_APP`] | `ProjectQuery` (optional) | `AppConnectionsAnswer` |
//! | POST [`CONNECTIONS_OF_APP`] | `CreateConnection` | `AppConnectionAnswer` |
//! | GET [`AVAILABLE_CONNECTIONS`] | `ProjectQuery` | `AvailableConnectionsAnswer` |
//! | GET [`CONNECTION_BY_NAME`] | `ProjectQuery` (optional) | `AppConnectionAnswer` |
//! | GET [`CONNECTION`] | | `AppConnectionAnswer` |
//! | PATCH [`CONNECTION`] | `UpdateConnection` | `AppConnectionAnswer` |
//! | DELETE [`CONNECTION`] | | `AppConnectionAnswer`, as it was |
//! | GET [`CHOICES`] | `ChoicesQuery` | `ChoicesAnswer`; without `next` and `query` every page at once |
//! | GET [`PROJECTS`] | | `ProjectsAnswer` |
//! | POST [`PROJECTS`] | `CreateProject` | `ProjectAnswer` |
//! | GET [`PROJECT`] | | `ProjectAnswer` |
//! | GET [`PROJECT_BY_SLUG`] | | `Project`, bare |
//! | GET [`ENVIRONMENTS`] | | `EnvironmentsAnswer` |
//! | POST [`ENVIRONMENTS`] | `CreateEnvironment` | `EnvironmentAnswer` |
//! | GET [`FOLDERS`] | `FoldersQuery` | `FoldersAnswer` |
//! | POST [`FOLDERS`] | `CreateFolder` | `FolderAnswer` |
//! | GET [`SECRETS_V3`], [`SECRETS_V4`] | `SecretsQuery` | `SecretsAnswer`, with `ETag` |
//! | GET [`SECRET_V3`], [`SECRET_V4`] | `SecretsQuery` | `SecretAnswer`, with `ETag` |
//! | DELETE [`SECRET_V3`], [`SECRET_V4`] | `SecretsQuery`, `DeleteSecret` or both | `SecretAnswer`, as it was, without its value |
//!
//! rotord's own, beside those:
//!
//! | Method, path | Takes | Answers |
//! |---|---|---|
//! | GET [`STATUS`] | | `DaemonStatus` |
//! | GET [`PROVIDERS`] | | `ProvidersAnswer` |
//! | GET [`DOCTOR`] | `DoctorQuery` | `DoctorReport`; nothing is changed for it |
//! | GET [`AUDIT`] | `AuditQuery` | `AuditAnswer`, the newest first |
//! | POST [`BACKUP`] | `TakeBackup` or nothing | the backup file |
//! | GET [`ROOT_KEY`] | | `RootKeyStatus` |
//! | POST [`ROOT_KEY_REWRAP`] | `RewrapRootKey` or nothing | `RewrapReport` |
//! | GET [`ROTATION_OF_ANY_TYPE`] | | `SecretRotationAnswer` |
//! | POST [`PAUSE`], [`RESUME`], [`UNBLOCK`] | | `SecretRotationAnswer` |
//! | POST [`RETIRE`] | `RetireCredential` or nothing | `SecretRotationAnswer` |
//! | POST [`ADOPT`] | `AdoptCredential` | `SecretRotationAnswer` |
//! | POST [`REMOVE`] | `RemoveCredential` | `SecretRotationAnswer` |
//! | GET [`CONNECTION_CHECK`] | | `ConnectionCheck` |
//! | GET [`OPENAPI`] | | the `OpenAPI` description |
//!
//! Every error is an [`ErrorBody`](crate::ErrorBody). A trailing slash is tolerated.

use std::fmt::Display;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

/// The kinds of rotation.
pub const ROTATION_OPTIONS: &str = "/api/v2/secret-rotations/options";
/// Rotations of every type.
pub const ROTATIONS: &str = "/api/v2/secret-rotations";
/// Rotations of one type.
pub const ROTATIONS_OF_TYPE: &str = "/api/v2/secret-rotations/{type}";
/// One rotation.
pub const ROTATION: &str = "/api/v2/secret-rotations/{type}/{rotationId}";
/// One rotation, by its name and place.
pub const ROTATION_BY_NAME: &str = "/api/v2/secret-rotations/{type}/rotation-name/{rotationName}";
/// The credentials themselves.
pub const GENERATED_CREDENTIALS: &str =
    "/api/v2/secret-rotations/{type}/{rotationId}/generated-credentials";
/// Rotate now.
pub const ROTATE_SECRETS: &str = "/api/v2/secret-rotations/{type}/{rotationId}/rotate-secrets";
/// Does the published credential work.
pub const CHECK_CREDENTIALS: &str =
    "/api/v2/secret-rotations/{type}/{rotationId}/check-credentials";
/// To another environment or folder.
pub const MOVE_ROTATION: &str = "/api/v2/secret-rotations/{type}/move/{rotationId}";

/// The kinds of connection.
pub const CONNECTION_OPTIONS: &str = "/api/v1/app-connections/options";
/// Connections of every kind.
pub const CONNECTIONS: &str = "/api/v1/app-connections";
/// Connections of one kind.
pub const CONNECTIONS_OF_APP: &str = "/api/v1/app-connections/{app}";
/// Connections that a rotation could use.
pub const AVAILABLE_CONNECTIONS: &str = "/api/v1/app-connections/{app}/available";
/// One connection.
pub const CONNECTION: &str = "/api/v1/app-connections/{app}/{connectionId}";
/// One connection, by its name.
pub const CONNECTION_BY_NAME: &str =
    "/api/v1/app-connections/{app}/connection-name/{connectionName}";
/// A list that a person picks a target from.
pub const CHOICES: &str = "/api/v1/app-connections/{app}/{connectionId}/{list}";

/// Projects, with their environments and folders.
pub const PROJECTS: &str = "/api/v1/projects";
/// One project.
pub const PROJECT: &str = "/api/v1/projects/{projectId}";
/// One project, by its slug.
pub const PROJECT_BY_SLUG: &str = "/api/v1/projects/slug/{slug}";
/// A project's environments.
pub const ENVIRONMENTS: &str = "/api/v1/projects/{projectId}/environments";
/// Folders.
pub const FOLDERS: &str = "/api/v1/folders";

/// A folder's secrets.
pub const SECRETS_V3: &str = "/api/v3/secrets/raw";
/// One secret.
pub const SECRET_V3: &str = "/api/v3/secrets/raw/{secretName}";
/// A folder's secrets.
pub const SECRETS_V4: &str = "/api/v4/secrets";
/// One secret.
pub const SECRET_V4: &str = "/api/v4/secrets/{secretName}";

/// How the daemon is doing.
pub const STATUS: &str = "/api/v1/rotord/status";
/// What would make rotations fail.
pub const DOCTOR: &str = "/api/v1/rotord/doctor";
/// What the providers say of themselves.
pub const PROVIDERS: &str = "/api/v1/rotord/providers";
/// Who did what.
pub const AUDIT: &str = "/api/v1/rotord/audit";
/// The whole database as one sealed file.
pub const BACKUP: &str = "/api/v1/rotord/backup";
/// Which root keys open the database.
pub const ROOT_KEY: &str = "/api/v1/rotord/root-key";
/// Another root key.
pub const ROOT_KEY_REWRAP: &str = "/api/v1/rotord/root-key/rewrap";
/// One rotation, whatever its type.
pub const ROTATION_OF_ANY_TYPE: &str = "/api/v1/rotord/rotations/{rotationId}";
/// No more scheduled runs.
pub const PAUSE: &str = "/api/v1/rotord/rotations/{rotationId}/pause";
/// Scheduled runs again.
pub const RESUME: &str = "/api/v1/rotord/rotations/{rotationId}/resume";
/// A person mended what kept it.
pub const UNBLOCK: &str = "/api/v1/rotord/rotations/{rotationId}/unblock";
/// Revoke without waiting.
pub const RETIRE: &str = "/api/v1/rotord/rotations/{rotationId}/retire";
/// Take over a credential that carries our label.
pub const ADOPT: &str = "/api/v1/rotord/rotations/{rotationId}/adopt";
/// Remove a credential that carries our label.
pub const REMOVE: &str = "/api/v1/rotord/rotations/{rotationId}/remove";
/// What a check of a connection sees.
pub const CONNECTION_CHECK: &str = "/api/v1/rotord/connections/{connectionId}/check";
/// The `OpenAPI` description of all this.
pub const OPENAPI: &str = "/api/v1/rotord/openapi.json";

/// [`ROTATIONS_OF_TYPE`].
pub fn rotations_of_type(kind: &str) -> String {
    fill(ROTATIONS_OF_TYPE, &[&kind])
}

/// [`ROTATION`].
pub fn rotation(kind: &str, id: Uuid) -> String {
    fill(ROTATION, &[&kind, &id])
}

/// [`ROTATION_BY_NAME`].
pub fn rotation_by_name(kind: &str, name: &str) -> String {
    fill(ROTATION_BY_NAME, &[&kind, &name])
}

/// [`GENERATED_CREDENTIALS`].
pub fn generated_credentials(kind: &str, id: Uuid) -> String {
    fill(GENERATED_CREDENTIALS, &[&kind, &id])
}

/// [`ROTATE_SECRETS`].
pub fn rotate_secrets(kind: &str, id: Uuid) -> String {
    fill(ROTATE_SECRETS, &[&kind, &id])
}

/// [`CHECK_CREDENTIALS`].
pub fn check_credentials(kind: &str, id: Uuid) -> String {
    fill(CHECK_CREDENTIALS, &[&kind, &id])
}

/// [`MOVE_ROTATION`].
pub fn move_rotation(kind: &str, id: Uuid) -> String {
    fill(MOVE_ROTATION, &[&kind, &id])
}

/// [`CONNECTIONS_OF_APP`].
pub fn connections_of_app(app: &str) -> String {
    fill(CONNECTIONS_OF_APP, &[&app])
}

/// [`CONNECTION`].
pub fn connection(app: &str, id: Uuid) -> String {
    fill(CONNECTION, &[&app, &id])
}

/// [`CHOICES`].
pub fn choices(app: &str, id: Uuid, list: &str) -> String {
    fill(CHOICES, &[&app, &id, &list])
}

/// [`SECRET_V4`].
pub fn secret(name: &str) -> String {
    fill(SECRET_V4, &[&name])
}

/// [`ENVIRONMENTS`].
pub fn environments(project: &str) -> String {
    fill(ENVIRONMENTS, &[&project])
}

/// One of the routes that have a rotation's id and nothing else: [`ROTATION_OF_ANY_TYPE`], [`PAUSE`],
/// [`RESUME`], [`UNBLOCK`], [`RETIRE`], [`ADOPT`], [`REMOVE`].
pub fn of_rotation(pattern: &str, id: Uuid) -> String {
    fill(pattern, &[&id])
}

/// [`CONNECTION_CHECK`].
pub fn connection_check(id: Uuid) -> String {
    fill(CONNECTION_CHECK, &[&id])
}

/// A path with a query made of a struct's fields; what is null or absent is left out.
pub fn with_query(path: &str, query: &impl Serialize) -> String {
    let mut filled = path.to_owned();
    // A query is a flat struct of texts and flags: it always becomes an object.
    let Ok(Value::Object(fields)) = serde_json::to_value(query) else {
        return filled;
    };
    let mut separator = '?';
    for (name, value) in fields {
        let text = match value {
            Value::String(text) => text,
            Value::Null => continue,
            other => other.to_string(),
        };
        filled.push(separator);
        filled.push_str(&name);
        filled.push('=');
        filled.extend(utf8_percent_encode(&text, RESERVED));
        separator = '&';
    }
    filled
}

/// Everything but what a URI never reserves.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Puts values in the place of `{…}`, in their order.
fn fill(pattern: &str, values: &[&dyn Display]) -> String {
    let mut values = values.iter();
    pattern
        .split('/')
        .map(
            |part| match part.strip_prefix('{').and_then(|_| values.next()) {
                Some(value) => utf8_percent_encode(&value.to_string(), RESERVED).to_string(),
                None => part.to_owned(),
            },
        )
        .collect::<Vec<_>>()
        .join("/")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{PAUSE, choices, move_rotation, of_rotation, secret, with_query};
    use crate::query::{DeleteRotationQuery, Flag, ProjectQuery};

    #[test]
    fn paths_are_filled_in_order() {
        let id = Uuid::nil();
        assert_eq!(
            choices("azure", id, "clients"),
            format!("/api/v1/app-connections/azure/{id}/clients")
        );
        assert_eq!(
            move_rotation("azure-client-secret", id),
            format!("/api/v2/secret-rotations/azure-client-secret/move/{id}")
        );
        assert_eq!(
            of_rotation(PAUSE, id),
            format!("/api/v1/rotord/rotations/{id}/pause")
        );
    }

    #[test]
    fn odd_names_cannot_leave_their_place() {
        assert_eq!(secret("../a b?c"), "/api/v4/secrets/..%2Fa%20b%3Fc");
    }

    #[test]
    fn queries_leave_out_what_is_absent() {
        let delete = DeleteRotationQuery {
            delete_secrets: Flag(true),
            ..DeleteRotationQuery::default()
        };
        assert_eq!(
            with_query("/a", &delete),
            "/a?deleteSecrets=true&revokeGeneratedCredentials=false"
        );
        assert_eq!(with_query("/a", &ProjectQuery::default()), "/a");
        assert_eq!(
            with_query(
                "/a",
                &ProjectQuery {
                    project_id: Some("x&y=/".to_owned())
                }
            ),
            "/a?projectId=x%26y%3D%2F"
        );
    }
}
