//! One instance and one call: a fresh store with its limits, from the guest's first instruction to its
//! last.

pub(crate) mod limiter;
mod output;
mod state;

use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio::time::timeout;
use wasmtime::{Engine, Store, UpdateDeadline};

use self::limiter::OverMemory;
pub(crate) use self::state::GuestState;
use crate::bindings::{Guest, GuestPre};
use crate::contract::Timestamp;
use crate::http::{Connector, EgressPolicy, HttpSession};
use crate::log::GuestLog;
use crate::outcome::{CallError, TrapKind};
use crate::scrub::Scrubber;
use crate::settings::Limits;
use crate::ticker::TickerHandle;

/// What a guest may push to the host at once is told by the engine with this text and no type.
const OVER_OUTPUT: &str = "fuel allocated for hostcalls has been exhausted";

/// What stands before the place of a panic, in Rust's own words and in the SDK's.
const PANICKED: &str = "panicked at";

/// Handles that a guest may hold, of any kind.
const MOST_RESOURCES: usize = 1024;

/// Runs guests. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Runner {
    pub(crate) engine: Engine,
    pub(crate) ticker: TickerHandle,
    pub(crate) connector: Connector,
    pub(crate) limits: Limits,
}

/// One call to be made.
pub(crate) struct Job {
    /// For the log.
    pub(crate) provider: String,
    /// For the log.
    pub(crate) call: &'static str,
    pub(crate) pre: GuestPre<GuestState>,
    pub(crate) policy: EgressPolicy,
    pub(crate) scrubber: Scrubber,
    pub(crate) time: Duration,
}

/// How a call ended, before its answer was looked at.
pub(crate) struct Ended<T> {
    pub(crate) result: Result<T, CallError>,
    pub(crate) provider_time: Option<Timestamp>,
    pub(crate) requests: u32,
    pub(crate) duration: Duration,
    pub(crate) finished: Finished,
}

/// What has to be done once everything secret in the answer is known: write out what the guest said.
pub(crate) struct Finished {
    provider: String,
    call: &'static str,
    log: GuestLog,
    output: String,
    pub(crate) scrubber: Scrubber,
}

impl Finished {
    /// Writes the guest's lines to the log.
    pub(crate) fn write_log(self) {
        let Self {
            provider,
            call,
            log,
            output,
            scrubber,
        } = self;
        log.flush(&provider, call, &scrubber);
        if !output.is_empty() {
            let output = scrubber.strict_line(&output, output::LONGEST);
            tracing::debug!(target: "rotord_provider::guest", provider, call, "standard output: {output}");
        }
    }
}

impl Runner {
    /// Makes the call on the current task. The store, and with it all that the guest had, is gone when this
    /// returns.
    pub(crate) async fn run<T, F>(&self, job: Job, call: F) -> Ended<T>
    where
        T: Send,
        F: for<'a> FnOnce(
                &'a mut Store<GuestState>,
                &'a Guest,
            ) -> BoxFuture<'a, wasmtime::Result<T>>
            + Send,
    {
        let Job {
            provider,
            call: name,
            pre,
            policy,
            scrubber,
            time,
        } = job;
        let started = Instant::now();
        let deadline = started + time;
        let session = HttpSession::new(
            provider.clone(),
            name,
            self.connector.clone(),
            policy,
            self.limits.clone(),
            deadline,
        );
        let log = GuestLog::new(self.limits.log_lines, self.limits.log_line);
        let state = GuestState::new(&self.limits, self.ticker.clone(), session, log, scrubber);
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(self.limits.output);
        store.set_max_component_handles(MOST_RESOURCES);
        // Set before instantiation, since start functions run too. The callback catches a guest that spins,
        // the time-out below one that waits.
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |mut store| {
            let now = Instant::now();
            Ok(if now >= deadline {
                UpdateDeadline::Interrupt
            } else if store.data_mut().may_go_on(now) {
                UpdateDeadline::Continue(1)
            } else {
                UpdateDeadline::Yield(1)
            })
        });

        let mut instantiated = false;
        let run = async {
            let guest = pre.instantiate_async(&mut store).await?;
            instantiated = true;
            call(&mut store, &guest).await
        };
        let result = match timeout(time, run).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                let state = store.data();
                Err(self.explain(&error, state, deadline, time, instantiated))
            }
            Err(_) => Err(CallError::TimedOut { limit: time }),
        };

        let state = store.into_data();
        state.http.finish();
        Ended {
            result,
            provider_time: state.http.last_date(),
            requests: state.http.sent(),
            duration: started.elapsed(),
            finished: Finished {
                provider,
                call: name,
                output: state.output.contents(),
                log: state.log,
                scrubber: state.scrubber,
            },
        }
    }

    fn explain(
        &self,
        error: &wasmtime::Error,
        state: &GuestState,
        deadline: Instant,
        time: Duration,
        instantiated: bool,
    ) -> CallError {
        use wasmtime::Trap;

        if error.is::<OverMemory>() {
            return CallError::MemoryLimit {
                limit: self.limits.memory,
            };
        }
        let scrubber = &state.scrubber;
        let message = scrubber.strict_line(&format!("{:#}", error.root_cause()), 512);
        if message.contains(OVER_OUTPUT) {
            return CallError::OutputLimit {
                limit: self.limits.output,
            };
        }
        let kind = match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) if Instant::now() >= deadline => {
                return CallError::TimedOut { limit: time };
            }
            Some(Trap::UnreachableCodeReached) => {
                return CallError::Trap {
                    kind: TrapKind::Panicked,
                    message: panicked(state),
                };
            }
            Some(Trap::StackOverflow) => TrapKind::StackOverflow,
            Some(Trap::MemoryOutOfBounds | Trap::TableOutOfBounds) => TrapKind::OutOfBounds,
            None if !instantiated => {
                return CallError::Instantiation(scrubber.strict_line(&format!("{error:#}"), 1000));
            }
            _ => TrapKind::Other,
        };
        CallError::Trap { kind, message }
    }
}

/// What a guest said of its panic: by the engine's words it only reached what is not to be reached. Providers that are
/// written with the SDK log where it was; others' words are on their standard error.
fn panicked(state: &GuestState) -> String {
    let output = state.output.contents();
    let complaint = || output.lines().find(|line| line.contains(PANICKED));
    let said = state.log.last_with(PANICKED).or_else(complaint);
    let Some((_, place)) = said.and_then(|said| said.split_once(PANICKED)) else {
        return "it did not say where; what it said before is in the daemon's log".to_owned();
    };
    let place = state.scrubber.strict_line(place.trim_end_matches(':'), 512);
    format!("at{place} (what it said before is in the daemon's log)")
}
