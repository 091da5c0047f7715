//! The command line: what can be typed, and how it ends.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::client::{Client, DEFAULT_SOCKET};
use crate::commands;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::output::Output;
use crate::prompt::Terminal;
use crate::session::Session;
use crate::when::Clock;

/// Rotate secrets on this host: issue a new credential, prove it, publish it, later revoke the old one.
#[derive(Debug, Parser)]
#[command(name = "rotorctl", version, after_help = after_help())]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What tables are elsewhere than on a terminal.
pub(crate) const PLAIN: &str = "In a pipe a table is a line for each row, without headings, with tabs between the columns and times in ISO 8601; \
later versions add columns at the end alone. --json is what the API answers; an error that rotorctl finds itself has the same \
form, with an empty reqId. man and completions, and a command line that can't be read, are text all the same.";

const ENDS: &str = "Exit codes: 0 done, 1 failed, 3 not due, 4 something needs attention, 64 wrong usage, 78 wrong settings, 130 ^C.\n\
Secrets are read from a prompt, a file or standard input, never from an argument.";

fn after_help() -> String {
    format!("{ENDS}\n{PLAIN}")
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    // Not read by clap: it would call what the environment has set a part of every usage.
    #[arg(long, global = true, value_name = "PATH", help = format!(
        "The daemon's admin socket [env: ROTORD_SOCKET] [default: {DEFAULT_SOCKET}]"
    ))]
    socket: Option<PathBuf>,
    /// Print what the API answered, as JSON; an error too
    #[arg(long, global = true)]
    json: bool,
}

/// Where a rotation or a secret is looked for.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Place {
    /// The project's id, slug or name; the default one if not given
    #[arg(long, value_name = "PROJECT")]
    pub(crate) project: Option<String>,
    /// The environment's slug, such as dev
    #[arg(long, value_name = "SLUG")]
    pub(crate) env: Option<String>,
    /// The folder's path, such as /app
    #[arg(long, value_name = "PATH")]
    pub(crate) path: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// How the daemon logs in at providers
    #[command(subcommand)]
    Connection(commands::connection::Connection),
    /// The providers that the daemon has loaded
    #[command(subcommand)]
    Provider(commands::provider::Provider),
    /// List what a connection offers to pick from, such as an Azure tenant's applications
    Choices(commands::choices::Choices),
    /// Create a rotation: from flags, from a file, or asking step by step
    Create(Box<commands::create::Create>),
    /// List rotations, those too that are deleted and not settled at their providers yet
    List(commands::list::List),
    /// Show one rotation, its credentials and what it waits for
    Show(commands::show::Show),
    /// Rotate now
    Rotate(commands::rotate::Rotate),
    /// Revoke a leaked credential without waiting
    Retire(commands::retire::Retire),
    /// Change a rotation
    Edit(commands::edit::Edit),
    /// Move a rotation and its secrets to another environment or folder
    Move(commands::relocate::Move),
    /// Try the published credential out
    Check(commands::check::Check),
    /// Stop scheduled runs: the rotation rotates only when told, as with rotorctl edit --no-auto
    Pause(commands::pause::Pause),
    /// Let scheduled runs go on: the rotation rotates by itself, as with rotorctl edit --auto
    Resume(commands::pause::Resume),
    /// Say that what stopped a rotation is mended, or that its doubts are looked at, so that it goes on
    Unblock(commands::pause::Unblock),
    /// Delete a rotation
    Delete(commands::delete::Delete),
    /// Put a credential that exists at the provider under a rotation's care: to be published, or revoked in time
    Adopt(commands::adopt::Adopt),
    /// Remove a credential in doubt: the provider lists it under our label, and the database does not know it
    Remove(commands::remove::Remove),
    /// Read secrets, and delete those that no rotation feeds any more
    #[command(subcommand)]
    Secret(commands::secret::Secret),
    /// Which systemd unit gets which secret
    #[command(subcommand)]
    Credential(commands::credential::Credential),
    /// Run a program with secrets in its environment or as open files, and keep it in step with their rotation
    Exec(commands::exec::Exec),
    /// The folders that secrets are in
    #[command(subcommand)]
    Folder(commands::folder::Folder),
    /// Save everything that the daemon knows into one sealed file
    Backup(commands::backup::Backup),
    /// Put a backup back, with the daemon stopped
    Restore(commands::restore::Restore),
    /// The key that seals everything at rest: which opens the database, another one, one that systemd keeps
    #[command(subcommand)]
    RootKey(commands::root_key::RootKey),
    /// How the daemon and its rotations are doing
    Status(commands::status::Status),
    /// Who did what, and read which secret: the newest first
    Audit(commands::audit::Audit),
    /// Find what would make rotations fail, with its cause and what helps
    Doctor(commands::doctor::Doctor),
    /// Say what a code or a state means and what can be done
    Explain(commands::explain::Explain),
    /// Print completions for a shell
    Completions(commands::completions::Completions),
    /// Write the manual pages into a directory
    Man(commands::man::Man),
}

