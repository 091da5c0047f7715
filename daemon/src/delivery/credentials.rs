//! The credential socket: `LoadCredential=NAME:/run/rotord/credentials.sock` in a unit gives its programs the value that
//! is published, from the database, whether the provider or the network is there or not. systemd asks anew for every
//! program and restart of the unit.
//!
//! Nothing is asked in words: who has connected is the question ([`super::asker`]), and the answer is the bare value. A
//! refusal must be more than silence. A connection that is closed without data gives the unit an *empty* credential,
//! and one that is kept open lets it wait for its time-out; but more than systemd takes makes its start fail at once. So
//! whoever was accepted is answered in one of the two ways, at a stop too; only a kill in between can't be told from an
//! empty answer.

use std::io;
use std::os::unix::net::UnixListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use actix_rt::task::JoinHandle;
use rotord_store::{Actor, AuditEntry, Reader, SecretRecord, StoreError};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::asker::Asker;
use crate::actors::store::{Failed, StoreHandle};
use crate::clock::Clock;
use crate::settings::{CredentialGrant, InForce};

/// Answers at once; further ones wait in the socket.
const AT_ONCE: u32 = 256;
/// The database answers by then, or the unit is refused.
const FINDING: Duration = Duration::from_secs(10);
/// For the audit; a disk that takes longer does not keep a unit waiting.
const NOTING: Duration = Duration::from_secs(1);
/// systemd reads at once, or has given up. Long, since half a refusal is a credential.
const READING: Duration = Duration::from_mins(1);
/// At a stop, for the refusal of those whose answer did not come in time.
const REFUSING: Duration = Duration::from_secs(2);
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
    #[error(
        "there is no secret {secret} in {environment} {path} of the project {project} with a value yet"
    )]
    NoValue {
        secret: String,
        project: String,
        environment: String,
        path: String,
    },
    #[error("the database can't be read: {0}")]
    Failed(#[from] Failed),
    #[error("the database did not answer within {} s", FINDING.as_secs())]
    Slow,
    #[error("the daemon is stopping, and the database did not answer in time")]
    Stopping,
}

/// The answers that are given, until they are stopped.
#[derive(Debug)]
pub struct HandingOver {
    accepting: JoinHandle<()>,
    room: Arc<Semaphore>,
    stopping: watch::Sender<bool>,
}

impl HandingOver {
    /// Whoever asks from here on waits in the socket for the next start, where the service manager holds it. Whoever was
    /// accepted is answered within this time, or refused after it.
    pub async fn stop(self, within: Duration) {
        self.accepting.abort();
        if timeout(within, self.room.acquire_many(AT_ONCE))
            .await
            .is_ok()
        {
            return;
        }
        self.stopping.send_replace(true);
        if timeout(REFUSING, self.room.acquire_many(AT_ONCE))
            .await
            .is_err()
        {
            tracing::warn!("units that asked for a credential were left without an answer");
        }
    }
}

/// Answers whoever asks.
///
/// # Errors
/// The listener can't be taken over.
pub fn serve(listener: StdListener, credentials: Credentials) -> io::Result<HandingOver> {
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    let room = Arc::new(Semaphore::new(AT_ONCE as usize));
    let (stopping, stopped) = watch::channel(false);
    let accepting = actix_rt::spawn({
        let room = Arc::clone(&room);
        async move {
            // The semaphore is never closed.
            while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let (credentials, stopped) = (credentials.clone(), stopped.clone());
                        actix_rt::spawn(async move {
                            credentials.answer(stream, stopped).await;
                            drop(permit);
                        });
                    }
                    Err(error) => {
                        tracing::warn!(%error, "the credential socket could not accept a connection");
                        tokio::time::sleep(BREATH).await;
                    }
                }
            }
        }
    });
    Ok(HandingOver {
        accepting,
        room,
        stopping,
    })
}

impl Credentials {
    async fn answer(&self, mut stream: UnixStream, mut stopped: watch::Receiver<bool>) {
        let (asker, pid) = match who(&stream) {
            Peer::Unit(asker, pid) => (asker, pid),
            Peer::Unknown => {
                // Whatever it is that the service manager wants: it is not to start with nothing.
                let _ = timeout(READING, refuse(&mut stream)).await;
                return;
            }
            Peer::Nobody => return,
        };
        let found = tokio::select! {
            found = timeout(FINDING, self.find(&asker)) => found.unwrap_or(Err(Refusal::Slow)),
            _ = stopped.wait_for(|stopped| *stopped) => Err(Refusal::Stopping),
        };
        let written = match found {
            Ok((secret, value)) => {
                self.note(&asker, pid, &secret).await;
                timeout(READING, stream.write_all(value.expose())).await
            }
            Err(refusal) => {
                tracing::error!(
                    unit = asker.unit,
                    credential = asker.credential,
                    "{} is not granted its credential {}, so its start fails: {refusal}",
                    asker.unit,
                    asker.credential
                );
                timeout(READING, refuse(&mut stream)).await
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
            project: grant.project.clone(),
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
        let noted = timeout(NOTING, self.store.note(self.clock.now().wall, entry)).await;
        // None is one that takes too long.
        let error = match noted {
            Ok(Ok(())) => return,
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        tracing::error!(
            unit = asker.unit,
            credential = asker.credential,
            secret = secret.name,
            version = secret.version,
            error = error
                .as_deref()
                .map(|error| error as &dyn std::error::Error),
            "this could not be noted in the audit in time: it is handed over, and noted here"
        );
    }
}

fn value(reader: &Reader, grant: &CredentialGrant) -> Result<SecretRecord, StoreError> {
    let project = reader.project(&grant.project)?;
    let environment = reader.environment(project.id, &grant.environment)?;
    reader.secret(environment.id, &grant.path, &grant.secret, None, true)
}

/// More than systemd takes.
async fn refuse(stream: &mut UnixStream) -> io::Result<()> {
    match stream.write_all(&vec![0; TOO_MUCH]).await {
        // It may close as soon as it has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Who has connected.
enum Peer {
    /// The service manager, for a unit, by this process.
    Unit(Asker, Option<i32>),
    /// User 0, for something that has no name here.
    Unknown,
    /// Not the service manager: nobody that a refusal could matter to.
    Nobody,
}

fn who(stream: &UnixStream) -> Peer {
    let peer = match stream.peer_cred() {
        Ok(peer) => peer,
        Err(error) => {
            tracing::warn!(%error, "the kernel does not say who asks for a credential: it is refused");
            return Peer::Unknown;
        }
    };
    if peer.uid() != 0 {
        tracing::warn!(
            uid = peer.uid(),
            pid = peer.pid(),
            "a user asked for a unit's credential: only the service manager may, and nothing is answered"
        );
        return Peer::Nobody;
    }
    let address = stream.peer_addr().ok();
    let name = address.as_ref().and_then(|at| at.as_abstract_name());
    if let Some(asker) = name.and_then(Asker::from_peer_name) {
        return Peer::Unit(asker, peer.pid());
    }
    tracing::warn!(
        pid = peer.pid(),
        "somebody connected to the credential socket who is no unit that can be granted anything: it is refused"
    );
    Peer::Unknown
}
