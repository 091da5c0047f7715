//! What a connection's service says of it: network paths, login, permissions.

use actix_web::web::Path;
use rotord_api::connection::ConnectionCheck;
use rotord_api::issue::{Finding, Severity};
use rotord_api::{Timestamp, catalogue, routes};
use rotord_provider::CallError;
use rotord_provider::contract::FaultKind;

use crate::admin::error::shortened;
use crate::admin::request::ok;
use crate::admin::{Daemon, Reply, describe, lookup};
use crate::calls;

/// Logs in by a connection and says what it may do and what it lacks.
#[utoipa::path(get, path = routes::CONNECTION_CHECK, tag = "rotord",
    params(("connectionId" = String, Path, description = "The connection's id")),
    responses((status = 200, body = ConnectionCheck)))]
pub(in crate::admin) async fn check_connection(daemon: Daemon, id: Path<String>) -> Reply {
    let connection = lookup::connection(&daemon, None, &id).await?;
    let provider = lookup::provider_of_connection_kind(&daemon, &connection.kind).await?;
    let opened = lookup::opened(&daemon, &provider, connection).await?;
    let outcome = provider.check(&opened).await;
    let seen = outcome.provider_time.and_then(calls::time);
    let check = match outcome.result {
        Ok(identity) => ConnectionCheck {
            subject: Some(identity.subject),
            findings: identity
                .findings
                .into_iter()
                .map(describe::finding)
                .collect(),
            provider_time: identity
                .provider_time
                .and_then(calls::time)
                .or(seen)
                .map(Timestamp),
        },
        Err(error) => ConnectionCheck {
            subject: None,
            findings: vec![failed(&error)],
            provider_time: seen.map(Timestamp),
        },
    };
    Ok(ok(&check))
}

/// A check that could not be made is what it has found.
fn failed(error: &CallError) -> Finding {
    let entry = match error.fault().map(|fault| &fault.kind) {
        Some(FaultKind::Unauthorized) => &catalogue::UNAUTHORIZED,
        Some(FaultKind::InvalidInput(_)) => &catalogue::INVALID_INPUT,
        Some(FaultKind::Throttled) => &catalogue::THROTTLED,
        Some(FaultKind::Unavailable | FaultKind::Ambiguous) => &catalogue::UNREACHABLE,
        Some(_) => &catalogue::REFUSED,
        None => &catalogue::PROVIDER_FAILED,
    };
    Finding {
        code: entry.code.to_owned(),
        severity: Severity::Problem,
        message: shortened(error.to_string()),
        remedy: None,
    }
}
