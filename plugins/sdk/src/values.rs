//! What a call is about: a connection and the parameters of a target, read by name.

use crate::{Fault, NamedValue, Result, Secret, Value};

/// How the daemon reaches the service.
#[derive(Debug, Clone)]
pub struct Connection {
    /// One of the methods that the provider's description lists.
    pub method: String,
    /// The method's fields.
    pub values: Values,
}

impl Connection {
    /// A connection by this method.
    pub fn new(method: impl Into<String>, values: impl IntoIterator<Item = NamedValue>) -> Self {
        Self {
            method: method.into(),
            values: Values::new("connection", values),
        }
    }
}

/// What is rotated.
#[derive(Debug, Clone)]
pub struct Target {
    /// How to reach the service.
    pub connection: Connection,
    /// The rotation's parameters.
    pub parameters: Values,
}

impl Target {
    /// A target with these parameters.
    pub fn new(connection: Connection, parameters: impl IntoIterator<Item = NamedValue>) -> Self {
        Self {
            connection,
            parameters: Values::new("parameters", parameters),
        }
    }
}

/// Named values. A missing or mistyped one becomes a fault that names the field as the API does, such as
/// `parameters.objectId`.
#[derive(Debug, Clone)]
pub struct Values {
    place: &'static str,
    entries: Vec<(String, Held)>,
}

/// A value whose secret case does not print.
#[derive(Debug, Clone)]
enum Held {
    Text(String),
    Integer(i64),
    Boolean(bool),
    Secret(Secret),
    Json(String),
}

impl Values {
    /// Values of one place, `connection` or `parameters`.
    pub fn new(place: &'static str, values: impl IntoIterator<Item = NamedValue>) -> Self {
        let entries = values
            .into_iter()
            .map(|named| (named.name, Held::from(named.value)))
            .collect();
        Self { place, entries }
    }

    /// The field's whole name, as faults name it.
    pub fn field(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
    }

    /// A text that must be there and not be empty.
    pub fn text(&self, name: &str) -> Result<&str> {
        self.optional_text(name)?.ok_or_else(|| self.missing(name))
    }

    /// A text, where it is set; empty counts as not set.
    pub fn optional_text(&self, name: &str) -> Result<Option<&str>> {
        match self.held(name) {
            None => Ok(None),
            Some(Held::Text(text)) if text.is_empty() => Ok(None),
            Some(Held::Text(text)) => Ok(Some(text)),
            Some(_) => Err(self.mistyped(name, "a text")),
        }
    }

    /// A secret that must be there and not be empty.
    pub fn secret(&self, name: &str) -> Result<&Secret> {
        self.optional_secret(name)?
            .ok_or_else(|| self.missing(name))
    }

    /// A secret, where it is set; empty counts as not set.
    pub fn optional_secret(&self, name: &str) -> Result<Option<&Secret>> {
        match self.held(name) {
            None => Ok(None),
            Some(Held::Secret(secret)) if secret.is_empty() => Ok(None),
            Some(Held::Secret(secret)) => Ok(Some(secret)),
            Some(_) => Err(self.mistyped(name, "a secret")),
        }
    }

    /// A whole number, where it is set.
    pub fn optional_integer(&self, name: &str) -> Result<Option<i64>> {
        match self.held(name) {
            None => Ok(None),
            Some(Held::Integer(number)) => Ok(Some(*number)),
            Some(_) => Err(self.mistyped(name, "a whole number")),
        }
    }

    /// Yes or no, where it is set.
    pub fn optional_boolean(&self, name: &str) -> Result<Option<bool>> {
        match self.held(name) {
            None => Ok(None),
            Some(Held::Boolean(answer)) => Ok(Some(*answer)),
            Some(_) => Err(self.mistyped(name, "true or false")),
        }
    }

    /// Any other value, read from its JSON, where it is set.
    pub fn optional_json<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        match self.held(name) {
            None => Ok(None),
            Some(Held::Json(json)) => serde_json::from_str(json)
                .map(Some)
                .map_err(|_| self.mistyped(name, "of the documented JSON shape")),
            Some(_) => Err(self.mistyped(name, "JSON")),
        }
    }

    /// A fault that names one of these fields.
    pub fn invalid(&self, name: &str, message: impl Into<String>) -> Fault {
        Fault::invalid_input(self.field(name), message)
    }

    fn held(&self, name: &str) -> Option<&Held> {
        self.entries
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, held)| held)
    }

    fn missing(&self, name: &str) -> Fault {
        self.invalid(name, format!("{} is required", self.field(name)))
    }

    fn mistyped(&self, name: &str, what: &str) -> Fault {
        self.invalid(name, format!("{} must be {what}", self.field(name)))
    }
}

impl From<Value> for Held {
    fn from(value: Value) -> Self {
        match value {
            Value::Text(text) => Self::Text(text),
            Value::Integer(number) => Self::Integer(number),
            Value::Boolean(answer) => Self::Boolean(answer),
            Value::Secret(bytes) => Self::Secret(Secret::new(bytes)),
            Value::Json(json) => Self::Json(json),
        }
    }
}

impl NamedValue {
    /// A named text.
    pub fn text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: Value::Text(text.into()),
        }
    }

    /// A named secret.
    pub fn secret(name: impl Into<String>, secret: Secret) -> Self {
        Self {
            name: name.into(),
            value: Value::Secret(secret.into_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FaultKind;

    fn target() -> Target {
        let connection = Connection::new(
            "client-secret",
            [NamedValue::secret("clientSecret", Secret::from("hunter2"))],
        );
        Target::new(
            connection,
            [
                NamedValue::text("objectId", "abc"),
                NamedValue::text("appName", ""),
            ],
        )
    }

    #[test]
    fn a_missing_field_is_named_as_the_api_names_it() {
        let fault = target().parameters.text("clientId").unwrap_err();
        assert_eq!(
            fault.kind,
            FaultKind::InvalidInput("parameters.clientId".into())
        );
        assert_eq!(fault.message, "parameters.clientId is required");
    }

    #[test]
    fn an_empty_text_counts_as_not_set() {
        assert_eq!(target().parameters.optional_text("appName").unwrap(), None);
        target().parameters.text("appName").unwrap_err();
    }

    #[test]
    fn a_secret_is_not_handed_out_as_text() {
        let fault = target().connection.values.text("clientSecret").unwrap_err();
        assert_eq!(
            fault.kind,
            FaultKind::InvalidInput("connection.clientSecret".into())
        );
    }

    #[test]
    fn a_target_prints_without_its_secrets() {
        assert!(!format!("{:?}", target()).contains("hunter2"));
        assert!(!format!("{:?}", target()).contains(&format!("{:?}", b"hunter2")[1..8]));
    }
}
