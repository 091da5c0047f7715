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
    played: Boot,
    up: Duration,
}

impl Clock {
    /// Right, on a host that was booted some hours before.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self {
            now,
            off_by: TimeDelta::zero(),
            played: Boot::default(),
            up: Duration::from_hours(5),
        }
    }

    /// True time since the story began. With it is measured how long something takes: calendars are slow to count with.
    pub fn played(&self) -> Boot {
        self.played
    }

    /// The wall clock.
    pub fn wall(&self) -> DateTime<Utc> {
        if self.off_by.is_zero() {
            return self.now;
        }
        self.now + self.off_by
    }

    /// True time when the wall clock, as it goes now, will show this.
    pub fn when_it_shows(&self, wall: DateTime<Utc>) -> DateTime<Utc> {
        if self.off_by.is_zero() {
            return wall;
        }
        wall - self.off_by
    }

    /// What a decision sees. The boot clock is `CLOCK_BOOTTIME`: it goes on in suspend and does not step.
    pub fn read(&self) -> Now {
        Now {
            wall: self.wall(),
            boot: Boot(self.up),
        }
    }

    /// Time goes by.
    pub fn pass(&mut self, time: Duration) {
        self.now += time;
        self.played = self.played + time;
        self.up += time;
    }

    /// The boot clock begins anew.
    pub fn reboot(&mut self) {
        self.up = Duration::ZERO;
    }
}
