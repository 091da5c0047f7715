//! A request, read in whole.

use std::borrow::Cow;

use bytes::Bytes;
use hyper::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use url::form_urlencoded;
use uuid::Uuid;

/// What came in.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The method.
    pub method: Method,
    /// The path as sent.
    pub path: String,
    /// The query as sent, without its question mark.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The connection it came on, counted from 1.
    pub connection: u64,
    /// The server's own address, where the request names no host.
    pub local: String,
}

impl Request {
    /// A header that is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The path's segments, decoded.
    pub(crate) fn segments(&self) -> Vec<String> {
        self.path
            .trim_matches('/')
            .split('/')
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect()
    }

    /// The query's pairs, decoded.
    pub(crate) fn query_pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        form_urlencoded::parse(self.query.as_bytes())
    }

    /// Where the client thinks this server is, such as `https://localhost:8443`.
    pub(crate) fn base(&self) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        let host = self
            .header("host")
            .filter(|host| !host.is_empty() && host.bytes().all(plain))
            .unwrap_or(&self.local);
        format!("https://{host}")
    }

    /// The body's form fields, if the body says that it is a form.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        let is_form = self
            .header("content-type")
            .and_then(|value| value.split(';').next())
            .is_some_and(|kind| {
                kind.trim()
                    .eq_ignore_ascii_case("application/x-www-form-urlencoded")
            });
        if !is_form {
            return Vec::new();
        }
        form_urlencoded::parse(&self.body)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect()
    }

    /// `client-request-id` from the header or the query, if it is a GUID.
    pub(crate) fn client_request_id(&self) -> Option<Uuid> {
        let from_query = || {
            self.query_pairs()
                .find(|(name, _)| name == "client-request-id")
                .and_then(|(_, value)| value.parse().ok())
        };
        self.header("client-request-id")
            .and_then(|value| value.parse().ok())
            .or_else(from_query)
    }
}
