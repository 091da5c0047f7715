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
    /// The credential's key id at the provider (for an Azure client secret: the secret's id)
    #[arg(value_name = "KEY-ID")]
    key_id: String,
    /// Its value is known: ask for it, prove it by logging in, and publish it in the place of what is published.
    /// Without its value it stays valid until the next publication's overlap has passed, and is revoked then
    #[arg(long)]
    with_value: bool,
    /// The value from a file, or from standard input if the file is -, such as clientSecret=-
    #[arg(long, value_name = "OUTPUT=FILE", value_parser = parse_pair)]
    value: Vec<(String, String)>,
    /// Don't ask; needed where nobody can be asked and no value is given
    #[arg(long)]
    yes: bool,
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
    let key = command.key_id.clone();
    if !proved {
        session.confirm(
            &format!(
                "Adopt {key} without its value, so that it is revoked once the next rotation's overlap has passed?"
            ),
            command.yes,
        )?;
    }
    let body = AdoptCredential {
        key_id: command.key_id,
        outputs,
    };
    let reply = {
        let spinner = session.output.spinner(if proved {
            "logging in with it"
        } else {
            "looking for it at the provider"
        });
        let goes_on = proved.then(|| wait::goes_on(&rotation.name));
        let path = routes::of_rotation(routes::ADOPT, rotation.id);
        let asking = session.client.post(&path, &body);
        wait::watched(session, &rotation, &spinner, asking)
            .await
            .map_err(|error| not_adopted(error, &rotation.name))
            .map_err(|error| match &goes_on {
                Some(goes_on) => goes_on.after(error),
                None => error,
            })?
    };
    if proved {
        return wait::report(session, &reply, "adopted and published");
    }
    if session.output.is_json() {
        session.output.json(&reply.body)?;
    } else {
        session.output.line(format!(
            "{}: {key} is adopted without its value: nothing is published; it stays valid until the next rotation's \
             overlap has passed, and is revoked then",
            rotation.name
        ))?;
    }
    Ok(Exit::Done)
}

fn not_adopted(error: CtlError, name: &str) -> CtlError {
    let words = error.to_string();
    if words.contains("lists no credential") {
        error.hint(format!(
            "key ids of what is in doubt are in rotorctl show {name}; of others, at the provider"
        ))
    } else if words.contains("is this rotation's already") {
        error.hint(format!(
            "rotorctl show {name} says what becomes of it; rotorctl retire {name} KEY-ID revokes it"
        ))
    } else {
        error
    }
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
        return Err(CtlError::usage("nobody can be asked for the value").hint(
            "say --value OUTPUT=FILE (or - for standard input), such as --value clientSecret=-",
        ));
    }
    let providers = find::providers(&session.client).await?;
    let provider = providers
        .into_iter()
        .find(|provider| provider.slug == rotation.kind);
    let provider = provider
        .ok_or_else(|| CtlError::failed(format!("the provider {} is not loaded", rotation.kind)))?;
    let mut values = BTreeMap::new();
    for output in provider.outputs.into_iter().filter(|output| output.secret) {
        let value = session
            .person
            .secret(&format!("{} (its value, not its id)", output.title))?;
        values.insert(output.name, value);
    }
    Ok(values)
}
