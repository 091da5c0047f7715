//! Tables: aligned for people, tab-separated for programs. Where a line is too narrow for columns, people get a block
//! for each row instead: ids and words are never broken.

use comfy_table::{Color, ColumnConstraint, ContentArrangement, Width, presets};
use dialoguer::console::measure_text_width;

use crate::output::{Style, printable};

/// Rows under headings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    headings: Vec<String>,
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
    pub(crate) fn new<T: AsRef<str>>(headings: &[T]) -> Self {
        Self {
            headings: headings
                .iter()
                .map(|heading| heading.as_ref().to_owned())
                .collect(),
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
        if !style.terminal {
            self.tabbed()
        } else if self.headings.is_empty() || self.fits(style.width) {
            self.aligned(style)
        } else {
            self.blocks(style)
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
            // The names of pairs are of one width, so that one table stands straight under another.
            let width = if self.headings.is_empty() {
                NAME_WIDTH
            } else {
                0
            };
            let (name, others) = row.split_at(row.len().min(1));
            let name = name.iter().map(|name| name.padded(width).styled());
            table.add_row(name.chain(others.iter().map(Cell::styled)));
        }
        self.constrain(&mut table);
        lines(&table)
    }

    /// A block for each row: its headings, and beside them what there is.
    fn blocks(&self, style: Style) -> String {
        let blocks = self.rows.iter().map(|row| {
            let mut block = Self::pairs();
            let cells = self.headings.iter().zip(row);
            for (heading, cell) in cells.filter(|(_, cell)| !matches!(&*cell.text, "" | "-")) {
                block.pair(&heading.to_lowercase(), cell.clone());
            }
            block.aligned(style)
        });
        blocks.collect::<Vec<_>>().join("\n")
    }

    /// Whether there is room for the columns without a word being broken.
    fn fits(&self, width: u16) -> bool {
        let columns = 1..self.headings.len();
        let first = self.widest(0, measure_text_width) + 1;
        let others: usize = columns
            .map(|column| self.widest(column, longest_word) + 2)
            .sum();
        first + others <= usize::from(width)
    }

    /// The widest cell of a column, its heading too, by this measure.
    fn widest(&self, column: usize, measure: impl Fn(&str) -> usize) -> usize {
        let heading = self.headings.get(column).map(String::as_str);
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        let texts = cells.flat_map(|cell| cell.text.split('\n'));
        texts.chain(heading).map(measure).max().unwrap_or(0)
    }

    fn constrain(&self, table: &mut comfy_table::Table) {
        if let Some(first) = table.column_mut(0) {
            // It holds what is copied into the next command: never broken into two lines.
            first
                .set_padding((0, 1))
                .set_constraint(ColumnConstraint::ContentWidth);
        }
        for column in 1..self.headings.len() {
            let least = u16::try_from(self.widest(column, longest_word) + 2).unwrap_or(u16::MAX);
            if let Some(column) = table.column_mut(column) {
                column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
            }
        }
    }
}

/// As wide as the longest name that is told of a rotation.
const NAME_WIDTH: usize = 13;

fn longest_word(text: &str) -> usize {
    let words = text.split_whitespace();
    words.map(measure_text_width).max().unwrap_or(0)
}

fn lines(table: &comfy_table::Table) -> String {
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

impl Cell {
    /// A text that is meant in some way.
    pub(crate) fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self {
            text: text.into(),
            tone,
        }
    }

    fn padded(&self, width: usize) -> Self {
        Self {
            text: format!("{:<width$}", self.text),
            tone: self.tone,
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
    fn a_line_that_is_too_narrow_for_columns_gets_a_block_for_each_row() {
        let (key, label) = (
            "3c90c3cc-0d44-4b50-8888-8dd25736052a",
            "rotord-0123456789ab-0123456789ab-12-00000000000000aa",
        );
        let mut table = Table::new(&["KEY", "STAGE", "WAITS FOR", "LABEL"]);
        table.row([key.into(), "active".into(), "-".into(), label.into()]);
        table.row([key.into(), "previous".into(), "its time".into(), "-".into()]);
        let narrow = table.render(PERSON);
        let expected = format!(
            "key            {key}\nstage          active\nlabel          {label}\n\n\
             key            {key}\nstage          previous\nwaits for      its time\n"
        );
        assert_eq!(narrow, expected);
        let wide = table.render(Style {
            width: 120,
            ..PERSON
        });
        assert_eq!(wide.lines().count(), 3, "{wide}");
        assert!(wide.contains(label));
    }

    #[test]
    fn names_of_pairs_are_of_one_width() {
        let column = |name: &str| {
            let mut table = Table::pairs();
            table.pair(name, "value");
            table.render(PERSON).find("value")
        };
        assert_eq!(column("up"), column("next rotation"));
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
