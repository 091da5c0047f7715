//! HTTP as the daemon lends it: by TLS, without redirects, to the hosts that were granted.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::rotor::provider::http;
use crate::host::Imports;
use crate::{Fault, Result, Secret, Timestamp, time};

/// Why no whole answer came. The text is for a person, and no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The daemon's policy forbids it; nothing was sent. What would be right is in the text.
    Denied(String),
    /// Name, connection or TLS failed: no byte of the request was sent.
    Unreachable(String),
    /// It was, or may have been, sent, and no whole answer came back.
    Interrupted(String),
    /// An answer came and is larger than the daemon allows.
    TooLarge(String),
    /// What a newer daemon calls something else.
    Other(String),
}

// The contract's own type prints as Rust writes it down, and what is printed here reaches a person.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(why)
            | Self::Unreachable(why)
            | Self::Interrupted(why)
            | Self::TooLarge(why)
            | Self::Other(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Error {}

impl From<http::Error> for Error {
    fn from(error: http::Error) -> Self {
        match error {
            http::Error::Denied(why) => Self::Denied(why),
            http::Error::Unreachable(why) => Self::Unreachable(why),
            http::Error::Interrupted(why) => Self::Interrupted(why),
            http::Error::TooLarge(why) => Self::TooLarge(why),
            http::Error::Other(why) => Self::Other(why),
        }
    }
}

/// The way out.
pub trait Http {
    /// Makes one request and waits for its whole answer. Any status is an answer.
    fn send(&self, request: Request) -> std::result::Result<Response, Error>;
}

/// A request under construction; bodies and header values are treated as secret.
#[derive(Clone, PartialEq)]
pub struct Request {
    /// The method, such as `GET`.
    pub method: &'static str,
    /// The whole URL.
    pub url: String,
    /// Names and values, in order.
    pub headers: Vec<(&'static str, Secret)>,
    /// The body, where there is one.
    pub body: Option<Secret>,
    /// How long to wait, in milliseconds; at most what is left of the call's own time.
    pub timeout_ms: Option<u32>,
    /// Use a connection that nothing else has used: another replica may answer.
    pub fresh_connection: bool,
}

impl Request {
    /// A request without headers or body.
    pub fn new(method: &'static str, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: None,
            timeout_ms: None,
            fresh_connection: false,
        }
    }

    /// Reads something.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// Changes something.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<Secret>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds a bearer token.
    #[must_use]
    pub fn bearer(self, token: &Secret) -> Self {
        let mut value = Vec::with_capacity(b"Bearer ".len() + token.len());
        value.extend_from_slice(b"Bearer ");
        value.extend_from_slice(token.expose());
        self.header("Authorization", value)
    }

    /// Sends this as JSON.
    pub fn json(self, body: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_vec(body).map_err(|error| {
            Fault::internal(format!("a request body can't be written: {error}"))
        })?;
        Ok(self.content("application/json", body.into()))
    }

    /// Sends these as a form.
    #[must_use]
    pub fn form<'a>(self, fields: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let fields: Vec<_> = fields.into_iter().collect();
        // Reserved for the worst case, so that no outgrown copy of a secret stays behind.
        let room = fields
            .iter()
            .map(|(name, value)| 3 * (name.len() + value.len()) + 2)
            .sum();
        let mut body = Vec::with_capacity(room);
        for (name, value) in fields {
            if !body.is_empty() {
                body.push(b'&');
            }
            percent_encode(name.as_bytes(), &mut body);
            body.push(b'=');
            percent_encode(value, &mut body);
        }
        self.content("application/x-www-form-urlencoded", body.into())
    }

    /// Waits at most this long.
    #[must_use]
    pub fn timeout_ms(mut self, milliseconds: u32) -> Self {
        self.timeout_ms = Some(milliseconds);
        self
    }

    /// Uses a connection that nothing else has used.
    #[must_use]
    pub fn fresh_connection(mut self) -> Self {
        self.fresh_connection = true;
        self
    }

    fn content(mut self, kind: &'static str, body: Secret) -> Self {
        self.body = Some(body);
        self.header("Content-Type", kind)
    }
}

/// Only what is no secret: the query and the headers stay out.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.url.split(['?', '#']).next().unwrap_or_default();
        write!(f, "{} {path}", self.method)
    }
}

/// An answer.
#[derive(Clone, PartialEq)]
pub struct Response {
    /// The status, such as 200.
    pub status: u16,
    /// Names and values, as they came.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The whole body.
    pub body: Secret,
}

