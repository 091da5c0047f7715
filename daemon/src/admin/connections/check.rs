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
    let connection_name = connection.name.clone();
    let opened = lookup::opened(&daemon, &provider, connection).await?;
    let outcome = provider.turn().await.check(&opened).await;
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
            findings: failed(&error, &connection_name),
            provider_time: seen.map(Timestamp),
        },
    };
    Ok(ok(&check))
}

/// A check that could not be made is what it has found: what the provider saw on the way, and at least one
/// problem.
fn failed(error: &CallError, connection: &str) -> Vec<Finding> {
    let carried = error.fault().map_or(&[][..], |fault| &fault.findings);
    let mut findings: Vec<Finding> = carried.iter().cloned().map(describe::finding).collect();
    if findings
        .iter()
        .all(|finding| finding.severity != Severity::Problem)
    {
        findings.insert(0, failure(error, connection));
    }
    findings
}

/// The failure itself, where the provider says no more of it.
fn failure(error: &CallError, connection: &str) -> Finding {
    let edit = format!("rotorctl connection edit {connection} --credentials");
    let paths = "allow outgoing TLS connections to the hosts that `rotorctl provider list` shows";
    let (entry, remedy) = match error.fault().map(|fault| &fault.kind) {
        Some(FaultKind::Unauthorized) => (&catalogue::UNAUTHORIZED, edit),
        Some(FaultKind::InvalidInput(field)) => {
            (&catalogue::INVALID_INPUT, format!("correct {field}: {edit}"))
        }
        Some(FaultKind::Throttled) => (&catalogue::THROTTLED, "check again in some minutes".to_owned()),
        Some(FaultKind::Unavailable | FaultKind::Ambiguous) => (&catalogue::UNREACHABLE, paths.to_owned()),
        Some(_) => (&catalogue::REFUSED, edit),
        None => (
            &catalogue::PROVIDER_FAILED,
            "see the daemon's log; if it stays, put another version of the provider's file in its place"
                .to_owned(),
        ),
    };
    Finding {
        code: entry.code.to_owned(),
        severity: Severity::Problem,
        message: shortened(error.to_string()),
        remedy: Some(remedy),
    }
}
