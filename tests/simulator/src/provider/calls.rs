//! The calls of a provider, answered.

use std::time::Duration;

use rotord_rotation::event::{Answer, Revocation, Survey};
use rotord_rotation::{Call, Fault, FaultKind, Handle, Inspection, Issued, Label, Listed, Verdict};

use super::{Owner, Provider};
use crate::clock::Time;
use crate::fault::Fault as Trouble;
use crate::rng::Streams;

/// What a call changes.
#[derive(Debug, Clone)]
pub enum Effect {
    /// A credential is created.
    Issue {
        /// Under this label.
        label: Label,
        /// For so long.
        lifetime: Duration,
    },
    /// A credential is removed.
    Revoke(Handle),
}

impl Effect {
    /// Of a call.
    pub fn of(call: &Call) -> Option<Self> {
        match call {
            Call::Issue {
                label, lifetime, ..
            } => Some(Self::Issue {
                label: *label,
                lifetime: *lifetime,
            }),
            Call::Revoke { handle, .. } => Some(Self::Revoke(handle.clone())),
            Call::Inspect | Call::Survey | Call::Verify { .. } => None,
        }
    }
}

/// An answer, and whether it had its effect.
pub type Reply<T> = Result<T, Fault>;

impl Provider {
    fn chance(&self, trouble: Trouble, rng: &mut Streams) -> bool {
        self.troubled && rng.of(trouble).per_mille(self.faults.of(trouble))
    }

    fn trouble(&self, now: Time, rng: &mut Streams) -> Option<Fault> {
        if self.chance(Trouble::Unreachable, rng) {
            return Some(Fault::new(FaultKind::Unavailable, "connection refused"));
        }
        let said = |fault: Fault| Fault {
            provider_time: Some(now.utc()),
            ..fault
        };
        if let Some(kind) = &self.refusing {
            return Some(said(Fault::new(kind.clone(), "insufficient privileges")));
        }
        self.chance(Trouble::Throttled, rng).then(|| {
            said(Fault {
                retry_after: Some(Duration::from_secs(rng.plain.below(90))),
                ..Fault::new(FaultKind::Throttled, "too many requests")
            })
        })
    }

    /// What a writing call does, where nobody hears of it. True where something changed.
    pub fn take_effect(&mut self, effect: Effect, now: Time, rng: &mut Streams) -> bool {
        match effect {
            Effect::Issue { label, lifetime } => {
                let allowed = self.lifetime_most.is_none_or(|most| lifetime <= most);
                if allowed && self.has_room(now) {
                    let made = self.change(now, rng);
                    self.add(Owner::Us, Some(label), now + lifetime, made);
                }
                allowed
            }
            Effect::Revoke(handle) => {
                let change = self.change(now, rng);
                match self.real_mut(&handle) {
                    Some(real) if real.removed.is_none() => {
                        real.removed = Some(change);
                        true
                    }
                    _ => false,
                }
            }
        }
    }

    /// The answer is lost: the effect was before, comes later, or never.
    fn lose(&mut self, effect: Effect, now: Time, rng: &mut Streams) -> Fault {
        if self.chance(Trouble::Late, rng) {
            let most = *rng.plain.pick(&[30, 30, 30, 900, 20_000]).unwrap_or(&30);
            let wait = rng.plain.duration(Duration::from_secs(most));
            self.later(effect, now + wait);
        } else if rng.plain.per_mille(800) {
            self.take_effect(effect, now, rng);
        }
        Fault::new(FaultKind::Ambiguous, "connection cut")
    }

    /// Create a credential.
    ///
    /// # Errors
    /// Refused, or nobody can tell.
    pub fn issue(
        &mut self,
        label: Label,
        lifetime: Duration,
        now: Time,
        rng: &mut Streams,
    ) -> Reply<Issued> {
        if let Some(fault) = self.trouble(now, rng) {
            return Err(fault);
        }
        let refused = |kind, message: &str| Fault {
            provider_time: Some(now.utc()),
            ..Fault::new(kind, message)
        };
        if self.lifetime_most.is_some_and(|most| lifetime > most) {
            let kind = FaultKind::InvalidInput("lifetime".to_owned());
            return Err(refused(
                kind,
                "the lifetime is longer than the policy allows",
            ));
        }
        if !self.has_room(now) {
            return Err(refused(FaultKind::Full, "too many passwords"));
        }
        if self.chance(Trouble::Lost, rng) {
            return Err(self.lose(Effect::Issue { label, lifetime }, now, rng));
        }
        let expires_at = now + lifetime;
        let made = self.change(now, rng);
        let handle = self.add(Owner::Us, Some(label), expires_at, made);
        Ok(Issued {
            handle,
            expires_at: Some(expires_at.utc()),
            provider_time: Some(now.utc()),
        })
    }

    /// Remove a credential.
    ///
    /// # Errors
    /// Refused, or nobody can tell.
    pub fn revoke(&mut self, handle: &Handle, now: Time, rng: &mut Streams) -> Reply<Revocation> {
        if let Some(fault) = self.trouble(now, rng) {
            return Err(fault);
        }
        if self.chance(Trouble::Lost, rng) {
            return Err(self.lose(Effect::Revoke(handle.clone()), now, rng));
        }
        let found = self.take_effect(Effect::Revoke(handle.clone()), now, rng);
        Ok(Revocation {
            found,
            provider_time: Some(now.utc()),
        })
    }

    /// List them, as one replica sees it.
    ///
    /// # Errors
    /// Refused.
    pub fn survey(&self, now: Time, rng: &mut Streams) -> Reply<Survey> {
        if let Some(fault) = self.trouble(now, rng) {
            return Err(fault);
        }
        let replica = rng.plain.index(self.replicas);
        let mut listed = Vec::with_capacity(self.credentials.len());
        let seen = self.credentials.iter();
        listed.extend(seen.filter(|c| c.listed_at(replica, now)).map(|c| Listed {
            handle: c.handle.clone(),
            label: c.label,
            expires_at: Some(c.ends),
        }));
        Ok(Survey {
            listed,
            tombstones: Vec::new(),
            provider_time: Some(now.utc()),
        })
    }

    /// One login, at one replica.
    pub fn verify(&self, handle: &Handle, now: Time, rng: &mut Streams) -> Verdict {
        let answer = if self.chance(Trouble::Unreachable, rng) {
            Answer::CannotTell("connection refused".to_owned())
        } else if self.disabled {
            Answer::Never("the application is disabled".to_owned())
        } else {
            let replica = rng.plain.index(self.replicas);
            let real = self.credentials.iter().find(|c| c.handle == *handle);
            if real.is_some_and(|real| real.works_at(replica, now)) {
                Answer::Works
            } else {
                Answer::NotYet("invalid client".to_owned())
            }
        };
        let provider_time = (!matches!(answer, Answer::CannotTell(_))).then(|| now.utc());
        Verdict {
            answer,
            provider_time,
        }
    }

    /// Look at the target.
    ///
    /// # Errors
    /// Refused.
    pub fn inspect(&self, now: Time, rng: &mut Streams) -> Reply<Inspection> {
        match self.trouble(now, rng) {
            Some(fault) => Err(fault),
            None => Ok(Inspection {
                credential_cap: self.cap,
                lifetime_most: self.lifetime_most,
                provider_time: Some(now.utc()),
            }),
        }
    }
}
