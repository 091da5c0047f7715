//! From an answer on the wire to one that a guest is handed.

use std::time::UNIX_EPOCH;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::{HeaderMap, Response, header};

use super::error::{SendError, chain};
use crate::bindings::http::{Header, Response as WireResponse};
use crate::contract::Timestamp;

/// Reads the whole answer, at most `longest_body` bytes of its body.
pub(crate) async fn read(
    response: Response<Incoming>,
    longest_body: usize,
) -> Result<WireResponse, SendError> {
    let too_large =
        || SendError::TooLarge(format!("the answer is larger than {longest_body} bytes"));
    let (head, body) = response.into_parts();
    if body.size_hint().lower() > longest_body as u64 {
        return Err(too_large());
    }
    let body = Limited::new(body, longest_body)
        .collect()
        .await
        .map_err(|e| {
            if e.is::<LengthLimitError>() {
                too_large()
            } else {
                SendError::Interrupted(format!("the answer broke off: {}", chain(e.as_ref())))
            }
        })?;
    let to_header = |(name, value): (&header::HeaderName, &header::HeaderValue)| Header {
        name: name.as_str().to_owned(),
        value: value.as_bytes().to_vec(),
    };
    Ok(WireResponse {
        status: head.status.as_u16(),
        headers: head.headers.iter().map(to_header).collect(),
        body: body.to_bytes().to_vec(),
    })
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
