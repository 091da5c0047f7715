//! From a file to a provider: compiled, linked, instantiated and asked to describe itself, each of which
//! may show that it is none.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustix::fs::OFlags;
use rustix::io::Errno;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use super::report::{LoadError, Loaded, PluginReport};
use super::writable::warn_if_others_can_write;
use crate::bindings::GuestPre;
use crate::cache::{Cache, sha256_hex};
use crate::contract::Slug;
use crate::convert;
use crate::guest::{GuestState, Job};
use crate::http::EgressPolicy;
use crate::outcome::CallError;
use crate::provider::{Lane, Provider};
use crate::scrub::Scrubber;
use crate::settings::{Admission, HostSettings, Limits};

/// The contract that this host speaks. A later 0.1.x with more in it works too.
const SPOKEN: &str = "rotor:provider@0.1";

/// Parts of WASI that link. There is nothing behind most of them.
const WASI: [&str; 7] = [
    "cli",
    "clocks",
    "filesystem",
    "http",
    "io",
    "random",
    "sockets",
];

/// Loads files.
pub(super) struct Loader {
    engine: Engine,
    linker: Linker<GuestState>,
    cache: Option<Cache>,
    lane: Lane,
    limits: Limits,
    admission: RwLock<Arc<Admission>>,
}

/// A component that links, not yet asked what it is.
struct Compiled {
    pre: GuestPre<GuestState>,
    digest: String,
}

/// What a look at a file showed.
enum Seen {
    Unchanged(Arc<Provider>),
    New(Compiled),
}

impl Loader {
    pub(super) fn new(
        engine: Engine,
        linker: Linker<GuestState>,
        cache: Option<Cache>,
        lane: Lane,
        settings: HostSettings,
    ) -> Self {
        Self {
            engine,
            linker,
            cache,
            lane,
            limits: settings.limits,
            admission: RwLock::new(Arc::new(Admission {
                directories: settings.directories,
                grants: settings.grants,
            })),
        }
    }

    pub(super) fn admission(&self) -> Arc<Admission> {
        let admission = self.admission.read();
        Arc::clone(&admission.unwrap_or_else(PoisonError::into_inner))
    }

    /// For the next load.
    pub(super) fn admit(&self, admission: Admission) {
        let mut now = self
            .admission
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *now = Arc::new(admission);
    }

    /// Looks at every file. `before` is what is loaded now.
    pub(super) async fn load_all(
        self: &Arc<Self>,
        before: &[Arc<Provider>],
    ) -> (Vec<PluginReport>, BTreeMap<Slug, Arc<Provider>>) {
        let mut reports = Vec::new();
        let mut now: BTreeMap<Slug, Arc<Provider>> = BTreeMap::new();
        let admission = self.admission();
        for (file, found) in scan(&admission.directories) {
            let previous = before.iter().find(|provider| provider.file() == file);
            let loaded = match found {
                Ok(()) => self.load(&file, previous).await,
                Err(e) => Err(LoadError::Unreadable(e)),
            };
            let result = loaded.and_then(|provider| {
                if let Some(first) = now.get(provider.slug()) {
                    return Err(LoadError::DuplicateSlug {
                        slug: provider.slug().clone(),
                        first: first.file().to_owned(),
                    });
                }
                now.insert(provider.slug().clone(), Arc::clone(&provider));
                let description = provider.description();
                Ok(Loaded {
                    slug: description.slug.clone(),
                    title: description.title.clone(),
                    version: description.version.clone(),
                    digest: provider.digest().to_owned(),
                    unchanged: previous.is_some_and(|previous| Arc::ptr_eq(previous, &provider)),
                })
            });
            reports.push(PluginReport {
                file,
                result,
                kept: None,
            });
        }
        // What a file held before it was spoilt stays, unless its slug has gone to another file.
        for report in reports.iter_mut().filter(|report| report.result.is_err()) {
            let previous = before
                .iter()
                .find(|provider| provider.file() == report.file);
            if let Some(previous) = previous
                && !now.contains_key(previous.slug())
            {
                now.insert(previous.slug().clone(), Arc::clone(previous));
                report.kept = Some(previous.slug().clone());
            }
        }
        if let Some(cache) = &self.cache {
            cache.prune();
        }
        for (slug, provider) in &mut now {
            let grant = admission.grants.get(slug).cloned().unwrap_or_default();
            *provider = provider.granted(grant);
        }
        (reports, now)
    }

