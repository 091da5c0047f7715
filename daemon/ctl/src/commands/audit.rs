//! `rotorctl audit`.

use clap::Args;
use rotord_api::audit::{AuditAnswer, AuditItem, AuditQuery, MOST};
use rotord_api::routes;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::cli::Place;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::find;
use crate::output::Table;
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Of this rotation alone: its name, or its id, which finds one that is gone too
    rotation: Option<String>,
    /// How many of the newest
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    last: u32,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(session: &mut Session, command: Audit) -> Result<Exit, CtlError> {
    let rotation = match &command.rotation {
        Some(named) => Some(id(session, named, &command.place).await?),
        None => None,
    };
    let mut answers: Vec<Value> = Vec::new();
    let mut entries: Vec<AuditItem> = Vec::new();
    let mut left = command.last;
    while left > 0 {
        let limit = left.min(MOST);
        let query = AuditQuery {
            rotation_id: rotation.map(|id| id.to_string()),
            before: entries.last().map(|last| last.id),
            limit: Some(limit),
        };
        let path = routes::with_query(routes::AUDIT, &query);
        let reply = session.client.get(&path).await?;
        let page = reply.parse::<AuditAnswer>()?.entries;
        let is_last = u32::try_from(page.len()).is_ok_and(|length| length < limit);
        answers.extend(
            reply.body["entries"]
                .as_array()
                .cloned()
                .unwrap_or_default(),
        );
        entries.extend(page);
        left = if is_last { 0 } else { left - limit };
    }
    if session.output.is_json() {
        session.output.json(&json!({ "entries": answers }))?;
        return Ok(Exit::Done);
    }
    let person = session.output.is_terminal();
    let mut table = Table::new(&["WHEN", "WHO", "WHAT", "ROTATION", "DETAIL"]);
    for entry in &entries {
        let rotation = entry.rotation_name.clone();
        let rotation = rotation.or_else(|| entry.rotation_id.map(|id| id.to_string()));
        table.row([
            session.clock.cell(Some(entry.at), person).into(),
            who(entry).into(),
            entry.action.as_str().into(),
            rotation.unwrap_or_else(|| "-".to_owned()).into(),
            detail(&entry.detail).into(),
        ]);
    }
    session.output.list(&table, "nothing is noted of that")?;
    Ok(Exit::Done)
}

/// One that is gone has no name that could be looked up.
async fn id(session: &Session, named: &str, place: &Place) -> Result<Uuid, CtlError> {
    if let Ok(id) = Uuid::try_parse(named) {
        return Ok(id);
    }
    let found = find::rotation(&session.client, named, place).await;
    found
        .map(|rotation| rotation.id)
        .map_err(|error| error.hint("one that is gone goes by its id: rotorctl audit --json"))
}

fn who(entry: &AuditItem) -> String {
    match &entry.peer {
        None => "the daemon".to_owned(),
        Some(peer) => match peer.pid {
            Some(pid) => format!("user {} (process {pid})", peer.uid),
            None => format!("user {}", peer.uid),
        },
    }
}

/// What is said and not what is left open, on a line.
fn detail(detail: &Value) -> String {
    let Value::Object(parts) = detail else {
        return match detail {
            Value::Null => "-".to_owned(),
            other => word(other),
        };
    };
    let parts = parts.iter().filter(|(_, value)| !value.is_null());
    let parts: Vec<String> = parts
        .map(|(name, value)| format!("{name}={}", word(value)))
        .collect();
    if parts.is_empty() {
        return "-".to_owned();
    }
    parts.join(" ")
}

fn word(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::detail;

    #[test]
    fn details_are_a_line_without_what_is_left_open() {
        for (noted, shown) in [
            (json!(null), "-"),
            (json!({"keyId": null}), "-"),
            (
                json!({"keyId": "k-1", "now": true, "after": null}),
                "keyId=k-1 now=true",
            ),
            (json!({"to": {"path": "/"}}), "to={\"path\":\"/\"}"),
        ] {
            assert_eq!(detail(&noted), shown);
        }
    }
}
