//! Asks the person at the terminal. Behind a trait, so that dialogues can be tested without one.

use std::io::{self, IsTerminal};

use dialoguer::theme::ColorfulTheme;
use dialoguer::{Confirm, Input, Password, Select};
use rotord_api::Sensitive;

use crate::error::CtlError;
use crate::interrupt::{interrupted, watch};

/// What judges a text that was typed; says what would be right.
pub(crate) type Check<'a> = &'a dyn Fn(&str) -> Result<(), String>;

/// Who can be asked.
pub(crate) trait Person {
    /// Whether anybody is there.
    fn is_there(&self) -> bool;
    /// A line, asked for again until `check` is content.
    fn text(
        &mut self,
        question: &str,
        default: Option<&str>,
        check: Check<'_>,
    ) -> Result<String, CtlError>;
    /// A line that doesn't show.
    fn secret(&mut self, question: &str) -> Result<Sensitive, CtlError>;
    /// Yes or no.
    fn confirm(&mut self, question: &str, default: bool) -> Result<bool, CtlError>;
    /// The index of one of several.
    fn select(&mut self, question: &str, items: &[String]) -> Result<usize, CtlError>;
}

/// The person at the terminal, asked on standard error so that results stay apart.
#[derive(Default)]
pub(crate) struct Terminal(ColorfulTheme);

impl Terminal {
    /// Dialogues hide the cursor; whoever breaks one off wants it back.
    fn theme(&self) -> &ColorfulTheme {
        watch();
        &self.0
    }
}

impl Person for Terminal {
    fn is_there(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    fn text(
        &mut self,
        question: &str,
        default: Option<&str>,
        check: Check<'_>,
    ) -> Result<String, CtlError> {
        let mut input = Input::with_theme(self.theme())
            .with_prompt(question)
            .allow_empty(true);
        if let Some(default) = default {
            input = input.default(default.to_owned());
        }
        input
            .validate_with(|text: &String| check(text))
            .interact_text()
            .map_err(broken_off)
    }

    fn secret(&mut self, question: &str) -> Result<Sensitive, CtlError> {
        let secret = Password::with_theme(self.theme())
            .with_prompt(question)
            .interact();
        secret.map(Sensitive::new).map_err(broken_off)
    }

    fn confirm(&mut self, question: &str, default: bool) -> Result<bool, CtlError> {
        Confirm::with_theme(self.theme())
            .with_prompt(question)
            .default(default)
            .interact()
            .map_err(broken_off)
    }

    fn select(&mut self, question: &str, items: &[String]) -> Result<usize, CtlError> {
        Select::with_theme(self.theme())
            .with_prompt(question)
            .items(items)
            .default(0)
            .interact()
            .map_err(broken_off)
    }
}

fn broken_off(dialoguer::Error::IO(source): dialoguer::Error) -> CtlError {
    if source.kind() == io::ErrorKind::Interrupted {
        interrupted();
    }
    CtlError::failed("the dialogue was broken off; nothing was done").because(source)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::VecDeque;

    use rotord_api::Sensitive;

    use super::{Check, Person};
    use crate::error::CtlError;

    /// Somebody who answers as was written down, and fails the test where the question isn't the expected one.
    pub(crate) struct Scripted(VecDeque<(&'static str, &'static str)>);

    impl Scripted {
        /// Pairs of a part of the question and its answer. For a list the answer is a part of the item.
        pub(crate) fn new(answers: &[(&'static str, &'static str)]) -> Self {
            Self(answers.iter().copied().collect())
        }

        fn answer(&mut self, question: &str) -> &'static str {
            let (expected, answer) = self
                .0
                .pop_front()
                .unwrap_or_else(|| panic!("not expected to ask {question:?}"));
            assert!(
                question.contains(expected),
                "asked {question:?}, expected {expected:?}"
            );
            answer
        }
    }

    impl Drop for Scripted {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                assert!(self.0.is_empty(), "never asked: {:?}", self.0);
            }
        }
    }

    impl Person for Scripted {
        fn is_there(&self) -> bool {
            true
        }

        fn text(
            &mut self,
            question: &str,
            default: Option<&str>,
            check: Check<'_>,
        ) -> Result<String, CtlError> {
            loop {
                let answer = self.answer(question);
                let answer = if answer.is_empty() {
                    default.unwrap_or_default()
                } else {
                    answer
                };
                if check(answer).is_ok() {
                    return Ok(answer.to_owned());
                }
            }
        }

        fn secret(&mut self, question: &str) -> Result<Sensitive, CtlError> {
            Ok(Sensitive::new(self.answer(question).to_owned()))
        }

        fn confirm(&mut self, question: &str, default: bool) -> Result<bool, CtlError> {
            let answer = self.answer(question);
            Ok(if answer.is_empty() {
                default
            } else {
                answer == "yes"
            })
        }

        fn select(&mut self, question: &str, items: &[String]) -> Result<usize, CtlError> {
            let answer = self.answer(question);
            let found = items.iter().position(|item| item.contains(answer));
            Ok(found.unwrap_or_else(|| panic!("no item with {answer:?} in {items:?}")))
        }
    }
}
