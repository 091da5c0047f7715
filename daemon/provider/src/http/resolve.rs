//! From a name to the addresses that may be connected to.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::policy::Destination;

/// What one call's names resolved to.
///
/// A name that is under somebody else's control can't lead one call to different places, and several
/// requests to one service ask for its address once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pins(Arc<Mutex<HashMap<String, Vec<SocketAddr>>>>);

/// Resolves the name of one destination, and keeps what the policy allows of it.
pub(crate) struct Resolver {
    to: Destination,
    pins: Pins,
    fresh: bool,
}

/// All of a name's addresses are ones that are not granted. Which they are is left out: a guest need not
/// learn it.
#[derive(Debug, thiserror::Error)]
#[error("the name is at a private address")]
pub(crate) struct PrivateAddress;

impl Resolver {
    /// `fresh` asks again for a name that was asked for before: another replica may be named first.
    pub(crate) fn new(to: Destination, pins: Pins, fresh: bool) -> Self {
        Self { to, pins, fresh }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let pinned = if self.fresh {
            None
        } else {
            self.pins.get(name.as_str())
        };
        let (to, pins) = (self.to.clone(), self.pins.clone());
        Box::pin(async move {
            let found = match pinned {
                Some(found) => found,
                None => look_up(&name, &to, &pins).await?,
            };
            // Pinned or not: another port of the same name may be granted other addresses. And a pin is of the
            // address alone: with the port of the request that set it, it would lead this one elsewhere.
            let allowed: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| to.allows(address.ip()))
                .map(|mut address| {
                    address.set_port(to.port);
                    address
                })
                .collect();
            if allowed.is_empty() {
                return Err(PrivateAddress.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

async fn look_up(name: &Name, to: &Destination, pins: &Pins) -> io::Result<Vec<SocketAddr>> {
    let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), to.port))
        .await?
        .collect();
    if found.is_empty() {
        return Err(io::Error::other("the name has no address"));
    }
    pins.set(name.as_str(), found.clone());
    Ok(found)
}

impl Pins {
    fn get(&self, name: &str) -> Option<Vec<SocketAddr>> {
        let pins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pins.get(name).cloned()
    }

    fn set(&self, name: &str, addresses: Vec<SocketAddr>) {
        let mut pins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pins.insert(name.to_owned(), addresses);
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::http::EgressPolicy;
    use crate::settings::Grant;

    fn destination(url: &str, private: &[&str]) -> Destination {
        let url = Url::parse(url).unwrap();
        let rule = |text: &&str| text.parse().unwrap();
        let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(443));
        let grant = Grant {
            extra: vec![host.parse().unwrap()],
            private: private.iter().map(rule).collect(),
            ..Grant::default()
        };
        let description = crate::contract::description_for_tests();
        let connection = crate::contract::Connection {
            method: String::new(),
            values: Vec::new(),
        };
        EgressPolicy::new(&description, &connection, &grant)
            .check(&url)
            .unwrap()
    }

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    async fn resolve(
        to: &Destination,
        pins: &Pins,
        fresh: bool,
    ) -> Result<Vec<SocketAddr>, String> {
        let resolver = Resolver::new(to.clone(), pins.clone(), fresh);
        let name = to.host.to_string().parse().unwrap();
        let found = resolver.resolve(name).await;
        found.map(Iterator::collect).map_err(|e| e.to_string())
    }

    #[tokio::test]
    async fn of_many_addresses_only_the_allowed_are_left() {
        let pins = Pins::default();
        let all = [
            "10.0.0.1:443",
            "1.1.1.1:443",
            "169.254.169.254:443",
            "0.0.0.0:443",
        ];
        pins.set("a.example", addresses(&all));
        let to = destination("https://a.example/", &[]);
        assert_eq!(
            resolve(&to, &pins, false).await,
            Ok(addresses(&["1.1.1.1:443"]))
        );
    }

    #[tokio::test]
    async fn a_pinned_name_stays_where_it_was_and_a_fresh_request_asks_again() {
        let pins = Pins::default();
        pins.set("localhost", addresses(&["10.0.0.1:443"]));
        let to = destination("https://localhost:8443/", &["localhost:8443"]);
        assert_eq!(
            resolve(&to, &pins, false).await,
            Ok(addresses(&["10.0.0.1:8443"]))
        );
        let fresh = resolve(&to, &pins, true).await.unwrap();
        assert!(fresh.iter().all(|address| address.ip().is_loopback()));
        assert_eq!(
            resolve(&to, &pins, false).await,
            Ok(fresh),
            "and stays there"
        );
    }

    #[tokio::test]
    async fn a_pinned_address_is_reached_at_the_port_that_is_asked_for() {
        let pins = Pins::default();
        for port in [8443, 443, 9443] {
            let url = format!("https://localhost:{port}/");
            let to = destination(&url, &[&format!("localhost:{port}")]);
            let found = resolve(&to, &pins, false).await.unwrap();
            assert!(
                found.iter().all(|address| address.port() == port),
                "{found:?}"
            );
        }
    }

    #[tokio::test]
    async fn what_one_port_is_granted_another_is_not() {
        let pins = Pins::default();
        let granted = destination("https://localhost:8443/", &["localhost:8443"]);
        let other = destination("https://localhost/", &["localhost:8443"]);
        assert!(resolve(&granted, &pins, false).await.is_ok());
        assert_eq!(
            resolve(&other, &pins, false).await,
            Err(PrivateAddress.to_string())
        );
    }
}
