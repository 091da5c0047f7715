//! One credential as it really is, and how each replica sees it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rotord_rotation::{Handle, Label};

use crate::clock::Time;
use crate::rng::Rng;

/// Whose credential it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Of the rotation that is played.
    Us,
    /// Of another rotation of this installation.
    Sibling,
    /// Of another installation.
    Neighbour,
    /// Nobody's that rotord knows of.
    Foreign,
}

/// When each replica comes to know of a change.
#[derive(Debug, Clone)]
pub struct Spread {
    at: Vec<Time>,
    /// This replica forgets it for a while, once.
    flap: Option<(usize, Time, Time)>,
    /// From then on every replica knows, for good.
    settled: Time,
}

impl Spread {
    /// Known everywhere at once.
    pub fn at_once(now: Time, replicas: usize) -> Self {
        Self {
            at: vec![now; replicas],
            flap: None,
            settled: now,
        }
    }

    /// Each replica within the lag; one of them, where `flaps`, forgets it for a while within the lag.
    pub fn lagging(now: Time, replicas: usize, lag: Duration, flaps: bool, rng: &mut Rng) -> Self {
        let at: Vec<_> = (0..replicas).map(|_| now + rng.duration(lag)).collect();
        let flap = flaps.then(|| {
            let replica = rng.index(replicas);
            let rest = now + lag - at[replica];
            let from = at[replica] + rng.duration(rest);
            let rest = now + lag - from;
            (replica, from, from + rng.duration(rest))
        });
        let settled = at
            .iter()
            .copied()
            .chain(flap.map(|(_, _, to)| to))
            .max()
            .unwrap_or(now);
        Self { at, flap, settled }
    }

    /// This replica knows of it now.
    pub fn known_to(&self, replica: usize, now: Time) -> bool {
        if now >= self.settled {
            return true;
        }
        let forgotten = self
            .flap
            .is_some_and(|(which, from, to)| which == replica && (from..to).contains(&now));
        self.at[replica] <= now && !forgotten
    }

    /// Every replica knows of it, for good.
    pub fn is_settled(&self, now: Time) -> bool {
        now >= self.settled
    }

    /// How many replicas there are.
    pub fn replicas(&self) -> usize {
        self.at.len()
    }

    /// Some replica knows of it.
    pub fn has_begun(&self, now: Time) -> bool {
        self.at.iter().any(|at| *at <= now)
    }
}

/// A change, as logins and as lists see it.
#[derive(Debug, Clone)]
pub struct Change {
    /// By logins.
    pub logins: Spread,
    /// By lists.
    pub lists: Spread,
}

/// One credential as it really is.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "marks that the checks set, each on its own"
)]
pub struct Real {
    /// Its name.
    pub handle: Handle,
    /// Whose it is.
    pub owner: Owner,
    /// Its label, where it has one of rotord.
    pub label: Option<Label>,
    /// When it ends.
    pub expires_at: Time,
    /// The same, as calls tell it.
    pub ends: DateTime<Utc>,
    /// How it came to be known.
    pub made: Change,
    /// How it came to be known that it is gone.
    pub removed: Option<Change>,
    /// Who removed it was neither rotord nor its owner in time.
    pub removed_outside: bool,
    /// It was published once, in whatever books.
    pub published: bool,
    /// The first instant that was written down as that before which it is not revoked.
    pub not_before: Option<DateTime<Utc>>,
    /// A person's word that it may go.
    pub word: bool,
    /// A person had it taken over.
    pub adopted: bool,
}

impl Real {
    /// A login at this replica works, as far as the credential goes.
    pub fn works_at(&self, replica: usize, now: Time) -> bool {
        let removed = |change: &Change| change.logins.known_to(replica, now);
        self.made.logins.known_to(replica, now)
            && self.expires_at > now
            && !self.removed.as_ref().is_some_and(removed)
    }

    /// A login works whichever replica answers.
    pub fn works_everywhere(&self, now: Time) -> bool {
        self.made.logins.is_settled(now)
            && self.expires_at > now
            && !self
                .removed
                .as_ref()
                .is_some_and(|change| change.logins.has_begun(now))
    }

    /// Not removed and not past its end.
    pub fn lives(&self, now: Time) -> bool {
        self.removed.is_none() && self.expires_at > now
    }

    /// Listed by this replica. What has ended is listed until it is removed.
    pub fn listed_at(&self, replica: usize, now: Time) -> bool {
        let removed = |change: &Change| change.lists.known_to(replica, now);
        self.made.lists.known_to(replica, now) && !self.removed.as_ref().is_some_and(removed)
    }

    /// Gone for everyone, for good.
    pub fn is_history(&self, now: Time) -> bool {
        self.removed
            .as_ref()
            .is_some_and(|change| change.logins.is_settled(now) && change.lists.is_settled(now))
    }
}
