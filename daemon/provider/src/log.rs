//! The `log` import: what a guest writes, bounded while it runs, written out without secrets at its end.

use tracing::Level;

use crate::scrub::Scrubber;

/// The lines of one call.
///
/// They are held back until the call has ended, because only then everything is known that must be taken
/// out of them, such as a value that the provider made itself.
pub(crate) struct GuestLog {
    lines: Vec<(Level, String)>,
    dropped: usize,
    most: usize,
    longest: usize,
}

impl GuestLog {
    /// At most `most` lines, of which `longest` bytes are kept each.
    pub(crate) fn new(most: usize, longest: usize) -> Self {
        Self {
            lines: Vec::new(),
            dropped: 0,
            most,
            longest,
        }
    }

    /// Takes one line over, or counts it where there are too many.
    pub(crate) fn push(&mut self, level: Level, mut message: String) {
        if self.lines.len() >= self.most {
            self.dropped += 1;
            return;
        }
        // Cut generously, the rest after scrubbing, and at white space: a secret that is cut in half would
        // not be recognised.
        let most = self.longest.saturating_mul(4);
        if message.len() > most {
            let head = &message[..message.floor_char_boundary(most)];
            let whole_words = head.rfind(char::is_whitespace).unwrap_or(0);
            message.truncate(whole_words);
            message.push('…');
        }
        self.lines.push((level, message));
    }

    /// The last line with these words.
    pub(crate) fn last_with(&self, words: &str) -> Option<&str> {
        let mut lines = self.lines.iter().rev().map(|(_, line)| line.as_str());
        lines.find(|line| line.contains(words))
    }

    /// Writes the lines to the daemon's log.
    pub(crate) fn flush(self, provider: &str, call: &str, scrubber: &Scrubber) {
        for (level, message) in self.lines {
            let message = scrubber.strict_line(&message, self.longest);
            // The level of an event is part of its call site, hence one for each.
            match level {
                Level::ERROR => tracing::error!(target: TARGET, provider, call, "{message}"),
                Level::WARN => tracing::warn!(target: TARGET, provider, call, "{message}"),
                Level::INFO => tracing::info!(target: TARGET, provider, call, "{message}"),
                _ => tracing::debug!(target: TARGET, provider, call, "{message}"),
            }
        }
        if self.dropped > 0 {
            tracing::warn!(target: TARGET, provider, call, dropped = self.dropped, "too many log lines");
        }
    }
}

/// Under which the daemon's log filter finds what guests write.
const TARGET: &str = "rotord_provider::guest";
