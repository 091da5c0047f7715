//! Time and entropy as they come in from outside.

use std::ops::{Add, Sub};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::id::InstallationId;
use crate::rules::Rules;
use crate::timing::Timing;

/// An instant of the boot clock (`CLOCK_BOOTTIME`: goes on in suspend, has no steps). Only differences
/// within one start of the daemon mean anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Boot(pub Duration);

impl Add<Duration> for Boot {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

impl Sub for Boot {
    type Output = Duration;

    /// Zero where `earlier` is later.
    fn sub(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// What the clocks show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The wall clock. It may step; what is due is judged by it.
    pub wall: DateTime<Utc>,
    /// The boot clock. Durations are measured by it.
    pub boot: Boot,
}

/// What a decision may look at besides the state.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// What the clocks show.
    pub now: Now,
    /// The bounds of the settings.
    pub timing: &'a Timing,
    /// The bounds of the provider, from its last good description, in the same scale as `timing`.
    pub rules: &'a Rules,
    /// Whose labels are ours.
    pub installation: InstallationId,
    /// Fresh random bits: 128 a step.
    pub entropy: u128,
    /// False while the provider's component is missing: nothing is called, all waits, visibly.
    pub provider_ready: bool,
}

/// Names and jitter, derived from a step's entropy. A pure generator (SplitMix64): equal entropy, equal names.
#[derive(Debug, Clone)]
pub(crate) struct Fresh {
    state: [u64; 2],
}

impl Fresh {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the halves are what is wanted"
    )]
    pub(crate) fn new(entropy: u128) -> Self {
        Self {
            state: [entropy as u64, (entropy >> 64) as u64],
        }
    }

    pub(crate) fn uuid(&mut self) -> Uuid {
        let (high, low) = (self.next(0), self.next(1));
        uuid::Builder::from_random_bytes((u128::from(high) << 64 | u128::from(low)).to_be_bytes())
            .into_uuid()
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.next(0) ^ self.next(1).rotate_left(32)
    }

    /// Uniform in `0..=most`.
    pub(crate) fn up_to(&mut self, most: Duration) -> Duration {
        let nanos = most.as_nanos();
        let drawn = (u128::from(self.bits()) * (nanos + 1)) >> 64;
        Duration::from_nanos(u64::try_from(drawn).unwrap_or(u64::MAX))
    }

    fn next(&mut self, half: usize) -> u64 {
        self.state[half] = self.state[half].wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state[half];
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// `at + duration`, at the end of time where it does not fit.
pub(crate) fn later(at: DateTime<Utc>, duration: Duration) -> DateTime<Utc> {
    chrono::TimeDelta::from_std(duration)
        .ok()
        .and_then(|delta| at.checked_add_signed(delta))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// `later - earlier`, zero where it would be negative.
pub(crate) fn between(earlier: DateTime<Utc>, later: DateTime<Utc>) -> Duration {
    (later - earlier).to_std().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_durations_stay_in_bounds_and_fill_them() {
        let mut fresh = Fresh::new(7);
        let most = Duration::from_mins(5);
        let drawn: Vec<_> = (0..1000).map(|_| fresh.up_to(most)).collect();
        assert!(drawn.iter().all(|d| *d <= most));
        assert!(drawn.iter().any(|d| *d < most / 10));
        assert!(drawn.iter().any(|d| *d > most / 10 * 9));
        assert_eq!(Fresh::new(7).up_to(Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn names_differ_within_a_step_and_repeat_with_its_entropy() {
        let (mut a, mut b) = (Fresh::new(9), Fresh::new(9));
        assert_eq!(a.uuid(), b.uuid());
        assert_ne!(a.uuid(), a.uuid());
    }
}
