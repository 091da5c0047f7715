//! The credential socket: `LoadCredential=NAME:/run/rotord/credentials.sock` in a unit gives its programs the value that
//! is published, from the database, whether the provider or the network is there or not. systemd asks anew for every
//! program and restart of the unit.
//!
//! Nothing is asked in words: who has connected is the question ([`super::asker`]), and the answer is the bare value. A
//! refusal must be more than silence. A connection that is closed without data gives the unit an *empty* credential,
//! and one that is kept open lets it wait for its time-out; but more than systemd takes makes its start fail at once.

use std::io;
use std::os::unix::net::UnixListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use actix_rt::task::JoinHandle;
use rotord_store::places::DEFAULT_PROJECT;
use rotord_store::{Actor, AuditEntry, Reader, SecretRecord, StoreError};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::asker::Asker;
use crate::actors::store::{Failed, StoreHandle};
use crate::clock::Clock;
use crate::settings::{CredentialGrant, InForce};

/// Answers at once; further ones wait in the socket.
const AT_ONCE: usize = 256;
/// systemd reads at once, or has given up.
const PATIENCE: Duration = Duration::from_secs(10);
/// One more byte than systemd takes (`CREDENTIALS_TOTAL_SIZE_MAX`).
const TOO_MUCH: usize = (1 << 20) + 1;
/// After an accept that failed: there may be no file descriptor left for a while.
const BREATH: Duration = Duration::from_millis(100);

/// What is handed over, and to whom.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The books.
    pub store: StoreHandle,
    /// The clocks.
    pub clock: Clock,
    /// Which unit gets what.
    pub settings: InForce,
}

/// Why a unit gets nothing. The text is for the log.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the settings grant it nothing under that name: see [[credentials.grants]]")]
    NotGranted,
    #[error("there is no secret {secret} in {environment} {path} with a value yet")]
    NoValue {
        secret: String,
        environment: String,
        path: String,
    },
    #[error("the database can't be read: {0}")]
    Failed(#[from] Failed),
}

/// Answers until the task is aborted.
///
/// # Errors
/// The listener can't be taken over.
pub fn serve(listener: StdListener, credentials: Credentials) -> io::Result<JoinHandle<()>> {
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    let room = Arc::new(Semaphore::new(AT_ONCE));
    Ok(actix_rt::spawn(async move {
        // The semaphore is never closed.
        while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let credentials = credentials.clone();
                    actix_rt::spawn(async move {
                        credentials.answer(stream).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the credential socket could not accept a connection");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
    }))
}

impl Credentials {
    async fn answer(&self, mut stream: UnixStream) {
        let Some((asker, pid)) = believed(&stream) else {
            // Nobody that a refusal could matter to.
            return;
        };
        let written = match self.find(&asker).await {
            Ok((secret, value)) => {
                self.note(&asker, pid, &secret).await;
                timeout(PATIENCE, stream.write_all(value.expose())).await
            }
            Err(refusal) => {
                tracing::error!(
                    unit = asker.unit,
                    credential = asker.credential,
                    "{} is not granted its credential {}, so its start fails: {refusal}",
                    asker.unit,
                    asker.credential
                );
                let nothing = vec![0; TOO_MUCH];
                let written = timeout(PATIENCE, stream.write_all(&nothing)).await;
                // It may close as soon as it has seen enough.
                written.map(|written| match written {
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                    written => written,
                })
            }
        };
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(unit = asker.unit, credential = asker.credential, %error, "{asker} was not taken");
            }
            Err(_) => {
                tracing::warn!(
                    unit = asker.unit,
                    credential = asker.credential,
                    "nobody read {asker} in time"
                );
            }
        }
    }

    /// The record without its value, and the value.
    async fn find(&self, asker: &Asker) -> Result<(SecretRecord, rotord_store::Secret), Refusal> {
        let template = asker.of_template();
        let settings = self.settings.now();
        let grants = &settings.credentials.grants;
        let granted = |asker: &Asker| grants.iter().find(|grant| grant.asker() == *asker);
        let grant = granted(asker)
            .or_else(|| granted(template.as_ref()?))
            .ok_or(Refusal::NotGranted)?;
        let wanted = grant.clone();
        let found = self.store.read(move |reader| value(reader, &wanted)).await;
        let none = || Refusal::NoValue {
            secret: grant.secret.clone(),
            environment: grant.environment.clone(),
            path: grant.path.clone(),
        };
        match found {
            Ok(mut record) => match record.value.take() {
                Some(value) if !value.expose().is_empty() => Ok((record, value)),
                _ => Err(none()),
            },
            Err(Failed::Store(StoreError::NotFound { .. })) => Err(none()),
            Err(failed) => Err(failed.into()),
        }
    }

    /// Before it is handed over. Where the books can't be written, a unit that needs its secret gets it all the same,
    /// and the log has what the audit lacks.
    async fn note(&self, asker: &Asker, pid: Option<i32>, secret: &SecretRecord) {
        let entry = AuditEntry {
            actor: Actor::Peer {
                uid: 0,
                gid: 0,
                pid,
            },
            action: "load-credential".to_owned(),
            rotation: secret.rotation,
            detail: json!({
                "unit": asker.unit, "credential": asker.credential,
                "secret": {"name": secret.name, "path": secret.path, "version": secret.version},
            }),
        };
        if let Err(error) = self.store.note(self.clock.now().wall, entry).await {
            tracing::error!(
                unit = asker.unit,
                credential = asker.credential,
                secret = secret.name,
                version = secret.version,
                error = error.as_ref() as &dyn std::error::Error,
                "this could not be noted in the audit: it is handed over, and noted here"
            );
        }
    }
}

fn value(reader: &Reader, grant: &CredentialGrant) -> Result<SecretRecord, StoreError> {
    let project = reader.project(DEFAULT_PROJECT)?;
    let environment = reader.environment(project.id, &grant.environment)?;
    reader.secret(environment.id, &grant.path, &grant.secret, None, true)
}

/// Who asks, and with which process; none where it is not the service manager.
fn believed(stream: &UnixStream) -> Option<(Asker, Option<i32>)> {
    let peer = match stream.peer_cred() {
        Ok(peer) => peer,
        Err(error) => {
            tracing::warn!(%error, "the kernel does not say who asks for a credential: nothing is answered");
            return None;
        }
    };
    if peer.uid() != 0 {
        tracing::warn!(
            uid = peer.uid(),
            pid = peer.pid(),
            "a user asked for a unit's credential: only the service manager may, and nothing is answered"
        );
        return None;
    }
    let address = stream.peer_addr().ok()?;
    let asker = address.as_abstract_name().and_then(Asker::from_peer_name);
    if asker.is_none() {
        tracing::warn!(
            pid = peer.pid(),
            "somebody connected to the credential socket who is no unit: nothing is answered"
        );
    }
    Some((asker?, peer.pid()))
}
