//! `rotorctl credential`: which unit gets which secret. It is the settings that say so: a grant is added to their end and
//! taken out again, and what a person wrote around it stays as it is.

mod grant;
mod list;
mod revoke;
mod settings_file;

use clap::Subcommand;
use toml::{Table, Value};

use crate::error::CtlError;
use crate::exit::Exit;
use crate::session::Session;

/// What a grant is of that names no project.
const DEFAULT_PROJECT: &str = "default";

#[derive(Debug, Subcommand)]
pub(crate) enum Credential {
    /// List which unit may load which secret, as the settings say it
    List(list::List),
    /// Let a unit have a secret as a systemd credential, and print the line for the unit
    Grant(grant::Grant),
    /// Take a credential from a unit again
    Revoke(revoke::Revoke),
}

pub(crate) async fn run(session: &mut Session, command: Credential) -> Result<Exit, CtlError> {
    match command {
        Credential::List(command) => list::run(session, &command),
        Credential::Grant(command) => grant::run(session, command).await,
        Credential::Revoke(command) => revoke::run(session, command).await,
    }
}

/// The grants of settings, in their order, without what goes without saying.
fn grants(settings: &Table) -> Vec<Table> {
    let grants = settings
        .get("credentials")
        .and_then(|credentials| credentials.get("grants"))
        .and_then(Value::as_array);
    let grants = grants.into_iter().flatten().filter_map(Value::as_table);
    grants
        .map(|grant| {
            let mut grant = grant.clone();
            for (key, default) in [("path", "/"), ("project", DEFAULT_PROJECT)] {
                if text(&grant, key) == Some(default) {
                    grant.remove(key);
                }
            }
            grant
        })
        .collect()
}

/// Which of the grants is of this credential for this unit.
fn position(grants: &[Table], unit: &str, credential: &str) -> Option<usize> {
    grants.iter().position(|grant| {
        text(grant, "unit") == Some(unit) && text(grant, "credential") == Some(credential)
    })
}

fn text<'t>(grant: &'t Table, key: &str) -> Option<&'t str> {
    grant.get(key).and_then(Value::as_str)
}
