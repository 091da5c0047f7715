//! Who the connection is, and whether it may rotate.

use rotor_provider_sdk::{Finding, Host, Identity, Result, Timestamp, time};
use serde::Deserialize;

use crate::claims::{Claims, WRITE_ALL, WRITE_OWNED};
use crate::connection::{Azure, Login};
use crate::graph::{Answer, Graph, Page, Password, Registered};

/// The permission to change owned applications, as `az` wants it named.
const WRITE_OWNED_ID: &str = "18a4783c-866b-4cc7-a460-3d5e5662c884";
/// Graph itself, as an application.
const GRAPH_ID: &str = "00000003-0000-0000-c000-000000000000";
/// How many owned applications are named.
const SHOWN: usize = 5;
/// How long before its end the connection's own secret is spoken of, in seconds.
const EXPIRES_SOON: i64 = 30 * 24 * 60 * 60;

/// Logs in, reads the granted permissions and what the connection owns, and reads the connection's own
/// application, which proves that Graph is reached and applications can be read.
pub(crate) fn check(host: &dyn Host, azure: &Azure) -> Result<Identity> {
    let graph = Graph::open(host, azure)?;
    let mut findings = vec![Finding::fine(
        "login-reached",
        format!("{} was reached and gave a token", azure.authority.host()),
    )];
    let own = own_application(&graph, azure, &mut findings);
    match &graph.claims {
        Some(claims) => findings.extend(permission(&graph, claims, azure)),
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
        .claims
        .as_ref()
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

    let host = azure.graph_root.host();
    let reached = || Finding::fine("graph-reached", format!("{host} was reached and answers"));
    match graph.read(&Registered::path_by_client_id(&azure.client_id)) {
        Ok(own) => {
            findings.push(reached());
            Some(own)
        }
        Err(fault) if fault.kind == NotFound => {
            findings.push(reached());
            None
        }
        Err(fault) if fault.kind == Unauthorized => {
            findings.push(reached());
            findings.push(
                Finding::problem(
                    "applications-unreadable",
                    format!("applications can't be read: {}", fault.message),
                )
                .remedy(grant(azure)),
            );
            None
        }
        Err(fault) => {
            findings.push(
                Finding::problem(
                    "graph-unreached",
                    format!("{host} gave no usable answer: {}", fault.message),
                )
                .remedy(format!("allow outgoing TLS connections to {host}")),
            );
            None
        }
    }
}

fn permission(graph: &Graph<'_>, claims: &Claims, azure: &Azure) -> Vec<Finding> {
    if claims.has(WRITE_ALL) {
        return vec![Finding::fine(
            "may-rotate",
            format!("{WRITE_ALL} is granted: every application can be rotated"),
        )];
    }
    if claims.has(WRITE_OWNED) {
        return vec![
            Finding::fine(
                "may-rotate-owned",
                format!("{WRITE_OWNED} is granted: the applications that it owns can be rotated"),
            ),
            owned(graph, claims),
        ];
    }
    let has = match claims.roles.as_slice() {
        [] => "no permission is granted".to_owned(),
        roles => format!("only {} is granted", roles.join(", ")),
    };
    vec![
        Finding::problem(
            "missing-role",
            format!("{has}; rotating needs {WRITE_OWNED} (or {WRITE_ALL})"),
        )
        .remedy(grant(azure)),
    ]
}

/// The permission to change owned applications is worth nothing to who owns none.
fn owned(graph: &Graph<'_>, claims: &Claims) -> Finding {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Owned {
        #[serde(rename = "@odata.type")]
        kind: Option<String>,
        display_name: Option<String>,
    }

    let remedy = add_owner("APPLICATION", claims.oid.as_deref());
    let page = claims
        .oid
        .as_deref()
        .map(|own| graph.read::<Page<Owned>>(&format!("/servicePrincipals/{own}/ownedObjects")));
    let Some(Ok(Answer { value: page, .. })) = page else {
        return Finding::warning(
            "ownership-unknown",
            "which applications the connection owns can't be read; it is checked with each one",
        )
        .remedy(remedy);
    };
    let names: Vec<_> = page
        .value
        .iter()
        .filter(|object| object.kind.as_deref() == Some("#microsoft.graph.application"))
        .map(|object| {
            object
                .display_name
                .as_deref()
                .unwrap_or("one without a name")
        })
        .collect();
    if names.is_empty() && page.next.is_none() {
        return Finding::problem(
            "owns-nothing",
            "the connection owns no application, so it can rotate none",
        )
        .remedy(remedy);
    }
    let shown = names
        .iter()
        .take(SHOWN)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    let more = if names.len() > SHOWN || page.next.is_some() {
        " and more"
    } else {
        ""
    };
    Finding::fine("owns", format!("the connection owns {shown}{more}")).remedy(remedy)
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
        .remedy(format!(
            "make a new one with `az ad app credential reset --append --id {}` and change the connection",
            azure.client_id
        ))
    })
}

/// How to grant what rotating needs.
fn grant(azure: &Azure) -> String {
    let id = &azure.client_id;
    format!(
        "az ad app permission add --id {id} --api {GRAPH_ID} --api-permissions {WRITE_OWNED_ID}=Role \
         && az ad app permission admin-consent --id {id}"
    )
}

/// How to make the connection an owner.
pub(crate) fn add_owner(application: &str, connection: Option<&str>) -> String {
    let owner = connection.unwrap_or("OBJECT_ID_OF_THE_CONNECTIONS_SERVICE_PRINCIPAL");
    format!("az ad app owner add --id {application} --owner-object-id {owner}")
}
