//! Writes to one target are serialised and spaced: two rotations may share an application, and services refuse
//! changes that follow each other too closely.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;

type Slot = Mutex<Option<Instant>>;

/// The locks of the targets that are being written to.
#[derive(Debug, Default)]
pub(super) struct Targets {
    locks: RefCell<HashMap<String, std::sync::Arc<Slot>>>,
}

/// The right to write to a target; the spacing counts from when it is dropped.
#[derive(Debug)]
pub(super) struct WriteLock {
    guard: OwnedMutexGuard<Option<Instant>>,
}

impl Drop for WriteLock {
    fn drop(&mut self) {
        *self.guard = Some(Instant::now());
    }
}

impl Targets {
    /// Waits for the target's turn and until `spacing` (real time) has passed since its last write.
    pub(super) async fn lock(self: &Rc<Self>, target: &str, spacing: Duration) -> WriteLock {
        let slot = {
            let mut locks = self.locks.borrow_mut();
            // Whoever waits or writes holds a second reference; the others' last write is long past.
            let long_past = |slot: &std::sync::Arc<Slot>| {
                std::sync::Arc::strong_count(slot) == 1
                    && slot
                        .try_lock()
                        .is_ok_and(|last| last.is_none_or(|at| at.elapsed() > spacing * 2))
            };
            locks.retain(|_, slot| !long_past(slot));
            std::sync::Arc::clone(locks.entry(target.to_owned()).or_default())
        };
        let guard = slot.lock_owned().await;
        if let Some(last) = *guard {
            tokio::time::sleep_until(last + spacing).await;
        }
        WriteLock { guard }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_rt::test]
    async fn writes_to_one_target_are_apart_and_to_two_are_not() {
        tokio::time::pause();
        let targets = Rc::new(Targets::default());
        let spacing = Duration::from_secs(5);
        let start = Instant::now();
        drop(targets.lock("a", spacing).await);
        drop(targets.lock("b", spacing).await);
        assert_eq!(start.elapsed(), Duration::ZERO);
        drop(targets.lock("a", spacing).await);
        assert!(start.elapsed() >= spacing && start.elapsed() < spacing * 2);
    }

    #[actix_rt::test]
    async fn a_second_writer_waits_for_the_first_to_end() {
        tokio::time::pause();
        let targets = Rc::new(Targets::default());
        let first = targets.lock("a", Duration::ZERO).await;
        let second = targets.lock("a", Duration::ZERO);
        let waited = tokio::time::timeout(Duration::from_secs(1), second).await;
        assert!(waited.is_err());
        drop(first);
        targets.lock("a", Duration::ZERO).await;
    }
}
