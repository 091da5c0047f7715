//! Tables: aligned for people, tab-separated for programs.

use comfy_table::{Color, ColumnConstraint, ContentArrangement, presets};

use crate::output::{Style, printable};

/// Rows under headings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

/// One text in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

/// How a text is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Just so.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// Look here.
    Warn,
    /// Something is wrong.
    Bad,
    /// Of less interest.
    Dim,
}

impl Table {
    /// Without rows yet.
    pub(crate) fn new(headings: &[&'static str]) -> Self {
        Self {
            headings: headings.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Names and values, one pair per row, without headings.
    pub(crate) fn pairs() -> Self {
        Self::default()
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Adds a name and its value.
    pub(crate) fn pair(&mut self, name: &str, value: impl Into<Cell>) {
        self.row([Cell::new(name, Tone::Dim), value.into()]);
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The text of it, each line ended.
    pub(crate) fn render(&self, style: Style) -> String {
        if style.terminal {
            self.aligned(style)
        } else {
            self.tabbed()
        }
    }

    fn tabbed(&self) -> String {
        let mut text = String::new();
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(|cell| printable(&cell.text)).collect();
            text.push_str(&cells.join("\t"));
            text.push('\n');
        }
        text
    }

    fn aligned(&self, style: Style) -> String {
        let mut table = comfy_table::Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(style.width);
        if style.color {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        if !self.headings.is_empty() {
            table.set_header(
                self.headings
                    .iter()
                    .map(|heading| comfy_table::Cell::new(heading).fg(Color::DarkGrey)),
            );
        }
        for row in &self.rows {
            table.add_row(row.iter().map(Cell::styled));
        }
        if let Some(first) = table.column_mut(0) {
            // It holds what is copied into the next command: never broken into two lines.
            first
                .set_padding((0, 1))
                .set_constraint(ColumnConstraint::ContentWidth);
        }
        let mut text = String::new();
        for line in table.lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

impl Cell {
    /// A text that is meant in some way.
    pub(crate) fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self {
            text: text.into(),
            tone,
        }
    }

    fn styled(&self) -> comfy_table::Cell {
        let lines: Vec<String> = self.text.split('\n').map(printable).collect();
        let cell = comfy_table::Cell::new(lines.join("\n"));
        match self.tone {
            Tone::Plain => cell,
            Tone::Good => cell.fg(Color::Green),
            Tone::Warn => cell.fg(Color::Yellow),
            Tone::Bad => cell.fg(Color::Red),
            Tone::Dim => cell.fg(Color::DarkGrey),
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::new(text, Tone::Plain)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text, Tone::Plain)
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Table, Tone};
    use crate::output::Style;

    const PERSON: Style = Style {
        json: false,
        terminal: true,
        color: false,
        width: 80,
    };

    fn table() -> Table {
        let mut table = Table::new(&["NAME", "STATUS"]);
        table.row(["one".into(), Cell::new("success", Tone::Good)]);
        table.row(["another".into(), Cell::new("failed\tnow\nagain", Tone::Bad)]);
        table
    }

    #[test]
    fn people_get_aligned_columns_under_headings() {
        let text = table().render(PERSON);
        let columns: Vec<Option<usize>> = text
            .lines()
            .take(3)
            .zip(["STATUS", "success", "failed"])
            .map(|(line, word)| line.find(word))
            .collect();
        assert!(
            columns[0].is_some() && columns.iter().all(|column| *column == columns[0]),
            "{text}"
        );
    }

    #[test]
    fn programs_get_a_line_per_row_and_no_headings() {
        assert_eq!(
            table().render(Style {
                terminal: false,
                ..PERSON
            }),
            "one\tsuccess\nanother\tfailed now again\n"
        );
    }

    #[test]
    fn what_is_copied_stays_in_one_piece() {
        let id = "3c90c3cc-0d44-4b50-8888-8dd25736052a";
        let mut narrow = Table::new(&["KEY", "SEEN"]);
        narrow.row([
            id.into(),
            "many words that do not fit into what is left of so narrow a line".into(),
        ]);
        let text = narrow.render(Style {
            width: 60,
            ..PERSON
        });
        assert!(text.contains(id) && text.lines().count() > 2, "{text}");
    }

    #[test]
    fn colours_come_only_when_wanted() {
        assert!(!table().render(PERSON).contains('\x1b'));
        assert!(
            table()
                .render(Style {
                    color: true,
                    ..PERSON
                })
                .contains("\x1b[")
        );
    }
}
