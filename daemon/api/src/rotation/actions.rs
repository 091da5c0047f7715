//! The bodies of what a person orders: rotate, move, retire, adopt, remove.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::field;
use crate::issue::Issues;
use crate::reader::{Reader, as_text, boolean};
use crate::rules;
use crate::sensitive::Sensitive;

/// The optional body of rotate-secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RotateNow {
    /// Seconds from publishing after which what is replaced may be revoked, instead of the rotation's
    /// overlap. The provider's minimum holds all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retire_previous_after: Option<u32>,
}

impl RotateNow {
    /// Reads a body; null stands for none.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn from_json(body: Value) -> Result<Self, Issues> {
        if body.is_null() {
            return Ok(Self::default());
        }
        let mut fields = Reader::new(body)?;
        let after = fields.optional("retirePreviousAfter", |value| {
            rules::whole(value, 0, rules::INTERVAL_LIMIT * 86_400)
        });
        fields.finish()?;
        Ok(Self {
            retire_previous_after: after,
        })
    }
}

/// Where a rotation and its secrets move to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MoveRotation {
    /// The environment's slug.
    pub destination_environment: String,
    /// The folder.
    pub destination_secret_path: String,
    /// Replace ordinary secrets of the same names there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub overwrite_destination: bool,
}

impl MoveRotation {
    /// Reads a body.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn from_json(body: Value) -> Result<Self, Issues> {
        let mut fields = Reader::new(body)?;
        let environment = fields.required("destinationEnvironment", as_text(rules::environment));
        let path = fields.required("destinationSecretPath", as_text(rules::secret_path));
        let overwrite = fields.optional("overwriteDestination", boolean);
        match (environment, path, fields.finish()) {
            (Some(destination_environment), Some(destination_secret_path), Ok(())) => Ok(Self {
                destination_environment,
                destination_secret_path,
                overwrite_destination: overwrite.unwrap_or(false),
            }),
            (_, _, finished) => Err(finished.err().unwrap_or_default()),
        }
    }
}

/// Revoke without waiting: a person says that a credential has leaked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetireCredential {
    /// Which one; if absent, every one but the published one. Of the published one it means an urgent
    /// rotation first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// Without the check that the published one works.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub now: bool,
}

impl RetireCredential {
    /// Reads a body; null stands for none.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn from_json(body: Value) -> Result<Self, Issues> {
        if body.is_null() {
            return Ok(Self::default());
        }
        let mut fields = Reader::new(body)?;
        let key_id = fields.optional("keyId", as_text(rules::filled));
        let now = fields.optional("now", boolean);
        fields.finish()?;
        Ok(Self {
            key_id,
            now: now.unwrap_or(false),
        })
    }
}

/// Take a credential over that carries our label and is not in the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdoptCredential {
    /// The provider's name for it.
    pub key_id: String,
    /// Its outputs, where they are known: then it is proved and published. Without them it is only retired
    /// in its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<BTreeMap<String, Sensitive>>,
}

impl AdoptCredential {
    /// Reads a body.
    ///
    /// # Errors
    /// Everything that is wrong with it; never the values themselves.
    pub fn from_json(body: Value) -> Result<Self, Issues> {
        let mut fields = Reader::new(body)?;
        let key_id = fields.required("keyId", as_text(rules::filled));
        let outputs = fields.optional("outputs", field::sensitive_texts);
        match (key_id, fields.finish()) {
            (Some(key_id), Ok(())) => Ok(Self { key_id, outputs }),
            (_, finished) => Err(finished.err().unwrap_or_default()),
        }
    }
}

/// Remove a credential at the provider that carries our label and is not in the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemoveCredential {
    /// The provider's name for it.
    pub key_id: String,
}

impl RemoveCredential {
    /// Reads a body.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn from_json(body: Value) -> Result<Self, Issues> {
        let mut fields = Reader::new(body)?;
        let key_id = fields.required("keyId", as_text(rules::filled));
        match (key_id, fields.finish()) {
            (Some(key_id), Ok(())) => Ok(Self { key_id }),
            (_, finished) => Err(finished.err().unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{AdoptCredential, MoveRotation, RetireCredential, RotateNow};

    #[test]
    fn rotating_and_retiring_need_no_body() {
        assert_eq!(
            RotateNow::from_json(Value::Null).unwrap(),
            RotateNow::default()
        );
        assert_eq!(
            RetireCredential::from_json(Value::Null).unwrap(),
            RetireCredential::default()
        );
        assert_eq!(
            RotateNow::from_json(json!({"retirePreviousAfter": 3600}))
                .unwrap()
                .retire_previous_after,
            Some(3600)
        );
        assert!(RotateNow::from_json(json!({"retirePreviousAfter": -1})).is_err());
    }

    #[test]
    fn a_move_names_both_halves_of_its_destination() {
        let moved = MoveRotation::from_json(
            json!({"destinationEnvironment": "prod", "destinationSecretPath": "/app/"}),
        )
        .unwrap();
        assert_eq!(moved.destination_secret_path, "/app");
        assert_eq!(MoveRotation::from_json(json!({})).unwrap_err().0.len(), 2);
    }

    #[test]
    fn adopted_values_do_not_show() {
        let adopted = AdoptCredential::from_json(
            json!({"keyId": "k", "outputs": {"clientSecret": "hunter2"}}),
        )
        .unwrap();
        assert!(!format!("{adopted:?}").contains("hunter2"));
        let wrong = AdoptCredential::from_json(
            json!({"keyId": "k", "outputs": {"clientSecret": ["hunter2"]}}),
        )
        .unwrap_err();
        assert!(!wrong.to_string().contains("hunter2"));
    }
}
