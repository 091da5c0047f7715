//! Which network paths are open: findings about the two services, whether or not a login works.

use rotor_provider_sdk::http::{Error, Request};
use rotor_provider_sdk::{Finding, Host};

use crate::cloud::Root;
use crate::connection::Azure;
use crate::entra::Failure;
use crate::graph::is_graphs;
use crate::remedy::open_path;

/// `service` is `login` or `graph`.
pub(super) fn reached(service: &str, root: &Root) -> Finding {
    let host = root.host();
    Finding::fine(
        format!("{service}-reached"),
        format!("{host} was reached and answers"),
    )
}

/// No whole answer came from there.
pub(super) fn closed(service: &str, root: &Root, error: &Error) -> Finding {
    let host = root.host();
    match error {
        Error::Denied(why) => Finding::problem(
            format!("{service}-not-granted"),
            format!("{host} is not granted to this provider: {why}"),
        )
        .remedy(format!(
            "in [providers.grants.azure-client-secret] of rotord's settings, name {host} in `only` where \
             that is set, and in `private` where the host is at a private address"
        )),
        Error::Unreachable(why) => Finding::problem(
            format!("{service}-unreached"),
            format!("{host} can't be reached: {why}"),
        )
        .remedy(open_path(root)),
        Error::Interrupted(why) | Error::TooLarge(why) | Error::Other(why) => Finding::problem(
            format!("{service}-unreached"),
            format!("{host} gave no whole answer: {why}"),
        )
        .remedy(open_path(root)),
    }
}

/// Graph, or what stands in its place, gave an answer that is of no use.
pub(super) fn unusable(root: &Root, why: &str) -> Finding {
    let host = root.host();
    Finding::problem(
        "graph-unreached",
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
        Failure::Lost(error) => vec![closed("login", root, error)],
        Failure::Own(fault) => vec![Finding::problem("login-failed", fault.message.as_str())],
        Failure::Refused(refusal) => {
            let problem = |code: &str| {
                Finding::problem(code, refusal.told(azure).message).remedy(refusal.remedy(azure))
            };
            if refusal.is_entras() {
                vec![reached("login", root), problem("login-refused")]
            } else {
                vec![problem("login-unreached")]
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
        Ok(answer) if answer.status == 401 || is_graphs(&answer) => reached("graph", root),
        Ok(answer) => unusable(root, &format!("status {}", answer.status)),
        Err(error) => closed("graph", root, &error),
    }]
}
