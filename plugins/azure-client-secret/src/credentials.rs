//! Removing a client secret, and listing them all.

use rotor_provider_sdk::{Fault, Host, Level, Result, Revocation, RevocationOutcome, SurveyResult};
use serde::Serialize;

use crate::connection::{Application, Azure, is_uuid};
use crate::graph::{Answer, Graph, Registered, is_no_such_password};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RemovePassword<'a> {
    key_id: &'a str,
}

/// One `removePassword`. That Graph does not find the secret proves nothing: it says so for some seconds
/// of one that it has just made.
pub(crate) fn revoke(
    host: &dyn Host,
    azure: &Azure,
    application: &Application,
    handle: &str,
) -> Result<Revocation> {
    if !is_uuid(handle) {
        return Err(Fault::invalid_input(
            "handle",
            "a client secret's handle is its key id, a UUID",
        ));
    }
    let graph = Graph::open(host, azure)?;
    let path = format!("/applications/{}/removePassword", application.object_id);
    match graph.change(&path, &RemovePassword { key_id: handle }) {
        Ok(response) => Ok(Revocation {
            outcome: RevocationOutcome::Accepted,
            provider_time: response.date(),
        }),
        Err(fault) if is_no_such_password(&fault) => Ok(Revocation {
            outcome: RevocationOutcome::NotFound,
            provider_time: fault.provider_time,
        }),
        Err(fault) => Err(fault),
    }
}

/// All client secrets of the application, ours or not, expired or not, as one replica has them.
pub(crate) fn survey(
    host: &dyn Host,
    azure: &Azure,
    application: &Application,
) -> Result<SurveyResult> {
    let graph = Graph::open(host, azure)?;
    let Answer { value, time } =
        graph.read_afresh::<Registered>(&Registered::path(&application.object_id))?;
    // Absent is not empty: what is not told must not look as if it were gone.
    let passwords = value.password_credentials.ok_or_else(|| {
        Fault::unavailable("Graph's answer does not list the application's client secrets")
            .provider_time(time)
    })?;
    let listed = passwords.len();
    let credentials: Vec<_> = passwords
        .into_iter()
        .filter_map(crate::graph::Password::into_listed)
        .collect();
    if credentials.len() < listed {
        host.log(
            Level::Warn,
            "Graph lists a client secret without an id, which can't be removed by it",
        );
    }
    Ok(SurveyResult {
        credentials,
        provider_time: time,
        options: Vec::new(),
    })
}
