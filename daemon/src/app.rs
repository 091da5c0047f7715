//! The daemon's parts, in the order in which they depend on each other: this file is the map.
//!
//! [`App::build`] binds and validates and runs nothing; [`App::run`] starts the parts, says that it is ready,
//! and drains them in order when it is told to stop.

mod age;
mod error;
pub(crate) mod keys;
mod pulse;
mod reload;

use std::io;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix::Actor as _;
use rotord_crash::{Moment, Step as Place, reach};
use rotord_provider::{Admission, CacheSettings, Host, HostSettings, Limits};
use rotord_rotation::Timing;
use rotord_store::{OpenError, Options, Reader, Standing, Store};
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::age::Age;
pub(crate) use self::age::machine_id;
pub use self::error::StartError;
use self::pulse::Pulse;
use self::reload::Reload;
use crate::actors::rotator::{Drain, Equipment, Rotator};
use crate::actors::scheduler::{Begin, Halt, Scheduler};
use crate::actors::store::StoreHandle;
use crate::admin::{self, Admin};
use crate::clock::Clock;
use crate::delivery::credentials::{self, Credentials};
use crate::listen::{self, Sockets};
use crate::providers::Providers;
use crate::settings::{self, InForce, Settings};
use crate::{log, notify};

/// Threads that only read.
const READERS: usize = 2;
/// A stop takes 10 s at most. For so long steps under way are finished, or left to recovery.
const DRAIN: Duration = Duration::from_secs(8);
/// Meanwhile, requests under way are answered for so long.
const DRAIN_SOCKETS: Duration = Duration::from_secs(2);
/// And then the journal is folded in, if that is done so soon: another process may hold the database.
const CLOSE: Duration = Duration::from_millis(1500);

