//! What a guest is handed. The copies that wasmtime needs are zeroised when the call has ended.

use zeroize::Zeroizing;

use crate::bindings::{calls, types};
use crate::contract::{Connection, IssueRequest, NamedValue, Output, Target, Value};
use crate::scrub::Scrubber;

pub(crate) fn connection(connection: &Connection) -> Zeroizing<types::Connection> {
    Zeroizing::new(raw_connection(connection))
}

pub(crate) fn target(target: &Target) -> Zeroizing<types::Target> {
    Zeroizing::new(types::Target {
        connection: raw_connection(&target.connection),
        parameters: values(&target.parameters),
    })
}

pub(crate) fn issue_request(request: &IssueRequest) -> Zeroizing<calls::IssueRequest> {
    Zeroizing::new(calls::IssueRequest {
        slot: request.slot,
        label: request.label.clone(),
        lifetime_seconds: request.lifetime.as_secs(),
        value: request.value.as_ref().map(|value| value.expose().to_vec()),
    })
}

pub(crate) fn outputs(outputs: &[Output]) -> Zeroizing<Vec<types::Output>> {
    let output = |output: &Output| types::Output {
        name: output.name.clone(),
        value: output.value.expose().to_vec(),
    };
    Zeroizing::new(outputs.iter().map(output).collect())
}

/// Adds what is secret in a connection.
pub(crate) fn connection_secrets(connection: &Connection, scrubber: &mut Scrubber) {
    value_secrets(&connection.values, scrubber);
}

/// Adds what is secret in a target.
pub(crate) fn target_secrets(target: &Target, scrubber: &mut Scrubber) {
    connection_secrets(&target.connection, scrubber);
    value_secrets(&target.parameters, scrubber);
}

/// Adds the outputs that `is_secret` names.
pub(crate) fn output_secrets(
    outputs: &[Output],
    is_secret: impl Fn(&str) -> bool,
    scrubber: &mut Scrubber,
) {
    for output in outputs.iter().filter(|output| is_secret(&output.name)) {
        scrubber.add(output.value.expose());
    }
}

fn value_secrets(values: &[NamedValue], scrubber: &mut Scrubber) {
    for value in values {
        if let Value::Secret(secret) = &value.value {
            scrubber.add(secret.expose());
        }
    }
}

fn raw_connection(connection: &Connection) -> types::Connection {
    types::Connection {
        method: connection.method.clone(),
        values: values(&connection.values),
    }
}

fn values(values: &[NamedValue]) -> Vec<types::NamedValue> {
    values
        .iter()
        .map(|named| types::NamedValue {
            name: named.name.clone(),
            value: match &named.value {
                Value::Text(text) => types::Value::Text(text.clone()),
                Value::Integer(number) => types::Value::Integer(*number),
                Value::Boolean(truth) => types::Value::Boolean(*truth),
                Value::Secret(secret) => types::Value::Secret(secret.expose().to_vec()),
                Value::Json(json) => types::Value::Json(json.clone()),
            },
        })
        .collect()
}
