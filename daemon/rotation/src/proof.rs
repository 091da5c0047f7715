//! When a credential is proved to work.
//!
//! Several successes in a row are no proof: replicas lag independently, and a login sees one of them. So a
//! proof needs a number of successes, *and* a quiet time since the last failure at least as long as the
//! lag that was seen, *and* a soak since issue.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Boot;
use crate::rules::Rules;

/// What the logins with a pending credential have shown. Times are counted from its issue, on the boot clock,
/// over restarts: time in which the daemon was down does not count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// Time since issue up to `marked`.
    elapsed: Duration,
    marked: Boot,
    /// Successes since the last failure or restart.
    successes: u32,
    /// When (since issue) it was last refused: the lag seen so far.
    last_failure: Duration,
    /// When (since issue) the daemon last started, or the login was last without an answer.
    resumed: Duration,
    /// When (since issue) anything was last learned.
    last_answer: Duration,
    next_login: Boot,
}

impl Proof {
    /// Of a credential that was issued just now.
    pub fn new(now: Boot) -> Self {
        Self {
            elapsed: Duration::ZERO,
            marked: now,
            successes: 0,
            last_failure: Duration::ZERO,
            resumed: Duration::ZERO,
            last_answer: Duration::ZERO,
            next_login: now,
        }
    }

    /// When the next login is to be made.
    pub fn next_login(&self) -> Boot {
        self.next_login
    }

    /// Successes in a row.
    pub fn successes(&self) -> u32 {
        self.successes
    }

    /// Time since issue.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// When, since issue, it was last refused.
    pub fn lag_seen(&self) -> Duration {
        self.last_failure
    }

    /// How long nothing at all has been learned.
    pub fn silent_for(&self) -> Duration {
        self.elapsed.saturating_sub(self.last_answer)
    }

    /// How long it has been refused, where the last answer was a refusal.
    pub fn refused_for(&self) -> Duration {
        if self.successes == 0 && self.last_answer == self.last_failure {
            self.elapsed
        } else {
            Duration::ZERO
        }
    }

    /// After a restart: the soak so far counts, the successes are made anew.
    pub fn resume(&mut self, now: Boot) {
        self.marked = now;
        self.resumed = self.elapsed;
        self.successes = 0;
        self.next_login = now;
    }

    /// A login worked.
    pub fn works(&mut self, now: Boot, soak: Duration, rules: &Rules) {
        self.mark(now);
        self.last_answer = self.elapsed;
        self.successes += 1;
        let missing = rules.verify_successes.saturating_sub(self.successes).max(1);
        // Spread what is still to be shown over what is still to be waited for.
        let wait = (self.remaining(soak) / missing).max(rules.verify_spacing);
        self.next_login = now + wait;
    }

    /// A login was refused as that of a credential that has not reached every replica.
    pub fn not_yet(&mut self, now: Boot, rules: &Rules) {
        self.mark(now);
        self.last_answer = self.elapsed;
        self.last_failure = self.elapsed;
        self.successes = 0;
        // The longer it takes the rarer it is asked: the lag is known to a quarter.
        self.next_login = now + (self.elapsed / 4).max(rules.verify_spacing);
    }

    /// A login ended without an answer: says nothing, and costs the successes in a row nothing.
    pub fn cannot_tell(&mut self, now: Boot, rules: &Rules) {
        self.mark(now);
        self.next_login = now + (self.silent_for() / 4).max(rules.verify_spacing);
    }

    /// No login before this, whatever was planned.
    pub fn rest_until(&mut self, at: Boot) {
        self.next_login = self.next_login.max(at);
    }

    /// Enough was shown, for long enough.
    pub fn is_complete(&self, soak: Duration, rules: &Rules) -> bool {
        self.successes >= rules.verify_successes.max(1) && self.remaining(soak).is_zero()
    }

    /// What is still to be waited for: the rest of the soak, or of the quiet time after the last failure.
    fn remaining(&self, soak: Duration) -> Duration {
        let quiet = self
            .elapsed
            .saturating_sub(self.last_failure.max(self.resumed));
        let rest_of_quiet = self.last_failure.saturating_sub(quiet);
        soak.saturating_sub(self.elapsed).max(rest_of_quiet)
    }

    fn mark(&mut self, now: Boot) {
        self.elapsed += now - self.marked;
        self.marked = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Interval;

    fn rules() -> Rules {
        Rules {
            write_spacing: Duration::from_secs(5),
            propagation_bound: Duration::from_mins(20),
            minimum_overlap: Duration::from_mins(110),
            credential_cap: None,
            longest_interval: Interval::days(909).unwrap(),
            verify_successes: 8,
            verify_spacing: Duration::from_secs(7),
            lifetime_intervals: 2,
            lifetime_extra: Duration::ZERO,
            lifetime_most: None,
        }
    }

    fn at(seconds: u64) -> Boot {
        Boot(Duration::from_secs(seconds))
    }

    /// Logs in whenever it is time; `refused_until` is the replica's lag. Returns when it was
    /// complete, after how many logins, and when it was last refused.
    fn prove(soak: u64, refused_until: u64) -> (u64, u32, u64) {
        let (rules, soak) = (rules(), Duration::from_secs(soak));
        let mut proof = Proof::new(at(0));
        let (mut logins, mut refused) = (0, 0);
        loop {
            let now = proof.next_login();
            logins += 1;
            if now.0.as_secs() < refused_until {
                refused = now.0.as_secs();
                proof.not_yet(now, &rules);
            } else {
                proof.works(now, soak, &rules);
            }
            if proof.is_complete(soak, &rules) {
                return (now.0.as_secs(), logins, refused);
            }
            assert!(logins < 1000, "never complete");
        }
    }

    #[test]
    fn without_lag_the_soak_decides_and_costs_few_logins() {
        let (time, logins, _) = prove(1200, 0);
        assert!((1200..1230).contains(&time), "{time}");
        assert!(logins <= 10, "{logins}");
    }

    #[test]
    fn after_a_lag_it_is_quiet_for_at_least_as_long() {
        for lag in [10, 60, 300, 900] {
            let (time, _, refused) = prove(60, lag);
            assert!(
                time >= 2 * refused,
                "last refused at {refused}, complete at {time}"
            );
            assert!(
                time > lag,
                "complete at {time}, before the lag of {lag} was over"
            );
        }
    }

    #[test]
    fn a_restart_costs_fresh_successes_and_not_the_soak() {
        let (rules, soak) = (rules(), Duration::from_mins(20));
        let mut proof = Proof::new(at(0));
        while proof.next_login() < at(1100) {
            proof.works(proof.next_login(), soak, &rules);
        }
        // Down for a day, and the boot clock began anew.
        proof.resume(at(3));
        assert!(!proof.is_complete(soak, &rules));
        let mut logins = 0;
        while !proof.is_complete(soak, &rules) {
            proof.works(proof.next_login(), soak, &rules);
            logins += 1;
        }
        assert!(logins >= 8);
        assert!(
            proof.next_login() < at(600),
            "the soak was counted again: {:?}",
            proof.next_login()
        );
    }

    #[test]
    fn no_answer_neither_proves_nor_disproves() {
        let rules = rules();
        let mut proof = Proof::new(at(0));
        proof.works(at(0), Duration::ZERO, &rules);
        proof.cannot_tell(at(100), &rules);
        assert_eq!(proof.successes(), 1);
        assert_eq!(proof.silent_for(), Duration::from_secs(100));
    }
}