/// Runs the program and says how it ended.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for; everything else is wrong usage. Nowhere is left to tell
            // that printing failed.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
        }
    };
    let mut output = Output::stdout(cli.global.json);
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(source) => {
            output.error(&CtlError::failed("can't start").because(source));
            return Exit::Failed;
        }
    };
    let socket = match socket(cli.global.socket.clone()) {
        Ok(socket) => socket,
        Err(error) => {
            output.error(&error);
            return error.exit();
        }
    };
    let mut session = Session {
        client: Client::new(socket),
        output,
        person: Box::new(Terminal::default()),
        clock: Clock::system(),
    };
    match runtime.block_on(dispatch(&mut session, cli)) {
        Ok(exit) => exit,
        // As with other tools, `rotorctl list | head -1` is no failure.
        Err(error) if error.is_broken_pipe() => Exit::Done,
        Err(error) => {
            session.output.error(&error);
            error.exit()
        }
    }
}

/// The socket that was named, else the environment's, else the usual one.
fn socket(named: Option<PathBuf>) -> Result<PathBuf, CtlError> {
    if let Some(named) = named {
        return Ok(named);
    }
    match std::env::var_os("ROTORD_SOCKET").map(PathBuf::from) {
        None => Ok(DEFAULT_SOCKET.into()),
        Some(set) if set.is_absolute() => Ok(set),
        Some(_) => Err(CtlError::settings("ROTORD_SOCKET must be an absolute path")),
    }
}

