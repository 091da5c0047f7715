//! `rotorctl exec`: a program with secrets in its environment or as open files, kept in step with their rotation.

mod program;
mod secrets;

use std::ffi::OsString;
use std::pin::pin;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::program::{OnChange, Program};
use self::secrets::{Binding, Values, Watched};
use super::secret::source::Way;
use crate::cli::Place;
use crate::duration::parse_seconds;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::output::note;
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// A variable that is to hold a secret's value; NAME alone is both. May be said several times
    #[arg(long = "secret", value_name = "VARIABLE=NAME")]
    variables: Vec<Binding>,
    /// A variable that is to hold the path of an open file in memory with a secret's value. May be said several times
    #[arg(long = "secret-file", value_name = "VARIABLE=NAME")]
    files: Vec<Binding>,
    /// What a new value does: restart (the program is ended and started anew), ignore, or a signal such as HUP, after
    /// which the program reads its --secret-file again
    #[arg(long, value_name = "WHAT", default_value = "restart")]
    on_change: OnChange,
    /// How long the program may take to end before it is killed, in s (seconds), m (minutes), h (hours) or d (days)
    #[arg(long, value_name = "DURATION", value_parser = parse_seconds, default_value = "10s")]
    stop_within: u32,
    #[command(flatten)]
    way: Way,
    #[command(flatten)]
    place: Place,
    /// The program and its arguments, after --
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    program: Vec<OsString>,
}

/// What happened.
enum Happened {
    /// The program ended by itself.
    Ended(Exit),
    /// Somebody wants the program to have this signal.
    Asked(SignalKind),
    /// There are new values.
    Changed(Values),
}

pub(crate) async fn run(session: &mut Session, command: Exec) -> Result<Exit, CtlError> {
    if command.variables.is_empty() && command.files.is_empty() {
        return Err(CtlError::usage(
            "which secrets? say --secret or --secret-file",
        ));
    }
    if matches!(command.on_change, OnChange::Signal(_)) && !command.variables.is_empty() {
        return Err(CtlError::usage(
            "a program's environment stays as it was when the program started",
        )
        .hint("with --on-change SIGNAL, use --secret-file: the file changes"));
    }
    let bindings = || command.variables.iter().chain(&command.files);
    for (number, binding) in bindings().enumerate() {
        if bindings()
            .take(number)
            .any(|other| other.variable == binding.variable)
        {
            return Err(CtlError::usage(format!(
                "{} is said twice: a variable holds one secret",
                binding.variable
            )));
        }
    }
    let stop_within = Duration::from_secs(command.stop_within.into());
    let source = command.way.source(session, &command.place).await?;
    // Before the program starts: what is sent from here on is passed on to it.
    let mut signals = Signals::new()?;
    let mut watched = Watched::new(source, bindings().map(|binding| binding.name.clone()));
    let values = watched.read().await?;
    let mut program = Program::new(&command.program, command.variables, command.files)?;
    program.start(&values)?;
    loop {
        let happened = tokio::select! {
            biased;
            ended = program.ended() => Happened::Ended(ended?),
            asked = signals.next() => Happened::Asked(asked),
            values = watched.changed() => Happened::Changed(values),
        };
        match happened {
            Happened::Ended(exit) => return Ok(exit),
            Happened::Asked(signal) => program.tell(signal)?,
            Happened::Changed(values) => match command.on_change {
                OnChange::Ignore => {}
                OnChange::Signal(signal) => {
                    program.renew(&values)?;
                    program.tell(signal)?;
                    note("a secret has changed: told the program");
                }
                OnChange::Restart => {
                    note("a secret has changed: starting the program anew");
                    // Whoever wants it to end now gets it ended, and not started anew. What else is sent meanwhile is
                    // for a program that runs: the new one begins with all that it would look at again.
                    let asked = {
                        let mut stopped = pin!(program.stop(stop_within));
                        loop {
                            // What was sent while the old one ran is not for the new one, though both be told at once.
                            tokio::select! {
                                biased;
                                asked = signals.next() => {
                                    if ends(asked) {
                                        break Some(asked);
                                    }
                                }
                                () = &mut stopped => break None,
                            }
                        }
                    };
                    if let Some(asked) = asked {
                        program.tell(asked)?;
                        program.stop(stop_within).await;
                        return Ok(Exit::of_signal(asked));
                    }
                    program.start(&values)?;
                }
            },
        }
    }
}

/// It asks a program to end.
fn ends(signal: SignalKind) -> bool {
    let ending = [
        SignalKind::terminate(),
        SignalKind::interrupt(),
        SignalKind::quit(),
    ];
    ending.contains(&signal)
}

/// What is passed on to the program.
struct Signals {
    terminate: Signal,
    hangup: Signal,
    interrupt: Signal,
    quit: Signal,
    user1: Signal,
    user2: Signal,
}

impl Signals {
    fn new() -> Result<Self, CtlError> {
        let listen =
            |kind| signal(kind).map_err(|source| CtlError::failed("can't start").because(source));
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
            interrupt: listen(SignalKind::interrupt())?,
            quit: listen(SignalKind::quit())?,
            user1: listen(SignalKind::user_defined1())?,
            user2: listen(SignalKind::user_defined2())?,
        })
    }

    async fn next(&mut self) -> SignalKind {
        tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.hangup.recv() => SignalKind::hangup(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
            _ = self.quit.recv() => SignalKind::quit(),
            _ = self.user1.recv() => SignalKind::user_defined1(),
            _ = self.user2.recv() => SignalKind::user_defined2(),
        }
    }
}
