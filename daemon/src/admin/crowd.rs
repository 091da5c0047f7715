//! How many may be connected to the reader socket at once: anyone may connect there, and nobody may keep the others
//! out, or use up the descriptors that the daemon needs for the rest of its work.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::dev::Extensions;
use actix_web::rt::net::UnixStream;
use rustix::net::Shutdown;

use super::access::Access;
use super::peer::Peer;

/// Connections of all together. What comes beyond them waits.
pub(super) const ALL: usize = 512;
/// Connections of one user who may read something.
pub(super) const OF_ONE: u32 = 64;
/// Connections of all those together who may read nothing: one person can have many user ids.
pub(super) const OF_STRANGERS: u32 = 32;
/// How often a crowd is worth a line in the log.
const QUIET: Duration = Duration::from_mins(1);

/// Everyone who is connected.
#[derive(Debug, Clone, Default)]
pub(super) struct Crowd(Arc<Mutex<Count>>);

#[derive(Debug, Default)]
struct Count {
    connected: HashMap<Who, u32>,
    told: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    User(u32),
    Stranger,
}

/// A connection's place in the crowd, as long as it lives.
#[derive(Debug)]
struct Place {
    crowd: Crowd,
    who: Who,
}

impl Crowd {
    /// Gives a new connection, whose peer was noted, its place; one too many is shut at once.
    pub(super) fn admit(&self, access: &Access, stream: &UnixStream, extensions: &mut Extensions) {
        let who = match extensions.get::<Peer>() {
            Some(peer) if !access.of(peer).is_nothing() => Who::User(peer.uid),
            _ => Who::Stranger,
        };
        if let Some(place) = self.enter(who) {
            extensions.insert(place);
        } else if let Err(error) = rustix::net::shutdown(stream, Shutdown::Both) {
            // It ends with the time that a request may take.
            tracing::debug!(%error, "a connection too many could not be shut");
        }
    }

    fn enter(&self, who: Who) -> Option<Place> {
        let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let most = match who {
            Who::User(_) => OF_ONE,
            Who::Stranger => OF_STRANGERS,
        };
        let connected = count.connected.entry(who).or_default();
        if *connected < most {
            *connected += 1;
            let crowd = self.clone();
            return Some(Place { crowd, who });
        }
        if count.told.is_none_or(|told| told.elapsed() >= QUIET) {
            count.told = Some(Instant::now());
            match who {
                Who::User(uid) => tracing::warn!(
                    uid,
                    "this user has {most} connections to the reader socket: further ones are shut"
                ),
                Who::Stranger => tracing::warn!(
                    "users without a grant have {most} connections to the reader socket: further ones are shut"
                ),
            }
        }
        None
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut count = self.crowd.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connected) = count.connected.get_mut(&self.who) {
            *connected -= 1;
            if *connected == 0 {
                count.connected.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_user_keeps_nobody_else_out_and_a_place_that_is_left_is_free() {
        let crowd = Crowd::default();
        let mut places: Vec<Place> = (0..OF_ONE)
            .map(|_| crowd.enter(Who::User(1)).unwrap())
            .collect();
        assert!(crowd.enter(Who::User(1)).is_none());
        assert!(crowd.enter(Who::User(2)).is_some());
        assert!(crowd.enter(Who::Stranger).is_some());
        places.pop();
        assert!(crowd.enter(Who::User(1)).is_some());
        places.clear();
        assert!(crowd.0.lock().unwrap().connected.is_empty());
    }

    #[test]
    fn those_who_may_read_nothing_share_few_places() {
        let crowd = Crowd::default();
        let places: Vec<_> = (0..OF_STRANGERS)
            .map(|_| crowd.enter(Who::Stranger).unwrap())
            .collect();
        assert!(crowd.enter(Who::Stranger).is_none());
        drop(places);
        assert!(crowd.enter(Who::Stranger).is_some());
    }
}
