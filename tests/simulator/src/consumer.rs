//! The consumer: it takes what is published at once, and logs in with it once a minute.

use std::time::Duration;

use crate::clock::Time;
use crate::provider::Real;
use crate::rng::Rng;

/// Time between two logins.
const EVERY: Duration = Duration::from_mins(1);

/// Logs in once a minute of virtual time.
#[derive(Debug, Clone)]
pub struct Consumer {
    next: Time,
    /// Logins made.
    pub logins: u64,
    /// Logins that failed.
    pub failed: u64,
}

impl Consumer {
    /// From this instant on.
    pub fn new(now: Time) -> Self {
        Self {
            next: now,
            logins: 0,
            failed: 0,
        }
    }

    /// No login falls due until `to`.
    pub fn rests(&self, to: Time) -> bool {
        self.next >= to
    }

    /// The logins that fall due until `to`, with what is published until then. Those of a stretch in which nothing
    /// can fail are only counted.
    pub fn pass(&mut self, to: Time, published: Option<&Real>, rng: &mut Rng) {
        let Some(real) = published else {
            self.next = self.next.max(to);
            return;
        };
        while self.next < to {
            let sure = real.made.logins.is_settled(self.next) && real.removed.is_none();
            let until = to.min(real.expires_at);
            if sure && self.next < until {
                let whole = (until - self.next).as_secs();
                let count = whole.div_ceil(EVERY.as_secs()).max(1);
                self.logins += count;
                self.next += Duration::from_secs(count * EVERY.as_secs());
                continue;
            }
            self.logins += 1;
            let replica = rng.index(real.made.logins.replicas());
            self.failed += u64::from(!real.works_at(replica, self.next));
            self.next += EVERY;
        }
    }
}
