//! Whether the connection may rotate, as far as its token and what it owns tell.

use rotor_provider_sdk::Finding;
use serde::Deserialize;

use crate::claims::{Claims, WRITE_ALL, WRITE_OWNED};
use crate::connection::Azure;
use crate::graph::Graph;
use crate::remedy::{add_owner, grant};

/// How many owned applications are named.
const SHOWN: usize = 5;
/// How many pages of what is owned are read. Groups and devices may stand before the first application.
const PAGES: usize = 10;

pub(super) fn check(graph: &Graph<'_>, claims: &Claims, azure: &Azure) -> Vec<Finding> {
    if let Some(what) = claims.may_write_all() {
        return vec![Finding::fine(
            "may-rotate",
            format!("{what} is granted: every application can be rotated"),
        )];
    }
    if let Some(missing) = missing(claims, azure) {
        return vec![missing];
    }
    vec![
        Finding::fine(
            "may-rotate-owned",
            format!("{WRITE_OWNED} is granted: the applications that it owns can be rotated"),
        ),
        owned(graph, claims),
    ]
}

/// What is missing where no permission to change applications is granted, owned or not.
pub(crate) fn missing(claims: &Claims, azure: &Azure) -> Option<Finding> {
    if claims.may_write_all().is_some() || claims.has(WRITE_OWNED) {
        return None;
    }
    let has = match claims.roles.as_slice() {
        [] => "no permission is granted".to_owned(),
        roles => format!("only {} is granted", roles.join(", ")),
    };
    let needs = format!("{has}; rotating needs {WRITE_OWNED} (or {WRITE_ALL})");
    Some(Finding::problem("missing-role", needs).remedy(grant(&azure.client_id)))
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
    let unknown = || {
        Finding::warning(
            "ownership-unknown",
            "which applications the connection owns can't be read; it is checked with each one",
        )
        .remedy(remedy.as_str())
    };
    let Some(own) = claims.oid.as_deref() else {
        return unknown();
    };
    let first = format!("/servicePrincipals/{own}/ownedObjects");
    let mut names = Vec::new();
    let mut next: Option<String> = None;
    for _ in 0..PAGES {
        let Ok(page) = graph.page::<Owned>(&first, next.as_deref()) else {
            return unknown();
        };
        let applications = page.value.into_iter();
        let applications = applications
            .filter(|object| object.kind.as_deref() == Some("#microsoft.graph.application"));
        names.extend(applications.map(|object| {
            object
                .display_name
                .unwrap_or_else(|| "one without a name".to_owned())
        }));
        next = page.next;
        if next.is_none() || names.len() > SHOWN {
            break;
        }
    }
    if names.is_empty() {
        if next.is_some() {
            return unknown();
        }
        return Finding::problem(
            "owns-nothing",
            "the connection owns no application, so it can rotate none",
        )
        .remedy(remedy);
    }
    let more = if names.len() > SHOWN || next.is_some() {
        " and more"
    } else {
        ""
    };
    names.truncate(SHOWN);
    let shown = names.join(", ");
    Finding::fine("owns", format!("the connection owns {shown}{more}"))
}
