//! Microsoft Graph: the routes of applications and service principals that a rotation needs.

mod access;
mod body;
mod collection;
mod datetime;
mod entity;
mod error;
mod filter;
mod odata;
mod password;
mod policy;
mod read;
mod search;

use hyper::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::behaviour::ConcurrencyStatus;
use crate::exchange::Exchange;
use crate::fault::RetryAfter;
use crate::model::{AppId, Audience};
use crate::route::{GraphRoute, Key};
use crate::throttle::{Cost, Verdict};
use access::Caller;
use error::GraphError;

const JSON: &str = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

/// Answers a request.
pub(crate) fn answer(exchange: &mut Exchange<'_>, route: &GraphRoute) -> Answer {
    match try_answer(exchange, route) {
        Ok(answer) => answer,
        Err(error) => refuse(exchange, error),
    }
}

/// Who calls, if its token is believed.
pub(crate) fn caller(exchange: &Exchange<'_>) -> Option<AppId> {
    access::authenticate(exchange)
        .ok()
        .map(|caller| caller.app_id)
}

/// 401 for a token that continuous access evaluation has withdrawn.
pub(crate) fn claims_challenge(exchange: &mut Exchange<'_>) -> Answer {
    let earliest = exchange.now.timestamp();
    refuse(exchange, GraphError::claims_challenge(earliest))
}

/// 429, as Graph gives it.
pub(crate) fn throttled(
    exchange: &mut Exchange<'_>,
    code: Option<String>,
    retry_after: Option<String>,
    information: &str,
) -> Answer {
    let code = code.unwrap_or_else(|| "TooManyRequests".to_owned());
    let message = "This request is throttled. Please try again after the value specified in the Retry-After header.";
    let caller = exchange.note.caller.map(|id| id.to_string());
    let scope = format!(
        "Tenant_Application/ReadWrite/{}/{}",
        caller.unwrap_or_default(),
        exchange.world.tenant.id
    );
    let information = information.to_owned();
    failure(exchange, 429, &code, message.to_owned(), retry_after)
        .with("x-ms-throttle-scope", scope)
        .with("x-ms-throttle-information", information)
}

/// The refusal of writes that come too close.
pub(crate) fn concurrency(exchange: &mut Exchange<'_>, status: ConcurrencyStatus) -> Answer {
    refuse(exchange, GraphError::concurrency(status))
}

/// Any error of Graph's form.
pub(crate) fn failure(
    exchange: &mut Exchange<'_>,
    status: u16,
    code: &str,
    message: String,
    retry_after: Option<String>,
) -> Answer {
    let answer = refuse(exchange, GraphError::new(status, code, message));
    match retry_after {
        Some(retry_after) => answer.with("Retry-After", retry_after),
        None => answer,
    }
}

fn try_answer(exchange: &mut Exchange<'_>, route: &GraphRoute) -> Result<Answer, GraphError> {
    let caller = access::authenticate(exchange)?;
    let share = match charge(exchange, route, &caller) {
        Verdict::Pass(share) => share,
        Verdict::Refuse {
            retry_after_seconds,
            information,
        } => {
            let retry_after = exchange.retry_after(RetryAfter::Seconds(retry_after_seconds));
            return Ok(throttled(exchange, None, Some(retry_after), information));
        }
    };
    let answer = perform(exchange, route, &caller)?;
    Ok(match share {
        Some(share) if share >= 0.8 => {
            answer.with("x-ms-throttle-limit-percentage", format!("{share:.2}"))
        }
        _ => answer,
    })
}

