//! How the program ends.

use tokio::signal::unix::SignalKind;

/// What the exit code says. A command that asked for something and got it is [`Exit::Done`], whatever the
/// answer was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: it is done.
    Done,
    /// 1: it failed.
    Failed,
    /// 3: the rotation is not due.
    NotDue,
    /// 4: a person should look at something.
    Attention,
    /// 64: it was asked for wrongly.
    Usage,
    /// 78: the settings are wrong.
    Settings,
    /// 130: ^C, by 128 and the number of the signal.
    Interrupted,
    /// As the program ended that was run.
    OfProgram(u8),
}

impl Exit {
    /// The code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::NotDue => 3,
            Self::Attention => 4,
            Self::Usage => 64,
            Self::Settings => 78,
            Self::Interrupted => 130,
            Self::OfProgram(code) => code,
        }
    }

    /// As a program that this signal ended.
    pub(crate) fn of_signal(signal: SignalKind) -> Self {
        let code = 128_i32.saturating_add(signal.as_raw_value());
        Self::OfProgram(u8::try_from(code).unwrap_or(u8::MAX))
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use rotord_api::catalogue::{self, Entry};

    use super::Exit;
    use crate::commands::explain;

    /// Exhaustive: a new way to end does not compile before it is explained.
    fn explained(exit: Exit) -> Option<&'static Entry> {
        let entry = match exit {
            Exit::Done => &catalogue::EXIT_DONE,
            Exit::Failed => &catalogue::EXIT_FAILED,
            Exit::NotDue => &catalogue::EXIT_NOT_DUE,
            Exit::Attention => &catalogue::EXIT_ATTENTION,
            Exit::Usage => &catalogue::EXIT_USAGE,
            Exit::Settings => &catalogue::EXIT_SETTINGS,
            Exit::Interrupted => &explain::EXIT_INTERRUPTED,
            // Whoever wrote that program knows.
            Exit::OfProgram(_) => return None,
        };
        Some(entry)
    }

    #[test]
    fn every_exit_code_is_explained_under_its_number() {
        for exit in [
            Exit::Done,
            Exit::Failed,
            Exit::NotDue,
            Exit::Attention,
            Exit::Usage,
            Exit::Settings,
            Exit::Interrupted,
        ] {
            let found = explain::find(&exit.code().to_string());
            assert_eq!(found, explained(exit));
        }
    }
}
