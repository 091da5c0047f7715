//! The clocks of a host, over true time.

use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rotord_rotation::{Boot, Now};

/// An instant of true time, the provider's. A number and no calendar: comparing instants is most of what a story does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    /// Since 1970; what does not fit is at the end of time.
    nanoseconds: i64,
}

/// What the host makes of true time.
#[derive(Debug, Clone)]
pub struct Clock {
    /// True time.
    pub now: Time,
    /// What the wall clock is off by.
    pub off_by: TimeDelta,
    booted: Time,
}

impl Time {
    /// As everybody else counts.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(self.nanoseconds)
    }
}

impl From<DateTime<Utc>> for Time {
    fn from(at: DateTime<Utc>) -> Self {
        Self {
            nanoseconds: at.timestamp_nanos_opt().unwrap_or(i64::MAX),
        }
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        let more = i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        Self {
            nanoseconds: self.nanoseconds.saturating_add(more),
        }
    }
}

impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, time: Duration) {
        *self = *self + time;
    }
}

impl Add<TimeDelta> for Time {
    type Output = Self;

    fn add(self, time: TimeDelta) -> Self {
        let more = time.num_nanoseconds().unwrap_or(i64::MAX);
        Self {
            nanoseconds: self.nanoseconds.saturating_add(more),
        }
    }
}

impl Sub<TimeDelta> for Time {
    type Output = Self;

    fn sub(self, time: TimeDelta) -> Self {
        self + -time
    }
}

impl Sub for Time {
    type Output = Duration;

    /// Zero where `earlier` is later.
    fn sub(self, earlier: Self) -> Duration {
        let passed = self.nanoseconds.saturating_sub(earlier.nanoseconds);
        Duration::from_nanos(u64::try_from(passed).unwrap_or(0))
    }
}

impl Clock {
    /// Right, on a host that was booted some hours before.
    pub fn new(now: Time) -> Self {
        Self {
            now,
            off_by: TimeDelta::zero(),
            booted: now - TimeDelta::hours(5),
        }
    }

    /// The wall clock.
    pub fn wall(&self) -> DateTime<Utc> {
        (self.now + self.off_by).utc()
    }

    /// True time when the wall clock, as it goes now, will show this.
    pub fn when_it_shows(&self, wall: DateTime<Utc>) -> Time {
        Time::from(wall) - self.off_by
    }

    /// What a decision sees. The boot clock is `CLOCK_BOOTTIME`: it goes on in suspend and does not step.
    pub fn read(&self) -> Now {
        Now {
            wall: self.wall(),
            boot: Boot(self.now - self.booted),
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
