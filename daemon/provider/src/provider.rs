//! One loaded provider.

mod health;
mod reach;
mod turn;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, io};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

pub use self::health::Health;
use self::health::HealthRecord;
pub use self::reach::HostReach;
pub use self::turn::Turn;
use crate::bindings::GuestPre;
use crate::cache::sha256_hex;
use crate::contract::{ProviderDescription, Slug};
use crate::guest::{GuestState, Runner};
use crate::http::reaches;
use crate::settings::Grant;

/// A provider that was loaded and described. It is called by a [`Turn`].
pub struct Provider {
    description: ProviderDescription,
    digest: String,
    file: PathBuf,
    pre: GuestPre<GuestState>,
    grant: Grant,
    lane: Lane,
    places: Arc<Semaphore>,
    health: Arc<HealthRecord>,
}

/// Where the calls of all providers run.
#[derive(Clone)]
pub(crate) struct Lane {
    pub(crate) runner: Runner,
    pub(crate) runtime: Handle,
    pub(crate) turns: Arc<Semaphore>,
}

impl Provider {
    pub(crate) fn new(
        description: ProviderDescription,
        digest: String,
        file: PathBuf,
        pre: GuestPre<GuestState>,
        lane: Lane,
    ) -> Self {
        let places = lane.runner.limits.calls_of_one();
        Self {
            places: Arc::new(Semaphore::new(places)),
            description,
            digest,
            file,
            pre,
            grant: Grant::default(),
            lane,
            health: Arc::default(),
        }
    }

    /// The same with this grant. Calls under way keep theirs.
    pub(crate) fn granted(self: &Arc<Self>, grant: Grant) -> Arc<Self> {
        if grant == self.grant {
            return Arc::clone(self);
        }
        Arc::new(Self {
            description: self.description.clone(),
            digest: self.digest.clone(),
            file: self.file.clone(),
            pre: self.pre.clone(),
            grant,
            lane: self.lane.clone(),
            places: Arc::clone(&self.places),
            health: Arc::clone(&self.health),
        })
    }

    /// The type's name in routes.
    pub fn slug(&self) -> &Slug {
        &self.description.slug
    }

    /// What it says of itself.
    pub fn description(&self) -> &ProviderDescription {
        &self.description
    }

    /// SHA-256 of the component, in hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Where it was loaded from.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The hosts that it may reach, in words: those that it declares as far as they are granted, and those that
    /// are granted beyond.
    pub fn reaches(&self) -> Vec<String> {
        reaches(&self.description, &self.grant)
    }

    /// Whether its file still holds what was loaded from it. Blocks.
    ///
    /// # Errors
    /// The file can't be read: it is gone, as a rule.
    pub fn is_in_its_file(&self) -> io::Result<bool> {
        Ok(sha256_hex(&std::fs::read(&self.file)?) == self.digest)
    }

    /// How it has behaved since it was loaded.
    pub fn health(&self) -> Health {
        self.health.snapshot()
    }

    /// Waits for its turn among the calls that run at the same time.
    pub async fn turn(self: &Arc<Self>) -> Turn {
        Turn::wait(Arc::clone(self)).await
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("slug", self.slug())
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}
