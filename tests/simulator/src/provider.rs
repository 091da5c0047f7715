//! A model of the provider: replicas with lags of their own, lost answers, refusals, a cap.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rotord_rotation::event::{Answer, Revocation, Survey};
use rotord_rotation::{Fault, FaultKind, Handle, Inspection, Issued, Label, Listed, Verdict};

use crate::rng::Rng;

/// How the provider behaves.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// Independent replicas.
    pub replicas: usize,
    /// The longest lag of a replica behind a write.
    pub lag: Duration,
    /// Chances in a thousand that a call has its effect and the answer is lost.
    pub lost: u64,
    /// Chances in a thousand that a write is refused for now.
    pub throttled: u64,
    /// Chances in a thousand that nothing gets through at all.
    pub unreachable: u64,
    /// How many credentials the target holds.
    pub cap: Option<u32>,
    /// Credentials of others that are there.
    pub foreign: u32,
}

/// One credential as it really is.
#[derive(Debug, Clone)]
pub struct Real {
    /// Its name.
    pub handle: Handle,
    /// Its label, where it has one of ours.
    pub label: Option<Label>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When each replica has it.
    pub visible: Vec<DateTime<Utc>>,
    /// When each replica has lost it.
    pub removed: Option<Vec<DateTime<Utc>>>,
}

impl Real {
    /// A login at this replica works.
    pub fn works_at(&self, replica: usize, now: DateTime<Utc>) -> bool {
        self.visible[replica] <= now
            && self.expires_at > now
            && self
                .removed
                .as_ref()
                .is_none_or(|removed| removed[replica] > now)
    }

    /// A login works whichever replica answers.
    pub fn works_everywhere(&self, now: DateTime<Utc>) -> bool {
        (0..self.visible.len()).all(|replica| self.works_at(replica, now))
    }

    /// Not removed and not past its end.
    pub fn lives(&self, now: DateTime<Utc>) -> bool {
        self.removed.is_none() && self.expires_at > now
    }
}

/// The provider.
#[derive(Debug, Clone)]
pub struct Provider {
    /// How it behaves.
    pub behaviour: Behaviour,
    /// Everything that was ever issued.
    pub credentials: Vec<Real>,
    issued: u64,
}

/// An answer, and whether it is lost on the way.
pub struct Reply<T> {
    /// What the provider said.
    pub answer: Result<T, Fault>,
    /// Whether it had its effect.
    pub effect: bool,
}

impl Provider {
    /// With the foreign credentials in place.
    pub fn new(behaviour: Behaviour, now: DateTime<Utc>) -> Self {
        let mut provider = Self {
            behaviour,
            credentials: Vec::new(),
            issued: 0,
        };
        for _ in 0..provider.behaviour.foreign {
            let visible = vec![now; provider.behaviour.replicas];
            provider.add(None, now + TimeDelta::days(3000), visible);
        }
        provider
    }

    fn add(
        &mut self,
        label: Option<Label>,
        expires_at: DateTime<Utc>,
        visible: Vec<DateTime<Utc>>,
    ) -> Handle {
        self.issued += 1;
        let handle = Handle(format!("key-{}", self.issued));
        self.credentials.push(Real {
            handle: handle.clone(),
            label,
            expires_at,
            visible,
            removed: None,
        });
        handle
    }

    fn lags(&self, now: DateTime<Utc>, rng: &mut Rng) -> Vec<DateTime<Utc>> {
        let lag = self.behaviour.lag;
        (0..self.behaviour.replicas)
            .map(|_| now + rng.duration(lag))
            .collect()
    }

    fn replica(&self, rng: &mut Rng) -> usize {
        usize::try_from(rng.below(self.behaviour.replicas as u64)).unwrap_or(0)
    }

    fn trouble(&self, now: DateTime<Utc>, rng: &mut Rng) -> Option<Fault> {
        if rng.per_mille(self.behaviour.unreachable) {
            return Some(Fault::new(FaultKind::Unavailable, "connection refused"));
        }
        rng.per_mille(self.behaviour.throttled).then(|| Fault {
            retry_after: Some(Duration::from_secs(rng.below(90))),
            provider_time: Some(now),
            ..Fault::new(FaultKind::Throttled, "too many requests")
        })
    }

