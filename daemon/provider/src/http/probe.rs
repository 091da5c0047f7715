//! Tries a host out as a request would reach it, up to the moment at which one could be sent.
//!
//! Name, address, connection and certificate fail in ways that an administrator mends in different places, and
//! a request's own error has room for one line only. So they are tried one after the other, and nothing is sent
//! but a TLS handshake.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::CertificateError;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::Host;

use super::connect::Connector;
use super::error::reason;
use super::policy::Destination;

/// How far a host was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reached {
    /// A request could be sent.
    Yes {
        /// Which of its addresses answered.
        address: IpAddr,
    },
    /// The administrator does not grant it.
    NotGranted,
    /// Its name has no address, or can't be resolved. Why.
    NoName(String),
    /// All of its addresses are private, and none is granted.
    PrivateAddress(Vec<IpAddr>),
    /// No address took a connection. What the last one said.
    NoConnection(String),
    /// It took longer than a connection may.
    TimedOut(Duration),
    /// Its certificate is not accepted.
    Refused(Certificate),
    /// A connection was made, and no TLS session. Why.
    NoTls(String),
    /// This host has no certificate authorities, or some that can't be used.
    NoAuthorities(String),
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Certificate {
    /// From an authority that is not trusted here.
    #[error("its certificate is from an authority that is not trusted here")]
    Untrusted,
    /// Past its end, or not valid yet.
    #[error("its certificate is past its end or not valid yet")]
    OutOfTime,
    /// For another name.
    #[error("its certificate is for another name")]
    OtherName,
    /// Anything else, in the library's words.
    #[error("its certificate is not accepted: {0}")]
    Other(String),
}

impl Certificate {
    pub(super) fn of(error: &CertificateError) -> Self {
        match error {
            CertificateError::UnknownIssuer => Self::Untrusted,
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Self::OutOfTime,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::OtherName
            }
            other => Self::Other(other.to_string()),
        }
    }
}

/// Tries a host out; `limit` is for all of it.
pub(crate) async fn probe(to: &Destination, connector: &Connector, limit: Duration) -> Reached {
    timeout(limit, reach(to, connector))
        .await
        .unwrap_or(Reached::TimedOut(limit))
}

async fn reach(to: &Destination, connector: &Connector) -> Reached {
    let tls = match connector.tls() {
        Ok(tls) => tls.clone(),
        Err(error) => return Reached::NoAuthorities(error.to_string()),
    };
    let found = match addresses(to).await {
        Ok(found) if found.is_empty() => {
            return Reached::NoName("the name has no address".to_owned());
        }
        Ok(found) => found,
        Err(error) => return Reached::NoName(error.to_string()),
    };
    let allowed: Vec<&SocketAddr> = found.iter().filter(|at| to.allows(at.ip())).collect();
    if allowed.is_empty() {
        return Reached::PrivateAddress(found.iter().map(SocketAddr::ip).collect());
    }
    let Some(name) = server_name(&to.host) else {
        return Reached::NoTls("the host can't be named in a TLS handshake".to_owned());
    };
    let mut last = String::new();
    for address in allowed {
        let stream = match TcpStream::connect(address).await {
            Ok(stream) => stream,
            Err(error) => {
                last = format!("{address}: {error}");
                continue;
            }
        };
        let handshake = TlsConnector::from(Arc::new(tls)).connect(name, stream);
        return match handshake.await {
            Ok(_) => Reached::Yes {
                address: address.ip(),
            },
            Err(error) => refused(&error),
        };
    }
    Reached::NoConnection(last)
}

async fn addresses(to: &Destination) -> io::Result<Vec<SocketAddr>> {
    Ok(match &to.host {
        Host::Domain(name) => lookup_host((name.as_str(), to.port)).await?.collect(),
        Host::Ipv4(address) => vec![SocketAddr::from((*address, to.port))],
        Host::Ipv6(address) => vec![SocketAddr::from((*address, to.port))],
    })
}

fn server_name(host: &Host<String>) -> Option<ServerName<'static>> {
    match host {
        Host::Domain(name) => ServerName::try_from(name.clone()).ok(),
        Host::Ipv4(address) => Some(IpAddr::from(*address).into()),
        Host::Ipv6(address) => Some(IpAddr::from(*address).into()),
    }
}

fn refused(error: &io::Error) -> Reached {
    let tls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(why)) = tls else {
        return Reached::NoTls(reason(error));
    };
    Reached::Refused(Certificate::of(why))
}
