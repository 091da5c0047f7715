//! What a provider is handed.

use std::time::Duration;

use crate::Secret;

/// How the daemon reaches the service: the administrator's credentials and settings for it.
#[derive(Debug, Clone)]
pub struct Connection {
    /// One of the methods of the description.
    pub method: String,
    /// The method's fields.
    pub values: Vec<NamedValue>,
}

/// What is rotated: a connection and the rotation's parameters.
#[derive(Debug, Clone)]
pub struct Target {
    /// How to get there.
    pub connection: Connection,
    /// Which one.
    pub parameters: Vec<NamedValue>,
}

/// One value of a connection or of a rotation's parameters.
#[derive(Debug, Clone)]
pub struct NamedValue {
    /// The field's name.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// A field's value.
#[derive(Debug, Clone)]
pub enum Value {
    /// Text, URLs, UUIDs, choices.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// A field that the description marks as secret.
    Secret(Secret),
    /// Anything else, as JSON text.
    Json(String),
}

/// One value that applications read.
#[derive(Debug, Clone)]
pub struct Output {
    /// As in the description's outputs.
    pub name: String,
    /// The value, secret or not.
    pub value: Secret,
}

/// What is to be issued.
#[derive(Debug, Clone)]
pub struct IssueRequest {
    /// 0 or 1; for providers that keep two accounts.
    pub slot: u32,
    /// Stored with the credential at the service, word for word.
    pub label: String,
    /// How long it should live; whole seconds are handed over.
    pub lifetime: Duration,
    /// The value, where the host makes it.
    pub value: Option<Secret>,
}
