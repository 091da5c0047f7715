//! The command line of `rotord`: settings, log, build, run, and an exit code.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;

use crate::app::{App, StartError};
use crate::settings::Settings;
use crate::{log, process};

/// Rotates secrets on the host where they are used.
///
/// Runs in the foreground, as a service manager wants it. rotorctl talks to it.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Arguments {
    /// The settings file [default: /etc/rotord/rotord.toml, which may be missing]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Read the settings, say whether they are right, and end
    #[arg(long)]
    check: bool,
}

const EXIT_CODES: &str =
    "Exit codes: 0 stopped as asked, 1 failed, 64 wrong arguments, 78 wrong settings or state";
const FAILED: u8 = 1;
const USAGE: u8 = 64;
const CONFIG: u8 = 78;

/// The whole of the program.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { USAGE } else { 0 };
            // Nowhere to say it: the code says it.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let settings = match Settings::load(arguments.config.as_deref()) {
        Ok(settings) => settings,
        Err(error) => return tell(CONFIG, &error.into()),
    };
    if arguments.check {
        return ExitCode::SUCCESS;
    }
    if let Err(error) = log::init(&settings.log).context("the log can't be set up") {
        return tell(CONFIG, &error);
    }
    process::harden();
    match run(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, error)) => {
            tracing::error!("{error:#}");
            ExitCode::from(code)
        }
    }
}

fn run(settings: Settings) -> Result<(), (u8, anyhow::Error)> {
    let system = actix_rt::System::new();
    system.block_on(async {
        let app = App::build(settings).map_err(coded)?;
        app.run().await.map_err(coded)
    })
}

fn coded(error: StartError) -> (u8, anyhow::Error) {
    let code = if error.is_settled() { CONFIG } else { FAILED };
    (code, error.into())
}

/// Before there is a log.
#[expect(clippy::print_stderr, reason = "there is no log yet")]
fn tell(code: u8, error: &anyhow::Error) -> ExitCode {
    eprintln!("rotord: {error:#}");
    ExitCode::from(code)
}
