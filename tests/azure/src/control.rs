//! The control interface under `/_standin/`: what the handle can do, for scripts and other processes.
//!
//! It asks nobody who they are, and shows no secret's text.

use std::time::Duration;

use hyper::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::behaviour::Behaviour;
use crate::config::SecretConfig;
use crate::fault::Rule;
use crate::model::{AppRole, KeyId, SecretText};
use crate::operate::UnknownApplication;
use crate::request::Request;
use crate::world::Shared;

/// Why an order was not followed.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("no such path or method")]
    NotFound,
    #[error(transparent)]
    UnknownApplication(#[from] UnknownApplication),
    #[error("no such secret")]
    UnknownSecret,
    #[error("{0}")]
    Malformed(String),
}

/// Answers a request; `path` is what follows the prefix.
pub(crate) fn answer(shared: &Shared, request: &Request, path: &[String]) -> Answer {
    let path: Vec<&str> = path
        .iter()
        .map(String::as_str)
        .filter(|segment| !segment.is_empty())
        .collect();
    match obey(shared, request, &path) {
        Ok(body) => Answer::json(200, "application/json", &body),
        Err(refusal) => {
            let status = match refusal {
                Refusal::Malformed(_) => 400,
                _ => 404,
            };
            let body = json!({ "error": refusal.to_string() });
            Answer::json(status, "application/json", &body)
        }
    }
}

fn obey(shared: &Shared, request: &Request, path: &[&str]) -> Result<Value, Refusal> {
    let method = request.method.as_str();
    match (method, path) {
        ("GET", []) => Ok(overview(shared, request)),
        ("GET", ["clock"]) => Ok(json!({ "now": shared.now() })),
        ("POST", ["clock"]) => {
            let order: Advance = parse(request)?;
            shared.advance(Duration::from_millis(order.advance_ms));
            Ok(json!({ "now": shared.now() }))
        }
        (_, ["behaviour"]) => behaviour(shared, request),
        (_, ["faults"]) => faults(shared, request),
        ("GET", ["record"]) => {
            let since = request
                .query_pairs()
                .find(|(name, _)| name == "since")
                .and_then(|(_, value)| value.parse().ok());
            Ok(json(&shared.record(since.unwrap_or(0))))
        }
        ("DELETE", ["record"]) => {
            shared.clear_record();
            Ok(json!({}))
        }
        ("GET", ["checks"]) => Ok(json(&shared.checks())),
        ("POST", ["checks", "login"]) => {
            let order: Login = parse(request)?;
            let check = shared.check_login(&order.app, order.secret.expose())?;
            let mut body = json(&check);
            body["works_everywhere"] = Value::from(check.works_everywhere());
            Ok(body)
        }
        ("GET", ["applications"]) => Ok(json(&shared.applications())),
        (_, ["applications", name, rest @ ..]) => application(shared, request, name, rest),
        _ => Err(Refusal::NotFound),
    }
}

fn overview(shared: &Shared, request: &Request) -> Value {
    let tenant = shared.world().tenant.id;
    json!({
        "address": request.base(),
        "tenant": tenant,
        "now": shared.now(),
        "applications": shared.applications().len(),
    })
}

fn behaviour(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    if request.method == Method::PATCH {
        let patch: Value = parse(request)?;
        let mut whole = json(&shared.behaviour());
        merge(&mut whole, patch);
        let changed: Behaviour = serde_json::from_value(whole).map_err(malformed)?;
        shared.set_behaviour(|behaviour| *behaviour = changed);
    } else if request.method != Method::GET {
        return Err(Refusal::NotFound);
    }
    Ok(json(&shared.behaviour()))
}

fn faults(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    match request.method.as_str() {
        "GET" => {}
        "POST" => shared.add_fault(parse::<Rule>(request)?),
        "DELETE" => shared.clear_faults(),
        _ => return Err(Refusal::NotFound),
    }
    Ok(json(&shared.faults()))
}

fn application(
    shared: &Shared,
    request: &Request,
    name: &str,
    rest: &[&str],
) -> Result<Value, Refusal> {
    match (request.method.as_str(), rest) {
        ("GET", []) => Ok(json(&shared.application(name)?)),
        ("PATCH", []) => {
            let order: Changes = parse(request)?;
            change(shared, name, order)?;
            Ok(json(&shared.application(name)?))
        }
        ("DELETE", []) => {
            shared.delete_application(name)?;
            Ok(json!({}))
        }
        ("GET", ["secrets"]) => Ok(json(&shared.secrets(name)?)),
        ("POST", ["secrets"]) => {
            let secret: SecretConfig = parse(request)?;
            let key_id = shared.add_foreign_secret(name, &secret)?;
            Ok(json!({ "key_id": key_id }))
        }
        ("DELETE", ["secrets", key_id]) => {
            let key_id: KeyId = key_id.parse().map_err(malformed)?;
            if shared.remove_secret(name, key_id)? {
                Ok(json!({}))
            } else {
                Err(Refusal::UnknownSecret)
            }
        }
        _ => Err(Refusal::NotFound),
    }
}

fn change(shared: &Shared, name: &str, order: Changes) -> Result<(), UnknownApplication> {
    shared.application(name)?;
    if let Some(disabled) = order.disabled {
        shared.disable(name, disabled)?;
    }
    for role in order.grant {
        shared.grant(name, role)?;
    }
    for role in order.ungrant {
        shared.ungrant(name, role)?;
    }
    for owner in order.add_owners {
        shared.set_owner(name, &owner, true)?;
    }
    for owner in order.remove_owners {
        shared.set_owner(name, &owner, false)?;
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    app: String,
    secret: SecretText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Changes {
    disabled: Option<bool>,
    grant: Vec<AppRole>,
    ungrant: Vec<AppRole>,
    add_owners: Vec<String>,
    remove_owners: Vec<String>,
}

fn parse<T: DeserializeOwned>(request: &Request) -> Result<T, Refusal> {
    serde_json::from_slice(&request.body).map_err(malformed)
}

fn malformed(error: impl std::fmt::Display) -> Refusal {
    Refusal::Malformed(error.to_string())
}

/// Types of this crate without maps of odd keys: they always have a JSON form.
fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

/// JSON merge patch: objects merge, anything else replaces.
fn merge(whole: &mut Value, patch: Value) {
    match (whole, patch) {
        (Value::Object(whole), Value::Object(patch)) => {
            for (name, value) in patch {
                merge(whole.entry(name).or_insert(Value::Null), value);
            }
        }
        (whole, patch) => *whole = patch,
    }
}
