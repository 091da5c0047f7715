//! `rotorctl man`: for packagers.

use std::path::PathBuf;

use clap::{Args, CommandFactory};

use crate::cli::Cli;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Where to; it must exist
    directory: PathBuf,
}

pub(crate) fn run(session: &mut Session, command: Man) -> Result<Exit, CtlError> {
    let directory = command.directory;
    clap_mangen::generate_to(Cli::command(), &directory).map_err(|source| {
        CtlError::failed(format!("can't write into {}", directory.display())).because(source)
    })?;
    session
        .output
        .line(format!("manual pages are in {}", directory.display()))?;
    Ok(Exit::Done)
}
