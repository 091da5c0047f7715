//! How a provider behaves.

use std::sync::{Mutex, PoisonError};

use crate::outcome::CallOutcome;

/// How a provider has behaved since it was loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// Calls that were made.
    pub calls: u64,
    /// Calls that ended with a fault of the provider's own word.
    pub faults: u64,
    /// Calls that ended because the provider misbehaved: traps, limits, answers that break the contract.
    pub misbehaviours: u64,
    /// The last calls that all did so.
    pub misbehaviours_in_a_row: u32,
    /// The last one, in words.
    pub last_misbehaviour: Option<String>,
}

#[derive(Default)]
pub(crate) struct HealthRecord(Mutex<Health>);

impl HealthRecord {
    pub(crate) fn snapshot(&self) -> Health {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn note<T>(&self, outcome: &CallOutcome<T>) {
        let mut health = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        health.calls += 1;
        match &outcome.result {
            Err(error) if error.is_misbehaviour() => {
                health.misbehaviours += 1;
                health.misbehaviours_in_a_row = health.misbehaviours_in_a_row.saturating_add(1);
                health.last_misbehaviour = Some(error.to_string());
            }
            result => {
                health.faults += u64::from(result.is_err());
                health.misbehaviours_in_a_row = 0;
            }
        }
    }
}