    async fn load(
        self: &Arc<Self>,
        file: &Path,
        previous: Option<&Arc<Provider>>,
    ) -> Result<Arc<Provider>, LoadError> {
        let (this, path, previous) = (Arc::clone(self), file.to_owned(), previous.cloned());
        // Reading and compiling take the time that they take: on a thread for that.
        let seen = tokio::task::spawn_blocking(move || this.see(&path, previous)).await;
        let compiled = match seen.map_err(|e| LoadError::Host(e.to_string()))?? {
            Seen::Unchanged(provider) => return Ok(provider),
            Seen::New(compiled) => compiled,
        };
        self.describe(file, compiled).await.map(Arc::new)
    }

    fn see(&self, file: &Path, previous: Option<Arc<Provider>>) -> Result<Seen, LoadError> {
        let wasm = self.read(file)?;
        let digest = sha256_hex(&wasm);
        if let Some(previous) = previous
            && previous.digest() == digest
        {
            return Ok(Seen::Unchanged(previous));
        }
        require_component(&wasm)?;
        let component = match &self.cache {
            Some(cache) => cache.load(&self.engine, &wasm, &digest),
            None => Component::new(&self.engine, &wasm),
        };
        let component = component.map_err(|e| not_compiled(&e))?;
        require_contract(&component, &self.engine)?;
        let pre = self
            .linker
            .instantiate_pre(&component)
            .map_err(|e| LoadError::Mismatch(words(&e)))?;
        let pre = GuestPre::new(pre).map_err(|e| LoadError::Mismatch(words(&e)))?;
        Ok(Seen::New(Compiled { pre, digest }))
    }

    fn read(&self, file: &Path) -> Result<Vec<u8>, LoadError> {
        let limit = self.limits.component;
        let mut wasm = Vec::new();
        // A pipe of this name would be waited for until somebody writes to it.
        let opened = fs::OpenOptions::new()
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(file)
            .map_err(LoadError::Unreadable)?;
        let found = opened.metadata().map_err(LoadError::Unreadable)?;
        if !found.is_file() {
            return Err(LoadError::NotAFile);
        }
        warn_if_others_can_write(file, &found);
        opened
            .take(limit.saturating_add(1))
            .read_to_end(&mut wasm)
            .map_err(LoadError::Unreadable)?;
        if wasm.len() as u64 > limit {
            return Err(LoadError::TooLarge { limit });
        }
        Ok(wasm)
    }

    /// The trial: an instance that can reach nothing is asked what it is. A component that names the
    /// contract and differs from it in what it exports shows only here.
    async fn describe(&self, file: &Path, compiled: Compiled) -> Result<Provider, LoadError> {
        let job = Job {
            provider: file
                .file_stem()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            call: "describe",
            pre: compiled.pre.clone(),
            policy: EgressPolicy::default(),
            scrubber: Scrubber::default(),
            time: self.limits.describe_time,
        };
        let ended = self
            .lane
            .runner
            .run(job, |store, guest| {
                Box::pin(async move { guest.rotor_provider_provider().call_describe(store).await })
            })
            .await;
        ended.finished.write_log();
        let described = ended.result.map_err(|error| match error {
            CallError::Instantiation(reason) => LoadError::Mismatch(reason),
            error => LoadError::Describe(error),
        })?;
        let description = convert::description(described).map_err(LoadError::InvalidDescription)?;
        Ok(Provider::new(
            description,
            compiled.digest,
            file.to_owned(),
            compiled.pre,
            self.lane.clone(),
        ))
    }
}

/// Of a component that is no good there is no error number: that is the system's.
fn not_compiled(error: &wasmtime::Error) -> LoadError {
    match error.root_cause().downcast_ref::<Errno>() {
        Some(&errno @ (Errno::ACCESS | Errno::PERM)) => LoadError::NotExecutable(errno.into()),
        Some(_) => LoadError::Host(words(error)),
        None => LoadError::NotAComponent(words(error)),
    }
}

