//! `rotorctl create`: from a file, from flags, or asking step by step.

mod dialogue;
mod location;
mod refusal;
mod review;
mod rotate_at;
mod target;

use clap::Args;
use hyper::StatusCode;
use rotord_api::issue::IssueCode;
use rotord_api::provider::ProviderDescription;
use rotord_api::rotation::{CreateRotation, SecretRotationAnswer};
use rotord_api::{Issue, Issues, routes, rules};
use serde_json::{Value, json};

pub(crate) use rotate_at::RotateAt;

use crate::cli::Place;
use crate::client::Reply;
use crate::commands::{folder, secret};
use crate::duration::parse_hours;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::fields::{parse_pair, read_secret};
use crate::interrupt::GoesOn;
use crate::output::note;
use crate::session::Session;
use crate::{find, wait};
use dialogue::Dialogue;

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Create {
    /// The request's body from a JSON file, or from standard input if the file is -; nothing is asked
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["name", "description", "connection", "interval", "rotate_at", "utc", "zone", "no_auto", "target",
            "param", "map", "overlap", "project", "env", "path"]
    )]
    from: Option<String>,
    /// The provider, such as azure-client-secret; known from the connection where only one fits
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Its name: lowercase letters, digits and hyphens
    #[arg(long)]
    name: Option<String>,
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    /// The connection's name or id
    #[arg(long)]
    connection: Option<String>,
    /// Days between two rotations, a whole number [default: 30]
    #[arg(long, value_name = "DAYS", value_parser = parse_interval)]
    interval: Option<u32>,
    #[command(flatten)]
    rotate_at: RotateAt,
    /// Rotate only when told: it is created paused, until rotorctl resume
    #[arg(long)]
    no_auto: bool,
    /// What to rotate: a name or an id from the connection's list, such as an Azure application's. A part of a name is
    /// enough where only one has it and you confirm that it is meant
    #[arg(long, value_name = "TEXT")]
    target: Option<String>,
    /// What to rotate, in the provider's terms, such as objectId=…
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_pair)]
    param: Vec<(String, String)>,
    /// The name of an output's secret, such as clientSecret=BILLING_SECRET; suggested ones if not given
    #[arg(long, value_name = "OUTPUT=SECRET", value_parser = parse_pair)]
    map: Vec<(String, String)>,
    /// How long a replaced credential stays valid, in whole hours or days, such as 12h or 7days; until the next
    /// rotation is due if not given
    #[arg(long, value_name = "DURATION", value_parser = parse_hours)]
    overlap: Option<u32>,
    /// Even where the target has no room for two of our credentials
    #[arg(long)]
    force: bool,
    /// Don't ask whether it is right; needed where nobody can be asked
    #[arg(long)]
    yes: bool,
    /// Wait until it has ended, however long that takes
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(session: &mut Session, command: Create) -> Result<Exit, CtlError> {
    let reply = match &command.from {
        Some(file) => {
            let (kind, body) = from_file(session, &command, file).await?;
            let sent = post(session, &kind, &body).await;
            sent.map_err(|error| folder::hinted(error, &body.environment, &body.secret_path))
                .map_err(|error| secret::hinted(error, &body.environment))?
        }
        None => Dialogue::new(session, &command).created().await?,
    };
    // The first answer alone tells what was seen at the target.
    let created = reply.parse::<SecretRotationAnswer>()?.secret_rotation;
    let warnings = created.state.map_or_else(Vec::new, |state| state.warnings);
    let reply = if command.wait && reply.status == StatusCode::ACCEPTED {
        let spinner = session
            .output
            .spinner(&format!("creating {}", created.name));
        wait::until_ended(session, reply, &spinner).await?
    } else {
        reply
    };
    for warning in warnings {
        note(
            &session
                .clock
                .in_words(&warning, session.output.is_terminal()),
        );
    }
    let exit = wait::report(session, &reply, "created")?;
    if !session.output.is_json() {
        let words = target::words(&created.parameters);
        session.output.line(format!("what it rotates: {words}"))?;
    }
    Ok(exit)
}

/// Asks for it, and waits for as long as the daemon keeps its caller.
async fn post(session: &Session, kind: &str, body: &CreateRotation) -> Result<Reply, CtlError> {
    let name = &body.name;
    let spinner = session.output.spinner(&format!("creating {name}"));
    let goes_on = GoesOn::told(format!(
        "what the daemon has begun goes on: rotorctl list shows {name} once it is accepted"
    ));
    let path = routes::rotations_of_type(kind);
    let creating = session.client.post(&path, body);
    wait::ticking(creating, &spinner, &format!("creating {name}"))
        .await
        .map_err(|error| goes_on.after(error))
}

async fn from_file(
    session: &Session,
    command: &Create,
    file: &str,
) -> Result<(String, CreateRotation), CtlError> {
    let text = read_secret(file, true)?;
    let mut body: Value = serde_json::from_str(text.expose())
        .map_err(|source| CtlError::usage(format!("{file} is no JSON")).because(source))?;
    if command.force {
        body["force"] = json!(true);
    }
    let body = CreateRotation::from_json(body)
        .map_err(|issues| CtlError::issues("the rotation", &issues))?;
    rules::distinct_names(&body.secrets_mapping).map_err(CtlError::usage)?;
    if let Some(kind) = &command.kind {
        let providers = find::providers(&session.client).await?;
        if let Some(provider) = providers.iter().find(|provider| provider.slug == *kind) {
            check_interval(body.rotation_interval, provider)?;
        }
        return Ok((kind.clone(), body));
    }
    let connection = find::connection(&session.client, &body.connection_id.to_string()).await?;
    let provider = find::provider_of_app(&session.client, &connection.app).await?;
    check_interval(body.rotation_interval, &provider)?;
    Ok((provider.slug, body))
}

/// What no command line can be right with, whatever the daemon holds: days beyond what the provider can do.
pub(crate) fn check_interval(days: u32, provider: &ProviderDescription) -> Result<(), CtlError> {
    let longest = provider.limits.longest_interval_days;
    if days <= longest {
        return Ok(());
    }
    let message = format!(
        "must be at most {longest}, the longest of {}",
        provider.title
    );
    let issue = Issue::new(IssueCode::TooBig, message).under("rotationInterval");
    Err(CtlError::issues("the rotation", &Issues::from(issue)))
}

/// Reads a number of days.
///
/// # Errors
/// What would be right, for a person.
pub(crate) fn parse_interval(text: &str) -> Result<u32, String> {
    rules::interval(Value::from(text)).map_err(|issues| issues.to_string())
}
