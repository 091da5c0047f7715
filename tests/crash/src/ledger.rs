//! One line for each run that was played, by commit: what was played is not played again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use e2e::Failure;
use e2e::failure::OrFail as _;
use serde::{Deserialize, Serialize};

/// One run.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Line {
    /// Of what was run; with `+` where something was changed since.
    pub commit: String,
    /// What the plan was drawn from.
    pub seed: u64,
    /// Everything was as promised.
    pub kept: bool,
    /// Where the daemon was killed by name.
    pub points: Vec<String>,
    /// Asked for and not reached.
    pub missed: Vec<String>,
    /// Kills of any kind.
    pub kills: u32,
    /// Stops in order.
    pub stops: u32,
    /// Attempts of each publication.
    pub attempts: Vec<u64>,
    /// Logins of consumers.
    pub logins: u64,
    /// Replies to writes that were lost after their effect.
    pub lost_replies: usize,
    /// What was not as promised.
    pub violations: Vec<String>,
    /// Real time.
    pub milliseconds: u64,
}

/// The file.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    file: File,
}

impl Ledger {
    /// Opens it, made where it is missing.
    ///
    /// # Errors
    /// It can't be.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let io = || format!("the ledger {} can't be opened", path.display());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).or_fail(io)?;
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .or_fail(io)?;
        let path = path.to_owned();
        Ok(Self { path, file })
    }

    /// The runs of a commit. A line that was cut off is none.
    ///
    /// # Errors
    /// It can't be read.
    pub fn of(&self, commit: &str) -> Result<Vec<Line>, Failure> {
        let io = || format!("the ledger {} can't be read", self.path.display());
        let lines = BufReader::new(File::open(&self.path).or_fail(io)?).lines();
        let lines = lines.map_while(Result::ok);
        let parsed = lines.filter_map(|line| serde_json::from_str::<Line>(&line).ok());
        Ok(parsed.filter(|line| line.commit == commit).collect())
    }

    /// Adds a run.
    ///
    /// # Errors
    /// It can't be written.
    pub fn add(&mut self, line: &Line) -> Result<(), Failure> {
        let io = || format!("the ledger {} can't be written", self.path.display());
        let mut text = serde_json::to_string(line).or_fail(io)?;
        text.push('\n');
        self.file.write_all(text.as_bytes()).or_fail(io)
    }
}

/// The figures of many runs, for a person.
pub fn figures(lines: &[Line]) -> String {
    let mut attempts: BTreeMap<u64, u64> = BTreeMap::new();
    for count in lines.iter().flat_map(|line| &line.attempts) {
        *attempts.entry(*count).or_default() += 1;
    }
    let places: BTreeSet<&String> = lines.iter().flat_map(|line| &line.points).collect();
    let sum = |of: fn(&Line) -> u64| lines.iter().map(of).sum::<u64>();
    let publications: u64 = attempts.values().sum();
    let mut rows = vec![
        format!("runs                      {}", lines.len()),
        format!(
            "violated                  {}",
            lines.iter().filter(|line| !line.kept).count()
        ),
        format!(
            "SIGKILL                   {}",
            sum(|line| line.kills.into())
        ),
        format!(
            "of these at a named place {}",
            sum(|line| line.points.len() as u64)
        ),
        format!(
            "places reached            {} of {}",
            places.len(),
            rotord_crash::Point::all().count()
        ),
        format!(
            "stops in order            {}",
            sum(|line| line.stops.into())
        ),
        format!(
            "replies lost after effect {}",
            sum(|line| line.lost_replies as u64)
        ),
        format!("logins of consumers       {}", sum(|line| line.logins)),
        format!("publications              {publications}"),
    ];
    for (count, times) in attempts {
        #[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
        let share = times as f64 * 100.0 / publications.max(1) as f64;
        rows.push(format!(
            "  after {count:>2} attempts       {times} ({share:.1} %)"
        ));
    }
    rows.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(commit: &str, seed: u64) -> Line {
        Line {
            commit: commit.to_owned(),
            seed,
            kept: true,
            points: vec!["issue.noted".to_owned()],
            missed: Vec::new(),
            kills: 2,
            stops: 1,
            attempts: vec![1, 2],
            logins: 3,
            lost_replies: 0,
            violations: Vec::new(),
            milliseconds: 5,
        }
    }

    #[test]
    fn what_was_played_is_found_again_by_its_commit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/ledger.jsonl");
        let mut ledger = Ledger::open(&path).unwrap();
        ledger.add(&line("a", 1)).unwrap();
        ledger.add(&line("b", 2)).unwrap();
        // Cut off by what ended the run.
        ledger.file.write_all(b"{\"commit\":\"a\",\"se").unwrap();
        let again = Ledger::open(&path).unwrap();
        let of_a = again.of("a").unwrap();
        assert_eq!(of_a.len(), 1);
        assert_eq!(of_a[0].seed, 1);
        assert!(figures(&of_a).contains("SIGKILL                   2"));
    }
}
