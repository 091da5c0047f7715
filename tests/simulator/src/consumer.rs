//! The consumer: it takes what is published at once, and logs in with it once a minute.

use chrono::{DateTime, TimeDelta, Utc};

use crate::provider::Real;
use crate::rng::Rng;

/// Time between two logins.
const EVERY: TimeDelta = TimeDelta::minutes(1);

/// Logs in once a minute of virtual time.
#[derive(Debug, Clone)]
pub struct Consumer {
    next: DateTime<Utc>,
    /// Logins made.
    pub logins: u64,
    /// Logins that failed.
    pub failed: u64,
}

impl Consumer {
    /// From this instant on.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self {
            next: now,
            logins: 0,
            failed: 0,
        }
    }

    /// The logins that fall due until `to`, with what is published until then. Those of a stretch in which nothing
    /// can fail are only counted.
    pub fn pass(&mut self, to: DateTime<Utc>, published: Option<&Real>, rng: &mut Rng) {
        let Some(real) = published else {
            self.next = self.next.max(to);
            return;
        };
        while self.next < to {
            let sure = real.made.logins.is_settled(self.next) && real.removed.is_none();
            let until = to.min(real.expires_at);
            if sure && self.next < until {
                let stretch = (until - self.next).num_seconds();
                let count = (stretch + EVERY.num_seconds() - 1)
                    .div_euclid(EVERY.num_seconds())
                    .max(1);
                self.logins += count.unsigned_abs();
                self.next += EVERY * i32::try_from(count).unwrap_or(i32::MAX);
                continue;
            }
            self.logins += 1;
            let replica = rng.index(real.made.logins.replicas());
            self.failed += u64::from(!real.works_at(replica, self.next));
            self.next += EVERY;
        }
    }
}
