//! One client for one request: from a destination to a connection that has sent nothing yet.
//!
//! A client is built for each request and keeps no connection. That costs microseconds and one round
//! trip more (TLS sessions are resumed), and it buys certainty: a request has exactly one connection, a
//! closed one can't be found out about too late, and so nothing is ever sent a second time.

use std::error::Error as _;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Request, Response, retry};
use rotord_crash::{Moment, Step as Place, reach};
use rustls::{ClientConfig, RootCertStore};
use tower::util::MapResponseLayer;

use super::authority::Authorities;
use super::error::{SendError, chain, reason};
use super::policy::Destination;
use super::resolve::{PrivateAddress, Resolver};

/// Header lines of one answer.
const MOST_HEADERS: usize = 128;

/// Makes clients: TLS with the system's authorities and the administrator's.
#[derive(Clone)]
pub(crate) struct Connector {
    authorities: Arc<Authorities>,
    tls: Arc<OnceLock<Result<ClientConfig, String>>>,
}

/// A client that may send one request to one destination.
pub(crate) struct OneRequest {
    client: Client,
    to: Destination,
    connected: Arc<AtomicBool>,
}

impl Connector {
    pub(crate) fn new(authorities: Authorities) -> Self {
        Self {
            authorities: Arc::new(authorities),
            tls: Arc::default(),
        }
    }

    /// Gets ready for one request. Connects to nothing yet; `limit` is for resolving, connecting and TLS
    /// together. `sent` is raised once there is a connection, before anything of the request of this `call` is sent.
    pub(crate) fn prepare(
        &self,
        to: Destination,
        resolver: Resolver,
        limit: Duration,
        sent: &Arc<AtomicU32>,
        call: &'static str,
    ) -> Result<OneRequest, SendError> {
        to.require_reachable_literal()?;
        let connected = Arc::new(AtomicBool::new(false));
        let (seen, sent) = (Arc::clone(&connected), Arc::clone(sent));
        let client = Client::builder()
            .tls_backend_preconfigured(self.tls()?.clone())
            .dns_resolver(resolver)
            .connect_timeout(limit)
            .connector_layer(MapResponseLayer::new(move |connection| {
                seen.store(true, Ordering::Release);
                sent.fetch_add(1, Ordering::Relaxed);
                reach(|| Place::of_call(call), Moment::Connected);
                connection
            }))
            .pool_max_idle_per_host(0)
            .retry(retry::never())
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .https_only(true)
            .http1_only()
            .http1_max_headers(MOST_HEADERS)
            .build()
            .map_err(|e| SendError::Unreachable(chain(&e)))?;
        Ok(OneRequest {
            client,
            to,
            connected,
        })
    }

    /// Built at the first request: reading the system's authorities takes a few milliseconds that a
    /// start need not spend. One configuration for all, so that sessions are resumed; its parts are
    /// shared, so that a copy is cheap.
    pub(super) fn tls(&self) -> Result<&ClientConfig, SendError> {
        let build = || {
            let mut roots = RootCertStore::empty();
            let system = rustls_native_certs::load_native_certs();
            for error in &system.errors {
                tracing::warn!(%error, "can't read some of the system's certificate authorities");
            }
            roots.add_parsable_certificates(system.certs);
            self.authorities.add_to(&mut roots)?;
            if roots.is_empty() {
                return Err(
                    "the system has no certificate authorities: install ca-certificates".to_owned(),
                );
            }
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let mut config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(|e| e.to_string())?
                .with_root_certificates(roots)
                .with_no_client_auth();
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            Ok(config)
        };
        self.tls
            .get_or_init(build)
            .as_ref()
            .map_err(|reason| SendError::Unreachable(reason.clone()))
    }
}

impl OneRequest {
    /// Sends the request and waits for the head of the answer.
    ///
    /// Whether an error says *unreachable* or *interrupted* hangs on one thing: whether there was a
    /// connection that the request could have gone over.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, SendError> {
        self.client.execute(request).await.map_err(|error| {
            let error = error.without_url();
            let Destination { host, port, .. } = &self.to;
            if self.is_connected() {
                let why = reason(&error);
                return SendError::Interrupted(format!("no answer from {host}:{port}: {why}"));
            }
            if caused_by_private_address(&error) {
                return self.to.refuse();
            }
            SendError::Unreachable(format!(
                "can't connect to {host}:{port}: {}",
                reason(&error)
            ))
        })
    }

    /// Why there is no answer when time is up.
    pub(crate) fn out_of_time(&self, allowed: Duration) -> SendError {
        let Destination { host, port, .. } = &self.to;
        if self.is_connected() {
            SendError::Interrupted(format!(
                "no whole answer from {host}:{port} within {allowed:.1?}"
            ))
        } else {
            SendError::Unreachable(format!(
                "no connection to {host}:{port} within {allowed:.1?}"
            ))
        }
    }

    fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Acquire)
    }
}

fn caused_by_private_address(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.is::<PrivateAddress>() {
            return true;
        }
        source = cause.source();
    }
    false
}
