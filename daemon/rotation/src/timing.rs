//! The bounds of the settings' `[timing]` table, each with its default and its reason.

use std::time::Duration;

use serde::{Deserialize, Serialize};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Every bound that is the daemon's own. The provider's own bounds are in [`crate::Rules`]; `scale`
/// multiplies both, so that a trial or a test can be quick without changing their proportions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timing {
    /// Multiplies every bound here and the provider's. 1 in earnest; smaller only to try things out.
    pub scale: f64,
    /// How long a credential soaks before creation, a manual or an urgent run publishes it. Long enough
    /// for the lags that are usually seen (4 to 18 s), short enough for a person who waits.
    #[serde(with = "humantime_serde")]
    pub soak_short: Duration,
    /// How long `not yet` may last before the attempt has failed. Above the longest lag reported (15 min).
    #[serde(with = "humantime_serde")]
    pub verify_cap: Duration,
    /// How long no answer at all may last before the attempt has failed: an outage of a morning is waited out.
    #[serde(with = "humantime_serde")]
    pub cannot_tell_cap: Duration,
    /// First wait before a failed scheduled run is tried again.
    #[serde(with = "humantime_serde")]
    pub retry_first: Duration,
    /// Longest wait before it is tried again.
    #[serde(with = "humantime_serde")]
    pub retry_most: Duration,
    /// Least time from one attempt of a run to its next one, and from one removal to the next try of it, where the
    /// provider asks for less or for none: what goes wrong at once must not be tried at once for ever.
    #[serde(with = "humantime_serde")]
    pub attempt_spacing: Duration,
    /// How often a refusal that asks to come again (throttled, not reachable) is followed within a run.
    pub retries_in_run: u32,
    /// How many unsettled lost answers a rotation may have before it issues nothing more.
    pub lost_most: u32,
    /// Surveys without a sighting until something counts as absent.
    pub absences: u32,
    /// Time over which a lost answer's absences are spread until it is dormant.
    #[serde(with = "humantime_serde")]
    pub dormant_after: Duration,
    /// First wait before a lost answer is looked for.
    #[serde(with = "humantime_serde")]
    pub watch_first: Duration,
    /// Longest wait between two looks for it.
    #[serde(with = "humantime_serde")]
    pub watch_most: Duration,
    /// How old a survey or a login may be to open a retirement's gate. Longer than a provider's call, or one of the two
    /// would be too old when the other is known.
    #[serde(with = "humantime_serde")]
    pub gate_fresh: Duration,
    /// How often each target is surveyed for drift.
    #[serde(with = "humantime_serde")]
    pub drift_check: Duration,
    /// Over what time catch-up runs and first surveys are spread after a start.
    #[serde(with = "humantime_serde")]
    pub catch_up_spread: Duration,
    /// A third of its life or this, whichever is smaller, before its end a published credential is replaced early.
    #[serde(with = "humantime_serde")]
    pub guard: Duration,
    /// How far the local clock may be from the provider's before nothing is published.
    #[serde(with = "humantime_serde")]
    pub skew_most: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            scale: 1.0,
            soak_short: MINUTE,
            verify_cap: 30 * MINUTE,
            cannot_tell_cap: 6 * HOUR,
            retry_first: MINUTE,
            retry_most: 6 * HOUR,
            attempt_spacing: 5 * SECOND,
            retries_in_run: 4,
            lost_most: 3,
            absences: 3,
            dormant_after: DAY,
            watch_first: 10 * SECOND,
            watch_most: 6 * HOUR,
            gate_fresh: 2 * MINUTE,
            drift_check: DAY,
            catch_up_spread: 5 * MINUTE,
            guard: 14 * DAY,
            skew_most: 5 * MINUTE,
        }
    }
}

impl Timing {
    /// The same with `scale` multiplied into every duration but two: `guard` is measured in a credential's
    /// own life, and `skew_most` between two clocks, neither of which is scaled.
    #[must_use]
    pub fn scaled(&self) -> Self {
        let by = |duration: Duration| scale(duration, self.scale);
        Self {
            scale: self.scale,
            soak_short: by(self.soak_short),
            verify_cap: by(self.verify_cap),
            cannot_tell_cap: by(self.cannot_tell_cap),
            retry_first: by(self.retry_first),
            retry_most: by(self.retry_most),
            attempt_spacing: by(self.attempt_spacing),
            dormant_after: by(self.dormant_after),
            watch_first: by(self.watch_first),
            watch_most: by(self.watch_most),
            gate_fresh: by(self.gate_fresh),
            drift_check: by(self.drift_check),
            catch_up_spread: by(self.catch_up_spread),
            ..self.clone()
        }
    }
}

pub(crate) fn scale(duration: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_keep_their_order() {
        let timing = Timing::default();
        assert!(timing.soak_short < timing.verify_cap);
        assert!(timing.verify_cap < timing.cannot_tell_cap);
        assert!(timing.retry_first < timing.retry_most);
        assert!(timing.watch_first < timing.watch_most);
    }

    #[test]
    fn scaling_keeps_what_is_measured_elsewhere() {
        let timing = Timing {
            scale: 0.01,
            ..Timing::default()
        }
        .scaled();
        assert_eq!(timing.soak_short, Duration::from_millis(600));
        assert_eq!(timing.guard, Timing::default().guard);
        assert_eq!(timing.skew_most, Timing::default().skew_most);
    }
}
