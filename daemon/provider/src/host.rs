//! The host as a whole: its engine, its threads, and the registry of what was dropped in.

mod load;
mod report;
mod writable;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::runtime::{self, Runtime};
use tokio::sync::{Mutex, Semaphore};
use wasmtime::component::Linker;

use self::load::Loader;
pub use self::report::{LoadError, Loaded, PluginReport};
use crate::cache::Cache;
use crate::contract::Slug;
use crate::engine;
use crate::guest::{GuestState, Runner};
use crate::http::{Authorities, Connector};
use crate::provider::{Lane, Provider, Turn};
use crate::settings::{Admission, HostSettings};
use crate::ticker::Ticker;

/// Threads on which guests run: calls wait for the network nearly all of their time.
const THREADS: usize = 2;

/// Runs providers. Has threads of its own, so that a guest never holds up its caller's.
///
/// Dropping it ends the calls under way without waiting for them.
pub struct Host {
    loader: Arc<Loader>,
    registry: Arc<Registry>,
    /// Present until it is dropped.
    runtime: Option<Runtime>,
    _ticker: Ticker,
}

/// Why there is no host.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The engine can't be built, which no setting should cause.
    #[error("the WebAssembly engine can't be started: {0:#}")]
    Engine(wasmtime::Error),
    /// The system gives no threads.
    #[error("the threads for providers can't be started")]
    Threads(#[source] std::io::Error),
    /// A file of certificate authorities is no good.
    #[error("{0}")]
    Authorities(String),
}

/// What is loaded now.
#[derive(Default)]
struct Registry {
    providers: RwLock<BTreeMap<Slug, Arc<Provider>>>,
    /// Held while files are looked at: one after the other.
    loading: Mutex<()>,
}

impl Host {
    /// Starts the host. Loads nothing yet. Needs no async runtime around it.
    ///
    /// # Errors
    ///
    /// Where a file of certificate authorities is no good, or the system gives no threads.
    pub fn new(settings: HostSettings) -> Result<Self, HostError> {
        let engine = engine::build(settings.engine, &settings.limits).map_err(HostError::Engine)?;
        let linker: Linker<GuestState> = engine::linker(&engine).map_err(HostError::Engine)?;
        let authorities = Authorities::read(&settings.extra_authorities)
            .map_err(|e| HostError::Authorities(crate::http::chain(&e)))?;
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .max_blocking_threads(16)
            .thread_name("provider")
            // A guest that spins yields each tick; the timers must not wait for dozens of those.
            .event_interval(2)
            .enable_all()
            .build()
            .map_err(HostError::Threads)?;
        let ticker = Ticker::start(&engine).map_err(HostError::Threads)?;
        let lane = Lane {
            runner: Runner {
                engine: engine.clone(),
                ticker: ticker.handle(),
                connector: Connector::new(authorities),
                limits: settings.limits.clone(),
            },
            runtime: runtime.handle().clone(),
            turns: Arc::new(Semaphore::new(settings.limits.concurrent_calls.max(1))),
        };
        let cache = settings.cache.as_ref().and_then(Cache::open);
        Ok(Self {
            loader: Arc::new(Loader::new(engine, linker, cache, lane, settings)),
            registry: Arc::default(),
            runtime: Some(runtime),
            _ticker: ticker,
        })
    }

    /// Loads what lies in the plugin directories, and forgets what no longer does.
    ///
    /// One bad file never stops the rest. A file that has not changed is not loaded again. Where a file
    /// has changed and its new content can't be loaded, the provider that was loaded from it before stays.
    /// Calls under way finish on what they began with.
    pub async fn load_all(&self) -> Vec<PluginReport> {
        let (loader, registry) = (Arc::clone(&self.loader), Arc::clone(&self.registry));
        let Some(runtime) = &self.runtime else {
            return Vec::new();
        };
        let task = runtime.spawn(async move {
            let _one_at_a_time = registry.loading.lock().await;
            let before = registry.all();
            let (reports, now) = loader.load_all(&before).await;
            *registry
                .providers
                .write()
                .unwrap_or_else(PoisonError::into_inner) = now;
            reports
        });
        task.await.unwrap_or_default()
    }

    /// Looks into these directories from now on, grants this, and loads what lies there. What is withheld is withheld
    /// from the next call on, even from a provider whose file can't be loaded any more.
    pub async fn reload(&self, admission: Admission) -> Vec<PluginReport> {
        self.loader.admit(admission);
        self.load_all().await
    }

    /// The provider with this slug, if it is loaded.
    pub fn provider(&self, slug: &str) -> Option<Arc<Provider>> {
        self.registry
            .providers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(slug)
            .cloned()
    }

    /// Waits for the turn of the provider with this slug. None where it is not loaded, or is no more when its turn has
    /// come.
    pub async fn turn(&self, slug: &str) -> Option<Turn> {
        let turn = self.provider(slug)?.turn().await;
        Some(turn.with(self.provider(slug)?))
    }

    /// All loaded providers, by slug.
    pub fn providers(&self) -> Vec<Arc<Provider>> {
        self.registry.all()
    }

    /// The directories that are looked into.
    pub fn directories(&self) -> Vec<PathBuf> {
        self.loader.admission().directories.clone()
    }
}

impl Registry {
    fn all(&self) -> Vec<Arc<Provider>> {
        self.providers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting would block, which an async caller must not.
            runtime.shutdown_background();
        }
    }
}
