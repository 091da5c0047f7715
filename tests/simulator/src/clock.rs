//! The clocks of a host, over true time.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rotord_rotation::{Boot, Now};

/// True time (the provider's), and what the host makes of it.
#[derive(Debug, Clone)]
pub struct Clock {
    /// True time.
    pub now: DateTime<Utc>,
    /// What the wall clock is off by.
    pub off_by: TimeDelta,
    booted: DateTime<Utc>,
}

impl Clock {
    /// Right, on a host that was booted some hours before.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self {
            now,
            off_by: TimeDelta::zero(),
            booted: now - TimeDelta::hours(5),
        }
    }

    /// The wall clock.
    pub fn wall(&self) -> DateTime<Utc> {
        self.now + self.off_by
    }

    /// What a decision sees. The boot clock is `CLOCK_BOOTTIME`: it goes on in suspend and does not step.
    pub fn read(&self) -> Now {
        Now {
            wall: self.wall(),
            boot: Boot((self.now - self.booted).to_std().unwrap_or_default()),
        }
    }

    /// Time goes by.
    pub fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    /// The boot clock begins anew.
    pub fn reboot(&mut self) {
        self.booted = self.now;
    }
}
