//! Whether the hosts that a provider needs can be reached from here.

use futures_util::future::join_all;

use super::Provider;
use crate::contract::{Connection, DeclaredHost};
use crate::http::{EgressPolicy, HostRule, Reached, probe};

/// A host, and how far it was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostReach {
    /// The host.
    pub host: HostRule,
    /// Whether the connection names it, rather than the provider.
    pub named_by_connection: bool,
    /// How far it was reached.
    pub reached: Reached,
}

impl Provider {
    /// What the administrator grants it beyond what it declares, and withholds.
    pub fn grant(&self) -> &crate::settings::Grant {
        &self.grant
    }

    /// Tries the hosts out that this connection names or, with `all`, those that the provider declares too. No
    /// guest runs and no request is sent; policy, addresses and certificates are judged as for any request.
    pub async fn reach(&self, connection: &Connection, all: bool) -> Vec<HostReach> {
        let policy = EgressPolicy::new(&self.description, connection, &self.grant);
        let mut hosts: Vec<(HostRule, bool)> = Vec::new();
        for rule in EgressPolicy::named_by(&self.description, connection) {
            if !hosts.iter().any(|(known, _)| *known == rule) {
                hosts.push((rule, true));
            }
        }
        if all {
            for host in &self.description.hosts {
                if let DeclaredHost::Fixed(rule) = host
                    && !hosts.iter().any(|(known, _)| known == rule)
                {
                    hosts.push((rule.clone(), false));
                }
            }
        }
        let (connector, limit) = (
            self.lane.runner.connector.clone(),
            self.lane.runner.limits.connect_time,
        );
        let tried = hosts.into_iter().map(|(host, named_by_connection)| {
            let (policy, connector) = (policy.clone(), connector.clone());
            // On the host's own threads, as every request of a provider.
            self.lane.runtime.spawn(async move {
                let reached = match policy.destination(&host) {
                    Some(to) => probe(&to, &connector, limit).await,
                    None => Reached::NotGranted,
                };
                HostReach {
                    host,
                    named_by_connection,
                    reached,
                }
            })
        });
        // A task that is gone was ended with the host.
        join_all(tried).await.into_iter().flatten().collect()
    }
}
