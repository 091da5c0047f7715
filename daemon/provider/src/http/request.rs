//! From a guest's request to one that may be sent: bounded, well-formed, without the headers that belong
//! to the connection.

use bytes::Bytes;
use reqwest::header::{self, HeaderName, HeaderValue};
use reqwest::{Method, Request};
use url::Url;
use zeroize::Zeroizing;

use super::error::SendError;
use crate::bindings::http::Header;

/// Headers that the guest may send in one request.
const MOST_HEADERS: usize = 64;

/// Their names and values together, in bytes. Room for large access tokens.
const LONGEST_HEADERS: usize = 64 * 1024;

/// Said where the guest does not name itself.
const USER_AGENT: &str = concat!("rotord/", env!("CARGO_PKG_VERSION"));

/// Belong to the connection, or are derived from the URL and the body: taken out without a word, because
/// libraries add them.
const OURS: [HeaderName; 11] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// Methods that a provider has a use for. `CONNECT` and `TRACE` are not among them.
pub(crate) fn method(text: &str) -> Result<Method, SendError> {
    match text {
        "GET" => Ok(Method::GET),
        "HEAD" => Ok(Method::HEAD),
        "POST" => Ok(Method::POST),
        "PUT" => Ok(Method::PUT),
        "PATCH" => Ok(Method::PATCH),
        "DELETE" => Ok(Method::DELETE),
        "OPTIONS" => Ok(Method::OPTIONS),
        _ => Err(SendError::denied(
            "the method is one of GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS",
        )),
    }
}

/// Builds the request. Header values and the body are zeroised once the client has let go of them.
pub(crate) fn build(
    method: Method,
    url: &Url,
    headers: Vec<Header>,
    body: Option<Vec<u8>>,
    longest_body: usize,
) -> Result<Request, SendError> {
    let body = Zeroizing::new(body.unwrap_or_default());
    if body.len() > longest_body {
        return Err(SendError::Denied(format!(
            "the body is larger than {longest_body} bytes"
        )));
    }
    // Never sent, and nobody's business.
    let mut url = url.clone();
    url.set_fragment(None);
    if url.as_str().parse::<::http::Uri>().is_err() {
        return Err(SendError::denied("the URL is not one that HTTP can carry"));
    }

    let mut request = Request::new(method, url);
    if !body.is_empty() {
        *request.body_mut() = Some(Bytes::from_owner(ZeroizedBody(body)).into());
    }
    let map = request.headers_mut();
    map.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    let mut named_itself = false;
    let mut bytes = 0;
    if headers.len() > MOST_HEADERS {
        return Err(SendError::Denied(format!(
            "there are more than {MOST_HEADERS} headers"
        )));
    }
    for Header { name, value } in headers {
        let value = Zeroizing::new(value);
        bytes += name.len() + value.len();
        if bytes > LONGEST_HEADERS {
            return Err(SendError::Denied(format!(
                "the headers are larger than {LONGEST_HEADERS} bytes"
            )));
        }
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| SendError::denied("a header has a name that HTTP does not allow"))?;
        if OURS.contains(&name) {
            continue;
        }
        let value = HeaderValue::from_maybe_shared(Bytes::from_owner(ZeroizedBody(value)))
            .map_err(|_| {
                SendError::Denied(format!(
                    "the header {name} has a value that HTTP does not allow"
                ))
            })?;
        if name == header::USER_AGENT && !named_itself {
            named_itself = true;
            map.insert(name, value);
        } else {
            map.append(name, value);
        }
    }
    Ok(request)
}

/// Lets `Bytes` own what must be zeroised.
struct ZeroizedBody(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for ZeroizedBody {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str, value: &str) -> Header {
        Header {
            name: name.to_owned(),
            value: value.as_bytes().to_vec(),
        }
    }

    fn built(url: &str, headers: Vec<Header>, body: Option<Vec<u8>>) -> Result<Request, SendError> {
        build(Method::POST, &Url::parse(url).unwrap(), headers, body, 1000)
    }

    #[test]
    fn a_fragment_is_not_sent() {
        let request = built("https://a.test:8443/v1/x?y=1#secret-fragment", vec![], None).unwrap();
        assert_eq!(request.url().as_str(), "https://a.test:8443/v1/x?y=1");
    }

    #[test]
    fn a_url_that_http_cannot_carry_is_denied() {
        let long = format!("https://a.test/{}", "x".repeat(70_000));
        assert!(matches!(
            built(&long, vec![], None),
            Err(SendError::Denied(_))
        ));
    }

    #[test]
    fn headers_of_the_connection_are_taken_out() {
        let headers = vec![
            header("Host", "evil.test"),
            header("Connection", "close"),
            header("Content-Length", "0"),
            header("Transfer-Encoding", "chunked"),
            header("Proxy-Authorization", "Basic x"),
            header("Authorization", "Bearer x"),
        ];
        let request = built("https://a.test/", headers, None).unwrap();
        let mut names: Vec<&str> = request.headers().keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["authorization", "user-agent"]);
    }

    #[test]
    fn a_guest_may_name_itself_once() {
        let request = built(
            "https://a.test/",
            vec![header("User-Agent", "provider/1")],
            None,
        )
        .unwrap();
        assert_eq!(request.headers().get_all("user-agent").iter().count(), 1);
        assert_eq!(request.headers()["user-agent"], "provider/1");
    }

    #[test]
    fn what_would_smuggle_a_header_is_denied() {
        for bad in [
            header("a", "x\r\nb: y"),
            header("a: b", "x"),
            header("", "x"),
            header("a\r\n", "x"),
        ] {
            assert!(matches!(
                built("https://a.test/", vec![bad], None),
                Err(SendError::Denied(_))
            ));
        }
    }

    #[test]
    fn what_is_too_large_is_denied() {
        assert!(built("https://a.test/", vec![], Some(vec![0; 1000])).is_ok());
        assert!(built("https://a.test/", vec![], Some(vec![0; 1001])).is_err());
        assert!(
            built(
                "https://a.test/",
                vec![header("a", &"x".repeat(LONGEST_HEADERS))],
                None
            )
            .is_err()
        );
        let many = (0..=MOST_HEADERS).map(|_| header("a", "x")).collect();
        assert!(built("https://a.test/", many, None).is_err());
    }

    #[test]
    fn only_methods_with_a_use_are_taken() {
        assert!(method("PATCH").is_ok());
        for bad in ["CONNECT", "TRACE", "get", "", "GET /x HTTP/1.1\r\n"] {
            assert!(method(bad).is_err(), "{bad:?} was taken");
        }
    }
}
