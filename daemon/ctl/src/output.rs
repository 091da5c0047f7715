//! The only place that writes to the terminal.
//!
//! On a terminal there are tables and colours; elsewhere there is one line per row with tabs between, and
//! times in ISO 8601, so that other programs can read it. `--json` prints what the API answered.

mod spinner;
mod table;

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use dialoguer::console::Term;
use serde_json::Value;

pub(crate) use spinner::Spinner;
pub(crate) use table::{Cell, Table, Tone};

use crate::error::CtlError;

/// Where results go, and in which form.
pub(crate) struct Output {
    sink: Box<dyn Write>,
    style: Style,
}

/// The form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// The API's JSON and nothing else.
    pub(crate) json: bool,
    /// Whether a person reads it.
    pub(crate) terminal: bool,
    /// Whether colours are wanted.
    pub(crate) color: bool,
    /// Characters per line, on a terminal.
    pub(crate) width: u16,
}

impl Output {
    /// Standard output, in the form that suits it.
    pub(crate) fn stdout(json: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let style = Style {
            json,
            terminal,
            color: terminal && colors_wanted(),
            width: Term::stdout().size().1,
        };
        Self {
            sink: Box::new(io::stdout().lock()),
            style,
        }
    }

    /// Whether the API's JSON is wanted.
    pub(crate) fn is_json(&self) -> bool {
        self.style.json
    }

    /// Whether a person reads it.
    pub(crate) fn is_terminal(&self) -> bool {
        self.style.terminal
    }

    /// What the API answered.
    pub(crate) fn json(&mut self, value: &Value) -> Result<(), CtlError> {
        serde_json::to_writer_pretty(&mut self.sink, value).map_err(io::Error::from)?;
        writeln!(self.sink)?;
        Ok(())
    }

    /// One line.
    pub(crate) fn line(&mut self, text: impl Display) -> Result<(), CtlError> {
        let text = text.to_string();
        for line in text.split('\n') {
            writeln!(self.sink, "{}", printable(line))?;
        }
        Ok(())
    }

    /// A value as it is, for whoever reads it: on a terminal with a line's end.
    pub(crate) fn raw(&mut self, text: &str) -> Result<(), CtlError> {
        self.sink.write_all(text.as_bytes())?;
        if self.style.terminal {
            writeln!(self.sink)?;
        }
        self.sink.flush()?;
        Ok(())
    }

    /// Rows and columns.
    pub(crate) fn table(&mut self, table: &Table) -> Result<(), CtlError> {
        self.sink.write_all(table.render(self.style).as_bytes())?;
        Ok(())
    }

    /// Rows and columns; where there is none, a person is told so, and what would make one.
    pub(crate) fn list(&mut self, table: &Table, nothing: &str) -> Result<(), CtlError> {
        if !table.is_empty() {
            return self.table(table);
        }
        if self.style.terminal {
            self.line(nothing)?;
        }
        Ok(())
    }

    /// A sink for what makes its own text, such as completions.
    pub(crate) fn sink(&mut self) -> &mut dyn Write {
        &mut self.sink
    }

    /// Shows that something takes its time, if a person watches.
    pub(crate) fn spinner(&self, text: &str) -> Spinner {
        Spinner::start(text, !self.style.json && io::stderr().is_terminal())
    }

    /// Says on standard error what went wrong; with `--json` a body of the API's form goes to standard output.
    pub(crate) fn error(&mut self, error: &CtlError) {
        if let (true, Ok(body)) = (self.style.json, error.body()) {
            // There is nowhere left to tell that this failed.
            let _ = self.json(&body);
        }
        report(error);
    }
}

/// Says on standard error what went wrong.
pub(crate) fn report(error: &CtlError) {
    if error.is_declined() {
        return note(&error.chain());
    }
    let mut stderr = io::stderr().lock();
    let color = stderr.is_terminal() && colors_wanted();
    let (red, cyan, off) = if color {
        ("\x1b[31m", "\x1b[36m", "\x1b[0m")
    } else {
        ("", "", "")
    };
    let lines: Vec<String> = error.chain().split('\n').map(printable).collect();
    let hints = error
        .hints()
        .iter()
        .map(|hint| format!("{cyan}hint:{off} {}\n", printable(hint)));
    let text = format!(
        "{red}error:{off} {}\n{}",
        lines.join("\n"),
        hints.collect::<String>()
    );
    // There is nowhere left to tell that this failed.
    let _ = stderr.write_all(text.as_bytes());
}

/// Says on standard error what a person should know although nothing went wrong.
pub(crate) fn note(text: &str) {
    let mut stderr = io::stderr().lock();
    // A spinner may have the line.
    let clear = if stderr.is_terminal() {
        "\r\x1b[2K"
    } else {
        ""
    };
    let _ = writeln!(stderr, "{clear}note: {}", printable(text));
}

/// A text without what would steer the terminal: providers and other hosts have a hand in labels and names.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

fn colors_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|value| value != "dumb")
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::RefCell;
    use std::io::{self, Write};
    use std::rc::Rc;

    use super::{Output, Style, Table, printable};

    /// A page to print on in tests.
    #[derive(Clone, Default)]
    pub(crate) struct Page(Rc<RefCell<Vec<u8>>>);

    impl Page {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.borrow().clone()).unwrap()
        }

        pub(crate) fn output(&self, style: Style) -> Output {
            Output {
                sink: Box::new(self.clone()),
                style,
            }
        }
    }

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn names_cannot_steer_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\tc\u{9b}d"), "a [2Jb c d");
    }

    #[test]
    fn an_empty_list_tells_people_what_makes_one_and_programs_nothing() {
        for (terminal, text) in [(true, "there is none yet\n"), (false, "")] {
            let page = Page::default();
            let mut output = page.output(Style {
                json: false,
                terminal,
                color: false,
                width: 80,
            });
            output
                .list(&Table::new(&["NAME"]), "there is none yet")
                .unwrap();
            assert_eq!(page.text(), text);
        }
    }

    #[test]
    fn raw_values_end_a_line_only_for_people() {
        for (terminal, text) in [(true, "v\n"), (false, "v")] {
            let page = Page::default();
            page.output(Style {
                json: false,
                terminal,
                color: false,
                width: 80,
            })
            .raw("v")
            .unwrap();
            assert_eq!(page.text(), text);
        }
    }
}
