//! What a story came to.

use crate::scenario::Scenario;

/// A promise was broken; with the story that led there.
#[derive(Debug)]
pub struct Violation {
    /// Which story.
    pub scenario: Scenario,
    /// What was broken.
    pub what: String,
    /// What happened before, the last lines of it.
    pub story: Vec<String>,
}

impl Violation {
    /// What was broken, without what differs from one story to the next.
    pub fn kind(&self) -> String {
        let letters = |c: char| !c.is_ascii_digit();
        self.what.chars().filter(|c| letters(*c)).take(50).collect()
    }
}

/// So many lines of a story are printed.
const LINES: usize = 60;

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "seed {}: {}", self.scenario.seed, self.what)?;
        let from = self.story.len().saturating_sub(LINES);
        if from > 0 {
            writeln!(f, "({from} lines before)")?;
        }
        for line in &self.story[from..] {
            writeln!(f, "{line}")?;
        }
        write!(
            f,
            "play it again: make simulate SEED={} ONLY='{}'",
            self.scenario.seed, self.scenario
        )
    }
}

/// A run was published after so many attempts, at most this many told apart.
pub const ATTEMPTS: usize = 10;

/// What a story came to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// Stories in it.
    pub stories: u64,
    /// Credentials published.
    pub published: u64,
    /// Attempts to issue.
    pub attempts: u64,
    /// Publications by the number of attempts that they took, from 1; the last counts what took more.
    pub attempts_each: [u64; ATTEMPTS],
    /// Times the daemon died or was off.
    pub crashes: u64,
    /// Commits that failed.
    pub failed_commits: u64,
    /// What persons said.
    pub commands: u64,
    /// Times the books were restored from a copy.
    pub restores: u64,
    /// Steps of the domain.
    pub steps: u64,
    /// Steps that were compared with the real store.
    pub compared: u64,
    /// Commits that the real store was made to refuse.
    pub refused: u64,
    /// Calls of the provider.
    pub calls: u64,
    /// Logins of the consumer.
    pub logins: u64,
    /// Those of them that failed, where that could not be helped or is what is measured.
    pub failed_logins: u64,
    /// Publications that a consumer's login failed with, where replicas lag beyond the soak.
    pub early: u64,
    /// Of those, by scheduled runs, which soak for as long as the provider's bound.
    pub early_scheduled: u64,
    /// Logins that failed with what a scheduled run published.
    pub failed_scheduled: u64,
    /// The most publications that one day saw, but for creation.
    pub most_a_day: u64,
    /// Credentials of ours alive at the end.
    pub live: u64,
    /// Virtual days played.
    pub days: i64,
}

impl Report {
    /// The sum of both.
    pub fn add(&mut self, other: &Self) {
        self.stories += other.stories;
        self.published += other.published;
        self.attempts += other.attempts;
        for (sum, more) in self.attempts_each.iter_mut().zip(other.attempts_each) {
            *sum += more;
        }
        self.crashes += other.crashes;
        self.failed_commits += other.failed_commits;
        self.commands += other.commands;
        self.restores += other.restores;
        self.steps += other.steps;
        self.compared += other.compared;
        self.refused += other.refused;
        self.calls += other.calls;
        self.logins += other.logins;
        self.failed_logins += other.failed_logins;
        self.early += other.early;
        self.early_scheduled += other.early_scheduled;
        self.failed_scheduled += other.failed_scheduled;
        self.most_a_day = self.most_a_day.max(other.most_a_day);
        self.live += other.live;
        self.days += other.days;
    }

    /// In percent: how many publications took one attempt, two, and so on.
    pub fn distribution(&self) -> String {
        let all = self.attempts_each.iter().sum::<u64>().max(1);
        let share = |(at, count): (usize, &u64)| {
            let permille = count * 1000 / all;
            (*count > 0).then(|| format!("{}: {}.{} %", at + 1, permille / 10, permille % 10))
        };
        let shares: Vec<_> = self
            .attempts_each
            .iter()
            .enumerate()
            .filter_map(share)
            .collect();
        shares.join(", ")
    }
}
