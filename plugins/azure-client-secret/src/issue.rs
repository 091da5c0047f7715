//! Making a client secret.

use rotor_provider_sdk::{Fault, Host, IssueRequest, Issued, Level, Outputs, Result, Secret, time};
use serde::{Deserialize, Serialize};

use crate::connection::{Application, Azure, is_uuid};
use crate::graph::Graph;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AddPassword<'a> {
    password_credential: Wish<'a>,
}

/// Without a start, which is then Graph's own now: a local clock that is ahead would make a secret that
/// does not work yet. With an end, since the default may be longer than a policy of the tenant allows.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wish<'a> {
    display_name: &'a str,
    end_date_time: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    key_id: String,
    secret_text: Secret,
    end_date_time: Option<String>,
}

/// One `addPassword`. Whatever fails before it failed for certain; after it only an explicit refusal
/// did.
pub(crate) fn issue(
    host: &dyn Host,
    azure: &Azure,
    application: &Application,
    request: &IssueRequest,
) -> Result<Issued> {
    let graph = Graph::open(host, azure)?;
    let now = graph.time.unwrap_or_else(|| {
        host.log(
            Level::Warn,
            "the login's answer has no date; the secret's end is counted from this machine's clock",
        );
        host.now()
    });
    let ends_at = i64::try_from(request.lifetime_seconds)
        .ok()
        .and_then(|lifetime| now.checked_add(lifetime));
    let end = ends_at
        .and_then(time::rfc3339)
        .ok_or_else(|| Fault::refused("a lifetime this long can't be written as a date"))?;
    let wish = AddPassword {
        password_credential: Wish {
            display_name: &request.label,
            end_date_time: &end,
        },
    };
    let path = format!("/applications/{}/addPassword", application.object_id);
    let response = graph.change(&path, &wish)?;
    let made: Made = response
        .json()
        .filter(|made: &Made| is_uuid(&made.key_id) && !made.secret_text.is_empty())
        .ok_or_else(|| {
            Fault::ambiguous(format!(
                "Graph accepted (status {}) and its answer can't be read",
                response.status
            ))
            .provider_time(response.date())
        })?;
    Ok(Issued {
        handle: made.key_id,
        outputs: Outputs::default()
            .with("clientId", application.client_id.as_str())
            .with("clientSecret", made.secret_text),
        expires_at: made
            .end_date_time
            .as_deref()
            .and_then(time::parse_rfc3339)
            .or(ends_at),
        provider_time: response.date(),
    })
}
