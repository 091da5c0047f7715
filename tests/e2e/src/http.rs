//! HTTP over a Unix socket: one connection per request.

use std::path::{Path, PathBuf};

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{HeaderMap, Method, Request, header};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::UnixStream;

use crate::failure::{Failure, OrFail as _};

/// A socket that answers HTTP.
#[derive(Clone, Debug)]
pub struct Http {
    socket: PathBuf,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Reply {
    /// The body as JSON; null where there is none.
    ///
    /// # Errors
    /// It is none.
    pub fn json(&self) -> Result<Value, Failure> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.body).or_fail(|| format!("no JSON: {}", self.text()))
    }

    /// The body as a type.
    ///
    /// # Errors
    /// It is not a success, or not of that type.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        if !(200..300).contains(&self.status) {
            return Err(Failure::new(format!(
                "answered {}: {}",
                self.status,
                self.text()
            )));
        }
        serde_json::from_slice(&self.body).or_fail(|| "an answer of another form".to_owned())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Http {
    /// Over this socket. Nothing is opened yet.
    pub fn over(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
        }
    }

    /// The socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// # Errors
    /// There was no answer.
    pub async fn get(&self, path: &str) -> Result<Reply, Failure> {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    /// # Errors
    /// There was no answer.
    pub async fn delete(&self, path: &str) -> Result<Reply, Failure> {
        self.send(Method::DELETE, path, &[], Vec::new()).await
    }

    /// # Errors
    /// There was no answer.
    pub async fn post(&self, path: &str, body: &impl Serialize) -> Result<Reply, Failure> {
        self.send_json(Method::POST, path, body).await
    }

    /// # Errors
    /// There was no answer.
    pub async fn patch(&self, path: &str, body: &impl Serialize) -> Result<Reply, Failure> {
        self.send_json(Method::PATCH, path, body).await
    }

    async fn send_json(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Reply, Failure> {
        let body = serde_json::to_vec(body).or_fail(|| "no JSON can be made of it".to_owned())?;
        let json = [("content-type", "application/json")];
        self.send(method, path, &json, body).await
    }

    /// Any request at all.
    ///
    /// # Errors
    /// There was no answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Reply, Failure> {
        let what = || format!("{method} {path} over {}", self.socket.display());
        let stream = UnixStream::connect(&self.socket).await.or_fail(what)?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.or_fail(what)?;
        let driver = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method.clone())
            .uri(path)
            .header(header::HOST, "localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).or_fail(what)?;
        let response = sender.send_request(request).await.or_fail(what)?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.or_fail(what)?.to_bytes();
        drop(sender);
        driver.abort();
        Ok(Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        })
    }
}
