//! How old the database is, as far as can be told before a provider is asked.

use std::path::Path;
use std::sync::Arc;

use rotord_store::{Installation, Store};

use super::StartError;
use crate::settings::State;
use crate::witness::Witness;

/// What was found out, and what goes on telling.
pub(super) struct Age {
    /// Why the database is thought to be older than what was done with it.
    pub(super) stale: Option<String>,
    /// Counts on, outside of the state directory.
    pub(super) witness: Option<Arc<Witness>>,
    /// This machine.
    pub(super) machine_id: Option<String>,
}

impl Age {
    pub(super) fn of(
        store: &Store,
        settings: &State,
        machine_id: Option<String>,
    ) -> Result<Self, StartError> {
        let installation = store.as_reader().installation()?;
        let witness = open_witness(&settings.witness, &installation, store.generation());
        let elsewhere = installation.machine_id.is_some()
            && machine_id.is_some()
            && installation.machine_id != machine_id;
        // All of it, as each part tells a person something else.
        let mut reasons = Vec::new();
        if let Some(taken_at) = installation.backup_of {
            let at = taken_at.format("%Y-%m-%d %H:%M:%S UTC");
            reasons.push(format!("it was restored from a backup of {at}"));
        }
        if elsewhere {
            reasons.push("it was made on another machine, which may still run".to_owned());
        }
        if let Some(ahead) = witness.as_ref().and_then(|witness| witness.ahead()) {
            let now = store.generation();
            reasons.push(if ahead == Witness::SEEN_BEFORE {
                "an earlier start saw that it was restored from a copy".to_owned()
            } else {
                format!(
                    "it counts {now} commits and had counted {ahead}: it was restored from a copy"
                )
            });
        }
        if reasons.is_empty() && store.is_copied_file()? {
            reasons.push("its file was copied since it was last written".to_owned());
        }
        // Whoever tells it says what it means: that the database may be old.
        let stale = (!reasons.is_empty()).then(|| reasons.join("; "));
        Ok(Self {
            stale,
            witness,
            machine_id,
        })
    }
}

/// This machine's id; none where it has none.
pub(crate) fn machine_id(settings: &State) -> Option<String> {
    let text = std::fs::read_to_string(&settings.machine_id_file).ok()?;
    Some(text.trim().to_owned()).filter(|id| !id.is_empty())
}

fn open_witness(path: &Path, installation: &Installation, generation: u64) -> Option<Arc<Witness>> {
    if path == Path::new("") {
        return None;
    }
    Witness::open(path, installation.id, generation)
        .map(Arc::new)
        .inspect_err(|error| {
            tracing::warn!(path = %path.display(), %error, "no witness can be kept: the age of the database is told by its file and by the labels at the provider alone");
        })
        .ok()
}
