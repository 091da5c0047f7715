//! What SIGHUP brings in: the settings that may change while the daemon runs, and the providers.

use std::path::Path;

use actix::Addr;
use rotord_api::catalogue::{Entry, SETTINGS_WRONG};

use super::admission;
use crate::actors::rotator::{ProvidersChanged, Rotator};
use crate::actors::scheduler::{LookAtAll, Scheduler};
use crate::actors::store::StoreHandle;
use crate::providers::Providers;
use crate::settings::{InForce, Settings};
use crate::{codes, log, notify};

/// Who is told of it.
pub(super) struct Reload {
    pub(super) settings: InForce,
    pub(super) providers: Providers,
    pub(super) store: StoreHandle,
    pub(super) rotator: Addr<Rotator>,
    pub(super) scheduler: Addr<Scheduler>,
}

impl Reload {
    /// Reads the settings and looks at the providers. What is wrong changes nothing.
    pub(super) async fn all(&self) {
        notify::reloading();
        let renewed = self.settings().await;
        if let Err(error) = &renewed {
            tracing::error!("the settings are wrong, and those of before stay in force: {error}");
        }
        self.store.health().renewed(&renewed);
        self.providers().await;
        notify::ready();
    }

    async fn settings(&self) -> Result<(), String> {
        let now = self.settings.now();
        let new = actix_rt::task::spawn_blocking({
            let file = now.file.clone();
            move || read(file.as_deref())
        });
        let new = new.await.map_err(|error| error.to_string())??;
        let (renewed, waiting) = now.renewed(&new);
        log::change_filter(&renewed.log).map_err(|error| {
            explained(
                &SETTINGS_WRONG,
                &format!("the setting log.filter is wrong: {error}"),
            )
        })?;
        self.settings.set(renewed);
        tracing::info!("the settings were read anew");
        if !waiting.is_empty() {
            tracing::warn!(
                "what changed in {} waits for a restart of the daemon",
                waiting.join(", ")
            );
        }
        Ok(())
    }

    async fn providers(&self) {
        tracing::info!("loading the providers anew");
        let admission = admission(&self.settings.now());
        match self.providers.reload(admission).await {
            Ok(rulebook) => {
                // Closed mailboxes: the daemon is stopping.
                let _ = self.rotator.send(ProvidersChanged { rulebook }).await;
                self.scheduler.do_send(LookAtAll);
            }
            Err(failed) => {
                tracing::error!(error = %failed, "the providers could not be loaded anew: the old ones stay");
            }
        }
    }
}

fn read(file: Option<&Path>) -> Result<Settings, String> {
    Settings::load(file).map_err(|error| explained(codes::of_settings(&error), &error.to_string()))
}

fn explained(entry: &Entry, error: &str) -> String {
    format!("{error} (rotorctl explain {})", entry.code)
}
