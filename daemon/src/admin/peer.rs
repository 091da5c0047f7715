//! Who is on the other end of a connection, by the kernel's word.

mod groups;

use std::future::{Ready, ready};

use actix_web::dev::{Extensions, Payload};
use actix_web::rt::net::UnixStream;
use actix_web::{FromRequest, HttpRequest};
use rotord_store::Actor;

use super::error::ApiError;

/// The process that connected, as it was then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Peer {
    /// Its user.
    pub(super) uid: u32,
    /// Its primary group.
    pub(super) gid: u32,
    /// Its supplementary groups.
    pub(super) groups: Vec<u32>,
    /// For the audit alone: by now the number may be another process'.
    pub(super) pid: Option<i32>,
}

impl Peer {
    /// For the audit.
    pub(super) fn actor(&self) -> Actor {
        Actor::Peer {
            uid: self.uid,
            gid: self.gid,
            pid: self.pid,
        }
    }

    /// Its primary group or one of the others.
    pub(super) fn is_in(&self, group: u32) -> bool {
        self.gid == group || self.groups.contains(&group)
    }
}

/// Notes a new connection's peer. Where the kernel says nothing, nothing is noted, and every request is refused.
pub(super) fn note(stream: &UnixStream, extensions: &mut Extensions) {
    let credentials = match stream.peer_cred() {
        Ok(credentials) => credentials,
        Err(error) => {
            tracing::warn!(%error, "the kernel does not say who has connected: every request is refused");
            return;
        }
    };
    let groups = groups::of_peer(stream).unwrap_or_else(|error| {
        tracing::warn!(%error, "the kernel does not say a caller's groups: only the primary one counts");
        Vec::new()
    });
    extensions.insert(Peer {
        uid: credentials.uid(),
        gid: credentials.gid(),
        groups,
        pid: credentials.pid(),
    });
}

impl FromRequest for Peer {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(
            request
                .conn_data::<Self>()
                .cloned()
                .ok_or_else(ApiError::denied),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_rt::test]
    async fn the_kernel_says_who_we_are() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let mut extensions = Extensions::new();
        note(&ours, &mut extensions);
        let peer = extensions.get::<Peer>().unwrap();
        assert_eq!(peer.uid, rustix::process::geteuid().as_raw());
        assert_eq!(
            peer.pid,
            Some(rustix::process::getpid().as_raw_nonzero().get())
        );
        assert!(peer.is_in(rustix::process::getegid().as_raw()));
        let mut groups: Vec<u32> = rustix::process::getgroups()
            .unwrap()
            .iter()
            .map(|group| group.as_raw())
            .collect();
        let mut seen = peer.groups.clone();
        groups.sort_unstable();
        seen.sort_unstable();
        assert_eq!(seen, groups);
    }
}
