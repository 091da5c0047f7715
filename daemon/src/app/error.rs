//! Why the daemon did not start, and whether it is of use to try again.

use std::io;

use rotord_provider::HostError;
use rotord_store::{OpenError, StoreError, is_passing};

use crate::actors::store::Failed;
use crate::listen::BindError;
use crate::log::WrongFilter;

/// The daemon did not start. Each text is for an administrator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The log's filter.
    #[error("the setting log.filter is wrong")]
    Log(#[from] WrongFilter),
    /// The state directory.
    #[error("the state can't be used")]
    Store(#[from] OpenError),
    /// A further connection to the database.
    #[error("the database can't be read")]
    Reader(#[from] StoreError),
    /// The store, once it ran.
    #[error("the database can't be used")]
    Failed(#[from] Failed),
    /// The provider host.
    #[error("the provider host can't be set up")]
    Host(#[from] HostError),
    /// A key of the state directory.
    #[error("the key {path} can't be used")]
    Key {
        /// Which file.
        path: std::path::PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A socket.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The system's signals.
    #[error("signals can't be received")]
    Signals(#[source] io::Error),
    /// The HTTP server.
    #[error("the sockets can't be served")]
    Serve(#[source] io::Error),
}

impl StartError {
    /// A restart will not help: a person must change something.
    pub fn is_settled(&self) -> bool {
        match self {
            Self::Log(_) => true,
            Self::Store(error) => !error.is_passing(),
            Self::Host(error) => !matches!(error, HostError::Threads(_)),
            Self::Key { source, .. } => !is_passing(source),
            Self::Bind(error) => {
                matches!(error, BindError::Group(_) | BindError::NotASocket(_))
            }
            Self::Reader(_) | Self::Failed(_) | Self::Signals(_) | Self::Serve(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_is_tried_where_it_may_help() {
        let passing = [
            StartError::Bind(BindError::InUse("/x".into())),
            StartError::Host(HostError::Threads(io::ErrorKind::WouldBlock.into())),
            StartError::Key {
                path: "/x".into(),
                source: io::ErrorKind::StorageFull.into(),
            },
            StartError::Store(OpenError::Directory {
                path: "/x".into(),
                source: io::ErrorKind::ResourceBusy.into(),
            }),
        ];
        for error in passing {
            assert!(!error.is_settled(), "{error:?}");
        }
        let settled = [
            StartError::Bind(BindError::Group("nobodys".to_owned())),
            StartError::Bind(BindError::NotASocket("/x".into())),
            StartError::Host(HostError::Authorities("/x holds no certificate".to_owned())),
            StartError::Key {
                path: "/x".into(),
                source: io::ErrorKind::PermissionDenied.into(),
            },
            StartError::Store(OpenError::Foreign { path: "/x".into() }),
        ];
        for error in settled {
            assert!(error.is_settled(), "{error:?}");
        }
    }
}
