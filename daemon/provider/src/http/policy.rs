//! What one call may reach: what the provider declares and the administrator grants.

use std::net::IpAddr;

use url::{Host, Url};

use super::address::{Reach, reach};
use super::error::SendError;
use super::rule::HostRule;
use crate::contract::{Connection, DeclaredHost, ProviderDescription, Value};
use crate::settings::Grant;

/// The hosts that one call may reach. The default reaches nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct EgressPolicy {
    allowed: Vec<HostRule>,
    private: Vec<HostRule>,
}

impl EgressPolicy {
    /// What this provider may reach over this connection.
    ///
    /// Nothing is granted by absence: a fixed host is granted by the administrator's act of installing the
    /// provider, whose declaration is shown to him, a host from a connection's field by his act of writing the
    /// connection; `only` narrows both, `extra` adds to them.
    pub(crate) fn new(
        description: &ProviderDescription,
        connection: &Connection,
        grant: &Grant,
    ) -> Self {
        let declared = description.hosts.iter().filter_map(|host| match host {
            DeclaredHost::Fixed(rule) => Some(rule.clone()),
            DeclaredHost::FromConnection(field) => host_in_field(connection, field),
        });
        let allowed = declared
            .filter(|rule| is_granted(rule, grant))
            .chain(grant.extra.iter().cloned())
            .collect();
        Self {
            allowed,
            private: grant.private.clone(),
        }
    }

    /// The hosts that this connection names in its fields, granted or not.
    pub(crate) fn named_by(
        description: &ProviderDescription,
        connection: &Connection,
    ) -> Vec<HostRule> {
        let named = description.hosts.iter().filter_map(|host| match host {
            DeclaredHost::Fixed(_) => None,
            DeclaredHost::FromConnection(field) => host_in_field(connection, field),
        });
        named.collect()
    }

    /// Where this rule leads, if it is granted and means one host.
    pub(crate) fn destination(&self, rule: &HostRule) -> Option<Destination> {
        let url = Url::parse(&format!("https://{rule}/")).ok()?;
        self.check(&url).ok()
    }

    /// Checks a URL by its scheme, its form and its name.
    pub(crate) fn check(&self, url: &Url) -> Result<Destination, SendError> {
        if url.scheme() != "https" {
            return Err(SendError::denied("only https is spoken"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(SendError::denied(
                "a URL with a user name is not taken: send an authorization header",
            ));
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(SendError::denied("the URL has no host"));
        };
        if !self.allowed.iter().any(|rule| rule.matches(&host, port)) {
            let allowed: Vec<String> = self.allowed.iter().map(ToString::to_string).collect();
            let allowed = if allowed.is_empty() {
                "none".to_owned()
            } else {
                allowed.join(", ")
            };
            return Err(SendError::Denied(format!(
                "{host}:{port} is not among the hosts that are declared and granted here: {allowed}"
            )));
        }
        Ok(Destination {
            host: host.to_owned(),
            port,
            private: self.private.iter().any(|rule| rule.matches(&host, port)),
        })
    }
}

fn is_granted(rule: &HostRule, grant: &Grant) -> bool {
    match &grant.only {
        None => true,
        Some(only) => only.iter().any(|wide| wide.covers(rule)),
    }
}

/// The hosts that a provider may reach, whatever the connection, in words.
pub(crate) fn reaches(description: &ProviderDescription, grant: &Grant) -> Vec<String> {
    let within = grant.only.as_ref().map_or(String::new(), |only| {
        let only: Vec<String> = only.iter().map(ToString::to_string).collect();
        format!(" and is among {}", only.join(", "))
    });
    let declared = description.hosts.iter().filter_map(|host| match host {
        DeclaredHost::Fixed(rule) => is_granted(rule, grant).then(|| rule.to_string()),
        DeclaredHost::FromConnection(field) => {
            Some(format!("the connection's {field}, where it is set{within}"))
        }
    });
    declared
        .chain(grant.extra.iter().map(ToString::to_string))
        .collect()
}

/// Where a request may go, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
    /// Whether addresses that are not public are granted.
    private: bool,
}

impl Destination {
    /// Whether it may be reached at this address.
    pub(crate) fn allows(&self, address: IpAddr) -> bool {
        match reach(address) {
            Reach::Public => true,
            Reach::Private => self.private,
            Reach::Never => false,
        }
    }

    /// An address in place of a name is never resolved, so it is checked here.
    pub(crate) fn require_reachable_literal(&self) -> Result<(), SendError> {
        let allowed = match self.host {
            Host::Domain(_) => true,
            Host::Ipv4(address) => self.allows(address.into()),
            Host::Ipv6(address) => self.allows(address.into()),
        };
        if allowed { Ok(()) } else { Err(self.refuse()) }
    }

