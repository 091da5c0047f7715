//! Promise 5: where nothing happens by itself though something is wrong, the state says so; and something will wake
//! it, unless only a person can go on.

use std::time::Duration;

use chrono::TimeDelta;
use rotord_rotation::summary::Urgency;
use rotord_rotation::{Life, Stage};

use crate::clock::Time;
use crate::fault::Fault;
use crate::world::{Checked, World};

/// The rarest look is the daily one for drift.
const RAREST: Duration = Duration::from_hours(25);
/// While it sleeps for less than this, it is at work.
const SHORT: Duration = Duration::from_mins(10);

impl World {
    /// While nothing is under way.
    pub(crate) fn check_silence(&mut self) -> Checked<()> {
        if self.books.removed || self.shell.revive_at.is_some() {
            return Ok(());
        }
        let asleep = self
            .shell
            .wake
            .map(|at| self.clock.when_it_shows(at) - self.clock.now);
        match asleep {
            None if self.shell.provider_missing => {}
            None => {
                return Err("promise 5: asleep for ever".to_owned());
            }
            Some(time) if time > RAREST => {
                return Err(format!("promise 5: asleep for {} h", time.as_secs() / 3600));
            }
            Some(time) if time < SHORT => return Ok(()),
            Some(_) => {}
        }
        let Some(wrong) = self.what_is_wrong() else {
            return Ok(());
        };
        let context = self.context();
        let notices = self.books.rotation.notices(&context);
        let least = if wrong.1 {
            Urgency::Warning
        } else {
            Urgency::Note
        };
        if notices.iter().any(|notice| notice.urgency >= least) {
            Ok(())
        } else {
            Err(format!(
                "promise 5: {} and nobody is told: {notices:?}",
                wrong.0
            ))
        }
    }

    /// What a person would want to know, and whether it is more than a note.
    fn what_is_wrong(&self) -> Option<(&'static str, bool)> {
        let (rotation, now) = (&self.books.rotation, self.clock.now);
        if self.shell.provider_missing {
            return Some(("its provider is missing", true));
        }
        if rotation.blocked.is_some() || rotation.needs_attention() {
            return Some(("a person is needed", true));
        }
        if rotation.life == Life::Failed {
            return Some(("its creation failed", true));
        }
        let published = self.books.published.as_ref();
        let real = published.and_then(|handle| self.provider.real(handle));
        let live = rotation.life == Life::Live;
        if live && real.is_some_and(|real| real.expires_at <= now) && self.clock.off_by.is_zero() {
            return Some(("what is published has ended", true));
        }
        // Seen within a day, proved within an hour, and only where it can be looked at.
        let long = now - TimeDelta::hours(30);
        let gone = real
            .and_then(|real| real.removed.as_ref())
            .is_some_and(|gone| gone.lists.is_settled(long));
        if live && gone && !self.was_disturbed_since(long) {
            return Some(("what is published is gone", true));
        }
        let overdue = rotation
            .due_at
            .is_some_and(|due| self.clock.when_it_shows(due) + TimeDelta::hours(2) < now);
        if live && overdue {
            return Some(("it is overdue", true));
        }
        let long = now - TimeDelta::hours(6);
        let keeps = rotation.credentials.iter().any(|c| {
            let due = c.revoke_not_before.is_some_and(|at| Time::from(at) < long);
            c.stage == Stage::Previous && due && self.clock.off_by.is_zero()
        });
        keeps.then_some(("what was replaced is kept past its time", false))
    }

    /// Something hindered the daemon since then, or may have.
    fn was_disturbed_since(&self, since: Time) -> bool {
        let calls = [Fault::Lost, Fault::Throttled, Fault::Unreachable];
        self.disturbed_at.is_some_and(|at| at > since)
            || calls
                .iter()
                .any(|fault| self.scenario.faults.of(*fault) > 0)
    }
}
