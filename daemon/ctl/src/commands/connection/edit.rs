//! `rotorctl connection edit`.

use clap::Args;
use rotord_api::connection::{AppConnectionAnswer, UpdateConnection};
use rotord_api::{Issues, routes, rules};

use super::add::pick_method;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::fields::{Given, shown};
use crate::find;
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// The connection's name or id. What is not named stays; only the secret is needed again with any change of what
    /// it logs in with, so that a stored one is never sent elsewhere
    connection: String,
    /// A new name
    #[arg(long)]
    name: Option<String>,
    /// A new description; an empty one takes it away
    #[arg(long)]
    description: Option<String>,
    /// Another way to log in
    #[arg(long)]
    method: Option<String>,
    /// Go through all credentials: each is offered as it is
    #[arg(long)]
    credentials: bool,
    #[command(flatten)]
    given: Given,
}

pub(crate) async fn run(session: &mut Session, command: Edit) -> Result<Exit, CtlError> {
    let found = find::connection(&session.client, &command.connection).await?;
    let wrong =
        |field: &str, issue| CtlError::issues("the connection", &Issues::from(issue).under(field));
    let mut body = UpdateConnection {
        name: command
            .name
            .as_deref()
            .map(rules::name)
            .transpose()
            .map_err(|issue| wrong("name", issue))?,
        ..UpdateConnection::default()
    };
    if let Some(description) = &command.description {
        let description =
            rules::description(description).map_err(|issue| wrong("description", issue))?;
        body.description = Some((!description.is_empty()).then_some(description));
    }
    if command.credentials || command.method.is_some() || !command.given.is_empty() {
        let provider = find::provider_of_app(&session.client, &found.app).await?;
        let named = command.method.as_deref().unwrap_or(&found.method);
        let method = pick_method(&provider, Some(named), session.person.as_mut())?;
        // What is no secret stays where nothing else is said. A secret is given anew, so that a stored one never goes
        // to a place that is named only now.
        let present = shown(&found.credentials)?;
        let given = &command.given;
        let credentials = given.gather_over(&present, &method.fields, session.person.as_mut())?;
        let credentials = provider
            .check_credentials(&method.name, credentials)
            .map_err(|issues| CtlError::issues("the connection", &issues))?;
        body.method = Some(method.name.clone());
        body.credentials = Some(credentials);
    }
    if body == UpdateConnection::default() {
        return Err(CtlError::usage("nothing to change")
            .hint("say --name, --description, --method, --set, --file or --credentials"));
    }
    let reply = session
        .client
        .patch(&routes::connection(&found.app, found.id), &body)
        .await?;
    if session.output.is_json() {
        session.output.json(&reply.body)?;
    } else {
        let connection = reply.parse::<AppConnectionAnswer>()?.app_connection;
        session
            .output
            .line(format!("connection {} is changed", connection.name))?;
    }
    Ok(Exit::Done)
}
