//! Bodies of actions, checked as the service checks them.

use hyper::Method;
use serde_json::{Map, Value};

use super::datetime;
use super::error::GraphError;
use crate::model::{KeyId, NewPassword};
use crate::request::Request;

const PRIMITIVE: &str = "Cannot convert a primitive value to the expected type";

/// The JSON object of a write.
pub(super) fn object(request: &Request) -> Result<Map<String, Value>, GraphError> {
    let unreadable = || {
        GraphError::unparsable(
            "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.",
        )
    };
    // Reported of the gateway: no type is an empty 400, no length an empty 404.
    let content_type = request
        .header("content-type")
        .ok_or_else(|| GraphError::bare(400))?;
    if request.method == Method::POST && request.header("content-length").is_none() {
        return Err(GraphError::bare(404));
    }
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(unreadable());
    }
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(unreadable()),
    }
}

/// What `addPassword` was asked for.
pub(super) fn new_password(body: &Map<String, Value>) -> Result<NewPassword, GraphError> {
    only_parameter(body, "passwordCredential", "addPassword")?;
    let wanted = match body.get("passwordCredential") {
        None | Some(Value::Null) => return Ok(NewPassword::default()),
        Some(Value::Object(wanted)) => wanted,
        Some(_) => {
            return Err(GraphError::bad_request(format!(
                "{PRIMITIVE} 'microsoft.graph.passwordCredential'. See the inner exception for more details."
            )));
        }
    };
    for name in wanted.keys() {
        if ![
            "displayName",
            "startDateTime",
            "endDateTime",
            "keyId",
            "hint",
            "secretText",
            "customKeyIdentifier",
            "@odata.type",
        ]
        .contains(&name.as_str())
        {
            return Err(GraphError::bad_request(format!(
                "The property '{name}' does not exist on type 'microsoft.graph.passwordCredential'. Make sure to only use property names that are defined by the type."
            )));
        }
    }
    // The service makes these itself, and takes no offence.
    if let Some(key_id) = wanted.get("keyId").filter(|value| !value.is_null()) {
        guid(key_id)?;
    }
    Ok(NewPassword {
        display_name: match wanted.get("displayName") {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name.clone()),
            Some(_) => return Err(wrong_type("Edm.String")),
        },
        start: instant(wanted, "startDateTime")?,
        end: instant(wanted, "endDateTime")?,
    })
}

/// Which secret `removePassword` was asked for.
pub(super) fn key_id(body: &Map<String, Value>) -> Result<KeyId, GraphError> {
    only_parameter(body, "keyId", "removePassword")?;
    match body.get("keyId") {
        Some(value) if !value.is_null() => guid(value),
        _ => Err(GraphError::bad_request(
            "The value of parameter 'keyId' is missing or null.",
        )),
    }
}

fn only_parameter(
    body: &Map<String, Value>,
    parameter: &str,
    action: &str,
) -> Result<(), GraphError> {
    match body.keys().find(|name| *name != parameter) {
        None => Ok(()),
        Some(name) => Err(GraphError::bad_request(format!(
            "The parameter '{name}' in the request payload is not a valid parameter for the operation '{action}'."
        ))),
    }
}

fn guid(value: &Value) -> Result<KeyId, GraphError> {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| wrong_type("Edm.Guid"))
}

fn instant(
    wanted: &Map<String, Value>,
    name: &str,
) -> Result<Option<chrono::DateTime<chrono::Utc>>, GraphError> {
    match wanted.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_str()
            .and_then(datetime::read)
            .map(Some)
            .ok_or_else(|| wrong_type("Edm.DateTimeOffset")),
    }
}

fn wrong_type(expected: &str) -> GraphError {
    GraphError::bad_request(format!(
        "{PRIMITIVE} '{expected}'. See the inner exception for more details."
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(value: &Value) -> Result<NewPassword, GraphError> {
        new_password(value.as_object().unwrap())
    }

    #[test]
    fn everything_is_optional() {
        assert!(parse(&json!({})).unwrap().display_name.is_none());
        assert!(parse(&json!({ "passwordCredential": null })).is_ok());
        let all_null = json!({ "passwordCredential": {
            "displayName": null, "startDateTime": null, "endDateTime": null
        }});
        assert!(parse(&all_null).is_ok());
    }

    #[test]
    fn what_is_no_input_is_refused_by_name() {
        let error = parse(&json!({ "passwordCredentials": {} })).unwrap_err();
        assert!(error.message.contains("'passwordCredentials'"));
        let error = parse(&json!({ "passwordCredential": { "endDate": "x" } })).unwrap_err();
        assert!(error.message.contains("'endDate'"));
        let error = parse(&json!({ "passwordCredential": { "endDateTime": "soon" } })).unwrap_err();
        assert!(error.message.contains("Edm.DateTimeOffset"));
    }

    #[test]
    fn a_key_id_must_be_there_and_be_a_guid() {
        for body in [json!({}), json!({ "keyId": null }), json!({ "keyId": "x" })] {
            assert_eq!(key_id(body.as_object().unwrap()).unwrap_err().status, 400);
        }
    }
}
