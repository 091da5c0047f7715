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
        self.confirm_or(question, false, yes)
    }

    /// Asks before something, with the answer that is offered, unless `yes` was said already.
    pub(crate) fn confirm_or(
        &mut self,
        question: &str,
        offered: bool,
        yes: bool,
    ) -> Result<(), CtlError> {
        if yes {
            return Ok(());
        }
        if !self.person.is_there() {
            return Err(CtlError::usage("this needs to be confirmed").hint("say --yes"));
        }
        if self.person.confirm(question, offered)? {
            Ok(())
        } else {
            Err(CtlError::declined())
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use chrono_tz::Tz;

    use super::Session;
    use crate::client::Client;
    use crate::error::CtlError;
    use crate::fake::Fake;
    use crate::output::Style;
    use crate::output::tests::Page;
    use crate::prompt::tests::Scripted;
    use crate::when::Clock;

    /// A session at a terminal, in Berlin in January, and what it shows.
    pub(crate) fn session(daemon: &Fake, person: Scripted) -> (Session, Page) {
        let page = Page::default();
        let session = Session {
            client: Client::new(daemon.socket()),
            output: page.output(Style {
                json: false,
                terminal: true,
                color: false,
                width: 100,
            }),
            person: Box::new(person),
            clock: Clock {
                now: "2026-01-15T12:00:00Z".parse().unwrap(),
                zone: Tz::Europe__Berlin,
                knows_zone: true,
            },
        };
        (session, page)
    }

    /// Runs what a command does.
    pub(crate) fn wait<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(work)
    }

    #[test]
    fn what_is_confirmed_is_done_and_what_is_not_is_nothing() {
        let fake = Fake::start();
        for (answer, offered, is_done) in [
            ("yes", false, true),
            ("no", true, false),
            ("", false, false),
            ("", true, true),
        ] {
            let (mut session, _) = session(&fake, Scripted::new(&[("Really?", answer)]));
            let done: Result<(), CtlError> = session.confirm_or("Really?", offered, false);
            assert_eq!(done.is_ok(), is_done, "{answer:?}");
            // No error to whoever said it.
            assert_eq!(done.is_err_and(|no| no.is_declined()), !is_done);
        }
    }
}
