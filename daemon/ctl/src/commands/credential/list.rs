//! `rotorctl credential list`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::settings_file::SettingsFile;
use super::{DEFAULT_PROJECT, grants, text};
use crate::error::CtlError;
use crate::exit::Exit;
use crate::output::Table;
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct List {
    /// The daemon's settings file [default: /etc/rotord/rotord.toml, which may be missing]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(session: &mut Session, command: &List) -> Result<Exit, CtlError> {
    let file = SettingsFile::read(command.config.as_deref())?;
    let grants = grants(&file.settings);
    if session.output.is_json() {
        session
            .output
            .json(&json!({"settings": file.path, "grants": grants}))?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        "UNIT",
        "CREDENTIAL",
        "SECRET",
        "ENVIRONMENT",
        "PATH",
        "PROJECT",
    ]);
    for grant in &grants {
        let named = |key, unsaid| text(grant, key).unwrap_or(unsaid);
        table.row([
            named("unit", "-").into(),
            named("credential", "-").into(),
            named("secret", "-").into(),
            named("environment", "-").into(),
            named("path", "/").into(),
            named("project", DEFAULT_PROJECT).into(),
        ]);
    }
    let nothing = format!(
        "{} grants nothing to any unit: rotorctl credential grant does",
        file.path.display()
    );
    session.output.list(&table, &nothing)?;
    Ok(Exit::Done)
}
