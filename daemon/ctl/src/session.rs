//! What every command works with.

use crate::client::Client;
use crate::error::CtlError;
use crate::output::Output;
use crate::prompt::Person;
use crate::when::Clock;

/// The daemon, the terminal and who sits before it.
pub(crate) struct Session {
    /// The way to the daemon.
    pub(crate) client: Client,
    /// Where results go.
    pub(crate) output: Output,
    /// Who can be asked.
    pub(crate) person: Box<dyn Person>,
    /// The time and the caller's zone.
    pub(crate) clock: Clock,
}

impl Session {
    /// Asks before something that can't be undone, unless `yes` was said already.
    pub(crate) fn confirm(&mut self, question: &str, yes: bool) -> Result<(), CtlError> {
        if yes {
            return Ok(());
        }
        if !self.person.is_there() {
            return Err(CtlError::usage("this needs to be confirmed").hint("say --yes"));
        }
        if self.person.confirm(question, false)? {
            Ok(())
        } else {
            Err(CtlError::failed("nothing was done"))
        }
    }
}
