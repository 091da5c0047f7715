//! The clock that interrupts guests. Its thread advances the engine's epoch while a guest runs, and sleeps
//! without any wake-up while none does: an idle daemon stays idle.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use wasmtime::Engine;

/// How often a running guest is asked whether its time is up, and lets other guests run.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Owns the ticking thread, which ends when this is dropped.
pub(crate) struct Ticker(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    running: usize,
    stopped: bool,
}

impl Ticker {
    /// Starts the thread.
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let engine = engine.clone();
        let ticking = Arc::clone(&shared);
        thread::Builder::new()
            .name("guest-ticker".to_owned())
            .spawn(move || ticking.tick(&engine))?;
        Ok(Self(shared))
    }

    /// A handle for a guest that is about to run.
    pub(crate) fn handle(&self) -> TickerHandle {
        TickerHandle(Arc::downgrade(&self.0))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.lock().stopped = true;
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is two plain values: a panic elsewhere can't have left it half-changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick(&self, engine: &Engine) {
        let mut state = self.lock();
        while !state.stopped {
            if state.running == 0 {
                state = self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            } else {
                drop(state);
                thread::sleep(TICK);
                engine.increment_epoch();
                state = self.lock();
            }
        }
    }
}

/// Lends the ticker to guests. Does not keep the thread alive.
#[derive(Clone)]
pub(crate) struct TickerHandle(Weak<Shared>);

impl TickerHandle {
    /// The epoch advances at least while the answer lives.
    pub(crate) fn run(&self) -> Running {
        if let Some(shared) = self.0.upgrade() {
            let mut state = shared.lock();
            state.running += 1;
            if state.running == 1 {
                drop(state);
                shared.changed.notify_one();
            }
        }
        Running(self.clone())
    }
}

/// A guest that runs. Dropped while it waits for the network, so that waiting costs no wake-ups.
pub(crate) struct Running(TickerHandle);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(shared) = self.0.0.upgrade() {
            shared.lock().running -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{EngineKind, Limits};

    #[test]
    fn nothing_ticks_while_no_guest_runs() {
        let engine = crate::engine::build(EngineKind::Pulley, &Limits::default()).unwrap();
        let ticker = Ticker::start(&engine).unwrap();
        let running = || ticker.0.lock().running;
        let (one, two) = (ticker.handle().run(), ticker.handle().run());
        assert_eq!(running(), 2);
        drop(one);
        assert_eq!(running(), 1);
        drop(two);
        assert_eq!(running(), 0);
    }

    #[test]
    fn a_guest_outlives_its_ticker_without_harm() {
        let engine = crate::engine::build(EngineKind::Pulley, &Limits::default()).unwrap();
        let ticker = Ticker::start(&engine).unwrap();
        let handle = ticker.handle();
        drop(ticker);
        drop(handle.run());
    }
}
