//! The body that changes a rotation.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::field::{self, FieldValues};
use crate::issue::{Issue, IssueCode, Issues};
use crate::reader::{Reader, as_text, boolean};
use crate::rotation::{SecretsMapping, TimeOfDay};
use crate::{rules, tolerated};

/// What to change; absent fields stay as they are. Connection, environment, folder and project can't be
/// changed by this: Terraform sends them with every update, so they are taken where they say what is.
// Absent, null and given are three things here.
#[allow(clippy::option_option)]
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateRotation {
    /// A slug of 1..64 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// At most 256 characters; null takes it away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Option<String>>,
    /// Whether it rotates by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_auto_rotation_enabled: Option<bool>,
    /// Days between two rotations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation_interval: Option<u32>,
    /// The time of day, in UTC. A changed one takes the zone away; not looked at where `rotateAtLocal` is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotate_at_utc: Option<TimeOfDay>,
    /// What is rotated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<FieldValues>,
    /// Which output feeds which secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets_mapping: Option<SecretsMapping>,
    /// An IANA zone; null means UTC from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<Option<String>>,
    /// The time of day in the zone that is given, or that the rotation has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotate_at_local: Option<TimeOfDay>,
    /// Hours for which a replaced credential stays valid; null: until the next rotation is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap_hours: Option<Option<u32>>,
    /// The connection that the rotation has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<Uuid>,
    /// The project that the rotation is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The environment that the rotation is in; `move` moves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The folder that the rotation is in; `move` moves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_path: Option<String>,
}

impl UpdateRotation {
    /// Reads a body.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn from_json(body: Value) -> Result<Self, Issues> {
        let mut fields = Reader::new(body)?;
        let update = Self {
            name: fields.optional("name", as_text(rules::name)),
            description: fields.nullable("description", as_text(rules::description)),
            is_auto_rotation_enabled: fields.optional("isAutoRotationEnabled", boolean),
            rotation_interval: fields.optional("rotationInterval", rules::interval),
            rotate_at_utc: fields.optional("rotateAtUtc", rules::time_of_day),
            parameters: fields.optional("parameters", field::values),
            secrets_mapping: fields.optional("secretsMapping", rules::secrets_mapping),
            time_zone: fields.nullable("timeZone", as_text(rules::time_zone)),
            rotate_at_local: fields.optional("rotateAtLocal", rules::time_of_day),
            overlap_hours: fields.nullable("overlapHours", |value| {
                rules::whole(value, 0, rules::INTERVAL_LIMIT * 24)
            }),
            connection_id: fields.optional("connectionId", as_text(rules::uuid)),
            project_id: fields.optional("projectId", as_text(rules::filled)),
            environment: fields.optional("environment", as_text(rules::environment)),
            secret_path: fields.optional("secretPath", as_text(rules::secret_path)),
        };
        if update.time_zone == Some(None) && update.rotate_at_local.is_some() {
            fields.refuse(
                "rotateAtLocal",
                Issue::new(IssueCode::Custom, "needs a timeZone"),
            );
        }
        fields.tolerate(tolerated::ROTATION);
        fields.finish()?;
        Ok(update)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::UpdateRotation;

    #[test]
    fn absent_null_and_given_are_three_things() {
        assert_eq!(
            UpdateRotation::from_json(json!({})).unwrap().description,
            None
        );
        assert_eq!(
            UpdateRotation::from_json(json!({"description": null}))
                .unwrap()
                .description,
            Some(None)
        );
        assert_eq!(
            UpdateRotation::from_json(json!({"description": ""}))
                .unwrap()
                .description,
            Some(Some(String::new()))
        );
    }

    #[test]
    fn only_what_changes_is_sent() {
        let update = UpdateRotation {
            description: Some(None),
            rotation_interval: Some(7),
            ..UpdateRotation::default()
        };
        assert_eq!(
            serde_json::to_value(update).unwrap(),
            json!({"description": null, "rotationInterval": 7})
        );
    }

    #[test]
    fn unknown_fields_and_wrong_values_are_refused() {
        assert_eq!(
            UpdateRotation::from_json(json!({"overlapHour": 1}))
                .unwrap_err()
                .to_string(),
            "overlapHour: is not a field of this request: did you mean overlapHours?"
        );
        assert!(UpdateRotation::from_json(json!({"connectionId": 7})).is_err());
        let unset = json!({"name": null, "rotationInterval": null, "rotateAtUtc": null});
        assert_eq!(
            UpdateRotation::from_json(unset).unwrap(),
            UpdateRotation::default()
        );
        assert!(UpdateRotation::from_json(json!({"rotationInterval": 0})).is_err());
        assert!(
            UpdateRotation::from_json(
                json!({"timeZone": null, "rotateAtLocal": {"hours": 1, "minutes": 0}})
            )
            .is_err()
        );
    }
}
