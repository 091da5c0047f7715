//! Promises 1 and 4, at the flip; and when the next one is due.

use chrono::{TimeDelta, Timelike as _};
use rotord_rotation::{CredentialId, Decided, Rotation, RunKind, Write};

use crate::provider::PROPAGATION;
use crate::scenario::SAFE_LAG;
use crate::world::{Checked, World};

impl World {
    /// Before what was decided is committed: the credential that was active, and what the state is to be.
    pub(crate) fn check_step(
        &mut self,
        was: Option<CredentialId>,
        decided: &Decided,
    ) -> Checked<()> {
        let rotation = &self.books.rotation;
        let is = rotation.active().map(|c| c.id);
        let published = decided.writes.iter().find_map(|write| match write {
            Write::Publish { credential } => Some(*credential),
            _ => None,
        });
        if was != is && is.is_some() && published != is {
            return Err(
                "promise 4: another is active without a publication in its step".to_owned(),
            );
        }
        let Some(id) = published else {
            return check_slots(rotation);
        };
        if is != Some(id) {
            return Err("promise 4: published and not active".to_owned());
        }
        let handle = rotation.credential(id).and_then(|c| c.handle.as_ref());
        let real = handle.and_then(|handle| self.provider.real(handle));
        let kind = decided.ended.as_ref().map(|ended| ended.kind);
        let works = real.is_some_and(|real| real.works_everywhere(self.clock.now));
        if !works {
            // Removed under its soak, in the few seconds since its last login: no one could tell.
            let removed = real.is_some_and(|real| real.removed.is_some());
            if self.is_soak_enough(kind) && !removed {
                return Err("promise 1: published before it works everywhere".to_owned());
            }
            self.report.early += 1;
            self.report.early_scheduled += u64::from(kind == Some(RunKind::Scheduled));
        }
        if self.clock.off_by.abs() > TimeDelta::minutes(6) {
            return Err("published by a clock that is wrong".to_owned());
        }
        self.check_due(rotation)?;
        check_slots(rotation)
    }

    /// The soak of such a run is longer than replicas lag here.
    pub(crate) fn is_soak_enough(&self, kind: Option<RunKind>) -> bool {
        let lag = self.scenario.lag;
        lag <= SAFE_LAG
            || (kind == Some(RunKind::Scheduled) && u64::from(lag) < PROPAGATION.as_secs())
    }

    /// The next due time is ahead, at the time of day that the plan says, within the interval and two days.
    fn check_due(&self, rotation: &Rotation) -> Checked<()> {
        let plan = &rotation.plan;
        let Some(due) = rotation.due_at else {
            return if plan.auto {
                Err("published, and never due again".to_owned())
            } else {
                Ok(())
            };
        };
        let now = self.clock.wall();
        let most = TimeDelta::days(i64::from(plan.interval.as_days()) + 2);
        if due <= now || due > now + most {
            return Err(format!("published at {now} and due next at {due}"));
        }
        let zone = plan.daily.zone.unwrap_or(chrono_tz::Tz::UTC);
        let local = due.with_timezone(&zone);
        let (hours, minutes) = (plan.daily.at.hours(), plan.daily.at.minutes());
        let wanted = hours * 60 + minutes;
        let is = local.hour() * 60 + local.minute();
        if is == wanted {
            let before = (due - TimeDelta::hours(1)).with_timezone(&zone);
            let twice = before.hour() * 60 + before.minute() == wanted;
            return if twice {
                Err(format!(
                    "due at {local}, the second time that it is that late"
                ))
            } else {
                Ok(())
            };
        }
        // A time that the zone skips is the first instant after.
        let before = (due - TimeDelta::minutes(1)).with_timezone(&zone);
        let before = before.hour() * 60 + before.minute();
        if before < wanted && wanted < is {
            Ok(())
        } else {
            Err(format!(
                "due at {local}, and the plan says {}",
                plan.daily.at
            ))
        }
    }
}

fn check_slots(rotation: &Rotation) -> Checked<()> {
    let mut slots = [0_u32; 2];
    for slot in rotation.credentials.iter().filter_map(|c| c.slot) {
        slots[usize::from(slot.min(1))] += 1;
    }
    if slots.iter().any(|held| *held > 1) {
        return Err(format!("the slots hold {slots:?}"));
    }
    Ok(())
}
