//! `rotorctl choices`: what a connection offers to pick from.

use clap::Args;
use rotord_api::choices::{Choice, ChoicesAnswer};
use rotord_api::connection::AppConnection;
use rotord_api::query::ChoicesQuery;
use rotord_api::routes;

use crate::client::Client;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::find;
use crate::output::Table;
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Choices {
    /// The connection's name or id
    pub(crate) connection: String,
    /// The list's name, such as clients
    pub(crate) list: String,
    /// Part of a name, or an id
    pub(crate) query: Option<String>,
}

pub(crate) async fn run(session: &mut Session, command: Choices) -> Result<Exit, CtlError> {
    let connection = find::connection(&session.client, &command.connection).await?;
    let provider = find::provider_of_app(&session.client, &connection.app).await?;
    let known: Vec<&str> = provider
        .choices
        .iter()
        .map(|list| list.name.as_str())
        .collect();
    let Some(list) = provider
        .choices
        .iter()
        .find(|list| list.name == command.list)
    else {
        return Err(
            CtlError::missing(format!("there is no list {}", command.list))
                .hint(format!("there is {}", known.join(", "))),
        );
    };
    let answer = {
        let _spinner = session
            .output
            .spinner(&format!("asking for {}", list.title));
        all(
            &session.client,
            &connection,
            &list.name,
            command.query.as_deref(),
        )
        .await?
    };
    if session.output.is_json() {
        let body = serde_json::to_value(&answer)
            .map_err(|source| CtlError::failed("can't print the answer").because(source))?;
        session.output.json(&body)?;
        return Ok(Exit::Done);
    }
    let titles: Vec<&str> = list
        .fields
        .iter()
        .map(|field| field.title.as_str())
        .collect();
    let mut table = Table::new(&titles);
    for row in &answer.rows {
        table.row(
            list.fields
                .iter()
                .map(|field| row.get(&field.name).unwrap_or("-").into()),
        );
    }
    let nothing = match &command.query {
        Some(query) => format!(
            "nothing is found for \"{query}\": rotorctl choices {} {} lists all",
            connection.name, list.name
        ),
        None => {
            "there is nothing that this connection can see: it lists what exists at the provider"
                .to_owned()
        }
    };
    session.output.list(&table, &nothing)?;
    Ok(Exit::Done)
}

/// Every page of a list.
pub(crate) async fn all(
    client: &Client,
    connection: &AppConnection,
    list: &str,
    query: Option<&str>,
) -> Result<ChoicesAnswer, CtlError> {
    let path = routes::choices(&connection.app, connection.id, list);
    let mut rows: Vec<Choice> = Vec::new();
    let mut next = None;
    loop {
        let asked = ChoicesQuery {
            query: query.map(str::to_owned),
            next,
        };
        let reply = client.get(&routes::with_query(&path, &asked)).await?;
        let page = ChoicesAnswer::from_json(list, reply.body).map_err(|issues| {
            CtlError::failed("the daemon's answer is not understood").because(issues)
        })?;
        rows.extend(page.rows);
        if page.next.is_none() {
            return Ok(ChoicesAnswer {
                list: list.to_owned(),
                rows,
                next: None,
            });
        }
        next = page.next;
    }
}