/// The component files, in the order of the directories and then of their names. A directory that
/// can't be read is one entry; one that does not exist is none.
fn scan(directories: &[PathBuf]) -> Vec<(PathBuf, io::Result<()>)> {
    let mut all = Vec::new();
    for directory in directories {
        let entries = fs::read_dir(directory).and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<io::Result<Vec<PathBuf>>>()
        });
        match entries {
            Ok(mut files) => {
                if let Ok(found) = fs::metadata(directory) {
                    warn_if_others_can_write(directory, &found);
                }
                files.retain(|file| file.extension().is_some_and(|end| end == "wasm"));
                files.sort();
                all.extend(files.into_iter().map(|file| (file, Ok(()))));
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => all.push((directory.clone(), Err(e))),
        }
    }
    all
}

/// The first eight bytes tell a component from a module, and both from the rest.
fn require_component(wasm: &[u8]) -> Result<(), LoadError> {
    let no = |what: &str| Err(LoadError::NotAComponent(what.to_owned()));
    match wasm.get(..8) {
        Some([0, b'a', b's', b'm', _, _, 1, 0]) => Ok(()),
        Some([0, b'a', b's', b'm', 1, 0, 0, 0]) => {
            no("a core module: build it for the component model (see plugins/)")
        }
        Some([0, b'a', b's', b'm', ..]) => no("an unknown version of the format"),
        _ => no("it does not begin like WebAssembly"),
    }
}

/// Looks at the names alone, so that what is wrong can be said in words.
fn require_contract(component: &Component, engine: &Engine) -> Result<(), LoadError> {
    let kind = component.component_type();
    let mut is_provider = false;
    for (name, _) in kind.exports(engine) {
        match name.strip_prefix("rotor:provider/provider") {
            Some("@0.1.0") => is_provider = true,
            Some(version) if is_spoken(version) => is_provider = true,
            Some(_) => return Err(other_contract(name)),
            None => {}
        }
    }
    for (name, _) in kind.imports(engine) {
        let (interface, version) = name.split_at(name.find('@').unwrap_or(name.len()));
        if let Some(part) = interface.strip_prefix("rotor:provider/") {
            if !is_spoken(version) {
                return Err(other_contract(name));
            }
            if !["description", "http", "log", "types"].contains(&part) {
                return Err(LoadError::ForeignImport(name.to_owned()));
            }
        } else {
            let package = interface
                .strip_prefix("wasi:")
                .and_then(|rest| rest.split('/').next());
            if !package.is_some_and(|package| WASI.contains(&package))
                || !version.starts_with("@0.2.")
            {
                return Err(LoadError::ForeignImport(name.to_owned()));
            }
        }
    }
    if is_provider {
        Ok(())
    } else {
        Err(LoadError::NotAProvider)
    }
}

fn is_spoken(version: &str) -> bool {
    version
        .strip_prefix("@0.1.")
        .is_some_and(|patch| patch.parse::<u32>().is_ok())
}

fn other_contract(found: &str) -> LoadError {
    LoadError::OtherContract {
        found: Scrubber::default().line(found, 200),
        spoken: SPOKEN,
    }
}

/// The whole chain, since wasmtime puts what matters last.
fn words(error: &wasmtime::Error) -> String {
    Scrubber::default().line(&format!("{error:#}"), 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_refuses_is_not_said_of_the_component() {
        for errno in [Errno::ACCESS, Errno::PERM] {
            let refused = wasmtime::Error::new(errno).context("unable to make memory executable");
            let said = not_compiled(&refused);
            assert!(matches!(said, LoadError::NotExecutable(_)), "{said}");
        }
        let full = wasmtime::Error::new(Errno::NOMEM).context("mmap failed");
        let said = not_compiled(&full);
        assert!(matches!(said, LoadError::Host(_)), "{said}");
        let damaged = wasmtime::Error::msg("bad magic number");
        let said = not_compiled(&damaged);
        assert!(matches!(said, LoadError::NotAComponent(_)), "{said}");
    }
}
