//! Requests over kept connections, as many as are answered.

use std::path::Path;
use std::time::{Duration, Instant};

use e2e::Failure;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

const CONNECTIONS: usize = 4;

/// Requests a second, over four connections for this long.
pub(crate) async fn requests(socket: &Path, path: &str, time: Duration) -> Result<f64, Failure> {
    let all = (0..CONNECTIONS).map(|_| one(socket, path, time));
    let mut sum = 0.0;
    for counted in futures_util::future::join_all(all).await {
        sum += counted.map_err(|error| Failure::new("a request failed").because(error))?;
    }
    Ok(sum)
}

async fn one(
    socket: &Path,
    path: &str,
    time: Duration,
) -> Result<f64, Box<dyn std::error::Error + Send + Sync>> {
    let stream = UnixStream::connect(socket).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let (start, mut count) = (Instant::now(), 0.0);
    while start.elapsed() < time {
        let request = Request::get(path)
            .header(header::HOST, "localhost")
            .body(Empty::<Bytes>::new())?;
        let response = sender.send_request(request).await?;
        if !response.status().is_success() {
            return Err(format!("answered {}", response.status()).into());
        }
        response.into_body().collect().await?;
        sender.ready().await?;
        count += 1.0;
    }
    driver.abort();
    Ok(count / start.elapsed().as_secs_f64())
}
