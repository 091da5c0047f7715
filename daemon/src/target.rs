//! What a provider is handed, made from what is in the books: values by the description's schema, secrets apart.

use rotord_provider::Secret;
use rotord_provider::contract::{
    Connection, Field, FieldKind, NamedValue, ProviderDescription, Target, Value,
};
use rotord_store::{Connection as StoredConnection, ConnectionId, RotationDetails, SecretMap};
use serde_json::{Map, Value as Json};

/// A connection for the provider.
pub fn connection(
    description: &ProviderDescription,
    stored: &StoredConnection,
    secrets: &SecretMap,
) -> Connection {
    let fields = fields_of(description, &stored.method);
    let mut values = named(&fields, &stored.fields);
    values.extend(secrets.iter().map(|(name, value)| NamedValue {
        name: name.to_owned(),
        value: Value::Secret(Secret::new(value.expose())),
    }));
    Connection {
        method: stored.method.clone(),
        values,
    }
}

/// A target for the provider.
pub fn target(
    description: &ProviderDescription,
    connection: Connection,
    parameters: &Map<String, Json>,
) -> Target {
    let fields: Vec<&Field> = description
        .parameters
        .iter()
        .map(|parameter| &parameter.field)
        .collect();
    Target {
        connection,
        parameters: named(&fields, parameters),
    }
}

/// Tells the targets of a connection apart: the connection and the parameters that the provider calls its key.
pub fn key(
    description: &ProviderDescription,
    connection: ConnectionId,
    parameters: &Map<String, Json>,
) -> String {
    let key: Vec<_> = description
        .parameters
        .iter()
        .filter(|parameter| parameter.key)
        .map(|parameter| (&parameter.field.name, parameters.get(&parameter.field.name)))
        .collect();
    over(connection, &serde_json::to_string(&key).unwrap_or_default())
}

fn over(connection: ConnectionId, key: &str) -> String {
    format!("{connection} {key}")
}

/// Whose turn it is to write: the same for a target over every connection, of which two may lead to one. Targets of
/// other tenants with the same key take turns needlessly, which does no harm.
pub fn turn(details: &RotationDetails) -> String {
    let key = details
        .target_key
        .strip_prefix(&format!("{} ", details.connection))
        .unwrap_or(&details.target_key);
    format!("{} {key}", details.provider)
}

/// The fields of a connection by this method.
pub fn fields_of<'a>(description: &'a ProviderDescription, method: &str) -> Vec<&'a Field> {
    let methods = description.connection.methods.iter();
    methods
        .filter(|known| known.name == method)
        .flat_map(|known| &known.fields)
        .collect()
}

fn named(fields: &[&Field], values: &Map<String, Json>) -> Vec<NamedValue> {
    let kind = |name: &str| {
        fields
            .iter()
            .find(|field| field.name == name)
            .map(|field| &field.kind)
    };
    values
        .iter()
        .filter_map(|(name, value)| {
            Some(NamedValue {
                name: name.clone(),
                value: typed(kind(name), value)?,
            })
        })
        .collect()
}

/// The value as the schema types it; null is absent.
fn typed(kind: Option<&FieldKind>, value: &Json) -> Option<Value> {
    Some(match (kind, value) {
        (_, Json::Null) => return None,
        (Some(FieldKind::Integer), Json::Number(number)) => number
            .as_i64()
            .map_or_else(|| Value::Json(number.to_string()), Value::Integer),
        (_, Json::Bool(boolean)) => Value::Boolean(*boolean),
        (_, Json::String(text)) => Value::Text(text.clone()),
        (_, other) => Value::Json(other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use rotord_rotation::RotationId;
    use rotord_store::FolderId;
    use uuid::Uuid;

    use super::*;

    fn details(connection: u128, key: &str) -> RotationDetails {
        let connection = ConnectionId(Uuid::from_u128(connection));
        RotationDetails {
            id: RotationId(Uuid::nil()),
            provider: "azure-client-secret".to_owned(),
            name: String::new(),
            description: None,
            connection,
            folder: FolderId(Uuid::nil()),
            target_key: over(connection, key),
            parameters: Map::new(),
            mapping: std::collections::BTreeMap::new(),
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn two_rotations_of_one_target_take_turns_whatever_their_connections() {
        let (one, other) = (details(1, "app"), details(2, "app"));
        assert_ne!(one.target_key, other.target_key);
        assert_eq!(turn(&one), turn(&other));
        assert_ne!(turn(&one), turn(&details(1, "another app")));
    }
}
