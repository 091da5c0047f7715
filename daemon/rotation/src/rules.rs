//! The bounds that the provider declares, and what follows from them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::schedule::Interval;
use crate::timing::{Timing, scale};

/// What the daemon must know of a provider to decide; from its last good description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// Least time between two changes of one target.
    pub write_spacing: Duration,
    /// How long a change may take until every replica has it.
    pub propagation_bound: Duration,
    /// Least time for which a replaced credential stays valid.
    pub minimum_overlap: Duration,
    /// How many credentials any target holds, where that is known.
    pub credential_cap: Option<u32>,
    /// Longest interval that can be set.
    pub longest_interval: Interval,
    /// Logins in a row that prove a credential.
    pub verify_successes: u32,
    /// Least time between two logins.
    pub verify_spacing: Duration,
    /// A credential's life in intervals.
    pub lifetime_intervals: u32,
    /// What is added to that.
    pub lifetime_extra: Duration,
    /// The longest life that the provider allows anywhere.
    pub lifetime_most: Option<Duration>,
}

impl Rules {
    /// The same with the timing's scale multiplied into what the daemon waits for. Lifetimes are the provider's
    /// calendar and stay.
    #[must_use]
    pub fn scaled(&self, timing: &Timing) -> Self {
        let by = |duration: Duration| scale(duration, timing.scale);
        Self {
            write_spacing: by(self.write_spacing),
            propagation_bound: by(self.propagation_bound),
            minimum_overlap: by(self.minimum_overlap),
            verify_spacing: by(self.verify_spacing),
            ..self.clone()
        }
    }

    /// How long a credential of a rotation with this interval is to live: intervals and extra, at most what
    /// the provider (and this target, `most_here`) allows.
    ///
    /// # Errors
    /// Where that is too short to be replaced in time: below the interval plus the larger of the guard and the
    /// minimum overlap.
    pub fn lifetime(
        &self,
        interval: Interval,
        most_here: Option<Duration>,
        timing: &Timing,
    ) -> Result<Duration, LifetimeTooShort> {
        let intervals = interval.duration().saturating_mul(self.lifetime_intervals);
        let wanted = intervals.saturating_add(self.lifetime_extra);
        let lifetime = [self.lifetime_most, most_here]
            .into_iter()
            .flatten()
            .fold(wanted, Duration::min);
        let guard = guard_span(lifetime, timing);
        let needed = interval
            .duration()
            .saturating_add(guard.max(self.minimum_overlap));
        if lifetime < needed {
            return Err(LifetimeTooShort {
                allowed: lifetime,
                needed,
            });
        }
        Ok(lifetime)
    }
}

/// How long before its end a credential of this life is replaced early: a third of its life, at most the guard.
pub fn guard_span(lifetime: Duration, timing: &Timing) -> Duration {
    (lifetime / 3).min(timing.guard)
}

/// The longest life that is allowed does not reach over the interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the longest lifetime allowed for this target is {} days, and this interval needs {}: choose a shorter interval",
    .allowed.as_secs() / 86_400, .needed.as_secs().div_ceil(86_400)
)]
pub struct LifetimeTooShort {
    /// What the provider allows.
    pub allowed: Duration,
    /// What the interval needs.
    pub needed: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn azure() -> Rules {
        Rules {
            write_spacing: Duration::from_secs(5),
            propagation_bound: Duration::from_mins(20),
            minimum_overlap: Duration::from_mins(110),
            credential_cap: None,
            longest_interval: Interval::days(909).unwrap(),
            verify_successes: 8,
            verify_spacing: Duration::from_secs(7),
            lifetime_intervals: 2,
            lifetime_extra: 3 * DAY,
            lifetime_most: Some(1826 * DAY),
        }
    }

    #[test]
    fn a_credential_lives_two_intervals_and_three_days() {
        let life = azure().lifetime(Interval::days(30).unwrap(), None, &Timing::default());
        assert_eq!(life, Ok(63 * DAY));
        let longest = azure().lifetime(Interval::days(909).unwrap(), None, &Timing::default());
        assert_eq!(longest, Ok(1821 * DAY));
    }

    #[test]
    fn a_policy_caps_it_and_refuses_what_could_not_be_replaced_in_time() {
        let timing = Timing::default();
        let cap = Some(180 * DAY);
        assert_eq!(
            azure().lifetime(Interval::days(90).unwrap(), cap, &timing),
            Ok(180 * DAY)
        );
        let refused = azure()
            .lifetime(Interval::days(170).unwrap(), cap, &timing)
            .unwrap_err();
        assert_eq!(refused.needed, 184 * DAY);
        assert!(refused.to_string().contains("shorter interval"));
    }

    #[test]
    fn a_life_beyond_what_can_be_counted_is_the_longest_there_is() {
        let timing = Timing::default();
        let interval = Interval::days(30).unwrap();
        let endless = Rules {
            lifetime_intervals: u32::MAX,
            lifetime_extra: Duration::MAX,
            lifetime_most: None,
            ..azure()
        };
        assert_eq!(endless.lifetime(interval, None, &timing), Ok(Duration::MAX));
        let overlapping = Rules {
            minimum_overlap: Duration::MAX,
            ..azure()
        };
        assert!(overlapping.lifetime(interval, None, &timing).is_err());
    }
}
