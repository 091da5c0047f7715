//! A model of the provider: replicas with lags of their own, lost and late effects, refusals, a cap, a policy.

mod calls;
mod real;

use std::time::Duration;

use chrono::TimeDelta;
use rotord_rotation::{FaultKind, Handle, Label};

pub use self::calls::{Effect, Reply};
pub use self::real::{Change, Owner, Real, Spread};
use crate::clock::Time;
use crate::fault::{Fault, Strengths};
use crate::rng::{Rng, Streams};
use crate::scenario::Scenario;

/// How long a change takes at most until every list shows it: what the provider declares.
pub const PROPAGATION: Duration = Duration::from_mins(20);

/// The provider.
#[derive(Debug, Clone)]
pub struct Provider {
    replicas: usize,
    lag: Duration,
    cap: Option<u32>,
    faults: Strengths,
    /// Calls may go wrong.
    pub troubled: bool,
    /// What is there, or was a short while ago.
    pub credentials: Vec<Real>,
    /// What is gone for everyone.
    pub history: Vec<Real>,
    /// Everything is refused like this.
    pub refusing: Option<FaultKind>,
    /// No login can work.
    pub disabled: bool,
    /// The longest life allowed.
    pub lifetime_most: Option<Duration>,
    late: Vec<(Time, Effect)>,
    issued: u64,
}

impl Provider {
    /// With others' credentials in place.
    pub fn new(scenario: &Scenario, now: Time) -> Self {
        let mut provider = Self {
            replicas: scenario.replicas.max(1) as usize,
            lag: scenario.lag(),
            cap: scenario.cap,
            faults: scenario.faults.clone(),
            troubled: true,
            credentials: Vec::new(),
            history: Vec::new(),
            refusing: None,
            disabled: false,
            lifetime_most: None,
            late: Vec::new(),
            issued: 0,
        };
        for _ in 0..scenario.others {
            provider.add_foreign(now);
        }
        provider
    }

    /// Nothing goes wrong any more, but for the lags.
    pub fn calm_down(&mut self) {
        self.troubled = false;
        self.refusing = None;
        self.disabled = false;
        self.lifetime_most = None;
    }

    /// One more of nobody that rotord knows.
    pub fn add_foreign(&mut self, now: Time) -> Handle {
        let made = Change {
            logins: Spread::at_once(now, self.replicas),
            lists: Spread::at_once(now, self.replicas),
        };
        self.add(Owner::Foreign, None, now + TimeDelta::days(3000), made)
    }

    /// One more, with a label of rotord that is not the played rotation's.
    pub fn add_labelled(&mut self, owner: Owner, label: Label, now: Time, rng: &mut Streams) {
        let made = self.change(now, rng);
        self.add(owner, Some(label), now + TimeDelta::days(100), made);
    }

    fn add(
        &mut self,
        owner: Owner,
        label: Option<Label>,
        expires_at: Time,
        made: Change,
    ) -> Handle {
        self.issued += 1;
        let handle = Handle(format!("key-{}", self.issued));
        self.credentials.push(Real {
            handle: handle.clone(),
            owner,
            label,
            expires_at,
            ends: expires_at.utc(),
            made,
            removed: None,
            removed_outside: false,
            published: false,
            not_before: None,
            word: false,
            adopted: false,
        });
        handle
    }

    /// Somebody other than rotord removes it.
    pub fn remove_outside(&mut self, handle: &Handle, now: Time, rng: &mut Streams) {
        let change = self.change(now, rng);
        if let Some(real) = self.real_mut(handle) {
            real.removed.get_or_insert(change);
            real.removed_outside = true;
        }
    }

    /// How a change becomes known.
    fn change(&self, now: Time, rng: &mut Streams) -> Change {
        let flaps = |rng: &mut Streams| {
            let strength = self.faults.of(Fault::Flapping);
            rng.of(Fault::Flapping).per_mille(strength)
        };
        let slow = {
            let strength = self.faults.of(Fault::ListLag);
            rng.of(Fault::ListLag).per_mille(strength)
        };
        let list_lag = if slow {
            PROPAGATION
        } else {
            self.lag.min(PROPAGATION)
        };
        let (flap_logins, flap_lists) = (flaps(rng), flaps(rng));
        let plain = &mut rng.plain;
        Change {
            logins: Spread::lagging(now, self.replicas, self.lag, flap_logins, plain),
            lists: Spread::lagging(now, self.replicas, list_lag, flap_lists, plain),
        }
    }

    /// The credential with this handle, past or present: one of the newest, mostly.
    pub fn real(&self, handle: &Handle) -> Option<&Real> {
        let mut all = self.credentials.iter().rev().chain(&self.history);
        all.find(|real| real.handle == *handle)
    }

    /// The same, to be changed.
    pub fn real_mut(&mut self, handle: &Handle) -> Option<&mut Real> {
        let mut all = self.credentials.iter_mut().rev().chain(&mut self.history);
        all.find(|real| real.handle == *handle)
    }

    /// What lives and belongs to this owner.
    pub fn living(&self, owner: Owner, now: Time) -> impl Iterator<Item = &Real> {
        let lives = move |real: &&Real| real.owner == owner && real.lives(now);
        self.credentials.iter().filter(lives)
    }

    /// One of the owner's that live.
    pub fn any_living(&self, owner: Owner, now: Time, rng: &mut Rng) -> Option<Handle> {
        let living: Vec<_> = self.living(owner, now).map(|real| &real.handle).collect();
        rng.pick(&living).map(|handle| (*handle).clone())
    }

    /// Another one fits.
    pub fn has_room(&self, now: Time) -> bool {
        let live = self.credentials.iter().filter(|c| c.lives(now)).count();
        self.cap.is_none_or(|cap| live < cap as usize)
    }

    /// Late effects come, and what everyone has forgotten goes out of the way.
    pub fn tick(&mut self, now: Time, rng: &mut Streams) -> bool {
        if self.credentials.len() > 8 && self.credentials.iter().any(|c| c.is_history(now)) {
            let (history, rest) = std::mem::take(&mut self.credentials)
                .into_iter()
                .partition(|c| c.is_history(now));
            self.credentials = rest;
            let history: Vec<Real> = history;
            self.history.extend(history);
        }
        if self.late.iter().all(|(at, _)| *at > now) {
            return false;
        }
        let (come, rest) = std::mem::take(&mut self.late)
            .into_iter()
            .partition(|(at, _)| *at <= now);
        self.late = rest;
        let come: Vec<(Time, Effect)> = come;
        for (_, effect) in come {
            self.take_effect(effect, now, rng);
        }
        true
    }

    /// A call whose caller is gone may still be on its way.
    pub fn later(&mut self, effect: Effect, at: Time) {
        self.late.push((at, effect));
    }

    /// Labels under which something may still be created.
    pub fn expected(&self) -> impl Iterator<Item = Label> {
        self.late.iter().filter_map(|(_, effect)| match effect {
            Effect::Issue { label, .. } => Some(*label),
            Effect::Revoke(_) => None,
        })
    }

    /// A removal of it is still on its way.
    pub fn expects_removal(&self, handle: &Handle) -> bool {
        let same = |(_, effect): &(_, Effect)| matches!(effect, Effect::Revoke(h) if h == handle);
        self.late.iter().any(same)
    }
}
