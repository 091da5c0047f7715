//! Which host a rule means.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Host;

/// The port where none is written.
const HTTPS: u16 = 443;

/// A host that may be reached, always by TLS.
///
/// | form | matches |
/// |---|---|
/// | `graph.example.com` | that name on port 443 |
/// | `graph.example.com:8443` | that name on that port |
/// | `*.example.com` | each name under it, however deep, but not `example.com`, on port 443 |
/// | `*.example.com:8443` | the same on that port |
/// | `192.0.2.1`, `[2001:db8::1]:8443` | that address |
///
/// There is no form for "all hosts", and nothing is granted by an empty list. Names are compared in their
/// ASCII form, without regard to case.
///
/// ```
/// use rotord_provider::http::HostRule;
///
/// let rule: HostRule = "*.Example.com".parse()?;
/// assert_eq!(rule.to_string(), "*.example.com");
/// assert!("https://example.com/".parse::<HostRule>().is_err());
/// assert!("*".parse::<HostRule>().is_err());
/// # Ok::<(), rotord_provider::http::InvalidHostRule>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostRule {
    pattern: Pattern,
    port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Pattern {
    Exact(Host<String>),
    /// The part after `*.`.
    Under(String),
}

/// A text that is no [`HostRule`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no host rule: {reason}")]
pub struct InvalidHostRule {
    text: String,
    reason: &'static str,
}

impl HostRule {
    /// The rule that means exactly the host of this URL; `None` if the URL is not `https` or has no host.
    pub(crate) fn of_url(url: &url::Url) -> Option<Self> {
        if url.scheme() != "https" {
            return None;
        }
        Some(Self {
            pattern: Pattern::Exact(url.host()?.to_owned()),
            port: url.port().unwrap_or(HTTPS),
        })
    }

    /// Whether it means this host.
    pub fn matches(&self, host: &Host<&str>, port: u16) -> bool {
        port == self.port
            && match (&self.pattern, host) {
                (Pattern::Exact(Host::Domain(name)), Host::Domain(asked)) => name == asked,
                (Pattern::Exact(Host::Ipv4(address)), Host::Ipv4(asked)) => address == asked,
                (Pattern::Exact(Host::Ipv6(address)), Host::Ipv6(asked)) => address == asked,
                (Pattern::Under(suffix), Host::Domain(asked)) => asked
                    .strip_suffix(suffix.as_str())
                    .and_then(|rest| rest.strip_suffix('.'))
                    .is_some_and(|label| !label.is_empty()),
                _ => false,
            }
    }

    /// Whether it means one host alone.
    pub fn is_exact(&self) -> bool {
        matches!(self.pattern, Pattern::Exact(_))
    }

    /// Whether everything that `other` means is meant by this rule too.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match &other.pattern {
            Pattern::Exact(Host::Domain(name)) => self.matches(&Host::Domain(name), other.port),
            Pattern::Exact(Host::Ipv4(address)) => self.matches(&Host::Ipv4(*address), other.port),
            Pattern::Exact(Host::Ipv6(address)) => self.matches(&Host::Ipv6(*address), other.port),
            Pattern::Under(_) => self == other,
        }
    }
}

impl FromStr for HostRule {
    type Err = InvalidHostRule;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = |reason| InvalidHostRule {
            text: text.chars().take(120).collect(),
            reason,
        };
        if text.contains("://") || text.contains(['/', '?', '#', '@']) {
            return Err(invalid(
                "write the host alone, without a scheme, a user or a path",
            ));
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => {
                let port = port.parse().ok().filter(|port| *port != 0);
                (
                    name,
                    port.ok_or_else(|| invalid("the port is a number from 1 to 65535"))?,
                )
            }
            _ => (text, HTTPS),
        };
        if name.contains(':') && !name.starts_with('[') {
            return Err(invalid("write an IPv6 address in brackets"));
        }
        let (name, under) = match name.strip_prefix("*.") {
            Some(suffix) => (suffix, true),
            None => (name, false),
        };
        if name.contains('*') {
            return Err(invalid(
                "a * stands only for all names under a domain, as in *.example.com",
            ));
        }
        let host = Host::parse(name).map_err(|_| invalid("the host is a name or an address"))?;
        let pattern = match (host, under) {
            (Host::Domain(suffix), true) => Pattern::Under(suffix),
            (_, true) => return Err(invalid("nothing stands under an address")),
            (host, false) => Pattern::Exact(host),
        };
        Ok(Self { pattern, port })
    }
}

impl fmt::Display for HostRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pattern {
            Pattern::Exact(host) => write!(f, "{host}")?,
            Pattern::Under(suffix) => write!(f, "*.{suffix}")?,
        }
        if self.port == HTTPS {
            Ok(())
        } else {
            write!(f, ":{}", self.port)
        }
    }
}

impl TryFrom<String> for HostRule {
    type Error = InvalidHostRule;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<HostRule> for String {
    fn from(rule: HostRule) -> Self {
        rule.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(rule: &str, url: &str) -> bool {
        let url = url::Url::parse(url).unwrap();
        rule.parse::<HostRule>()
            .unwrap()
            .matches(&url.host().unwrap(), url.port_or_known_default().unwrap())
    }

    #[test]
    fn each_form_matches_what_the_table_says() {
        for (rule, url, expected) in [
            ("graph.example.com", "https://graph.example.com/v1.0", true),
            ("graph.example.com", "https://GRAPH.example.com/", true),
            (
                "graph.example.com",
                "https://graph.example.com:8443/",
                false,
            ),
            (
                "graph.example.com:8443",
                "https://graph.example.com:8443/",
                true,
            ),
            (
                "graph.example.com",
                "https://graph.example.com.evil.test/",
                false,
            ),
            ("graph.example.com", "https://evilgraph.example.com/", false),
            ("graph.example.com", "https://graph.example.com./", false),
            ("*.example.com", "https://a.example.com/", true),
            ("*.example.com", "https://a.b.example.com/", true),
            ("*.example.com", "https://example.com/", false),
            ("*.example.com", "https://evilexample.com/", false),
            ("*.example.com", "https://.example.com/", false),
            ("*.example.com:8443", "https://a.example.com:8443/", true),
            ("192.0.2.1", "https://192.0.2.1/", true),
            ("192.0.2.1", "https://0xC0000201/", true),
            ("*.2.1", "https://192.0.2.1/", false),
            ("[2001:db8::1]:8443", "https://[2001:db8:0::1]:8443/", true),
            ("bücher.example", "https://xn--bcher-kva.example/", true),
        ] {
            if rule == "*.2.1" {
                assert!(rule.parse::<HostRule>().is_err());
            } else {
                assert_eq!(matches(rule, url), expected, "{rule} against {url}");
            }
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for bad in [
            "",
            "*",
            "*.",
            "*example.com",
            "a.*.example.com",
            "https://a.example",
            "a.example/x",
            "u@a.example",
            "a.example:0",
            "a.example:x",
            "a.example:99999",
            "::1",
            "*.192.0.2.1",
            "a b",
        ] {
            assert!(bad.parse::<HostRule>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            "a.example",
            "a.example:8443",
            "*.a.example",
            "[::1]:8443",
            "127.0.0.1:1",
        ] {
            let rule: HostRule = text.parse().unwrap();
            assert_eq!(rule.to_string(), text);
            assert_eq!(rule.to_string().parse::<HostRule>().unwrap(), rule);
        }
    }
}
