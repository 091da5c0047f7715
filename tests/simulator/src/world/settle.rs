//! The end of a story: no trouble any more, a person who helps where only a person can, and time.

use std::time::Duration;

use chrono::TimeDelta;
use rotord_rotation::{Command, Credential, Gate, Life, Reason, Stage};

use super::{Checked, World};
use crate::clock::Time;

impl World {
    /// Trouble is over; in the time that is allowed everything comes to rest.
    pub(crate) fn settle(&mut self) -> Checked<()> {
        self.note(|| "no trouble any more: time to settle".to_owned());
        self.all_trouble_ends()?;
        let began = self.clock.now;
        let least = began + TimeDelta::days(3);
        let mut help_at = began + TimeDelta::hours(1);
        while !self.books.removed {
            if self.clock.now >= help_at {
                help_at = self.clock.now + TimeDelta::hours(6);
                self.help()?;
            }
            if self.clock.now >= least && self.is_quiet() {
                break;
            }
            if self.clock.now > self.patience(began) {
                return Err(format!(
                    "not at rest after {} days",
                    whole_days(self.clock.now - began)
                ));
            }
            self.go_on()?;
        }
        self.report.logins = self.consumer.logins;
        self.report.failed_logins = self.consumer.failed;
        self.report.live = self.count_living();
        self.report.days = whole_days(self.clock.now - self.scenario.begins());
        self.check_rest()
    }

    /// A lost answer of a deleted rotation is watched until it must have ended.
    fn patience(&self, began: Time) -> Time {
        let days = if self.books.rotation.life.is_deleting() {
            let ends = self.books.rotation.credentials.iter();
            let last = ends.filter_map(|c| c.expires_at).max();
            let last = last.map_or(began, Time::from);
            whole_days(last - began)
        } else {
            0
        };
        began + TimeDelta::days(days + 14)
    }

    fn is_quiet(&self) -> bool {
        let rotation = &self.books.rotation;
        let now = self.clock.now;
        let busy = |c: &Credential| match &c.stage {
            Stage::Intended | Stage::Pending => true,
            // A clock that was wrong made it begin too early: it waits for the provider's.
            Stage::Retiring(_) => c.revoke_not_before.is_none_or(|at| at <= now.utc()),
            Stage::Lost(watch) => !watch.dormant,
            _ => false,
        };
        self.shell.call.is_none()
            && rotation.run.is_none()
            && !rotation.life.is_deleting()
            && !rotation.needs_attention()
            && !rotation.credentials.iter().any(busy)
    }

    /// What a person ordered waits for a login with the published one, which is gone, and the target is full: forced.
    fn insist(&mut self) -> Checked<()> {
        if self.is_in_use() {
            return Ok(());
        }
        let ordered = self.books.rotation.credentials.iter().filter(|c| {
            c.removal()
                .is_some_and(|r| r.reason == Reason::Ordered && r.gate == Gate::Published)
        });
        let ids: Vec<_> = ordered.map(|c| c.id).collect();
        for id in ids {
            let force = Command::Retire {
                credential: Some(id),
                force: true,
            };
            self.give(force, None)?;
        }
        Ok(())
    }

    /// Where only a person can go on.
    fn help(&mut self) -> Checked<()> {
        self.insist()?;
        let rotation = &self.books.rotation;
        if rotation.needs_attention() && rotation.life.is_deleting() {
            let revoke = self.rng.plain.per_mille(500);
            return self.give(Command::Delete { revoke }, None).map(|_| ());
        }
        if rotation.needs_attention() {
            while !self.books.rotation.doubts.is_empty() {
                let before = self.books.rotation.doubts.len();
                self.resolve_a_doubt()?;
                if self.books.rotation.doubts.len() >= before {
                    break;
                }
            }
            return self.give(Command::Unblock, None).map(|_| ());
        }
        let rotate = Command::Rotate { retire_after: None };
        match rotation.life {
            Life::Failed if self.rng.plain.per_mille(200) => {
                self.give(Command::Delete { revoke: true }, None)?;
            }
            Life::Failed => {
                self.give(rotate, None)?;
            }
            _ if rotation.blocked.is_some() => {
                self.give(Command::Unblock, None)?;
            }
            _ if !rotation.plan.auto => {
                self.give(Command::Resume, None)?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn whole_days(time: Duration) -> i64 {
    i64::try_from(time.as_secs() / 86_400).unwrap_or(i64::MAX)
}
