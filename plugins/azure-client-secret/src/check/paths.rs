//! Which network paths are open: findings about the two services, whether or not a login works.

use rotor_provider_sdk::http::{Error, Request};
use rotor_provider_sdk::{Finding, Host};

use crate::cloud::Root;
use crate::connection::Azure;
use crate::entra::Failure;
use crate::graph::is_graphs;
use crate::remedy::open_path;

/// How the findings about the path to one service are called.
pub(crate) struct Codes {
    pub(crate) reached: &'static str,
    pub(crate) unreached: &'static str,
    pub(crate) not_granted: &'static str,
}

/// Entra's sign-in.
pub(crate) const LOGIN: Codes = Codes {
    reached: "login-reached",
    unreached: "login-unreached",
    not_granted: "login-not-granted",
};

/// Microsoft Graph.
pub(crate) const GRAPH: Codes = Codes {
    reached: "graph-reached",
    unreached: "graph-unreached",
    not_granted: "graph-not-granted",
};

/// An answer came from there, whatever it says.
pub(super) fn reached(codes: &Codes, root: &Root) -> Finding {
    let host = root.host();
    Finding::fine(codes.reached, format!("{host} was reached and answers"))
}

/// No whole answer came from there.
pub(super) fn closed(codes: &Codes, root: &Root, error: &Error) -> Finding {
    let host = root.host();
    let why = root.lost(error);
    match error {
        Error::Denied(_) => Finding::problem(codes.not_granted, why).remedy(format!(
            "in [providers.grants.azure-client-secret] of rotord's settings, name {host} in `only` where \
             that is set, and in `private` where the host is at a private address"
        )),
        _ => Finding::problem(codes.unreached, why).remedy(open_path(root)),
    }
}

/// Graph, or what stands in its place, gave an answer that is of no use.
pub(super) fn unusable(root: &Root, why: &str) -> Finding {
    let host = root.host();
    Finding::problem(
        GRAPH.unreached,
        format!("{host} gave no usable answer: {why}"),
    )
    .remedy(format!(
        "try again in some minutes; if it stays, {}",
        open_path(root)
    ))
}

/// What a failed login shows of the way to Entra, and what can be done.
pub(super) fn login(azure: &Azure, failure: &Failure) -> Vec<Finding> {
    let root = &azure.authority;
    match failure {
        Failure::Lost(error) => vec![closed(&LOGIN, root, error)],
        Failure::Own(fault) => vec![Finding::problem("login-failed", fault.message.as_str())],
        Failure::Refused(refusal) => {
            let (why, remedy) = (refusal.told(azure).message, refusal.remedy(azure));
            if refusal.is_entras() {
                let refused = Finding::problem("login-refused", why).remedy(remedy);
                vec![reached(&LOGIN, root), refused]
            } else {
                vec![Finding::problem(LOGIN.unreached, why).remedy(remedy)]
            }
        }
    }
}

/// Asks Graph something without a token, which it refuses in its own words where it is reached.
pub(super) fn graph_without_login(host: &dyn Host, azure: &Azure) -> Vec<Finding> {
    let root = &azure.graph_root;
    let request = Request::get(root.join("/v1.0/applications?$top=1&$select=id"))
        .header("Accept", "application/json");
    vec![match host.send(request) {
        Ok(answer) if answer.status == 401 || is_graphs(&answer) => reached(&GRAPH, root),
        Ok(answer) => unusable(root, &format!("status {}", answer.status)),
        Err(error) => closed(&GRAPH, root, &error),
    }]
}
