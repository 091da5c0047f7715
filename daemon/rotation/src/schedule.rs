//! When a rotation is due: civil dates, a time of day, a zone.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Days, LocalResult, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// Whole days between two rotations, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Interval(u32);

/// The number of days is not from 1 to 3650.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number of days from 1 to {}", Interval::LONGEST)]
pub struct NotAnInterval;

impl Interval {
    /// Ten years: beyond any provider's lifetime, and far from what a date can't hold.
    pub const LONGEST: u32 = 3650;

    /// # Errors
    /// Outside 1 to [`Self::LONGEST`].
    pub fn days(days: u32) -> Result<Self, NotAnInterval> {
        if (1..=Self::LONGEST).contains(&days) {
            Ok(Self(days))
        } else {
            Err(NotAnInterval)
        }
    }

    /// As a number of days.
    pub fn as_days(self) -> u32 {
        self.0
    }

    /// As a length of time, 24 hours a day.
    pub fn duration(self) -> Duration {
        Duration::from_secs(u64::from(self.0) * 86_400)
    }
}

impl TryFrom<u32> for Interval {
    type Error = NotAnInterval;

    fn try_from(days: u32) -> Result<Self, Self::Error> {
        Self::days(days)
    }
}

impl From<Interval> for u32 {
    fn from(interval: Interval) -> Self {
        interval.0
    }
}

/// A time of day, to the minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "(u32, u32)", into = "(u32, u32)")]
pub struct RotateAt(NaiveTime);

/// Hours are not 0 to 23 or minutes not 0 to 59.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("hours must be from 0 to 23 and minutes from 0 to 59")]
pub struct NotATimeOfDay;

impl RotateAt {
    /// # Errors
    /// Outside 0:00 to 23:59.
    pub fn new(hours: u32, minutes: u32) -> Result<Self, NotATimeOfDay> {
        NaiveTime::from_hms_opt(hours, minutes, 0)
            .map(Self)
            .ok_or(NotATimeOfDay)
    }

    /// 0 to 23.
    pub fn hours(self) -> u32 {
        chrono::Timelike::hour(&self.0)
    }

    /// 0 to 59.
    pub fn minutes(self) -> u32 {
        chrono::Timelike::minute(&self.0)
    }
}

impl TryFrom<(u32, u32)> for RotateAt {
    type Error = NotATimeOfDay;

    fn try_from((hours, minutes): (u32, u32)) -> Result<Self, Self::Error> {
        Self::new(hours, minutes)
    }
}

impl From<RotateAt> for (u32, u32) {
    fn from(at: RotateAt) -> Self {
        (at.hours(), at.minutes())
    }
}

impl fmt::Display for RotateAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hours(), self.minutes())
    }
}

/// From where the next due time is counted. Fixed when a run is published, so that a change of interval
/// or time of day counts from the same date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// What the date is taken from.
    pub from: DateTime<Utc>,
    /// A manual run (creation is one) at or past rotate-at counts from the day after, so that a new secret
    /// is not replaced a few hours short of its interval.
    pub manual: bool,
}

/// The time of day and the zone that it is in; no zone is UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyTime {
    /// In the zone.
    pub at: RotateAt,
    /// An IANA zone.
    pub zone: Option<Tz>,
}

impl DailyTime {
    fn zone(&self) -> Tz {
        self.zone.unwrap_or(Tz::UTC)
    }

    fn date(&self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone()).date_naive()
    }

    /// The first due time after `base` by whole intervals, always after `now`.
    pub fn next_due(&self, base: Base, interval: Interval, now: DateTime<Utc>) -> DateTime<Utc> {
        let local = base.from.with_timezone(&self.zone());
        let past = base.manual && local.time() >= self.at.0;
        let days = u64::from(interval.as_days());
        let first = plus_days(local.date_naive(), days + u64::from(past));
        let due = self.instant(first);
        if due > now {
            return due;
        }
        // Missed: whole intervals on from the base, to keep its rhythm, as the first one after now.
        let behind = (self.date(now) - first).num_days().max(0).unsigned_abs();
        let mut date = plus_days(first, behind / days * days);
        while self.instant(date) <= now {
            date = plus_days(date, days);
        }
        self.instant(date)
    }

    /// Whether two instants fall on the same date here.
    pub fn same_date(&self, a: DateTime<Utc>, b: DateTime<Utc>) -> bool {
        self.date(a) == self.date(b)
    }

    /// This time of day on a date. What a zone skips is the first instant after; what it repeats is the first.
    fn instant(&self, date: NaiveDate) -> DateTime<Utc> {
        let zone = self.zone();
        let naive = date.and_time(self.at.0);
        match zone.from_local_datetime(&naive) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.to_utc(),
            LocalResult::None => {
                // Inside a gap, local times from before it and from after it name the same instants: the gap's
                // end is the first minute that exists. Gaps are at most a day (Samoa skipped one).
                (1..=24 * 60)
                    .find_map(|minutes| {
                        zone.from_local_datetime(&(naive + TimeDelta::minutes(minutes)))
                            .earliest()
                    })
                    .map_or_else(|| Utc.from_utc_datetime(&naive), |at| at.to_utc())
            }
        }
    }
}

