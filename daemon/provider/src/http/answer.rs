//! From an answer on the wire to one that a guest is handed.

use std::time::UNIX_EPOCH;

use reqwest::Response;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::error::{SendError, chain};
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
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken_off)? {
        if chunk.len() > longest_body - body.len() {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(WireResponse {
        status,
        headers,
        body,
    })
}

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

fn broken_off(error: reqwest::Error) -> SendError {
    SendError::Interrupted(format!(
        "the answer broke off: {}",
        chain(&error.without_url())
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
