//! Writes to one target are serialised and spaced: two rotations may share an application, and services refuse
//! changes that follow each other too closely.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;

/// Before which instant nobody writes.
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
    spacing: Duration,
}

impl Drop for WriteLock {
    fn drop(&mut self) {
        *self.guard = Some(Instant::now() + self.spacing);
    }
}

impl Targets {
    /// Waits for the target's turn, until the last write's spacing has passed. The next one waits for `spacing` (real
    /// time) after this.
    pub(super) async fn lock(self: &Rc<Self>, target: &str, spacing: Duration) -> WriteLock {
        let slot = {
            let mut locks = self.locks.borrow_mut();
            // Whoever waits or writes holds a second reference; of the others only who is to be waited for is kept.
            let is_free = |slot: &std::sync::Arc<Slot>| {
                std::sync::Arc::strong_count(slot) == 1
                    && slot
                        .try_lock()
                        .is_ok_and(|next| next.is_none_or(|at| at <= Instant::now()))
            };
            locks.retain(|_, slot| !is_free(slot));
            std::sync::Arc::clone(locks.entry(target.to_owned()).or_default())
        };
        let guard = slot.lock_owned().await;
        if let Some(next) = *guard {
            tokio::time::sleep_until(next).await;
        }
        WriteLock { guard, spacing }
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
    async fn another_target_s_spacing_does_not_shorten_this_one_s() {
        tokio::time::pause();
        let targets = Rc::new(Targets::default());
        let start = Instant::now();
        drop(targets.lock("slow", Duration::from_mins(1)).await);
        tokio::time::advance(Duration::from_secs(5)).await;
        drop(targets.lock("quick", Duration::ZERO).await);
        drop(targets.lock("slow", Duration::from_mins(1)).await);
        assert!(start.elapsed() >= Duration::from_mins(1));
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
