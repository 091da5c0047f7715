//! Promise 2, at each revoke.

use std::time::Duration;

use chrono::TimeDelta;
use rotord_rotation::{CredentialId, Handle};

use crate::provider::Owner;
use crate::world::{Checked, World};

impl World {
    /// Only ours, only what is in the books, never the last one that works, never before its time.
    pub(crate) fn check_revoke(&self, id: CredentialId, handle: &Handle) -> Checked<()> {
        let now = self.clock.now;
        // Settled by a deletion while the call was under way: it is known still.
        let settled = self.books.settled().find(|c| c.id == id);
        let credential = self.books.rotation.credential(id).or(settled);
        let credential = credential.ok_or("promise 2: revokes what is not in the books")?;
        let real = self.provider.real(handle);
        let real = real.ok_or("promise 2: revokes what never was")?;
        if real.owner != Owner::Us && !real.adopted {
            return Err(format!(
                "promise 2: revokes {handle}, which is another's ({:?})",
                real.owner
            ));
        }
        // What is gone already is revoked for nothing, and harms nobody.
        if real.word || !real.lives(now) {
            return Ok(());
        }
        if self.books.published.as_ref() == Some(handle) {
            return Err("promise 2: revokes the published credential".to_owned());
        }
        if !real.published && !real.adopted {
            return Ok(());
        }
        let has_heard = self
            .disturbed_at
            .is_none_or(|at| now - at > Duration::from_mins(10));
        if self.clock.off_by.abs() > TimeDelta::minutes(6) && has_heard {
            return Err(format!("revokes {handle} by a clock that is wrong"));
        }
        let told = now.utc();
        let in_time = credential.revoke_not_before.is_some_and(|at| at <= told)
            && real.not_before.is_none_or(|at| at <= told);
        let old = self.old.restored && !self.old.resolved && !self.old.blind;
        if credential.published_at.is_none() && !real.adopted {
            // Published in a time that the restored books do not know of.
            return if old {
                Err(format!("old state: revokes {handle}, which was published"))
            } else if self.old.restored {
                Ok(())
            } else {
                Err(format!(
                    "promise 2: {handle} was published, and it is not known"
                ))
            };
        }
        if !in_time {
            return Err(format!(
                "promise 2: revokes before its time: {credential:?}"
            ));
        }
        let last = self.books.published.as_ref();
        let last = last.and_then(|handle| self.provider.real(handle));
        // Proved by a login a minute ago at most, and a list.
        let worked = last.is_some_and(|last| {
            last.works_everywhere(now)
                || last.removed.is_some()
                || last.works_everywhere(now - TimeDelta::minutes(2))
        });
        if worked || !self.is_soak_enough(self.published_by) {
            Ok(())
        } else {
            Err("promise 2: revokes the last one that works".to_owned())
        }
    }
}
