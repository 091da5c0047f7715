//! The listener: TLS, HTTP/1.1, and connections that can be cut without an answer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::answer::{Answer, Outcome};
use crate::exchange;
use crate::request::Request;
use crate::world::Shared;

/// Bodies are no longer.
const LONGEST_BODY: usize = 1 << 20;

/// Accepts connections until `stop` changes, then cuts those that are left.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: TlsAcceptor,
    shared: Arc<Shared>,
    local: String,
    mut stop: watch::Receiver<bool>,
) {
    let counter = AtomicU64::new(0);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let connection = Connection {
                    shared: Arc::clone(&shared),
                    number: counter.fetch_add(1, Ordering::Relaxed) + 1,
                    local: local.clone(),
                };
                connections.spawn(connection.serve(stream, tls.clone()));
            }
            _ = stop.changed() => return,
            Some(_) = connections.join_next() => {}
        }
    }
}

struct Connection {
    shared: Arc<Shared>,
    number: u64,
    local: String,
}

/// The connection is to end without an answer, or the request can't be read.
#[derive(Debug, thiserror::Error)]
#[error("connection cut")]
struct Cut;

impl Connection {
    async fn serve(self, stream: TcpStream, tls: TlsAcceptor) {
        // Answers are small; waiting to fill a packet would only add delay.
        let _ = stream.set_nodelay(true);
        let stream = match tls.accept(stream).await {
            Ok(stream) => stream,
            Err(error) => {
                tracing::debug!(%error, "TLS handshake failed");
                return;
            }
        };
        let service = hyper::service::service_fn(|request| self.answer(request));
        let served = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await;
        if let Err(error) = served {
            tracing::debug!(%error, "connection ended");
        }
    }

    async fn answer(&self, request: hyper::Request<Incoming>) -> Result<Response<AnswerBody>, Cut> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, LONGEST_BODY)
            .collect()
            .await
            .map_err(|_| Cut)?
            .to_bytes();
        let request = Request {
            method: head.method,
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            body,
            connection: self.number,
            local: self.local.clone(),
        };
        // hyper ends a connection without a byte where its service fails.
        match exchange::perform(&self.shared, &request) {
            Outcome::Cut => Err(Cut),
            Outcome::Truncated(answer) => response(answer, true),
            Outcome::Answer(answer, delay) => {
                if !delay.is_zero() {
                    tokio::time::sleep(delay).await;
                }
                response(answer, false)
            }
        }
    }
}

fn response(answer: Answer, truncated: bool) -> Result<Response<AnswerBody>, Cut> {
    let mut response = Response::new(AnswerBody {
        rest: Some(answer.body),
        chunked: answer.chunked,
        truncated,
    });
    *response.status_mut() = StatusCode::from_u16(answer.status).map_err(|_| Cut)?;
    for (name, value) in answer.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Cut)?;
        let value = HeaderValue::from_str(&value).map_err(|_| Cut)?;
        response.headers_mut().append(name, value);
    }
    Ok(response)
}

/// A body in one piece, with or without a length given ahead, that may break off.
struct AnswerBody {
    rest: Option<Bytes>,
    chunked: bool,
    truncated: bool,
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.rest.take() {
            Some(bytes) if self.truncated => {
                let half = bytes.slice(..bytes.len() / 2);
                Poll::Ready(Some(Ok(Frame::data(half))))
            }
            Some(bytes) if !bytes.is_empty() => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None if self.truncated => Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
            _ => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        !self.truncated && self.rest.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.rest {
            Some(bytes) if !self.chunked || bytes.is_empty() => {
                SizeHint::with_exact(bytes.len() as u64)
            }
            None if !self.truncated => SizeHint::with_exact(0),
            _ => SizeHint::default(),
        }
    }
}
