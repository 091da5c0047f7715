//! Shows that something takes its time.

use std::time::Duration;

use indicatif::ProgressBar;

use crate::output::printable;

/// Turns until it is dropped; invisible where nobody watches.
pub(crate) struct Spinner(ProgressBar);

impl Spinner {
    pub(super) fn start(text: &str, visible: bool) -> Self {
        let bar = if visible {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::hidden()
        };
        bar.set_message(printable(text));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// Says something else from now on.
    pub(crate) fn say(&self, text: &str) {
        self.0.set_message(printable(text));
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
