//! The body that creates a rotation.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::field::{self, FieldValues};
use crate::issue::{Issue, IssueCode, Issues};
use crate::reader::{Reader, as_text, boolean};
use crate::rotation::{SecretsMapping, TimeOfDay};
use crate::{rules, tolerated};

/// A rotation to be created. Made by [`CreateRotation::from_json`], so its fields keep the rules.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateRotation {
    /// A slug of 1..64 characters, unique in the folder.
    pub name: String,
    /// The project.
    pub project_id: String,
    /// At most 256 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The connection by which the provider is reached.
    pub connection_id: Uuid,
    /// The environment's slug.
    pub environment: String,
    /// The folder for the mapped secrets.
    pub secret_path: String,
    /// Whether it rotates by itself; true if absent.
    pub is_auto_rotation_enabled: bool,
    /// Days between two rotations, from 1. The provider says the longest.
    pub rotation_interval: u32,
    /// The time of day, in UTC; midnight if absent. Not looked at where `timeZone` is given.
    pub rotate_at_utc: TimeOfDay,
    /// What is rotated. Checked against the provider's schema by [`crate::provider::ProviderDescription::check_parameters`].
    pub parameters: FieldValues,
    /// Which output feeds which secret.
    pub secrets_mapping: SecretsMapping,
    /// An IANA zone: the time of day is meant there and follows its clock changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The time of day in that zone. Goes with `timeZone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotate_at_local: Option<TimeOfDay>,
    /// Hours for which a replaced credential stays valid; if absent, until the next rotation is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap_hours: Option<u32>,
    /// Create it even where the target has no room for two of our credentials.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

