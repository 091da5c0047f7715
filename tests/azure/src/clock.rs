//! The one clock of the stand-in: replication, lifetimes, tokens and the `Date` header all read it.
//!
//! It runs with the machine's clock, or from an epoch of its own at a multiple of real time, so that
//! a test sees years in seconds. It never runs backwards.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// How the stand-in's time runs.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClockConfig {
    /// What the clock shows at start; the machine's time if absent.
    pub epoch: Option<DateTime<Utc>>,
    /// Seconds on this clock per real second; at least 0.
    pub multiplier: f64,
}

impl Default for ClockConfig {
    fn default() -> Self {
        Self {
            epoch: None,
            multiplier: 1.0,
        }
    }
}

/// Running time: `epoch + (real time since start) × multiplier`, plus what [`Clock::advance`] added.
#[derive(Debug)]
pub struct Clock {
    epoch: DateTime<Utc>,
    started: Instant,
    multiplier: f64,
    advanced_ms: AtomicI64,
}

impl Clock {
    /// Starts the clock now.
    pub fn start(config: &ClockConfig) -> Self {
        Self {
            epoch: config.epoch.unwrap_or_else(Utc::now),
            started: Instant::now(),
            multiplier: config.multiplier.max(0.0),
            advanced_ms: AtomicI64::new(0),
        }
    }

    /// The time, to 100 ns: the service's own resolution.
    pub fn now(&self) -> DateTime<Utc> {
        let elapsed = self.started.elapsed().as_secs_f64() * self.multiplier;
        let elapsed = Duration::try_from_secs_f64(elapsed)
            .ok()
            .and_then(|elapsed| TimeDelta::from_std(elapsed).ok())
            .unwrap_or(TimeDelta::zero());
        let advanced = TimeDelta::milliseconds(self.advanced_ms.load(Ordering::Relaxed));
        (self.epoch + elapsed + advanced).trunc_subsecs(7)
    }

    /// Jumps ahead.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 2);
        self.advanced_ms.fetch_add(by, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_clock_moves_only_when_advanced() {
        let epoch = "2030-01-01T00:00:00Z".parse().unwrap();
        let clock = Clock::start(&ClockConfig {
            epoch: Some(epoch),
            multiplier: 0.0,
        });
        assert_eq!(clock.now(), epoch);
        clock.advance(Duration::from_hours(24));
        assert_eq!(clock.now(), epoch + TimeDelta::days(1));
    }

    #[test]
    fn a_multiplied_clock_outruns_the_machine() {
        let epoch = "2030-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap();
        let clock = Clock::start(&ClockConfig {
            epoch: Some(epoch),
            multiplier: 1e9,
        });
        let real = Instant::now();
        while real.elapsed() < Duration::from_millis(2) {}
        assert!(clock.now() - epoch >= TimeDelta::seconds(2_000_000));
    }
}
