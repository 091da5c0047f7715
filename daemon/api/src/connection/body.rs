//! The bodies that create and change a connection.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::field::{self, FieldValues};
use crate::issue::Issues;
use crate::reader::{Reader, as_text};
use crate::{rules, tolerated};

/// A connection to be created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateConnection {
    /// A slug of 1..64 characters, unique.
    pub name: String,
    /// At most 256 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How it logs in, such as `client-secret`.
    pub method: String,
    /// What the method needs. Checked against the provider's schema by
    /// [`crate::provider::ProviderDescription::check_credentials`].
    pub credentials: FieldValues,
    /// The project that alone may use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
}

impl CreateConnection {
    /// Reads a body.
    ///
    /// # Errors
    /// Everything that is wrong with it; never a value.
    pub fn from_json(body: Value) -> Result<Self, Issues> {
        let mut fields = Reader::new(body)?;
        let name = fields.required("name", as_text(rules::name));
        let description = fields.optional("description", as_text(rules::description));
        let method = fields.required("method", as_text(rules::filled));
        let credentials = fields.required("credentials", field::values);
        let project_id = fields.optional("projectId", as_text(rules::filled));
        fields.tolerate(tolerated::CONNECTION);
        match (name, method, credentials, fields.finish()) {
            (Some(name), Some(method), Some(credentials), Ok(())) => Ok(Self {
                name,
                description,
                method,
                credentials,
                project_id,
            }),
            (_, _, _, finished) => Err(finished.err().unwrap_or_default()),
        }
    }
}

/// What to change of a connection; absent fields stay as they are.
// Absent, null and given are three things here.
#[allow(clippy::option_option)]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateConnection {
    /// A slug of 1..64 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// At most 256 characters; null takes it away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Option<String>>,
    /// How it logs in. Another one than it has needs `credentials` too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// All of what the method needs: nothing stays of what was there, so that a stored secret is never
    /// sent to a place that was named later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<FieldValues>,
}

impl UpdateConnection {
    /// Reads a body.
    ///
    /// # Errors
    /// Everything that is wrong with it; never a value.
    pub fn from_json(body: Value) -> Result<Self, Issues> {
        let mut fields = Reader::new(body)?;
        let update = Self {
            name: fields.optional("name", as_text(rules::name)),
            description: fields.nullable("description", as_text(rules::description)),
            method: fields.optional("method", as_text(rules::filled)),
            credentials: fields.optional("credentials", field::values),
        };
        fields.tolerate(tolerated::CONNECTION);
        fields.finish()?;
        Ok(update)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::CreateConnection;

    #[test]
    fn a_connection_is_read_and_its_secret_never_shown() {
        let connection = CreateConnection::from_json(json!({
            "name": "azure", "method": "client-secret", "gatewayId": null,
            "credentials": {"clientId": "c", "clientSecret": "hunter2", "tenantId": "t"}
        }))
        .unwrap();
        assert!(!format!("{connection:?}").contains("hunter2"));
        assert_eq!(
            connection.credentials["clientSecret"].as_text(),
            Some("hunter2")
        );
    }

    #[test]
    fn what_clients_send_and_there_is_not_here_is_taken_where_it_asks_for_nothing() {
        let with = |field: &str, value| {
            let mut body = json!({"name": "a", "method": "m", "credentials": {}});
            body[field] = value;
            CreateConnection::from_json(body)
        };
        for (field, harmless, wrong, says) in [
            ("gatewayId", json!(null), json!("g"), "must be null"),
            (
                "isPlatformManagedCredentials",
                json!(false),
                json!(true),
                "must be false",
            ),
            (
                "isAutoRotationEnabled",
                json!(false),
                json!(true),
                "must be false",
            ),
        ] {
            assert!(with(field, harmless).is_ok(), "{field}");
            assert_eq!(
                with(field, wrong).unwrap_err().to_string(),
                format!("{field}: {says}")
            );
        }
        assert!(with("rotation", json!({"rotationInterval": 30})).is_ok());
        let unknown = with("projectID", json!("p")).unwrap_err();
        assert_eq!(
            unknown.to_string(),
            "projectID: is not a field of this request: did you mean projectId?"
        );
    }
}
