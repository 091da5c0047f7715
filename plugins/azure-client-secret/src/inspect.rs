//! Does the target exist, do its two ids belong together, and what holds for it.

use rotor_provider_sdk::{Fault, FaultKind, Finding, Host, Inspection, NamedValue, Result};
use serde::Deserialize;

use crate::check::missing;
use crate::connection::{Application, Azure};
use crate::graph::{Answer, Graph, Page, Registered};
use crate::policy;
use crate::remedy::{add_owner, enable, make_principal};

/// How many client secrets an application has that is open to personal accounts.
const PERSONAL_CAP: u32 = 2;
/// More pages of owners than any application has.
const OWNER_PAGES: usize = 10;

pub(crate) fn inspect(
    host: &dyn Host,
    azure: &Azure,
    application: &Application,
) -> Result<Inspection> {
    let graph = Graph::open(host, azure)?;
    let path = Registered::path(&application.object_id);
    let Answer { value: found, time } = match graph.read::<Registered>(&path) {
        Ok(found) => found,
        Err(fault) if fault.kind == FaultKind::NotFound => {
            return Err(explain_absence(&graph, application, fault));
        }
        Err(fault) => return Err(fault),
    };
    if !found.has_client_id(&application.client_id) {
        return Err(explain_mismatch(application, &found));
    }
    let name = application
        .app_name
        .clone()
        .unwrap_or_else(|| found.name().to_owned());
    let personal = matches!(
        found.sign_in_audience.as_deref(),
        Some("AzureADandPersonalMicrosoftAccount" | "PersonalMicrosoftAccount")
    );
    let mut findings: Vec<Finding> = [
        service_principal(&graph, application),
        ownership(&graph, azure, application),
    ]
    .into_iter()
    .flatten()
    .collect();
    let limits = policy::limits(
        &graph,
        &application.object_id,
        found.created_date_time.as_deref(),
    )?;
    findings.extend(limits.findings);
    Ok(Inspection {
        title: found.name().to_owned(),
        parameters: vec![
            NamedValue::text("objectId", application.object_id.as_str()),
            NamedValue::text("clientId", application.client_id.as_str()),
            NamedValue::text("appName", name),
        ],
        credential_cap: personal.then_some(PERSONAL_CAP),
        max_lifetime_seconds: limits.max_lifetime_seconds,
        findings,
        provider_time: time,
    })
}

/// The object id names an application, but not that of the client id.
fn explain_mismatch(application: &Application, found: &Registered) -> Fault {
    let right = found.app_id.as_deref().unwrap_or("unknown");
    Fault::invalid_input(
        "parameters.clientId",
        format!(
            "parameters.objectId is that of {:?}, whose client id is {right}, and parameters.clientId \
             is {}; both must be of one application",
            found.name(),
            application.client_id
        ),
    )
}

/// No application has the object id: most often it is a client id, perhaps with the two swapped.
fn explain_absence(graph: &Graph<'_>, application: &Application, absent: Fault) -> Fault {
    let by_client_id = |id: &str| {
        graph
            .read::<Registered>(&Registered::path_by_client_id(id))
            .ok()
    };
    let Application {
        object_id,
        client_id,
        ..
    } = application;
    if let Some(Answer { value: found, .. }) = by_client_id(object_id) {
        let what = if found.id.eq_ignore_ascii_case(client_id) {
            "parameters.objectId and parameters.clientId are swapped".to_owned()
        } else {
            format!("parameters.objectId is the client id of {:?}", found.name())
        };
        return Fault::invalid_input(
            "parameters.objectId",
            format!("{what}: its object id is {}", found.id),
        );
    }
    if let Some(Answer { value: found, .. }) = by_client_id(client_id) {
        return Fault::invalid_input(
            "parameters.objectId",
            format!(
                "no application has the object id {object_id}; parameters.clientId is that of {:?}, \
                 whose object id is {}",
                found.name(),
                found.id
            ),
        );
    }
    Fault {
        message: format!(
            "no application has the object id {object_id} or the client id {client_id}; one that was \
             made moments ago may not be known everywhere yet"
        ),
        ..absent
    }
}

/// Whether the application can log in at all. Without a service principal its logins are refused as if
/// the secret were wrong, which would look like a secret that never arrives.
fn service_principal(graph: &Graph<'_>, application: &Application) -> Option<Finding> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Principal {
        account_enabled: Option<bool>,
    }

    let id = &application.client_id;
    let path = format!("/servicePrincipals(appId='{id}')?$select=id,accountEnabled");
    match graph.read::<Principal>(&path) {
        Ok(principal) if principal.value.account_enabled == Some(false) => Some(
            Finding::problem(
                "application-disabled",
                "the application's logins are disabled, so no secret can be proved",
            )
            .remedy(enable(id)),
        ),
        Err(fault) if fault.kind == FaultKind::NotFound => Some(
            Finding::problem(
                "no-service-principal",
                "the application has no service principal in the tenant, so no secret can be proved",
            )
            .remedy(make_principal(id)),
        ),
        // What can't be read here is no lack: the first login shows it.
        Ok(_) | Err(_) => None,
    }
}

/// Whether the connection may change this very application.
fn ownership(graph: &Graph<'_>, azure: &Azure, application: &Application) -> Option<Finding> {
    #[derive(Deserialize)]
    struct Owner {
        id: String,
    }

    let claims = graph.claims()?;
    if claims.may_write_all().is_some() {
        return None;
    }
    // An owner without the permission may not either.
    if let Some(missing) = missing(claims, azure) {
        return Some(missing);
    }
    let unknown = |why: &str| {
        Some(Finding::warning(
            "ownership-unknown",
            format!("whether the connection owns the application can't be told: {why}"),
        ))
    };
    let Some(own) = claims.oid.as_deref() else {
        return unknown("its token does not say who it is");
    };
    let mut answer = graph.read::<Page<Owner>>(&format!(
        "/applications/{}/owners?$select=id",
        application.object_id
    ));
    for _ in 0..OWNER_PAGES {
        let page = match answer {
            Ok(page) => page.value,
            Err(fault) => return unknown(&fault.message),
        };
        if page
            .value
            .iter()
            .any(|owner| owner.id.eq_ignore_ascii_case(own))
        {
            return None;
        }
        let Some(next) = page.next.and_then(|next| graph.follow(&next)) else {
            break;
        };
        answer = next;
    }
    Some(
        Finding::problem(
            "not-owner",
            "the connection may change only applications that it owns, and is no owner of this one",
        )
        .remedy(add_owner(&application.object_id, Some(own))),
    )
}
