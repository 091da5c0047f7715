//! Microsoft's clouds. They share nothing: a token of one is worthless in another.

use rotor_provider_sdk::http::Error;

/// Where one cloud answers. The three are independent, since new clouds appear with combinations of
/// their own, and so that a stand-in can take each one's place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cloud {
    /// Its name in a connection.
    pub(crate) name: &'static str,
    /// Entra's token endpoint.
    pub(crate) authority: &'static str,
    /// Graph, without a version.
    pub(crate) graph_root: &'static str,
    /// What tokens for Graph are asked for with.
    pub(crate) scope: &'static str,
}

/// All of them; the first is the default.
pub(crate) const CLOUDS: [Cloud; 4] = [
    Cloud {
        name: "global",
        authority: "https://login.microsoftonline.com",
        graph_root: "https://graph.microsoft.com",
        scope: "https://graph.microsoft.com/.default",
    },
    Cloud {
        name: "us-gov-l4",
        authority: "https://login.microsoftonline.us",
        graph_root: "https://graph.microsoft.us",
        scope: "https://graph.microsoft.us/.default",
    },
    Cloud {
        name: "us-gov-l5",
        authority: "https://login.microsoftonline.us",
        graph_root: "https://dod-graph.microsoft.us",
        scope: "https://dod-graph.microsoft.us/.default",
    },
    Cloud {
        name: "china",
        authority: "https://login.partner.microsoftonline.cn",
        graph_root: "https://microsoftgraph.chinacloudapi.cn",
        scope: "https://microsoftgraph.chinacloudapi.cn/.default",
    },
];

/// A root to build URLs on: `https`, a host, perhaps a port and a path; no slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Root(String);

impl Root {
    /// Reads one, forgiving a slash at the end.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim_end_matches('/');
        let rest = text.strip_prefix("https://")?;
        let host = rest.split('/').next().unwrap_or_default();
        let plain = |c: char| c.is_ascii_graphic() && !"?#@\\\"<>".contains(c);
        (!host.is_empty() && !host.starts_with(':') && rest.chars().all(plain))
            .then(|| Self(text.to_owned()))
    }

    /// The root and this, which begins with a slash.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The host with its port, as network rules name it.
    pub(crate) fn host(&self) -> &str {
        let rest = self.0.strip_prefix("https://").unwrap_or(&self.0);
        rest.split('/').next().unwrap_or_default()
    }

    /// The host with its port even where that is HTTPS's own, as a firewall's rule needs it.
    pub(crate) fn host_and_port(&self) -> String {
        let host = self.host();
        match host.rsplit_once(':') {
            // What follows a colon inside of brackets is a part of the address.
            Some((_, port)) if !port.ends_with(']') => host.to_owned(),
            _ => format!("{host}:443"),
        }
    }

    /// Why no whole answer came from there. A fault and the finding that it carries say it in the same words, so that
    /// who tells both tells it once.
    pub(crate) fn lost(&self, error: &Error) -> String {
        let host = self.host();
        match error {
            Error::Denied(_) => format!("{host} is not granted to this provider: {error}"),
            Error::Unreachable(_) => format!("{host} can't be reached: {error}"),
            Error::Interrupted(_) | Error::TooLarge(_) | Error::Other(_) => {
                format!("{host} gave no whole answer: {error}")
            }
        }
    }

    /// Whether this URL lies under the root. What begins like it but leads elsewhere
    /// (`https://root.example.evil.test/`, `https://root.example@evil.test/`) does not.
    pub(crate) fn holds(&self, url: &str) -> bool {
        self.below(url).is_some()
    }

    /// What follows the root in a URL that lies under it, from its slash on.
    pub(crate) fn below<'u>(&self, url: &'u str) -> Option<&'u str> {
        let (start, rest) = url.split_at_checked(self.0.len())?;
        (start.eq_ignore_ascii_case(&self.0) && rest.starts_with('/')).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_root_parses() {
        for cloud in CLOUDS {
            assert!(Root::parse(cloud.authority).is_some(), "{}", cloud.name);
            assert!(Root::parse(cloud.graph_root).is_some(), "{}", cloud.name);
        }
    }

    #[test]
    fn a_root_is_https_with_a_host_and_nothing_that_hides_another() {
        for wrong in [
            "",
            "http://graph.example",
            "https://",
            "https:///path",
            "https://:8443",
            "https://user@graph.example",
            "https://graph.example?x=1",
            "https://graph.example#x",
            "https://graph .example",
            "graph.example",
        ] {
            assert_eq!(Root::parse(wrong), None, "{wrong}");
        }
        let root = Root::parse("https://127.0.0.1:8443/").unwrap();
        assert_eq!(root.join("/v1.0"), "https://127.0.0.1:8443/v1.0");
        assert_eq!(root.host(), "127.0.0.1:8443");
    }

    #[test]
    fn a_firewalls_rule_names_the_port_too() {
        for (root, rule) in [
            ("https://graph.example", "graph.example:443"),
            ("https://graph.example/path", "graph.example:443"),
            ("https://127.0.0.1:8443", "127.0.0.1:8443"),
            ("https://[::1]", "[::1]:443"),
            ("https://[::1]:8443", "[::1]:8443"),
        ] {
            assert_eq!(Root::parse(root).unwrap().host_and_port(), rule);
        }
    }

    #[test]
    fn only_urls_under_the_root_are_held() {
        let root = Root::parse("https://graph.example").unwrap();
        assert!(root.holds("https://graph.example/v1.0/applications?$skiptoken=x"));
        assert!(root.holds("https://GRAPH.example/v1.0"));
        for wrong in [
            "https://graph.example",
            "https://graph.example.evil.test/v1.0",
            "https://graph.example@evil.test/v1.0",
            "https://graph.example:444/v1.0",
            "http://graph.example/v1.0",
            "/v1.0/applications",
        ] {
            assert!(!root.holds(wrong), "{wrong}");
        }
    }
}
