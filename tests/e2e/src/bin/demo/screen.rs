//! What the person sees: colours and a moving line on a terminal, plain lines elsewhere.

use std::cell::Cell;
use std::io::{IsTerminal as _, Stdout, Write as _};
use std::time::Duration;

use tokio::time::{Instant, interval};

/// How often the moving line moves, on a terminal.
const MOVES: Duration = Duration::from_millis(200);
/// How often a waiting is told of, elsewhere.
const TELLS: Duration = Duration::from_secs(5);

/// Standard output.
#[derive(Debug)]
pub(crate) struct Screen {
    out: Stdout,
    is_terminal: bool,
    steps: Cell<u32>,
}

impl Screen {
    pub(crate) fn stdout() -> Self {
        let out = std::io::stdout();
        Self {
            is_terminal: out.is_terminal(),
            out,
            steps: Cell::new(0),
        }
    }

    /// A new step, numbered.
    pub(crate) fn step(&self, title: &str) {
        let number = self.steps.get() + 1;
        self.steps.set(number);
        self.line("");
        self.line(&self.painted("1", &format!("{number}. {title}")));
    }

    /// A command as a person would type it.
    pub(crate) fn command(&self, command: &str) {
        for (index, line) in command.lines().enumerate() {
            let lead = if index == 0 { "$ " } else { "  " };
            let painted = self.painted("36", &format!("{lead}{line}"));
            self.line(&format!("   {painted}"));
        }
    }

    /// What a command wrote.
    pub(crate) fn output(&self, text: &str) {
        for line in text.lines() {
            self.line(&format!("     {}", line.trim_end()));
        }
    }

    pub(crate) fn line(&self, text: &str) {
        self.put(text, "\n");
    }

    pub(crate) fn dim(&self, text: &str) {
        self.line(&self.painted("2", text));
    }

    pub(crate) fn good(&self, text: &str) {
        self.line(&self.painted("32", text));
    }

    pub(crate) fn bad(&self, text: &str) {
        self.line(&self.painted("1;31", text));
    }

    /// The end of a log, where something failed.
    pub(crate) fn log_tail(&self, log: &str) {
        let lines: Vec<&str> = log.lines().collect();
        self.dim("\nThe end of rotord's log:");
        for line in &lines[lines.len().saturating_sub(30)..] {
            self.dim(line);
        }
    }

    /// Waits for `work`, and shows meanwhile what is waited for; `now` says how it stands.
    pub(crate) async fn during<T>(
        &self,
        what: &str,
        now: impl Fn() -> String,
        work: impl Future<Output = T>,
    ) -> T {
        let began = Instant::now();
        let mut ticks = interval(if self.is_terminal { MOVES } else { TELLS });
        ticks.tick().await;
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => {
                    if self.is_terminal {
                        self.put("\r\x1b[2K", "");
                    }
                    return done;
                }
                _ = ticks.tick() => {
                    let seconds = began.elapsed().as_secs_f32();
                    let text = format!("   … {what} ({seconds:.0} s){}", now());
                    if self.is_terminal {
                        self.put("\r\x1b[2K", &self.painted("2", &text));
                    } else {
                        self.line(&text);
                    }
                }
            }
        }
    }

    /// Someone may be watching through a pipe: it goes out at once. Nobody left to see it is no failure.
    fn put(&self, text: &str, end: &str) {
        let mut out = self.out.lock();
        let _ = write!(out, "{text}{end}").and_then(|()| out.flush());
    }

    fn painted(&self, code: &str, text: &str) -> String {
        if self.is_terminal {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
