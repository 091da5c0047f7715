//! The daemon's admin API over its Unix socket: one connection per request, JSON both ways.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use rotord_api::ErrorBody;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::UnixStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::error::CtlError;
use crate::output::note;
use crate::reach;

/// Where the daemon listens unless it is told otherwise.
pub(crate) const DEFAULT_SOCKET: &str = "/run/rotord/admin.sock";

/// Longer than the daemon lets any caller wait.
const PATIENCE: Duration = Duration::from_mins(15);

/// For how long a first answer is waited for in silence: systemd holds the sockets of a daemon that fails to start, and leaves
/// who asks waiting.
const SILENCE: Duration = Duration::from_secs(5);

/// More than any list of the daemon's is long.
const ANSWER_LIMIT: usize = 64 << 20;

/// A way to the daemon.
#[derive(Debug)]
pub(crate) struct Client {
    socket: PathBuf,
    /// Whether it ever answered, or failed to.
    answered: AtomicBool,
}

/// What the daemon answered: a success, or that nothing has changed.
#[derive(Debug)]
pub(crate) struct Reply {
    /// Its status.
    pub(crate) status: StatusCode,
    /// Its body; null where it had none.
    pub(crate) body: Value,
}

/// What the daemon answered, and by which tag it knows what has changed since.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The answer.
    pub(crate) reply: Reply,
    /// Its `ETag`.
    pub(crate) tag: Option<String>,
}

impl Reply {
    /// The body as the type that this route answers with.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, CtlError> {
        T::deserialize(&self.body).map_err(|source| not_understood().because(source))
    }
}

impl Client {
    /// A way through this socket. Nothing is opened yet.
    pub(crate) fn new(socket: PathBuf) -> Self {
        Self {
            socket,
            answered: AtomicBool::new(false),
        }
    }

    /// Where the daemon is looked for.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Where the daemon's reader socket is unless the settings say otherwise: below the admin socket's directory.
    pub(crate) fn reader_socket(&self) -> PathBuf {
        self.socket.with_file_name("read").join("reader.sock")
    }