async fn dispatch(session: &mut Session, cli: Cli) -> Result<Exit, CtlError> {
    match cli.command {
        Command::Connection(command) => commands::connection::run(session, command).await,
        Command::Provider(command) => commands::provider::run(session, command).await,
        Command::Choices(command) => commands::choices::run(session, command).await,
        Command::Create(command) => commands::create::run(session, *command).await,
        Command::List(command) => commands::list::run(session, command).await,
        Command::Show(command) => commands::show::run(session, command).await,
        Command::Rotate(command) => commands::rotate::run(session, command).await,
        Command::Retire(command) => commands::retire::run(session, command).await,
        Command::Edit(command) => commands::edit::run(session, command).await,
        Command::Move(command) => commands::relocate::run(session, command).await,
        Command::Check(command) => commands::check::run(session, command).await,
        Command::Pause(command) => commands::pause::pause(session, command).await,
        Command::Resume(command) => commands::pause::resume(session, command).await,
        Command::Unblock(command) => commands::pause::unblock(session, command).await,
        Command::Delete(command) => commands::delete::run(session, command).await,
        Command::Adopt(command) => commands::adopt::run(session, command).await,
        Command::Remove(command) => commands::remove::run(session, command).await,
        Command::Secret(command) => commands::secret::run(session, command).await,
        Command::Credential(command) => commands::credential::run(session, command).await,
        Command::Exec(command) => commands::exec::run(session, command).await,
        Command::Folder(command) => commands::folder::run(session, command).await,
        Command::Backup(command) => commands::backup::run(session, command).await,
        Command::Restore(command) => commands::restore::run(session, command).await,
        Command::RootKey(command) => commands::root_key::run(session, command).await,
        Command::Status(command) => commands::status::run(session, command).await,
        Command::Audit(command) => commands::audit::run(session, command).await,
        Command::Doctor(command) => commands::doctor::run(session, command).await,
        Command::Explain(command) => commands::explain::run(session, command).await,
        Command::Completions(command) => commands::completions::run(session, command),
        Command::Man(command) => commands::man::run(session, command),
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Cli, DEFAULT_SOCKET};

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_can_be_typed_is_understood() {
        for line in [
            "rotorctl status --json",
            "rotorctl --socket /tmp/s connection add azure --set tenantId=t --file clientSecret=-",
            "rotorctl connection clients azure",
            "rotorctl choices azure clients billing",
            "rotorctl create --name a --rotate-at 02:30 --utc --interval 30 --map clientId=A",
            "rotorctl create --from body.json",
            "rotorctl rotate a --retire-previous-after 1h --wait --env dev",
            "rotorctl retire a --now key",
            "rotorctl edit a --no-auto --overlap 12h",
            "rotorctl delete a --revoke --delete-secrets --yes",
            "rotorctl secret get NAME --env dev --path /app",
            "rotorctl secret delete NAME --env dev --path /app --yes",
            "rotorctl doctor --rotation a --env dev --json",
            "rotorctl list --credentials --all-projects",
            "rotorctl audit",
            "rotorctl audit billing --last 3 --env dev",
            "rotorctl doctor --connection azure",
            "rotorctl explain",
            "rotorctl explain clock-skew",
            "rotorctl backup /root/rotord.backup --passphrase-file -",
            "rotorctl backup /root/rotord.backup --no-passphrase",
            "rotorctl restore /root/rotord.backup --replace --yes",
            "rotorctl root-key status --json",
            "rotorctl root-key rewrap --new-key /root/new.key",
            "rotorctl root-key seal --with-key=host+tpm2 --new --dry-run",
            "rotorctl folder list --env dev",
            "rotorctl folder add /app --env dev",
            "rotorctl secret get NAME --env dev --reader-socket /run/rotord/read/reader.sock",
            "rotorctl adopt a key --yes",
            "rotorctl explain lost",
            "rotorctl credential grant payroll.service token PAYROLL_SECRET --env dev --path /app",
            "rotorctl credential grant payroll.service token PAYROLL_SECRET --env dev --project p --anyway --config f --create",
            "rotorctl credential revoke payroll@.service token --config f",
            "rotorctl credential list --config f --json",
            "rotorctl move a --to-env prod --yes",
            "rotorctl man /tmp",
            "rotorctl exec --secret A=B --secret C --env dev -- sh -c env",
            "rotorctl exec --secret-file A=B --on-change HUP --stop-within 1m --env dev -- nginx",
            "rotorctl completions bash",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_ok(), "{line}");
        }
    }

    #[test]
    fn options_of_every_command_stand_under_a_heading_of_their_own() {
        let mut program = Cli::command();
        program.build();
        for name in ["list", "create"] {
            let command = program.find_subcommand_mut(name).unwrap();
            let help = command.render_help().to_string();
            let (own, global) = help.split_once("Global options:").unwrap();
            assert!(
                !own.contains("--socket") && global.contains("--socket"),
                "{help}"
            );
            assert!(own.contains("--env") && !global.contains("--env"), "{help}");
        }
    }

    #[test]
    fn help_names_the_usual_socket_and_what_else_names_one() {
        let help = Cli::command().render_help().to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let named = format!("[env: ROTORD_SOCKET] [default: {DEFAULT_SOCKET}]");
        assert!(help.contains(&named), "{help}");
    }

    #[test]
    fn every_duration_says_its_units() {
        let mut program = Cli::command();
        program.build();
        let all = program.get_subcommands();
        let arguments = all.flat_map(|command| {
            let arguments = command.get_arguments();
            arguments.map(move |argument| (command.get_name(), argument))
        });
        for (command, argument) in arguments {
            let names = argument.get_value_names().unwrap_or_default();
            if names.iter().any(|name| name.as_str() == "DURATION") {
                let help = argument.get_help().unwrap().to_string();
                assert!(
                    help.contains("hours") && help.contains("days"),
                    "{command}: {help}"
                );
            }
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "rotorctl",
            "rotorctl rotate",
            "rotorctl list --all-projects --project p",
            "rotorctl audit --last 0",
            "rotorctl create --from f --name a",
            "rotorctl create --rotate-at 25:00",
            "rotorctl create --utc --zone Europe/Berlin",
            "rotorctl create --param objectId",
            "rotorctl edit a --auto --no-auto",
            "rotorctl backup f --no-passphrase --passphrase-file p",
            "rotorctl rotate a --retire-previous-after soon",
            "rotorctl credential grant payroll.service token S --env dev --create",
            "rotorctl root-key seal --new --key-file f",
            "rotorctl root-key seal --with-key=password",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }
}
