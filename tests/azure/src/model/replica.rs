//! Replicas: a change reaches each of them at a time of its own, separately for every lookup that
//! the service makes. A request sees one replica, so answers flap while a change is under way.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// The lookups that lag independently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    /// The token endpoint's look at secrets.
    Token,
    /// GET on applications.
    Read,
    /// What addPassword counts and removePassword searches.
    Lookup,
}

/// The shortest and the longest time, in milliseconds of the stand-in's clock, that a change takes
/// to reach a replica; drawn evenly between them for each replica.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lag {
    /// Shortest, in milliseconds.
    pub min_ms: u64,
    /// Longest, in milliseconds; not below the shortest.
    pub max_ms: u64,
}

impl Lag {
    /// A lag between two bounds in milliseconds.
    pub fn between(min_ms: u64, max_ms: u64) -> Self {
        Self { min_ms, max_ms }
    }

    fn draw(self, rng: &mut fastrand::Rng) -> TimeDelta {
        let milliseconds = rng.u64(self.min_ms..=self.max_ms.max(self.min_ms));
        i64::try_from(milliseconds)
            .ok()
            .and_then(TimeDelta::try_milliseconds)
            .unwrap_or(TimeDelta::MAX)
    }
}

/// One lag for each surface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lags {
    /// Until the token endpoint honours it.
    pub token: Lag,
    /// Until GET shows it.
    pub read: Lag,
    /// Until addPassword and removePassword know of it.
    pub lookup: Lag,
}

impl Lags {
    /// The same lag for every surface.
    pub fn everywhere(lag: Lag) -> Self {
        Self {
            token: lag,
            read: lag,
            lookup: lag,
        }
    }
}

/// When one change reaches each replica, for each surface.
#[derive(Clone, Debug)]
pub struct Propagation {
    token: Vec<DateTime<Utc>>,
    read: Vec<DateTime<Utc>>,
    lookup: Vec<DateTime<Utc>>,
}

impl Propagation {
    /// Everywhere at once.
    pub fn immediate(at: DateTime<Utc>) -> Self {
        Self {
            token: vec![at],
            read: vec![at],
            lookup: vec![at],
        }
    }

    /// Draws when a change made at `at` arrives. A replica applies changes in order, so it takes this
    /// one no sooner than `after`.
    pub fn draw(
        at: DateTime<Utc>,
        lags: &Lags,
        replicas: usize,
        rng: &mut fastrand::Rng,
        after: Option<&Self>,
    ) -> Self {
        let mut arrivals = |surface: Surface, lag: Lag| {
            (0..replicas.max(1))
                .map(|replica| {
                    let arrival = at
                        .checked_add_signed(lag.draw(rng))
                        .unwrap_or(DateTime::<Utc>::MAX_UTC);
                    match after {
                        Some(after) => arrival.max(after.arrival(surface, replica)),
                        None => arrival,
                    }
                })
                .collect()
        };
        Self {
            token: arrivals(Surface::Token, lags.token),
            read: arrivals(Surface::Read, lags.read),
            lookup: arrivals(Surface::Lookup, lags.lookup),
        }
    }

    /// Whether what a request sees includes the change.
    pub fn reached(&self, view: View, now: DateTime<Utc>) -> bool {
        let arrival = if view.stale {
            self.settled(view.surface)
        } else {
            self.arrival(view.surface, view.replica)
        };
        arrival <= now
    }

    /// When the last replica has it.
    pub fn settled(&self, surface: Surface) -> DateTime<Utc> {
        self.arrivals(surface)
            .iter()
            .copied()
            .max()
            .unwrap_or(DateTime::<Utc>::MIN_UTC)
    }

    fn arrival(&self, surface: Surface, replica: usize) -> DateTime<Utc> {
        let arrivals = self.arrivals(surface);
        arrivals[replica % arrivals.len()]
    }

    /// Never empty.
    fn arrivals(&self, surface: Surface) -> &[DateTime<Utc>] {
        match surface {
            Surface::Token => &self.token,
            Surface::Read => &self.read,
            Surface::Lookup => &self.lookup,
        }
    }
}

/// Where one request looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Which lookup.
    pub surface: Surface,
    /// At which replica.
    pub replica: usize,
    /// Whether it answers as if changes that have not reached every replica had reached none: the
    /// back and forth that a load balancer adds to lag.
    pub stale: bool,
}

impl View {
    /// Draws where a request looks.
    pub fn draw(surface: Surface, replicas: usize, flapping: f64, rng: &mut fastrand::Rng) -> Self {
        Self {
            surface,
            replica: rng.usize(..replicas.max(1)),
            stale: rng.f64() < flapping,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(milliseconds).unwrap()
    }

    fn view(replica: usize) -> View {
        View {
            surface: Surface::Token,
            replica,
            stale: false,
        }
    }

    #[test]
    fn every_replica_has_a_change_after_the_longest_lag_and_none_before_the_shortest() {
        let mut rng = fastrand::Rng::with_seed(1);
        let lags = Lags::everywhere(Lag::between(100, 500));
        let change = Propagation::draw(at(0), &lags, 8, &mut rng, None);
        for replica in 0..8 {
            assert!(!change.reached(view(replica), at(99)));
            assert!(change.reached(view(replica), at(500)));
        }
    }

    #[test]
    fn replicas_disagree_while_a_change_is_under_way() {
        let mut rng = fastrand::Rng::with_seed(1);
        let lags = Lags::everywhere(Lag::between(0, 1000));
        let change = Propagation::draw(at(0), &lags, 8, &mut rng, None);
        let seen = (0..8).filter(|replica| change.reached(view(*replica), at(500)));
        assert!((1..8).contains(&seen.count()));
    }

    #[test]
    fn surfaces_lag_independently() {
        let mut rng = fastrand::Rng::with_seed(1);
        let lags = Lags {
            token: Lag::between(1000, 1000),
            ..Lags::default()
        };
        let change = Propagation::draw(at(0), &lags, 2, &mut rng, None);
        let read = View {
            surface: Surface::Read,
            ..view(0)
        };
        assert!(change.reached(read, at(0)));
        assert!(!change.reached(view(0), at(999)));
    }

    #[test]
    fn a_replica_never_applies_a_removal_before_the_addition() {
        let mut rng = fastrand::Rng::with_seed(3);
        let slow = Lags::everywhere(Lag::between(0, 10_000));
        let added = Propagation::draw(at(0), &slow, 16, &mut rng, None);
        let removed = Propagation::draw(at(1), &Lags::default(), 16, &mut rng, Some(&added));
        for replica in 0..16 {
            assert!(
                removed.arrival(Surface::Read, replica) >= added.arrival(Surface::Read, replica)
            );
        }
    }

    #[test]
    fn a_stale_view_waits_for_the_last_replica() {
        let mut rng = fastrand::Rng::with_seed(1);
        let lags = Lags::everywhere(Lag::between(0, 1000));
        let change = Propagation::draw(at(0), &lags, 4, &mut rng, None);
        let settled = change.settled(Surface::Token);
        for replica in 0..4 {
            let stale = View {
                stale: true,
                ..view(replica)
            };
            assert!(!change.reached(stale, settled - TimeDelta::milliseconds(1)));
            assert!(change.reached(stale, settled));
        }
    }
}