    /// Create a credential.
    pub fn issue(
        &mut self,
        label: Label,
        lifetime: Duration,
        now: DateTime<Utc>,
        rng: &mut Rng,
    ) -> Reply<Issued> {
        if let Some(fault) = self.trouble(now, rng) {
            return Reply {
                answer: Err(fault),
                effect: false,
            };
        }
        let live = self.credentials.iter().filter(|c| c.lives(now)).count();
        if self.behaviour.cap.is_some_and(|cap| live >= cap as usize) {
            let fault = Fault {
                provider_time: Some(now),
                ..Fault::new(FaultKind::Full, "too many passwords")
            };
            return Reply {
                answer: Err(fault),
                effect: false,
            };
        }
        if rng.per_mille(self.behaviour.lost / 4) {
            // Lost on the way there: no effect, and nobody can tell.
            return Reply {
                answer: Err(Fault::new(FaultKind::Ambiguous, "connection cut")),
                effect: false,
            };
        }
        let expires_at = now + lifetime;
        let visible = self.lags(now, rng);
        let handle = self.add(Some(label), expires_at, visible);
        let answer = if rng.per_mille(self.behaviour.lost) {
            Err(Fault::new(FaultKind::Ambiguous, "connection cut"))
        } else {
            Ok(Issued {
                handle,
                expires_at: Some(expires_at),
                provider_time: Some(now),
            })
        };
        Reply {
            answer,
            effect: true,
        }
    }

    /// Remove a credential.
    pub fn revoke(
        &mut self,
        handle: &Handle,
        now: DateTime<Utc>,
        rng: &mut Rng,
    ) -> Reply<Revocation> {
        if let Some(fault) = self.trouble(now, rng) {
            return Reply {
                answer: Err(fault),
                effect: false,
            };
        }
        let removed = self.lags(now, rng);
        let lost = rng.per_mille(self.behaviour.lost);
        let Some(real) = self
            .credentials
            .iter_mut()
            .find(|c| c.handle == *handle && c.removed.is_none())
        else {
            return Reply {
                answer: Ok(Revocation {
                    found: false,
                    provider_time: Some(now),
                }),
                effect: false,
            };
        };
        real.removed = Some(removed);
        let answer = if lost {
            Err(Fault::new(FaultKind::Ambiguous, "connection cut"))
        } else {
            Ok(Revocation {
                found: true,
                provider_time: Some(now),
            })
        };
        Reply {
            answer,
            effect: true,
        }
    }

    /// List them, as one replica sees it.
    ///
    /// # Errors
    /// Nothing got through, or it was refused for now.
    pub fn survey(&self, now: DateTime<Utc>, rng: &mut Rng) -> Result<Survey, Fault> {
        if let Some(fault) = self.trouble(now, rng) {
            return Err(fault);
        }
        let replica = self.replica(rng);
        let seen = |c: &&Real| {
            c.visible[replica] <= now
                && c.removed
                    .as_ref()
                    .is_none_or(|removed| removed[replica] > now)
        };
        let listed = self
            .credentials
            .iter()
            .filter(seen)
            .map(|c| Listed {
                handle: c.handle.clone(),
                label: c.label,
                expires_at: Some(c.expires_at),
            })
            .collect();
        Ok(Survey {
            listed,
            tombstones: Vec::new(),
            provider_time: Some(now),
        })
    }

    /// One login, at one replica.
    pub fn verify(&self, handle: &Handle, now: DateTime<Utc>, rng: &mut Rng) -> Verdict {
        let answer = if rng.per_mille(self.behaviour.unreachable) {
            Answer::CannotTell("connection refused".to_owned())
        } else {
            let replica = self.replica(rng);
            match self.credentials.iter().find(|c| c.handle == *handle) {
                Some(real) if real.works_at(replica, now) => Answer::Works,
                _ => Answer::NotYet("invalid client".to_owned()),
            }
        };
        let provider_time = (!matches!(answer, Answer::CannotTell(_))).then_some(now);
        Verdict {
            answer,
            provider_time,
        }
    }

    /// Look at the target.
    ///
    /// # Errors
    /// Nothing got through, or it was refused for now.
    pub fn inspect(&self, now: DateTime<Utc>, rng: &mut Rng) -> Result<Inspection, Fault> {
        match self.trouble(now, rng) {
            Some(fault) => Err(fault),
            None => Ok(Inspection {
                credential_cap: self.behaviour.cap,
                lifetime_most: None,
                provider_time: Some(now),
            }),
        }
    }
}
