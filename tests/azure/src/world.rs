//! Everything that changes while the stand-in runs, behind one lock.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::behaviour::Behaviour;
use crate::clock::Clock;
use crate::config::Cloud;
use crate::fault::Rules;
use crate::jwt::SigningKey;
use crate::model::{Lags, Surface, Tenant, View};
use crate::record::Record;
use crate::throttle::Meter;

/// The state.
#[derive(Debug)]
pub struct World {
    /// The directory.
    pub tenant: Tenant,
    /// Which cloud it plays.
    pub cloud: Cloud,
    /// The knobs.
    pub behaviour: Behaviour,
    /// The faults in force.
    pub rules: Rules,
    /// What was asked and answered.
    pub record: Record,
    /// What was spent.
    pub meter: Meter,
    /// The ids of assertions used.
    pub used_assertions: HashSet<String>,
    /// Where chance comes from.
    pub rng: fastrand::Rng,
    /// Signs access tokens.
    pub key: SigningKey,
}

impl World {
    /// Draws where a request looks.
    pub fn view(&mut self, surface: Surface) -> View {
        View::draw(
            surface,
            self.behaviour.replicas,
            self.behaviour.flapping,
            &mut self.rng,
        )
    }
}

/// The state and its clock, shared by connections and handle.
#[derive(Debug)]
pub struct Shared {
    /// The time.
    pub clock: Clock,
    world: Mutex<World>,
}

impl Shared {
    /// Wraps a state.
    pub fn new(clock: Clock, world: World) -> Self {
        Self {
            clock,
            world: Mutex::new(world),
        }
    }

    /// The state. A panic of another holder is that test's failure, not everybody's.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Changes that no replica lags behind.
pub(crate) const NO_LAGS: Lags = Lags {
    token: crate::model::Lag {
        min_ms: 0,
        max_ms: 0,
    },
    read: crate::model::Lag {
        min_ms: 0,
        max_ms: 0,
    },
    lookup: crate::model::Lag {
        min_ms: 0,
        max_ms: 0,
    },
};
