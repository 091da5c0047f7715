//! What the database last said, so that an application that asks for its secret again and again is not sent to the disk
//! each time.
//!
//! Values stay sealed here, as they are in the database, and are opened for each answer anew. All of it is forgotten with
//! the next write, whatever that was.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::Digest;
use rotord_store::{Environment, Project, SealedSecret};

use crate::actors::store::Edition;

/// Secrets, the same one counted each time, above which all is forgotten.
const MOST: usize = 4096;

/// Which secrets are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Where {
    /// Its id or slug.
    pub(super) project: String,
    pub(super) environment: String,
    pub(super) path: String,
    pub(super) what: What,
}

/// What of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum What {
    Folder { recursive: bool },
    Secret { name: String, version: Option<u32> },
}

/// What is there.
#[derive(Debug)]
pub(super) struct There {
    pub(super) project: Project,
    pub(super) environment: Environment,
    pub(super) secrets: Vec<Marked>,
}

/// A secret, and what tells all that is answered of it from another.
#[derive(Debug)]
pub(super) struct Marked {
    pub(super) secret: SealedSecret,
    pub(super) mark: Digest,
}

/// Looks at the database that can be made at the same time. Those at one place are made one after the other, so that
/// who waited for a change with many others finds what the first of them has found.
const AT_ONCE: usize = 16;

/// What was found, in one edition of the books.
#[derive(Debug, Default)]
pub(in crate::admin) struct Kept {
    looks: Mutex<Looks>,
    turns: [tokio::sync::Mutex<()>; AT_ONCE],
}

#[derive(Debug, Default)]
struct Looks {
    edition: Option<Edition>,
    found: HashMap<Where, Arc<There>>,
    weight: usize,
}

impl Kept {
    /// Waits until nobody else looks there.
    pub(super) async fn turn(&self, place: &Where) -> tokio::sync::MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        place.hash(&mut hasher);
        let most = u64::try_from(AT_ONCE).unwrap_or(1);
        let of_place = usize::try_from(hasher.finish() % most).unwrap_or(0);
        self.turns[of_place].lock().await
    }

    /// What is there, if it was looked up in this edition.
    pub(super) fn get(&self, edition: Edition, place: &Where) -> Option<Arc<There>> {
        let looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        (looks.edition == Some(edition))
            .then(|| looks.found.get(place).cloned())
            .flatten()
    }

    /// Keeps what was looked up. `edition` is from before the look.
    pub(super) fn put(&self, edition: Edition, place: Where, there: Arc<There>) {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        // What is there counts for something even where it is nothing.
        let weight = there.secrets.len() + 1;
        if looks.edition != Some(edition) || looks.weight + weight > MOST {
            *looks = Looks {
                edition: Some(edition),
                ..Looks::default()
            };
        }
        if weight <= MOST && looks.found.insert(place, there).is_none() {
            looks.weight += weight;
        }
    }
}
