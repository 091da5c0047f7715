//! From an answer on the wire to one that a guest is handed.

use std::time::UNIX_EPOCH;

use reqwest::Response;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};

use url::Url;
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

use super::error::{SendError, reason};
use crate::bindings::http::{Header, Response as WireResponse};
use crate::contract::Timestamp;

/// The header lines of an answer together, in bytes.
const LONGEST_HEADERS: usize = 64 * 1024;

/// Reads the whole answer, at most `longest_body` bytes of its body.
pub(crate) async fn read(
    mut response: Response,
    longest_body: usize,
) -> Result<WireResponse, SendError> {
    let too_large =
        || SendError::TooLarge(format!("the answer is larger than {longest_body} bytes"));
    let status = response.status().as_u16();
    let headers = copy_headers(response.headers())?;
    if response
        .content_length()
        .is_some_and(|length| length > longest_body as u64)
    {
        return Err(too_large());
    }
    let mut body = Body::default();
    let from = origin(response.url());
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| broken_off(&from, error))?
    {
        if chunk.len() > longest_body - body.0.len() {
            return Err(too_large());
        }
        body.push(&chunk);
    }
    Ok(WireResponse {
        status,
        headers,
        body: std::mem::take(&mut body.0),
    })
}

/// A body under construction. An answer may hold a new credential, so no copy of it stays behind: neither of
/// one that broke off, nor where it was outgrown.
#[derive(Default)]
struct Body(Zeroizing<Vec<u8>>);

impl Body {
    fn push(&mut self, chunk: &[u8]) {
        if self.0.capacity() - self.0.len() < chunk.len() {
            let room = (2 * self.0.capacity()).max(self.0.len() + chunk.len());
            let mut wider = Zeroizing::new(Vec::with_capacity(room));
            wider.extend_from_slice(&self.0);
            self.0 = wider;
        }
        self.0.extend_from_slice(chunk);
    }
}

/// Handed to wasmtime, which copies it into the guest's memory and drops it.
impl Drop for WireResponse {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl ZeroizeOnDrop for WireResponse {}

fn copy_headers(headers: &HeaderMap) -> Result<Vec<Header>, SendError> {
    let size = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len();
    if headers.iter().map(size).sum::<usize>() > LONGEST_HEADERS {
        return Err(SendError::TooLarge(format!(
            "the answer's headers are larger than {LONGEST_HEADERS} bytes"
        )));
    }
    let copy = |(name, value): (&HeaderName, &HeaderValue)| Header {
        name: name.as_str().to_owned(),
        value: value.as_bytes().to_vec(),
    };
    Ok(headers.iter().map(copy).collect())
}

fn origin(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or_default();
    format!("{}:{port}", url.host_str().unwrap_or_default())
}

fn broken_off(from: &str, error: reqwest::Error) -> SendError {
    SendError::Interrupted(format!(
        "the answer of {from} broke off: {}",
        reason(&error.without_url())
    ))
}

/// The service's clock.
pub(crate) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let time = httpdate::parse_http_date(headers.get(header::DATE)?.to_str().ok()?).ok()?;
    let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
    i64::try_from(seconds).ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_guest_is_handed_is_wiped_when_dropped() {
        fn is_wiped<T: ZeroizeOnDrop>() {}
        is_wiped::<WireResponse>();
    }

    #[test]
    fn a_body_in_pieces_is_the_whole() {
        let mut body = Body::default();
        let mut whole = Vec::new();
        for size in [0, 1, 500, 3, 4096] {
            let chunk = vec![u8::try_from(size % 251).unwrap(); size];
            body.push(&chunk);
            whole.extend(chunk);
        }
        assert_eq!(*body.0, whole);
    }

    #[test]
    fn a_date_is_read_and_nonsense_is_not() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::DATE, text.parse().unwrap());
            date(&headers)
        };
        assert_eq!(
            of("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(Timestamp(784_111_777))
        );
        assert_eq!(of("yesterday"), None);
        assert_eq!(date(&HeaderMap::new()), None);
    }
}