/// Everything that was opened and checked, and does not run yet.
pub struct App {
    settings: Settings,
    clock: Clock,
    timing: Timing,
    store: Store,
    readers: Vec<Reader>,
    age: Age,
    host: Arc<Host>,
    sockets: Sockets,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl App {
    /// Opens the state, sets up the provider host and binds the sockets.
    ///
    /// # Errors
    /// Whatever is wrong, before anything has run.
    pub fn build(settings: Settings) -> Result<Self, StartError> {
        let clock = Clock::of_this_process();
        let timing = settings.timing.scaled();
        if settings.timing.scale < 1.0 {
            tracing::warn!(
                scale = settings.timing.scale,
                "every wait is shortened: this is for trials, not for secrets that are in use"
            );
        }
        let (store, age) = open_store(&settings, clock)?;
        let readers = (0..READERS)
            .map(|_| store.reader())
            .collect::<Result<_, _>>()?;
        let cache = cache_settings(&settings)?;
        let host = Arc::new(Host::new(host_settings(&settings, cache))?);
        let sockets = listen::sockets(&settings)?;
        Ok(Self {
            settings,
            clock,
            timing,
            store,
            readers,
            age,
            host,
            sockets,
        })
    }

    /// Whether what the settings name is there and can be used, the state directory included, as far as that can be
    /// told without a start. Changes nothing, and needs no right to the state directory.
    ///
    /// # Errors
    /// What a start would refuse.
    pub fn check(settings: &Settings) -> Result<Standing, StartError> {
        log::filter(&settings.log)?;
        listen::check_group(&settings.admin)?;
        keys::root_key(&settings.state)
            .check()
            .map_err(OpenError::from)?;
        Host::new(host_settings(settings, None))?;
        let directory = &settings.state.directory;
        let standing = rotord_store::check(directory)?;
        // The unit has the service manager make the usual one.
        let is_made = *directory == settings::State::default().directory;
        if standing == (Standing::Absent { can_be_made: false }) && !is_made {
            return Err(StartError::Store(OpenError::Directory {
                path: directory.clone(),
                source: io::ErrorKind::PermissionDenied.into(),
            }));
        }
        Ok(standing)
    }

    /// Runs until a signal says to stop, and drains.
    ///
    /// # Errors
    /// A part did not start.
    pub async fn run(self) -> Result<(), StartError> {
        // First: from here on a stop is a stop in order, and a reload ends nothing.
        let mut signals = Signals::new().map_err(StartError::Signals)?;
        let installation = self.store.as_reader().installation()?.id;
        let store = StoreHandle::start(self.store, self.readers);
        let providers = Providers::new(self.host, store.clone(), self.clock, self.timing.clone());
        tracing::info!("loading the providers");
        // Compiling may take longer than a stop.
        let rulebook = tokio::select! {
            biased;
            () = signals.stop() => None,
            loaded = providers.load() => Some(loaded?),
        };
        let Some(rulebook) = rulebook else {
            notify::stopping();
            close(&store).await;
            tracing::info!("stopped before anything was begun");
            return Ok(());
        };
        let settings = InForce::new(self.settings);
        let scheduler = Scheduler::new(store.clone(), self.clock).start();
        let rotator = Rotator::new(Equipment {
            store: store.clone(),
            host: Arc::clone(providers.host()),
            clock: self.clock,
            timing: self.timing.clone(),
            installation,
            stale: self.age.stale,
            witness: self.age.witness,
            machine_id: self.age.machine_id,
            scheduler: scheduler.clone().recipient(),
            rulebook,
        })
        .start();
        let credentials = Credentials {
            store: store.clone(),
            clock: self.clock,
            settings: settings.clone(),
        };
        let admin = Admin {
            store: store.clone(),
            rotator: rotator.clone(),
            scheduler: scheduler.clone(),
            providers: providers.clone(),
            clock: self.clock,
            timing: self.timing,
            installation,
            settings: settings.clone(),
        };
        let admin_server =
            admin::serve_admin(self.sockets.admin, admin.clone()).map_err(StartError::Serve)?;
        let reader_server =
            admin::serve_reader(self.sockets.reader, admin).map_err(StartError::Serve)?;
        let handing_over =
            credentials::serve(self.sockets.credentials, credentials).map_err(StartError::Serve)?;
        scheduler.do_send(Begin {
            rotator: rotator.clone().recipient(),
            everyone_told: rotator.clone().recipient(),
        });
        let pulse = Pulse {
            store: store.clone(),
            rotator: rotator.clone(),
            scheduler: scheduler.clone(),
        };
        actix_rt::spawn(pulse.beat());
        notify::ready();
        tracing::info!(version = env!("CARGO_PKG_VERSION"), "ready");

        let reload = Reload {
            settings,
            providers,
            store: store.clone(),
            rotator: rotator.clone(),
            scheduler: scheduler.clone(),
        };
        while signals.next().await == Asked::Reload {
            tokio::select! {
                biased;
                () = signals.stop() => break,
                () = reload.all() => {}
            }
        }

        notify::stopping();
        reach(|| Some(Place::Drain), Moment::Begun);
        tracing::info!("stopping: steps under way are finished, nothing new is begun");
        // Closed mailboxes have nothing to stop. Both are told before anything is waited for.
        scheduler.do_send(Halt);
        let drained = rotator.send(Drain { within: DRAIN });
        let sockets = futures_util::future::join(admin_server.stop(), reader_server.stop());
        let sockets = tokio::time::timeout(DRAIN_SOCKETS, sockets);
        let handed_over = handing_over.stop(DRAIN_SOCKETS);
        let (_, answered, ()) = futures_util::future::join3(drained, sockets, handed_over).await;
        if answered.is_err() {
            tracing::warn!("requests that still waited were cut off; what they asked for goes on");
        }
        reach(|| Some(Place::Drain), Moment::Drained);
        close(&store).await;
        reach(|| Some(Place::Drain), Moment::Folded);
        tracing::info!("stopped");
        Ok(())
    }
}

async fn close(store: &StoreHandle) {
    if tokio::time::timeout(CLOSE, store.close()).await.is_err() {
        tracing::warn!(
            "the database is held: its journal stays beside it, and the two belong together"
        );
    }
}

fn open_store(settings: &Settings, clock: Clock) -> Result<(Store, Age), StartError> {
    let machine_id = machine_id(&settings.state);
    let options = Options {
        kept_versions: NonZeroU32::new(settings.state.secret_versions).unwrap_or(NonZeroU32::MIN),
        machine_id: machine_id.clone(),
        now: clock.now().wall,
        ..Options::default()
    };
    let root_key = keys::root_key(&settings.state);
    let store = Store::open(&settings.state.directory, &root_key, options)?;
    reach(|| Some(Place::Start), Moment::Opened);
    let age = Age::of(&store, &settings.state, machine_id)?;
    reach(|| Some(Place::Start), Moment::Witnessed);
    if let Some(why) = &age.stale {
        tracing::error!(
            "the database may be old: {why}: lost answers are reported and not removed until a person has looked"
        );
    }
    Ok((store, age))
}

fn cache_settings(settings: &Settings) -> Result<Option<CacheSettings>, StartError> {
    let directory = &settings.providers.cache;
    if directory == Path::new("") {
        return Ok(None);
    }
    Ok(Some(CacheSettings {
        directory: directory.clone(),
        key: keys::cache_key(&settings.state.directory)?,
    }))
}

fn host_settings(settings: &Settings, cache: Option<CacheSettings>) -> HostSettings {
    let providers = &settings.providers;
    let Admission {
        directories,
        grants,
    } = admission(settings);
    HostSettings {
        directories,
        engine: providers.engine.into(),
        cache,
        limits: Limits {
            call_time: providers.call_time,
            concurrent_calls: providers.concurrency,
            ..Limits::default()
        },
        grants,
        extra_authorities: providers.extra_ca.clone(),
    }
}

fn admission(settings: &Settings) -> Admission {
    let providers = settings.providers.clone();
    let grants = providers.grants.into_iter();
    Admission {
        directories: providers.directories,
        grants: grants.map(|(slug, grant)| (slug, grant.into())).collect(),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Stop,
    Reload,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Asked to stop; a reload that is asked for as well stays so.
    async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.hangup.recv() => Asked::Reload,
        }
    }
}
