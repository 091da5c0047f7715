//! `rotorctl connection add`.

use clap::Args;
use rotord_api::connection::{AppConnectionAnswer, CreateConnection};
use rotord_api::provider::{ConnectionMethod, ProviderDescription};
use rotord_api::{Issues, routes, rules};

use crate::error::CtlError;
use crate::exit::Exit;
use crate::fields::Given;
use crate::find;
use crate::prompt::Person;
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Its name: lowercase letters, digits and hyphens
    name: Option<String>,
    /// The kind of connection, such as azure-client-secrets
    #[arg(long, value_name = "KIND")]
    app: Option<String>,
    /// How it logs in, such as client-secret or certificate
    #[arg(long)]
    method: Option<String>,
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    #[command(flatten)]
    given: Given,
}

pub(crate) async fn run(session: &mut Session, command: Add) -> Result<Exit, CtlError> {
    let providers = find::providers(&session.client).await?;
    let person = session.person.as_mut();
    let provider = pick_provider(&providers, command.app.as_deref(), person)?;
    let method = pick_method(provider, command.method.as_deref(), person)?;
    let name = pick_name(command.name, person)?;
    let credentials = command.given.gather(&method.fields, person)?;
    let credentials = provider
        .check_credentials(&method.name, credentials)
        .map_err(|issues| CtlError::issues("the connection", &issues))?;
    let description = command
        .description
        .as_deref()
        .map(rules::description)
        .transpose();
    let description = description.map_err(|issue| {
        CtlError::issues("the connection", &Issues::from(issue).under("description"))
    })?;
    let body = CreateConnection {
        name,
        description,
        method: method.name.clone(),
        credentials,
        project_id: None,
    };
    let reply = {
        let _spinner = session.output.spinner("logging in");
        session
            .client
            .post(
                &routes::connections_of_app(&provider.connection.slug),
                &body,
            )
            .await?
    };
    if session.output.is_json() {
        session.output.json(&reply.body)?;
        return Ok(Exit::Done);
    }
    let connection = reply.parse::<AppConnectionAnswer>()?.app_connection;
    session.output.line(format!(
        "connection {} is there ({})",
        connection.name, connection.id
    ))?;
    if session.output.is_terminal() {
        session.output.line(format!(
            "see whether it may rotate: rotorctl connection check {}",
            connection.name
        ))?;
    }
    Ok(Exit::Done)
}

/// The provider whose connections have this slug, the only one, or the one that is picked.
pub(crate) fn pick_provider<'a>(
    providers: &'a [ProviderDescription],
    app: Option<&str>,
    person: &mut dyn Person,
) -> Result<&'a ProviderDescription, CtlError> {
    let known: Vec<&str> = providers
        .iter()
        .map(|provider| provider.connection.slug.as_str())
        .collect();
    match (app, providers) {
        (_, []) => {
            Err(CtlError::failed("no provider is loaded").hint("rotorctl provider list shows why"))
        }
        (Some(app), _) => providers
            .iter()
            .find(|provider| provider.connection.slug == app || provider.connection.app == app)
            .ok_or_else(|| {
                CtlError::missing(format!("there is no kind of connection {app}"))
                    .hint(format!("there is {}", known.join(", ")))
            }),
        (None, [only]) => Ok(only),
        (None, _) if person.is_there() => {
            let titles: Vec<String> = providers
                .iter()
                .map(|provider| provider.connection.title.clone())
                .collect();
            Ok(&providers[person.select("Kind of connection", &titles)?])
        }
        (None, _) => Err(CtlError::usage("which kind of connection? say --app")
            .hint(format!("there is {}", known.join(", ")))),
    }
}

pub(super) fn pick_method<'a>(
    provider: &'a ProviderDescription,
    named: Option<&str>,
    person: &mut dyn Person,
) -> Result<&'a ConnectionMethod, CtlError> {
    let methods = provider.connection.methods.as_slice();
    let known: Vec<&str> = methods.iter().map(|method| method.name.as_str()).collect();
    match (named, methods) {
        (_, []) => Err(CtlError::failed(format!(
            "{} offers no way to log in",
            provider.title
        ))),
        (Some(named), _) => methods
            .iter()
            .find(|method| method.name == named)
            .ok_or_else(|| {
                // A provider's own word, as a field's name is: no state of the daemon makes it right.
                CtlError::usage(format!("there is no method {named}"))
                    .hint(format!("there is {}", known.join(", ")))
            }),
        (None, [only]) => Ok(only),
        (None, _) if person.is_there() => {
            let titles: Vec<String> = methods.iter().map(|method| method.title.clone()).collect();
            Ok(&methods[person.select("How does it log in?", &titles)?])
        }
        (None, _) => Err(CtlError::usage("which method? say --method")
            .hint(format!("there is {}", known.join(", ")))),
    }
}

fn pick_name(given: Option<String>, person: &mut dyn Person) -> Result<String, CtlError> {
    let judge = |text: &str| rules::name(text).map(drop).map_err(|issue| issue.message);
    let name = match given {
        Some(name) => name,
        None if person.is_there() => person.text("Name of the connection", None, &judge)?,
        None => {
            return Err(CtlError::usage(
                "what is it called? say its name: rotorctl connection add NAME",
            ));
        }
    };
    rules::name(&name)
        .map_err(|issue| CtlError::issues("the connection", &Issues::from(issue).under("name")))
}
