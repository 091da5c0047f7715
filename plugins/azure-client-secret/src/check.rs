//! Who the connection is, and whether it may rotate.

pub(crate) mod paths;
mod permission;

use rotor_provider_sdk::{Fault, Finding, Host, Identity, Result, Timestamp, time};

use crate::connection::{Azure, Login};
use crate::entra;
use crate::graph::{Answer, Graph, Password, Registered, Unread};
use crate::remedy::{grant, new_secret};

pub(crate) use permission::missing;

/// How long before its end the connection's own secret is spoken of, in seconds.
const EXPIRES_SOON: i64 = 30 * 24 * 60 * 60;

/// Logs in, reads the granted permissions and what the connection owns, and reads the connection's own
/// application, which proves that Graph is reached and applications can be read. Where the login fails, the
/// fault carries which network paths are open.
pub(crate) fn check(host: &dyn Host, azure: &Azure) -> Result<Identity> {
    let token = entra::log_in(host, azure).map_err(|failure| {
        let seen = [
            paths::login(azure, &failure),
            paths::graph_without_login(host, azure),
        ];
        let fault = failure.into_fault(azure);
        seen.iter().flatten().fold(fault, Fault::finding)
    })?;
    let graph = Graph::with(host, azure, token);
    let mut findings = vec![paths::reached(&paths::LOGIN, &azure.authority)];
    let own = own_application(&graph, azure, &mut findings);
    match graph.claims() {
        Some(claims) => findings.extend(permission::check(&graph, claims, azure)),
        None => findings.push(Finding::warning(
            "permissions-unknown",
            "what the connection may do can't be read from its token, and shows only at the first \
             rotation",
        )),
    }
    let now = own
        .as_ref()
        .and_then(|own| own.time)
        .or(graph.time)
        .unwrap_or_else(|| host.now());
    if let Some(own) = &own {
        findings.extend(own_expiry(azure, &own.value, now));
    }
    let tenant = graph
        .claims()
        .and_then(|claims| claims.tid.as_deref())
        .unwrap_or(&azure.tenant);
    let name = own.as_ref().map_or("application", |own| own.value.name());
    Ok(Identity {
        subject: format!("{name} (client id {}) in tenant {tenant}", azure.client_id),
        findings,
        provider_time: Some(now),
    })
}

/// Reads the connection's own application. It may live in another tenant, which is no lack.
fn own_application(
    graph: &Graph<'_>,
    azure: &Azure,
    findings: &mut Vec<Finding>,
) -> Option<Answer<Registered>> {
    use rotor_provider_sdk::FaultKind::{NotFound, Unauthorized};

    let root = &azure.graph_root;
    let (status, fault) = match graph.try_read(&Registered::path_by_client_id(&azure.client_id)) {
        Ok(own) => {
            findings.push(paths::reached(&paths::GRAPH, root));
            return Some(own);
        }
        Err(Unread::Lost(error)) => {
            findings.push(paths::closed(&paths::GRAPH, root, &error));
            return None;
        }
        Err(Unread::Refused { status, fault }) => (status, fault),
    };
    match fault.kind {
        NotFound => findings.push(paths::reached(&paths::GRAPH, root)),
        // A token for another service, or one that went bad on the way: no grant mends it.
        Unauthorized if status == 401 => findings.extend([
            paths::reached(&paths::GRAPH, root),
            Finding::problem("token-refused", fault.message).remedy(format!(
                "leave the connection's scope and graphRoot empty, or make them those of one cloud: the \
                 token was asked for with {}",
                azure.scope
            )),
        ]),
        Unauthorized => findings.extend([
            paths::reached(&paths::GRAPH, root),
            Finding::problem(
                "applications-unreadable",
                format!("applications can't be read: {}", fault.message),
            )
            .remedy(grant(&azure.client_id)),
        ]),
        _ => findings.push(paths::unusable(root, &fault.message)),
    }
    None
}

/// The connection's own secret ends too. Which of them it is shows by its first characters.
fn own_expiry(azure: &Azure, own: &Registered, now: Timestamp) -> Option<Finding> {
    let Login::ClientSecret(secret) = &azure.login else {
        return None;
    };
    let secret = secret.expose_text()?;
    let ends = own
        .password_credentials
        .iter()
        .flatten()
        .filter(|password| {
            let hint = password.hint().unwrap_or_default();
            !hint.is_empty() && secret.starts_with(hint)
        })
        .filter_map(Password::ends_at)
        .max()?;
    let date = time::rfc3339(ends)?;
    (ends - now < EXPIRES_SOON).then(|| {
        Finding::warning(
            "connection-secret-expires",
            format!("the connection's own client secret expires at {date}"),
        )
        .remedy(new_secret(&azure.client_id))
    })
}