/// Dates end in the year 262142; an interval is at most ten years, so this holds for any clock that counts.
fn plus_days(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_add_days(Days::new(days))
        .unwrap_or(NaiveDate::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn daily(hours: u32, minutes: u32, zone: Option<Tz>) -> DailyTime {
        DailyTime {
            at: RotateAt::new(hours, minutes).unwrap(),
            zone,
        }
    }

    fn next(time: DailyTime, from: &str, manual: bool, days: u32, now: &str) -> DateTime<Utc> {
        time.next_due(
            Base {
                from: utc(from),
                manual,
            },
            Interval::days(days).unwrap(),
            utc(now),
        )
    }

    #[test]
    fn the_worked_examples_of_the_reference_hold() {
        let midnight = daily(0, 0, None);
        let created = "2026-03-01T10:00:00Z";
        assert_eq!(
            next(midnight, created, true, 30, created),
            utc("2026-04-01T00:00:00Z")
        );
        let scheduled = "2026-04-01T00:00:05Z";
        assert_eq!(
            next(midnight, scheduled, false, 30, scheduled),
            utc("2026-05-01T00:00:00Z")
        );
        let manual = "2026-04-10T09:00:00Z";
        assert_eq!(
            next(midnight, manual, true, 30, manual),
            utc("2026-05-11T00:00:00Z")
        );
    }

    #[test]
    fn the_next_time_is_always_ahead_and_keeps_the_rhythm() {
        let at = next(
            daily(0, 0, None),
            "2026-01-01T00:00:00Z",
            false,
            10,
            "2026-02-15T12:00:00Z",
        );
        assert_eq!(at, utc("2026-02-20T00:00:00Z"));
        let exact = next(
            daily(0, 0, None),
            "2026-01-01T00:00:00Z",
            false,
            10,
            "2026-01-11T00:00:00Z",
        );
        assert_eq!(exact, utc("2026-01-21T00:00:00Z"));
    }

    #[test]
    fn a_zone_keeps_its_time_of_day_over_daylight_saving() {
        let berlin = daily(2, 30, Some(Tz::Europe__Berlin));
        let winter = next(
            berlin,
            "2026-01-10T12:00:00Z",
            false,
            1,
            "2026-01-10T12:00:00Z",
        );
        assert_eq!(winter, utc("2026-01-11T01:30:00Z"));
        let summer = next(
            berlin,
            "2026-07-10T12:00:00Z",
            false,
            1,
            "2026-07-10T12:00:00Z",
        );
        assert_eq!(summer, utc("2026-07-11T00:30:00Z"));
    }

    #[test]
    fn a_skipped_time_is_the_first_instant_after_and_a_repeated_one_the_first() {
        let berlin = daily(2, 30, Some(Tz::Europe__Berlin));
        // 2026-03-29: 02:00 to 03:00 does not exist; 03:00 there is 01:00 UTC.
        let skipped = next(
            berlin,
            "2026-03-28T12:00:00Z",
            false,
            1,
            "2026-03-28T12:00:00Z",
        );
        assert_eq!(skipped, utc("2026-03-29T01:00:00Z"));
        // 2026-10-25: 02:30 comes twice; the first is still summer time.
        let repeated = next(
            berlin,
            "2026-10-24T12:00:00Z",
            false,
            1,
            "2026-10-24T12:00:00Z",
        );
        assert_eq!(repeated, utc("2026-10-25T00:30:00Z"));
    }

    #[test]
    fn what_is_no_interval_or_time_of_day_is_refused() {
        assert!(Interval::days(0).is_err());
        assert!(Interval::days(3651).is_err());
        assert!(RotateAt::new(24, 0).is_err());
        assert!(RotateAt::new(0, 60).is_err());
        assert_eq!(RotateAt::new(7, 5).unwrap().to_string(), "07:05");
    }
}