    /// Whether anybody listens there. Asks nothing.
    pub(crate) async fn reach(&self) -> io::Result<()> {
        UnixStream::connect(&self.socket).await.map(drop)
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Reply, CtlError> {
        self.send(Method::GET, path, None).await
    }

    /// The same, with its tag.
    pub(crate) async fn get_seen(&self, path: &str) -> Result<Seen, CtlError> {
        self.in_time(self.see(path, &[])).await
    }

    /// What is there, once it is not what this tag is of; none where nothing else was there for so long.
    pub(crate) async fn get_if_changed(
        &self,
        path: &str,
        tag: &str,
        wait: Duration,
    ) -> Result<Option<Seen>, CtlError> {
        let wait = format!("wait={}", wait.as_secs());
        let headers = [("If-None-Match", tag), ("Prefer", wait.as_str())];
        let seen = self.in_time(self.see(path, &headers)).await?;
        Ok((seen.reply.status != StatusCode::NOT_MODIFIED).then_some(seen))
    }

    pub(crate) async fn post(&self, path: &str, body: &impl Serialize) -> Result<Reply, CtlError> {
        self.send(Method::POST, path, Some(encode(body)?)).await
    }

    pub(crate) async fn post_nothing(&self, path: &str) -> Result<Reply, CtlError> {
        self.send(Method::POST, path, None).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &impl Serialize) -> Result<Reply, CtlError> {
        self.send(Method::PATCH, path, Some(encode(body)?)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Reply, CtlError> {
        self.send(Method::DELETE, path, None).await
    }

    /// Writes what is answered to `sink` as it comes, and says how many bytes it was.
    pub(crate) async fn download(
        &self,
        path: &str,
        body: &impl Serialize,
        sink: &mut impl io::Write,
    ) -> Result<u64, CtlError> {
        let response = self.open(Method::POST, path, &[], Some(encode(body)?));
        let (response, connection) = self.in_time(response).await?;
        let status = response.status();
        let mut body = response.into_body();
        if !status.is_success() {
            let body = Limited::new(body, ANSWER_LIMIT).collect().await;
            let body = body.map_err(answer_broke_off)?.to_bytes();
            connection.abort();
            // Never a success.
            return read(status, &body).map(|_| 0);
        }
        let mut written = 0;
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame.map_err(answer_broke_off)?.into_data() {
                sink.write_all(&data)
                    .map_err(|source| CtlError::failed("can't write the file").because(source))?;
                written += u64::try_from(data.len()).unwrap_or(0);
            }
        }
        connection.abort();
        Ok(written)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Reply, CtlError> {
        let only_reads = method == Method::GET;
        let seen = self.in_time(self.exchange(method, path, &[], body)).await;
        seen.map(|seen| seen.reply).map_err(|error| {
            if error.is_unanswered() && !only_reads {
                error.hint("it may have been done all the same: look before you ask again")
            } else {
                error
            }
        })
    }

    async fn see(&self, path: &str, headers: &[(&str, &str)]) -> Result<Seen, CtlError> {
        self.exchange(Method::GET, path, headers, None).await
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Seen, CtlError> {
        let (response, connection) = self.open(method, path, headers, body).await?;
        let status = response.status();
        let tag = response.headers().get(header::ETAG);
        let tag = tag.and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let body = Limited::new(response.into_body(), ANSWER_LIMIT)
            .collect()
            .await
            .map_err(answer_broke_off)?
            .to_bytes();
        connection.abort();
        let reply = read(status, &body)?;
        Ok(Seen { reply, tag })
    }

    /// Sends a request; the answer's body is still to come, for as long as the connection's task lives.
    async fn open(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<(Response<Incoming>, JoinHandle<Result<(), hyper::Error>>), CtlError> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|source| unreachable_socket(&self.socket, source))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(broken_off)?;
        let connection = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request
            .body(Full::new(Bytes::from_owner(body.unwrap_or_default())))
            .map_err(|source| CtlError::failed("can't make the request").because(source))?;
        let response = sender.send_request(request).await.map_err(broken_off)?;
        Ok((response, connection))
    }

    /// What is answered, in time; that nothing is for long is said.
    async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, CtlError>>,
    ) -> Result<T, CtlError> {
        let mut answer = pin!(answer);
        let known = self.answered.load(Ordering::Relaxed);
        let mut answered = timeout(if known { PATIENCE } else { SILENCE }, &mut answer).await;
        if answered.is_err() && !known {
            note(&format!(
                "no answer yet, waiting on; where the daemon can't start, {LOG_HINT}"
            ));
            answered = timeout(PATIENCE, answer).await;
        }
        self.answered.store(true, Ordering::Relaxed);
        answered
            .map_err(|_| CtlError::unanswered("the daemon did not answer in time").hint(LOG_HINT))?
    }
}

const LOG_HINT: &str = "see its log: journalctl -u rotord";

fn read(status: StatusCode, body: &[u8]) -> Result<Reply, CtlError> {
    let body = match body {
        [] => Value::Null,
        body => serde_json::from_slice(body).map_err(|source| not_understood().because(source))?,
    };
    if status.is_success() || status == StatusCode::NOT_MODIFIED {
        return Ok(Reply { status, body });
    }
    match serde_json::from_value::<ErrorBody>(body.clone()) {
        Ok(parsed) => Err(CtlError::refused(&parsed, body)),
        Err(_) => Err(CtlError::failed(format!("the daemon answered {status}"))),
    }
}

/// The body's bytes, wiped once they are sent: a connection's secrets may be in them.
fn encode(body: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, CtlError> {
    serde_json::to_vec(body)
        .map(Zeroizing::new)
        .map_err(|source| CtlError::failed("can't make the request").because(source))
}

fn answer_broke_off(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> CtlError {
    CtlError::unanswered("the daemon's answer broke off")
        .because(source)
        .hint(LOG_HINT)
}

fn not_understood() -> CtlError {
    CtlError::failed("the daemon's answer is not understood")
        .hint("are rotord and rotorctl of the same version? see rotorctl status")
}

fn broken_off(source: hyper::Error) -> CtlError {
    CtlError::unanswered("the daemon broke the connection off")
        .because(source)
        .hint(LOG_HINT)
}

fn unreachable_socket(socket: &Path, source: io::Error) -> CtlError {
    let kind = source.kind();
    let error = CtlError::unreachable(format!("can't reach the daemon at {}", socket.display()))
        .because(source);
    match kind {
        io::ErrorKind::NotFound => error
            .hint(
                "is it running? systemctl status rotord, or start it: sudo systemctl start rotord",
            )
            .hint("another socket is named with --socket or ROTORD_SOCKET"),
        io::ErrorKind::ConnectionRefused => {
            error.hint("the socket is there and nobody listens: sudo systemctl restart rotord")
        }
        io::ErrorKind::PermissionDenied => error.hint(reach::advice(socket)),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;

    use super::read;
    use crate::exit::Exit;

    #[test]
    fn an_answer_without_a_body_is_null() {
        assert!(read(StatusCode::NO_CONTENT, b"").unwrap().body.is_null());
    }

    #[test]
    fn an_error_of_unknown_shape_still_names_its_status() {
        let error = read(StatusCode::BAD_GATEWAY, b"{}").unwrap_err();
        assert_eq!(
            (error.exit(), error.to_string().as_str()),
            (Exit::Failed, "the daemon answered 502 Bad Gateway")
        );
    }

    #[test]
    fn what_is_no_json_is_not_understood() {
        assert!(
            read(StatusCode::OK, b"<html>")
                .unwrap_err()
                .to_string()
                .contains("not understood")
        );
    }
}
