//! `rotorctl connection show`.

use rotord_api::connection::AppConnectionAnswer;
use rotord_api::routes;
use serde_json::Value;

use crate::error::CtlError;
use crate::exit::Exit;
use crate::find;
use crate::output::Table;
use crate::session::Session;

pub(crate) async fn run(session: &mut Session, named: &str) -> Result<Exit, CtlError> {
    let found = find::connection(&session.client, named).await?;
    let reply = session
        .client
        .get(&routes::connection(&found.app, found.id))
        .await?;
    if session.output.is_json() {
        session.output.json(&reply.body)?;
        return Ok(Exit::Done);
    }
    let connection = reply.parse::<AppConnectionAnswer>()?.app_connection;
    let person = session.output.is_terminal();
    let mut table = Table::pairs();
    table.pair("name", connection.name.as_str());
    table.pair("id", connection.id.to_string());
    table.pair(
        "description",
        connection.description.as_deref().unwrap_or("-"),
    );
    table.pair("kind", connection.app.as_str());
    table.pair("method", connection.method.as_str());
    for (name, value) in &connection.credentials {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        table.pair(name, text);
    }
    let rotations: Vec<&str> = connection
        .used_by
        .iter()
        .map(|rotation| rotation.name.as_str())
        .collect();
    table.pair(
        "used by",
        if rotations.is_empty() {
            "-".to_owned()
        } else {
            rotations.join(", ")
        },
    );
    table.pair(
        "created",
        session.clock.cell(Some(connection.created_at), person),
    );
    table.pair(
        "changed",
        session.clock.cell(Some(connection.updated_at), person),
    );
    session.output.table(&table)?;
    Ok(Exit::Done)
}