impl CreateRotation {
    /// Reads a body.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn from_json(body: Value) -> Result<Self, Issues> {
        let mut fields = Reader::new(body)?;
        let name = fields.required("name", as_text(rules::name));
        let project_id = fields.required("projectId", as_text(rules::filled));
        let description = fields.optional("description", as_text(rules::description));
        let connection_id = fields.required("connectionId", as_text(rules::uuid));
        let environment = fields.required("environment", as_text(rules::environment));
        let secret_path = fields.required("secretPath", as_text(rules::secret_path));
        let auto = fields.optional("isAutoRotationEnabled", boolean);
        let interval = fields.required("rotationInterval", rules::interval);
        let rotate_at_utc = fields.optional("rotateAtUtc", rules::time_of_day);
        let parameters = fields.required("parameters", field::values);
        let secrets_mapping = fields.required("secretsMapping", rules::secrets_mapping);
        let time_zone = fields.optional("timeZone", as_text(rules::time_zone));
        let rotate_at_local = fields.optional("rotateAtLocal", rules::time_of_day);
        let overlap_hours = fields.optional("overlapHours", |value| {
            rules::whole(value, 0, rules::INTERVAL_LIMIT * 24)
        });
        let force = fields.optional("force", boolean);
        if time_zone.is_some() != rotate_at_local.is_some() {
            fields.refuse(
                "timeZone",
                Issue::new(
                    IssueCode::Custom,
                    "goes with rotateAtLocal: give both or neither",
                ),
            );
        }
        fields.tolerate(tolerated::ROTATION);
        fields.finish()?;
        // A required field that is missing is an issue, so neither `else` is ever reached.
        let (
            Some(name),
            Some(project_id),
            Some(connection_id),
            Some(environment),
            Some(secret_path),
        ) = (name, project_id, connection_id, environment, secret_path)
        else {
            return Err(Issues::default());
        };
        let (Some(rotation_interval), Some(parameters), Some(secrets_mapping)) =
            (interval, parameters, secrets_mapping)
        else {
            return Err(Issues::default());
        };
        Ok(Self {
            name,
            project_id,
            description,
            connection_id,
            environment,
            secret_path,
            is_auto_rotation_enabled: auto.unwrap_or(true),
            rotation_interval,
            rotate_at_utc: rotate_at_utc.unwrap_or_default(),
            parameters,
            secrets_mapping,
            time_zone,
            rotate_at_local,
            overlap_hours,
            force: force.unwrap_or(false),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::CreateRotation;
    use crate::issue::IssueCode;

    fn documented() -> Value {
        json!({
            "name": "my-azure-rotation", "projectId": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
            "description": "my client secret rotation", "connectionId": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
            "environment": "dev", "secretPath": "/", "isAutoRotationEnabled": true, "rotationInterval": 30,
            "rotateAtUtc": {"hours": 0, "minutes": 0},
            "parameters": {"objectId": "...", "clientId": "...", "appName": "..."},
            "secretsMapping": {"clientId": "AZURE_CLIENT_ID", "clientSecret": "AZURE_CLIENT_SECRET"}
        })
    }

    fn with(field: &str, value: Value) -> Value {
        let mut body = documented();
        body[field] = value;
        body
    }

    #[test]
    fn the_documented_request_is_read_and_written_alike() {
        let body = CreateRotation::from_json(documented()).unwrap();
        assert_eq!(serde_json::to_value(body).unwrap(), documented());
    }

    #[test]
    fn defaults_are_the_documented_ones() {
        let mut body = documented();
        let mut nothing = documented();
        for absent in ["description", "isAutoRotationEnabled", "rotateAtUtc"] {
            body.as_object_mut().unwrap().remove(absent);
            nothing[absent] = json!(null);
        }
        let read = CreateRotation::from_json(body).unwrap();
        assert!(read.is_auto_rotation_enabled);
        assert_eq!(
            (read.rotate_at_utc.to_string(), &read.description),
            ("00:00".to_owned(), &None)
        );
        // Many clients write null for what nobody has set; one names the provider beside the path.
        nothing["Provider"] = json!("azure-client-secret");
        assert_eq!(CreateRotation::from_json(nothing).unwrap(), read);
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let issues = CreateRotation::from_json(json!({"name": "Not A Slug", "rotationInterval": 1.5, "rotateAtUtc": {"hours": 24, "minutes": 0}})).unwrap_err();
        let mut named: Vec<String> = issues.0.iter().map(|issue| issue.path.join(".")).collect();
        named.sort();
        assert_eq!(
            named,
            [
                "connectionId",
                "environment",
                "name",
                "parameters",
                "projectId",
                "rotateAtUtc.hours",
                "rotationInterval",
                "secretPath",
                "secretsMapping"
            ]
        );
    }

    #[test]
    fn bodies_that_are_no_object_are_refused() {
        for body in [json!(null), json!([]), json!("x")] {
            assert_eq!(CreateRotation::from_json(body).unwrap_err().0.len(), 1);
        }
    }

    #[test]
    fn unknown_fields_are_refused_with_what_was_meant() {
        for (field, value, says) in [
            (
                "isAutoRotationEnable",
                json!(false),
                "isAutoRotationEnable: is not a field of this request: did you mean isAutoRotationEnabled?",
            ),
            (
                "rotateAtUtc",
                json!({"hours": 1, "minutes": 2, "seconds": 3}),
                "rotateAtUtc.seconds: is not a field of this request: there is hours, minutes",
            ),
            (
                "zork",
                json!(null),
                "zork: is not a field of this request: there is name, projectId, description, connectionId, \
                 environment, secretPath, isAutoRotationEnabled, rotationInterval, rotateAtUtc, parameters, \
                 secretsMapping, timeZone, rotateAtLocal, overlapHours, force",
            ),
        ] {
            let issues = CreateRotation::from_json(with(field, value)).unwrap_err();
            assert_eq!(issues.to_string(), says);
            assert_eq!(issues.0[0].code, IssueCode::UnrecognizedKeys);
        }
    }

    #[test]
    fn a_description_may_be_null() {
        assert_eq!(
            CreateRotation::from_json(with("description", json!(null)))
                .unwrap()
                .description,
            None
        );
    }

    #[test]
    fn a_zone_comes_with_its_local_time() {
        assert!(CreateRotation::from_json(with("timeZone", json!("Europe/Berlin"))).is_err());
        let mut both = with("timeZone", json!("Europe/Berlin"));
        both["rotateAtLocal"] = json!({"hours": 2, "minutes": 30});
        assert_eq!(
            CreateRotation::from_json(both)
                .unwrap()
                .rotate_at_local
                .unwrap()
                .to_string(),
            "02:30"
        );
    }
}
