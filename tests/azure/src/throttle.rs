//! Counting of resource units and writes, for the limits that are switched on.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};

use crate::behaviour::Throttle;
use crate::model::AppId;

/// What one request costs.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Resource units.
    pub units: u32,
    /// Whether it writes.
    pub write: bool,
    /// Whether it writes to an application open to personal accounts.
    pub personal: bool,
}

/// What the counting says of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// It may pass. The share of the fullest limit, if any limit is on.
    Pass(Option<f64>),
    /// It may not, for so many seconds, and for this reason.
    Refuse {
        /// Until the window has room again, at least 1.
        retry_after_seconds: u32,
        /// `x-ms-throttle-information`
        information: &'static str,
    },
}

/// When how much was spent, oldest first.
type Window = VecDeque<(DateTime<Utc>, u32)>;

/// The counts of every calling application.
#[derive(Debug, Default)]
pub struct Meter {
    windows: HashMap<(AppId, &'static str), Window>,
}

impl Meter {
    /// Counts a request, unless a limit refuses it.
    pub fn charge(
        &mut self,
        caller: AppId,
        cost: Cost,
        limits: &Throttle,
        now: DateTime<Utc>,
    ) -> Verdict {
        let writes = u32::from(cost.write);
        let personal = u32::from(cost.write && cost.personal);
        let limits = [
            (
                "ResourceUnitLimitExceeded",
                limits.units_per_10_s,
                10,
                cost.units,
            ),
            ("WriteLimitExceeded", limits.writes_per_150_s, 150, writes),
            (
                "PersonalWriteLimitExceeded",
                limits.personal_writes_per_60_s,
                60,
                personal,
            ),
        ];
        let mut fullest: Option<f64> = None;
        for (name, limit, seconds, amount) in limits {
            let Some(limit) = limit else { continue };
            let window = self.windows.entry((caller, name)).or_default();
            let span = TimeDelta::seconds(seconds);
            while window.front().is_some_and(|(at, _)| now - *at >= span) {
                window.pop_front();
            }
            let used: u32 = window.iter().map(|(_, units)| units).sum();
            if amount > 0 && used + amount > limit {
                let room_at = window.front().map_or(now, |(at, _)| *at + span);
                let wait = u32::try_from((room_at - now).num_seconds()).unwrap_or(0);
                let information = match name {
                    "ResourceUnitLimitExceeded" => name,
                    _ => "WriteLimitExceeded",
                };
                return Verdict::Refuse {
                    retry_after_seconds: wait.max(1),
                    information,
                };
            }
            let share = f64::from(used + amount) / f64::from(limit.max(1));
            fullest = Some(fullest.unwrap_or(0.0).max(share));
        }
        for (name, limit, _, amount) in limits {
            if limit.is_some() && amount > 0 {
                let window = self.windows.entry((caller, name)).or_default();
                window.push_back((now, amount));
            }
        }
        Verdict::Pass(fullest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn the_window_slides() {
        let caller = AppId::draw(&mut fastrand::Rng::with_seed(1));
        let limits = Throttle {
            personal_writes_per_60_s: Some(2),
            ..Throttle::default()
        };
        let write = Cost {
            units: 1,
            write: true,
            personal: true,
        };
        let mut meter = Meter::default();
        assert_eq!(
            meter.charge(caller, write, &limits, at(0)),
            Verdict::Pass(Some(0.5))
        );
        meter.charge(caller, write, &limits, at(10));
        assert_eq!(
            meter.charge(caller, write, &limits, at(20)),
            Verdict::Refuse {
                retry_after_seconds: 40,
                information: "WriteLimitExceeded"
            }
        );
        assert!(matches!(
            meter.charge(caller, write, &limits, at(60)),
            Verdict::Pass(_)
        ));
    }

    #[test]
    fn nothing_is_counted_where_no_limit_is_on() {
        let caller = AppId::draw(&mut fastrand::Rng::with_seed(1));
        let read = Cost {
            units: 100_000,
            write: false,
            personal: false,
        };
        let verdict = Meter::default().charge(caller, read, &Throttle::default(), at(0));
        assert_eq!(verdict, Verdict::Pass(None));
    }
}
