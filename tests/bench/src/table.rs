//! Figures beside what they are held against. A missed aim stands out, and is counted.

use std::time::Duration;

/// What a figure is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Aim {
    /// As low as this, or lower.
    AtMost(f64),
    /// As high as this, or higher.
    AtLeast(f64),
    /// Nothing: it explains another figure.
    None,
}

impl Aim {
    fn is_met(self, figure: f64) -> bool {
        match self {
            Self::AtMost(most) => figure <= most,
            Self::AtLeast(least) => figure >= least,
            Self::None => true,
        }
    }
}

/// What was measured so far.
#[derive(Debug, Default)]
pub(crate) struct Table {
    missed: Vec<String>,
}

impl Table {
    /// With its head.
    pub(crate) fn new() -> Self {
        line("", "measured", "aim", "of the aim", "");
        Self::default()
    }

    /// A figure, in a unit, shown with so many digits after the point.
    pub(crate) fn row(&mut self, what: &str, figure: f64, digits: usize, unit: &str, aim: Aim) {
        let shown = |figure: f64| format!("{figure:.digits$} {unit}").trim_end().to_owned();
        let (words, bound) = match aim {
            Aim::AtMost(most) => (format!("≤ {}", shown(most)), Some(most)),
            Aim::AtLeast(least) => (format!("≥ {}", shown(least)), Some(least)),
            Aim::None => (String::new(), None),
        };
        let ratio = bound
            .filter(|bound| *bound > 0.0)
            .map(|bound| format!("{:.2}", figure / bound));
        let mark = if aim.is_met(figure) { "" } else { "MISSED" };
        if !mark.is_empty() {
            self.missed.push(what.to_owned());
        }
        line(
            what,
            &shown(figure),
            &words,
            &ratio.unwrap_or_default(),
            mark,
        );
    }

    /// Says which aims were missed.
    pub(crate) fn end(self) {
        println!();
        if self.missed.is_empty() {
            println!("Every aim is met.");
        } else {
            println!("Missed: {}.", self.missed.join("; "));
        }
    }
}

fn line(what: &str, figure: &str, aim: &str, ratio: &str, mark: &str) {
    let line = format!("{what:<46} {figure:>12} {aim:>12} {ratio:>11}  {mark}");
    println!("{}", line.trim_end());
}

/// For the table.
pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_aim_is_counted_and_one_that_is_met_is_not() {
        let mut table = Table::new();
        table.row("low enough", 99.0, 0, "ms", Aim::AtMost(100.0));
        table.row("too high", 101.0, 0, "ms", Aim::AtMost(100.0));
        table.row("too low", 0.4, 2, "", Aim::AtLeast(0.5));
        table.row("never", 0.1, 1, "", Aim::AtMost(0.0));
        table.row("said only", 7.0, 0, "", Aim::None);
        assert_eq!(table.missed, ["too high", "too low", "never"]);
    }
}