    /// What a guest is told where no address is allowed. It need not learn which they are.
    pub(crate) fn refuse(&self) -> SendError {
        SendError::Denied(format!(
            "{}:{} is at a private address, which has to be granted for this host by name",
            self.host, self.port
        ))
    }
}

fn host_in_field(connection: &Connection, field: &str) -> Option<HostRule> {
    let value = connection.values.iter().find(|value| value.name == field)?;
    match &value.value {
        Value::Text(text) => HostRule::of_url(&Url::parse(text.trim()).ok()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::NamedValue;

    fn connection(fields: &[(&str, &str)]) -> Connection {
        let value = |(name, text): &(&str, &str)| NamedValue {
            name: (*name).to_owned(),
            value: Value::Text((*text).to_owned()),
        };
        Connection {
            method: "secret".to_owned(),
            values: fields.iter().map(value).collect(),
        }
    }

    fn rules(texts: &[&str]) -> Vec<HostRule> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn policy(fields: &[(&str, &str)], grant: &Grant) -> EgressPolicy {
        let mut description = crate::contract::description_for_tests();
        description.hosts = vec![
            DeclaredHost::Fixed("login.example.com".parse().unwrap()),
            DeclaredHost::FromConnection("graphUrl".to_owned()),
        ];
        EgressPolicy::new(&description, &connection(fields), grant)
    }

    fn allows(policy: &EgressPolicy, url: &str) -> bool {
        policy.check(&Url::parse(url).unwrap()).is_ok()
    }

    #[test]
    fn the_default_reaches_nothing() {
        assert!(!allows(
            &EgressPolicy::default(),
            "https://login.example.com/"
        ));
    }

    #[test]
    fn a_declared_host_is_granted_by_installing() {
        let policy = policy(&[], &Grant::default());
        assert!(allows(&policy, "https://login.example.com/token"));
        assert!(!allows(&policy, "https://graph.example.com/"));
    }

    #[test]
    fn a_host_in_a_connection_field_is_granted_by_writing_it() {
        let policy = policy(
            &[("graphUrl", "https://graph.example.com:8443/v1.0")],
            &Grant::default(),
        );
        assert!(allows(&policy, "https://graph.example.com:8443/anything"));
        assert!(
            !allows(&policy, "https://graph.example.com/"),
            "another port is another host"
        );
    }

    #[test]
    fn another_field_or_scheme_of_a_connection_grants_nothing() {
        for fields in [
            [("other", "https://graph.example.com")],
            [("graphUrl", "http://graph.example.com")],
            [("graphUrl", "graph.example.com")],
            [("graphUrl", "https://")],
        ] {
            assert!(
                !allows(
                    &policy(&fields, &Grant::default()),
                    "https://graph.example.com/"
                ),
                "{fields:?}"
            );
        }
    }

    #[test]
    fn only_narrows_what_is_declared_and_extra_adds() {
        let grant = Grant {
            only: Some(rules(&["*.example.com"])),
            extra: rules(&["mirror.test"]),
            ..Grant::default()
        };
        let policy = policy(&[("graphUrl", "https://graph.elsewhere.test")], &grant);
        assert!(allows(&policy, "https://login.example.com/"));
        assert!(!allows(&policy, "https://graph.elsewhere.test/"));
        assert!(allows(&policy, "https://mirror.test/"));
        assert!(
            !allows(&policy, "https://other.example.com/"),
            "only grants nothing by itself"
        );
    }

    #[test]
    fn what_may_be_reached_is_told_in_words() {
        let mut description = crate::contract::description_for_tests();
        description.hosts = vec![
            DeclaredHost::Fixed("login.example.com".parse().unwrap()),
            DeclaredHost::Fixed("login.example.net".parse().unwrap()),
            DeclaredHost::FromConnection("graphUrl".to_owned()),
        ];
        assert_eq!(
            reaches(&description, &Grant::default()),
            [
                "login.example.com",
                "login.example.net",
                "the connection's graphUrl, where it is set"
            ]
        );
        let grant = Grant {
            only: Some(rules(&["*.example.com"])),
            extra: rules(&["mirror.test:8443"]),
            ..Grant::default()
        };
        assert_eq!(
            reaches(&description, &grant),
            [
                "login.example.com",
                "the connection's graphUrl, where it is set and is among *.example.com",
                "mirror.test:8443"
            ]
        );
    }

    #[test]
    fn private_addresses_are_granted_host_by_host() {
        let grant = Grant {
            extra: rules(&["a.example.com", "b.example.com"]),
            private: rules(&["a.example.com"]),
            ..Grant::default()
        };
        let policy = policy(&[], &grant);
        let destination = |url: &str| policy.check(&Url::parse(url).unwrap()).unwrap();
        let loopback = "127.0.0.1".parse().unwrap();
        assert!(destination("https://a.example.com/").allows(loopback));
        assert!(!destination("https://b.example.com/").allows(loopback));
        assert!(!destination("https://a.example.com/").allows("0.0.0.0".parse().unwrap()));
    }

    #[test]
    fn an_address_in_place_of_a_name_is_checked_too() {
        let extra = [
            "127.0.0.1",
            "127.0.0.2",
            "[::1]",
            "[::ffff:10.0.0.1]",
            "1.1.1.1",
            "0.0.0.0",
        ];
        let grant = Grant {
            extra: rules(&extra),
            private: rules(&["127.0.0.2", "0.0.0.0"]),
            ..Grant::default()
        };
        let policy = policy(&[], &grant);
        for (url, allowed) in [
            ("https://127.0.0.1/", false),
            ("https://0x7f.1/", false),
            ("https://[::1]/", false),
            ("https://[::ffff:10.0.0.1]/", false),
            ("https://0.0.0.0/", false),
            ("https://127.0.0.2/", true),
            ("https://1.1.1.1/", true),
        ] {
            let to = policy.check(&Url::parse(url).unwrap()).unwrap();
            assert_eq!(to.require_reachable_literal().is_ok(), allowed, "{url}");
        }
    }

    #[test]
    fn plain_http_and_users_in_urls_are_denied() {
        let policy = policy(&[], &Grant::default());
        assert!(!allows(&policy, "http://login.example.com/"));
        assert!(!allows(&policy, "https://user:pass@login.example.com/"));
    }
}
