//! The command line of `rotord`: settings, log, build, run, and an exit code.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use rotord_api::catalogue::{self, Entry};
use rotord_store::Standing;

use crate::app::{App, StartError};
use crate::settings::{Settings, State};
use crate::{codes, log, process, restoring};

/// Rotates secrets on the host where they are used.
///
/// Runs in the foreground, as a service manager wants it. rotorctl talks to it.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Arguments {
    /// The settings file [default: /etc/rotord/rotord.toml, which may be missing]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Read the settings and what they name, say whether they are right, and end
    #[arg(long)]
    check: bool,

    #[command(flatten)]
    restoring: restoring::RestoreArguments,
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
        Err(error) => {
            return tell(
                CONFIG,
                &explained(codes::of_settings(&error), &error.into()),
            );
        }
    };
    if arguments.check {
        return check(&settings);
    }
    if let Err(error) = log::init(&settings.log).context("the setting log.filter is wrong") {
        return tell(CONFIG, &explained(&catalogue::SETTINGS_WRONG, &error));
    }
    process::harden();
    if let Some(file) = arguments.restoring.restore.clone() {
        return match restoring::run(&settings, &file, arguments.restoring) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => tell(FAILED, &error),
        };
    }
    match run(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, error)) => {
            tracing::error!("{error:#}");
            ExitCode::from(code)
        }
    }
}

#[expect(clippy::print_stdout, reason = "a person asked for it")]
fn check(settings: &Settings) -> ExitCode {
    match App::check(settings).map_err(coded) {
        Ok(standing) => {
            println!("the settings are right");
            if let Some(note) = unseen(&settings.state.directory, standing) {
                println!("note: {note}");
            }
            ExitCode::SUCCESS
        }
        Err((code, error)) => tell(code, &error),
    }
}

/// What a check could not tell, since somebody else starts the daemon.
fn unseen(directory: &Path, standing: Standing) -> Option<String> {
    // The service manager hands that to the user of the unit.
    let is_usual = *directory == State::default().directory;
    let directory = directory.display();
    match standing {
        Standing::Usable { owner: 0 } if !is_usual => Some(format!(
            "the state directory {directory} belongs to root: a daemon that runs as another user, as its unit has it, can't use it"
        )),
        Standing::Usable { .. } => None,
        Standing::Closed { owner } => Some(format!(
            "the state directory {directory} belongs to the user {owner}: whether it can be used is told to him and to root alone"
        )),
        Standing::Absent { .. } => Some(format!(
            "the state directory {directory} is not there yet: the first start makes it, or StateDirectory= of its unit"
        )),
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
    (code, explained(codes::of_start(&error), &error.into()))
}

/// Says where to read on.
fn explained(entry: &Entry, error: &anyhow::Error) -> anyhow::Error {
    let code = entry.code;
    anyhow::anyhow!("{error:#} (rotorctl explain {code})")
}

/// Where there is no log, or nobody who reads it.
#[expect(clippy::print_stderr, reason = "a person waits at the terminal")]
fn tell(code: u8, error: &anyhow::Error) -> ExitCode {
    eprintln!("rotord: {error:#}");
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// As the page shows it: without the marks of its format.
    fn manual() -> String {
        let page = include_str!("../../config/rotord.8");
        page.replace("\\-", "-")
    }

    #[test]
    fn the_manual_page_has_every_option_and_exit_code() {
        let manual = manual();
        let command = Arguments::command();
        command.clone().debug_assert();
        for argument in command.get_arguments() {
            let long = argument.get_long().unwrap();
            assert!(manual.contains(&format!("--{long}")), "--{long}");
        }
        let exit = manual.split(".SH EXIT STATUS").nth(1).unwrap();
        for code in [0, FAILED, USAGE, CONFIG] {
            assert!(exit.contains(&format!(".B {code}\n")), "{code}");
        }
    }

    #[test]
    fn the_manual_page_names_the_places_of_the_defaults() {
        let (manual, defaults) = (manual(), Settings::default());
        let State {
            directory, witness, ..
        } = defaults.state;
        let places = [
            crate::settings::DEFAULT_PATH.into(),
            directory,
            witness,
            defaults.providers.cache,
            defaults.admin.socket,
            defaults.reader.socket,
        ];
        for place in places.iter().chain(&defaults.providers.directories) {
            assert!(manual.contains(&place.display().to_string()), "{place:?}");
        }
    }
}
