//! The providers that are loaded, what became of each file, and the bounds of all that were ever described.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use rotord_api::catalogue::Entry;
use rotord_provider::contract::ProviderDescription;
use rotord_provider::{Admission, Host, LoadError, PluginReport};
use rotord_rotation::Timing;

use crate::actors::rotator::Rulebook;
use crate::actors::store::{Failed, StoreHandle};
use crate::calls;
use crate::clock::Clock;
use crate::codes;

/// What became of one file, in words that outlive the load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// The file.
    pub file: PathBuf,
    /// The provider's slug and version, or why it was not loaded.
    pub result: Result<(String, String), NotLoaded>,
    /// The provider that serves in the place of what was not loaded: the file's older content, or another file.
    pub serves: Option<String>,
}

/// Why a file was not loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotLoaded {
    /// What explains it.
    pub code: &'static Entry,
    /// For a person.
    pub message: String,
}

/// The providers. Cheap to clone.
#[derive(Clone)]
pub struct Providers {
    host: Arc<Host>,
    store: StoreHandle,
    clock: Clock,
    timing: Timing,
    reports: Arc<RwLock<Vec<FileReport>>>,
}

impl std::fmt::Debug for Providers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Providers")
    }
}

impl Providers {
    /// Nothing is loaded yet. `timing` is scaled.
    pub fn new(host: Arc<Host>, store: StoreHandle, clock: Clock, timing: Timing) -> Self {
        Self {
            host,
            store,
            clock,
            timing,
            reports: Arc::default(),
        }
    }

    /// The host that runs them.
    pub fn host(&self) -> &Arc<Host> {
        &self.host
    }

    /// What became of each file at the last load.
    pub fn reports(&self) -> Vec<FileReport> {
        self.reports
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Loads what lies in the directories, keeps what the providers say of themselves, and returns the bounds
    /// of all that were ever described. One bad file never stops the rest.
    ///
    /// # Errors
    /// The store's.
    pub async fn load(&self) -> Result<Rulebook, Failed> {
        let reports = self.host.load_all().await;
        self.loaded(reports).await
    }

    /// The same with other directories and grants.
    ///
    /// # Errors
    /// The store's.
    pub async fn reload(&self, admission: Admission) -> Result<Rulebook, Failed> {
        let reports = self.host.reload(admission).await;
        self.loaded(reports).await
    }

    async fn loaded(&self, reports: Vec<PluginReport>) -> Result<Rulebook, Failed> {
        let reports = reports.into_iter().map(reported).collect();
        *self.reports.write().unwrap_or_else(PoisonError::into_inner) = reports;
        let at = self.clock.now().wall;
        let loaded: Vec<_> = self
            .host
            .providers()
            .iter()
            .filter_map(|provider| {
                let description = serde_json::to_value(provider.description()).ok()?;
                Some((provider.slug().to_string(), description))
            })
            .collect();
        let kept = self
            .store
            .write(move |store| {
                for (slug, description) in &loaded {
                    store.keep_description(at, slug, description)?;
                }
                store.as_reader().descriptions()
            })
            .await?;
        let mut rulebook = HashMap::new();
        for description in kept {
            let parsed = serde_json::from_value::<ProviderDescription>(description.description)
                .map_err(|error| error.to_string())
                .and_then(|parsed| {
                    calls::scaled_rules(&parsed, &self.timing).map_err(|error| error.to_string())
                });
            match parsed {
                Ok(rules) => {
                    rulebook.insert(description.slug, rules);
                }
                Err(error) => {
                    tracing::warn!(
                        provider = description.slug,
                        error,
                        "the description that was kept can't be used: load the provider again"
                    );
                }
            }
        }
        Ok(rulebook)
    }

    /// The description of a provider: of the loaded one, else the last good one.
    ///
    /// # Errors
    /// The store's.
    pub async fn description(&self, slug: &str) -> Result<Option<ProviderDescription>, Failed> {
        if let Some(provider) = self.host.provider(slug) {
            return Ok(Some(provider.description().clone()));
        }
        let kept = self.store.read(rotord_store::Reader::descriptions).await?;
        let of_slug = kept.into_iter().find(|kept| kept.slug == slug);
        Ok(of_slug.and_then(|kept| serde_json::from_value(kept.description).ok()))
    }
}

fn reported(report: PluginReport) -> FileReport {
    let file = report.file;
    let serves = match (&report.result, &report.kept) {
        (_, Some(kept)) => Some(kept.to_string()),
        (Err(LoadError::DuplicateSlug { slug, .. }), None) => Some(slug.to_string()),
        _ => None,
    };
    let result = match report.result {
        Ok(loaded) => {
            tracing::info!(provider = %loaded.slug, version = loaded.version, file = %file.display(), "loaded a provider");
            Ok((loaded.slug.to_string(), loaded.version))
        }
        Err(error) => {
            tracing::error!(file = %file.display(), %error, kept = report.kept.is_some(), "a provider file can't be used; the others are");
            Err(NotLoaded {
                code: codes::of_load(&error),
                message: error.to_string(),
            })
        }
    };
    FileReport {
        file,
        result,
        serves,
    }
}
