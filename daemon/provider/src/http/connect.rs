//! From a destination to a connection that has sent nothing yet.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Host;

use super::error::{SendError, chain};
use super::policy::Destination;

/// A connection that can take a request.
pub(crate) type Sender = http1::SendRequest<Full<Bytes>>;

/// Opens connections: TLS with the system's authorities and the administrator's.
#[derive(Clone)]
pub(crate) struct Connector {
    authorities: Arc<Authorities>,
    tls: Arc<OnceLock<Result<TlsConnector, String>>>,
}

/// The certificate authorities that the administrator adds to the system's.
#[derive(Default)]
pub(crate) struct Authorities(Vec<CertificateDer<'static>>);

/// A file of authorities that can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthorityError {
    #[error("{} can't be read", .0.display())]
    Unreadable(PathBuf, #[source] rustls::pki_types::pem::Error),
    #[error("{} holds no certificate", .0.display())]
    Empty(PathBuf),
    #[error("{} holds a certificate that can't be used", .0.display())]
    Unusable(PathBuf, #[source] rustls::Error),
}

impl Authorities {
    /// Reads PEM files, each of which must hold at least one usable certificate.
    pub(crate) fn read(files: &[PathBuf]) -> Result<Self, AuthorityError> {
        let mut all = Vec::new();
        for file in files {
            let read = Self::read_file(file)?;
            if read.is_empty() {
                return Err(AuthorityError::Empty(file.clone()));
            }
            all.extend(read);
        }
        Ok(Self(all))
    }

    fn read_file(file: &Path) -> Result<Vec<CertificateDer<'static>>, AuthorityError> {
        let unreadable = |e| AuthorityError::Unreadable(file.to_owned(), e);
        let certificates: Vec<_> = CertificateDer::pem_file_iter(file)
            .map_err(unreadable)?
            .collect::<Result<_, _>>()
            .map_err(unreadable)?;
        let mut scratch = RootCertStore::empty();
        for certificate in &certificates {
            scratch
                .add(certificate.clone())
                .map_err(|e| AuthorityError::Unusable(file.to_owned(), e))?;
        }
        Ok(certificates)
    }
}

impl Connector {
    pub(crate) fn new(authorities: Authorities) -> Self {
        Self {
            authorities: Arc::new(authorities),
            tls: Arc::default(),
        }
    }

    /// Connects within `limit`: resolves, keeps the addresses that the policy allows, tries one after the
    /// other, and speaks TLS. Whatever fails here, no byte of a request was sent.
    pub(crate) async fn connect(
        &self,
        to: &Destination,
        limit: Duration,
    ) -> Result<Sender, SendError> {
        match timeout(limit, self.open(to, Instant::now() + limit)).await {
            Ok(opened) => opened,
            Err(_) => Err(SendError::Unreachable(format!(
                "no connection to {}:{} within {limit:.1?}",
                to.host, to.port
            ))),
        }
    }

    async fn open(&self, to: &Destination, deadline: Instant) -> Result<Sender, SendError> {
        let unreachable = |what: &str, e: &(dyn std::error::Error + 'static)| {
            SendError::Unreachable(format!("{what} {}:{}: {}", to.host, to.port, chain(e)))
        };
        let name = server_name(&to.host)?;
        let tls = self.tls()?;
        let addresses = resolve(to).await?;
        let tcp = connect_any(&addresses, deadline)
            .await
            .map_err(|e| unreachable("can't connect to", &e))?;
        // Nagle's algorithm only delays the one request. Failing to turn it off is no reason to fail.
        let _ = tcp.set_nodelay(true);
        let stream: TlsStream<TcpStream> = tls
            .connect(name, tcp)
            .await
            .map_err(|e| unreachable("no TLS with", &e))?;
        let (sender, connection) = http1::Builder::new()
            .max_headers(128)
            .max_buf_size(64 * 1024)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|e| unreachable("no HTTP with", &e))?;
        // Ends when the sender is dropped. Its errors reach the sender too.
        tokio::spawn(connection);
        Ok(sender)
    }

    /// Built at the first connection: reading the system's authorities takes a few milliseconds that a
    /// start need not spend. One configuration for all, so that sessions are resumed.
    fn tls(&self) -> Result<&TlsConnector, SendError> {
        let build = || {
            let mut roots = RootCertStore::empty();
            let system = rustls_native_certs::load_native_certs();
            for error in &system.errors {
                tracing::warn!(%error, "can't read some of the system's certificate authorities");
            }
            roots.add_parsable_certificates(system.certs);
            for certificate in &self.authorities.0 {
                roots.add(certificate.clone()).map_err(|e| e.to_string())?;
            }
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
            Ok(TlsConnector::from(Arc::new(config)))
        };
        self.tls
            .get_or_init(build)
            .as_ref()
            .map_err(|reason| SendError::Unreachable(reason.clone()))
    }
}

fn server_name(host: &Host<String>) -> Result<ServerName<'static>, SendError> {
    Ok(match host {
        Host::Domain(name) => ServerName::try_from(name.clone()).map_err(|_| {
            SendError::Denied(format!("{name:?} is no name that a certificate can hold"))
        })?,
        Host::Ipv4(address) => ServerName::from(IpAddr::V4(*address)),
        Host::Ipv6(address) => ServerName::from(IpAddr::V6(*address)),
    })
}

/// The addresses of the destination that may be connected to.
async fn resolve(to: &Destination) -> Result<Vec<SocketAddr>, SendError> {
    let found: Vec<SocketAddr> = match &to.host {
        Host::Domain(name) => tokio::net::lookup_host((name.as_str(), to.port))
            .await
            .map_err(|e| SendError::Unreachable(format!("can't resolve {name}: {e}")))?
            .collect(),
        Host::Ipv4(address) => vec![SocketAddr::from((*address, to.port))],
        Host::Ipv6(address) => vec![SocketAddr::from((*address, to.port))],
    };
    if found.is_empty() {
        return Err(SendError::Unreachable(format!(
            "{} has no address",
            to.host
        )));
    }
    let allowed: Vec<SocketAddr> = found
        .into_iter()
        .filter(|address| to.allows(address.ip()))
        .collect();
    if allowed.is_empty() {
        // The addresses are left out: a guest need not learn what they are.
        return Err(SendError::Denied(format!(
            "{}:{} is at a private address, which has to be granted for this host by name",
            to.host, to.port
        )));
    }
    Ok(allowed)
}

/// Tries one address after the other; each gets an even share of the time that is left.
async fn connect_any(addresses: &[SocketAddr], deadline: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for (index, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(e)) => last = e,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}
