//! `rotorctl provider`.

use clap::Subcommand;
use rotord_api::provider::{ProviderState, ProvidersAnswer};
use rotord_api::routes;

use crate::error::CtlError;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone};
use crate::session::Session;

#[derive(Debug, Subcommand)]
pub(crate) enum Provider {
    /// List the providers and how loading them went
    List,
}

pub(crate) async fn run(session: &mut Session, Provider::List: Provider) -> Result<Exit, CtlError> {
    let reply = session.client.get(routes::PROVIDERS).await?;
    let providers = reply.parse::<ProvidersAnswer>()?.providers;
    if session.output.is_json() {
        session.output.json(&reply.body)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        "TYPE",
        "TITLE",
        "VERSION",
        "CONNECTION",
        "STATE",
        "REACHES",
        "FILE",
    ]);
    for provider in &providers {
        let said = provider.description.as_ref();
        let state = match (provider.state, &provider.message) {
            (ProviderState::Loaded, _) => Cell::new("loaded", Tone::Good),
            (ProviderState::Failed, None) => Cell::new("failed", Tone::Bad),
            (ProviderState::Failed, Some(why)) => Cell::new(format!("failed: {why}"), Tone::Bad),
            (ProviderState::Missing, _) => Cell::new("missing", Tone::Bad),
        };
        table.row([
            said.map_or("-", |said| &said.slug).into(),
            said.map_or("-", |said| &said.title).into(),
            said.map_or("-", |said| &said.version).into(),
            said.map_or("-", |said| &said.connection.slug).into(),
            state,
            provider.reaches.join(", ").into(),
            provider.file.as_str().into(),
        ]);
    }
    session.output.list(
        &table,
        "no provider is there: put its component into one of the providers' directories, such as \
         /etc/rotord/providers, and sudo systemctl reload rotord",
    )?;
    Ok(Exit::Done)
}
