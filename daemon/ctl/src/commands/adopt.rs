//! `rotorctl adopt`.

use std::collections::BTreeMap;

use clap::Args;
use rotord_api::Sensitive;
use rotord_api::rotation::{AdoptCredential, SecretRotation};
use rotord_api::routes;

use crate::cli::Place;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::fields::{map, parse_pair, read_secret};
use crate::session::Session;
use crate::{find, wait};

#[derive(Debug, Args)]
pub(crate) struct Adopt {
    /// The rotation's name or id
    rotation: String,
    /// The credential's key id at the provider
    key_id: String,
    /// Its value is known: ask for it, prove it and publish it. Without it the credential is only retired in
    /// its time
    #[arg(long)]
    with_value: bool,
    /// The value from a file, or from standard input if the file is -, such as clientSecret=-
    #[arg(long, value_name = "OUTPUT=FILE", value_parser = parse_pair)]
    value: Vec<(String, String)>,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(session: &mut Session, command: Adopt) -> Result<Exit, CtlError> {
    let rotation = find::rotation(&session.client, &command.rotation, &command.place).await?;
    let outputs = match (command.with_value, command.value.is_empty()) {
        (_, false) => Some(read(&command.value)?),
        (true, true) => Some(ask(session, &rotation).await?),
        (false, true) => None,
    };
    let proved = outputs.is_some();
    let body = AdoptCredential {
        key_id: command.key_id,
        outputs,
    };
    let reply = {
        let _spinner = session.output.spinner("adopting");
        session
            .client
            .post(&routes::of_rotation(routes::ADOPT, rotation.id), &body)
            .await?
    };
    wait::report(
        session,
        &reply,
        if proved {
            "adopted and published"
        } else {
            "adopted; it is retired in its time"
        },
    )
}

fn read(pairs: &[(String, String)]) -> Result<BTreeMap<String, Sensitive>, CtlError> {
    map(pairs)?
        .into_iter()
        .map(|(output, path)| Ok((output, read_secret(&path, false)?)))
        .collect()
}

async fn ask(
    session: &mut Session,
    rotation: &SecretRotation,
) -> Result<BTreeMap<String, Sensitive>, CtlError> {
    if !session.person.is_there() {
        return Err(CtlError::usage("nobody can be asked for the value")
            .hint("say --value OUTPUT=FILE (or - for standard input)"));
    }
    let providers = find::providers(&session.client).await?;
    let provider = providers
        .into_iter()
        .find(|provider| provider.slug == rotation.kind);
    let provider = provider
        .ok_or_else(|| CtlError::failed(format!("the provider {} is not loaded", rotation.kind)))?;
    let mut values = BTreeMap::new();
    for output in provider.outputs.into_iter().filter(|output| output.secret) {
        let value = session.person.secret(&output.title)?;
        values.insert(output.name, value);
    }
    Ok(values)
}
