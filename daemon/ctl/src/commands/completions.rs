//! `rotorctl completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(
    session: &mut Session,
    Completions { shell }: Completions,
) -> Result<Exit, CtlError> {
    // `generate` panics where it can't write; a buffer always takes it.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "rotorctl", &mut script);
    session.output.sink().write_all(&script)?;
    Ok(Exit::Done)
}