fn perform(
    exchange: &mut Exchange<'_>,
    route: &GraphRoute,
    caller: &Caller,
) -> Result<Answer, GraphError> {
    let method = exchange.request.method.clone();
    match (route, &method) {
        (GraphRoute::Applications, &Method::GET) => read::applications(exchange, caller),
        (GraphRoute::ApplicationsCount, &Method::GET) => read::count(exchange, caller),
        (GraphRoute::Application(key), &Method::GET) => read::application(exchange, caller, key),
        (GraphRoute::Application(key), &Method::PATCH) => password::patch(exchange, caller, key),
        (GraphRoute::AddPassword(key), &Method::POST) => password::add(exchange, caller, key),
        (GraphRoute::RemovePassword(key), &Method::POST) => password::remove(exchange, caller, key),
        (GraphRoute::Owners(key), &Method::GET) => read::owners(exchange, caller, key),
        (GraphRoute::AppManagementPolicies(key), &Method::GET) => {
            read::app_management_policies(exchange, caller, key)
        }
        (GraphRoute::DefaultAppManagementPolicy, &Method::GET) => {
            read::default_app_management_policy(exchange, caller)
        }
        (GraphRoute::ServicePrincipals, &Method::GET) => read::service_principals(exchange, caller),
        (GraphRoute::ServicePrincipal(key), &Method::GET) => {
            read::service_principal(exchange, caller, key)
        }
        (GraphRoute::AppRoleAssignments(key), &Method::GET) => {
            read::app_role_assignments(exchange, caller, key)
        }
        (GraphRoute::OwnedObjects(key), &Method::GET) => read::owned_objects(exchange, caller, key),
        (GraphRoute::Organization, &Method::GET) => read::organization(exchange, caller),
        (GraphRoute::Unknown { segment }, _) => Err(GraphError::unknown_segment(segment)),
        _ => Err(GraphError::method_not_allowed()),
    }
}

/// What a request costs, by the documented table.
fn charge(exchange: &mut Exchange<'_>, route: &GraphRoute, caller: &Caller) -> Verdict {
    let write = exchange.request.method != Method::GET;
    let personal = route
        .application_key()
        .and_then(|key| match key {
            Key::Id(id) => exchange.world.tenant.by_object_id(id.parse().ok()?),
            Key::AppId(id) => exchange.world.tenant.by_app_id(id.parse().ok()?),
        })
        .is_some_and(|app| Audience::has_personal_accounts(app.audience));
    let has = |option: &str| {
        exchange
            .request
            .query_pairs()
            .any(|(name, _)| name.trim_start_matches('$') == option)
    };
    let small = exchange
        .request
        .query_pairs()
        .any(|(name, value)| name == "$top" && value.parse::<u32>().is_ok_and(|top| top < 20));
    let units = match route {
        GraphRoute::Applications | GraphRoute::ServicePrincipals => (2 + u32::from(has("expand")))
            .saturating_sub(u32::from(has("select")) + u32::from(small))
            .max(1),
        _ => 1,
    };
    let cost = Cost {
        units,
        write,
        personal,
    };
    let limits = exchange.world.behaviour.throttle;
    exchange
        .world
        .meter
        .charge(caller.app_id, cost, &limits, exchange.now)
}

/// A JSON answer with what every success carries.
fn success(exchange: &Exchange<'_>, body: &Value, units: u32) -> Answer {
    let answer = Answer {
        chunked: true,
        ..Answer::json(200, JSON, body)
    };
    dress(exchange, answer)
        .with("OData-Version", "4.0")
        .with("Vary", "Accept-Encoding")
        .with("x-ms-resource-unit", units.to_string())
}

fn refuse(exchange: &mut Exchange<'_>, error: GraphError) -> Answer {
    exchange.note.error = Some(error.code.clone());
    let answer = if error.bare {
        Answer::empty(error.status)
    } else {
        let mut body = json!({ "error": {
            "code": error.code,
            "message": error.message,
            "innerError": {
                "date": exchange.now.format("%Y-%m-%dT%H:%M:%S").to_string(),
                "request-id": exchange.request_id,
                "client-request-id": exchange.client_request_id(),
            },
        }});
        if !error.details.is_null() {
            body["error"]["details"] = error.details;
        }
        Answer {
            chunked: true,
            ..Answer::json(error.status, "application/json", &body)
        }
    };
    let answer = dress(exchange, answer)
        .with("Vary", "Accept-Encoding")
        .with("x-ms-resource-unit", "1");
    match error.challenge {
        Some(challenge) => answer.with("WWW-Authenticate", challenge),
        None => answer,
    }
}

fn dress(exchange: &Exchange<'_>, answer: Answer) -> Answer {
    let diagnostic = json!({ "ServerInfo": {
        "DataCenter": "Standin", "Slice": "E", "Ring": "0", "ScaleUnit": "000",
        "RoleInstance": "STANDIN00000001",
    }});
    answer
        .with("Cache-Control", "no-cache")
        .with("Strict-Transport-Security", "max-age=31536000")
        .with("request-id", exchange.request_id.to_string())
        .with(
            "client-request-id",
            exchange.client_request_id().to_string(),
        )
        .with("x-ms-ags-diagnostic", diagnostic.to_string())
}
