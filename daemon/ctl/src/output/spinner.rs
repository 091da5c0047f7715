//! Shows that something takes its time.

use std::time::Duration;

use indicatif::ProgressBar;

use crate::output::printable;

/// Turns until it is dropped; invisible where nobody watches.
pub(crate) struct Spinner {
    bar: ProgressBar,
    is_seen: bool,
}

impl Spinner {
    pub(super) fn start(text: &str, visible: bool) -> Self {
        let bar = if visible {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::hidden()
        };
        bar.set_message(printable(text));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self {
            bar,
            is_seen: visible,
        }
    }

    /// Whether anybody watches it.
    pub(crate) fn is_seen(&self) -> bool {
        self.is_seen
    }

    /// Says something else from now on.
    pub(crate) fn say(&self, text: &str) {
        self.bar.set_message(printable(text));
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
impl Spinner {
    /// One that is taken for seen, and what it says.
    pub(crate) fn watched() -> Self {
        Self {
            bar: ProgressBar::hidden(),
            is_seen: true,
        }
    }

    pub(crate) fn text(&self) -> String {
        self.bar.message()
    }
}
