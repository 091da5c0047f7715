//! What a connection logs in with, sorted into what may be shown and what is sealed.

use rotord_api::field::{FieldValue, FieldValues};
use rotord_provider::contract::ProviderDescription;
use rotord_store::{Secret, SecretMap};
use serde_json::{Map, Value};

use crate::admin::describe;
use crate::admin::error::ApiError;
use crate::target;

/// Judged by the provider's schema.
pub(super) struct Credentials {
    pub(super) method: String,
    pub(super) fields: Map<String, Value>,
    pub(super) secrets: SecretMap,
}

impl Credentials {
    /// What was given for a method, if it keeps the provider's rules.
    pub(super) fn read(
        description: &ProviderDescription,
        method: &str,
        given: FieldValues,
    ) -> Result<Self, ApiError> {
        let given = describe::provider(description).check_credentials(method, given)?;
        let schema = target::fields_of(description, method);
        let (mut fields, mut secrets) = (Map::new(), SecretMap::new());
        for (name, value) in given {
            // What the schema doesn't know was refused; what it does not call public is sealed.
            let is_public = schema
                .iter()
                .any(|field| field.name == name && !field.secret);
            if is_public {
                fields.insert(name, plain(value));
            } else {
                secrets.insert(name, sealed(&value));
            }
        }
        Ok(Self {
            method: method.to_owned(),
            fields,
            secrets,
        })
    }
}

fn plain(value: FieldValue) -> Value {
    match value {
        FieldValue::Text(text) => text.expose().into(),
        FieldValue::Integer(number) => number.into(),
        FieldValue::Boolean(flag) => flag.into(),
    }
}

fn sealed(value: &FieldValue) -> Secret {
    match value {
        FieldValue::Text(text) => Secret::new(text.expose()),
        FieldValue::Integer(number) => Secret::new(number.to_string()),
        FieldValue::Boolean(flag) => Secret::new(flag.to_string()),
    }
}