impl Response {
    /// Whether the status is in the 200s.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of this name, in any case, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// The body as JSON; `None` where it is something else, such as a gateway's page.
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(self.body.expose()).ok()
    }

    /// The service's clock, from its `Date` header.
    pub fn date(&self) -> Option<Timestamp> {
        self.header("Date").and_then(time::parse_http_date)
    }

    /// What `Retry-After` asks for, in milliseconds from now: seconds, or a date by the service's clock
    /// (`now` is for answers without a `Date`).
    pub fn retry_after_ms(&self, now: Timestamp) -> Option<u64> {
        let value = self.header("Retry-After")?.trim();
        let seconds = value.parse().ok().or_else(|| {
            let at = time::parse_http_date(value)?;
            let wait = at.saturating_sub(self.date().unwrap_or(now));
            Some(u64::try_from(wait).unwrap_or(0))
        })?;
        seconds.checked_mul(1000)
    }
}

/// Only the status: bodies and headers may hold secrets.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({})", self.status)
    }
}

/// Escapes everything but RFC 3986's unreserved characters, which is right in a query, a path segment
/// and a form.
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = Vec::with_capacity(text.len());
    percent_encode(text.as_bytes(), &mut encoded);
    encoded.into_iter().map(char::from).collect()
}

fn percent_encode(bytes: &[u8], into: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(byte);
        } else {
            into.extend([
                b'%',
                HEX[usize::from(byte >> 4)],
                HEX[usize::from(byte & 0x0f)],
            ]);
        }
    }
}

impl Http for Imports {
    fn send(&self, request: Request) -> std::result::Result<Response, Error> {
        let header = |(name, value): (&str, Secret)| http::Header {
            name: name.to_owned(),
            value: value.into_bytes(),
        };
        let request = http::Request {
            method: request.method.to_owned(),
            url: request.url,
            headers: request.headers.into_iter().map(header).collect(),
            body: request.body.map(Secret::into_bytes),
            timeout_ms: request.timeout_ms,
            fresh_connection: request.fresh_connection,
        };
        let response = http::send(&request)?;
        Ok(Response {
            status: response.status,
            headers: response
                .headers
                .into_iter()
                .map(|header| (header.name, header.value))
                .collect(),
            body: Secret::new(response.body),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(headers: &[(&str, &str)]) -> Response {
        Response {
            status: 429,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
                .collect(),
            body: Secret::default(),
        }
    }

    #[test]
    fn an_error_prints_its_text_alone() {
        let error = http::Error::Unreachable("can't connect to api.widgets.example:443".into());
        assert_eq!(
            Error::from(error).to_string(),
            "can't connect to api.widgets.example:443"
        );
    }

    #[test]
    fn a_form_escapes_what_secrets_hold() {
        let request = Request::post("https://x.example/").form([
            ("client_secret", b"a~b.c+d/e=f&g h".as_slice()),
            ("n", b"1"),
        ]);
        assert_eq!(
            request.body.unwrap().expose_text().unwrap(),
            "client_secret=a~b.c%2Bd%2Fe%3Df%26g%20h&n=1"
        );
    }

    #[test]
    fn retry_after_is_read_in_seconds() {
        assert_eq!(
            response(&[("retry-after", "60")]).retry_after_ms(0),
            Some(60_000)
        );
    }

    #[test]
    fn retry_after_as_a_date_counts_from_the_services_clock() {
        let headers = [
            ("Date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("Retry-After", "Sun, 06 Nov 1994 08:50:07 GMT"),
        ];
        assert_eq!(response(&headers).retry_after_ms(0), Some(30_000));
    }

    #[test]
    fn retry_after_in_the_past_is_now_and_nonsense_is_nothing() {
        let past = [("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT")];
        assert_eq!(response(&past).retry_after_ms(784_111_800), Some(0));
        for nonsense in ["soon", "-5", "99999999999999999999"] {
            assert_eq!(
                response(&[("Retry-After", nonsense)]).retry_after_ms(0),
                None
            );
        }
    }

    #[test]
    fn debug_shows_neither_query_nor_headers_nor_body() {
        let request = Request::get("https://x.example/path?key=hunter2")
            .bearer(&Secret::from("hunter2"))
            .form([("a", b"hunter2".as_slice())]);
        assert_eq!(format!("{request:?}"), "GET https://x.example/path");
    }
}
