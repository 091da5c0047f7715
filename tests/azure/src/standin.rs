//! Starting a stand-in, and the handle on a running one.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::fault::Rules;
use crate::jwt::{KeyError, SigningKey};
use crate::model::TenantId;
use crate::record::Record;
use crate::server;
use crate::throttle::Meter;
use crate::tls::{Identity, IdentityError};
use crate::world::{Shared, World};

/// The stand-in itself has no state: what runs is held by its [`Handle`].
#[derive(Debug)]
pub struct Standin;

/// Why a stand-in does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration can't be used.
    #[error("configuration")]
    Config(#[from] ConfigError),
    /// No certificates.
    #[error("certificates")]
    Identity(#[from] IdentityError),
    /// No signing key.
    #[error("signing key")]
    Key(#[from] KeyError),
    /// The address can't be listened on.
    #[error("can't listen on {address}")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

impl Standin {
    /// Starts on a free port of the loopback.
    ///
    /// # Errors
    /// When the configuration is wrong or nothing can be listened on.
    pub async fn start(config: Config) -> Result<Handle, StartError> {
        Self::start_on(config, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Starts on an address.
    ///
    /// # Errors
    /// When the configuration is wrong or the address can't be listened on.
    pub async fn start_on(config: Config, address: SocketAddr) -> Result<Handle, StartError> {
        let clock = Clock::start(&config.clock);
        let mut rng = fastrand::Rng::with_seed(config.seed);
        let tenant = config.build_tenant(clock.now(), &mut rng)?;
        let tenant_id = tenant.id;
        let key = SigningKey::generate(&mut rng)?;
        let identity = Identity::generate(&config.names)?;
        let mut rules = Rules::default();
        for rule in config.faults {
            rules.add(rule);
        }
        let world = World {
            tenant,
            cloud: config.cloud,
            behaviour: config.behaviour,
            rules,
            record: Record::default(),
            meter: Meter::default(),
            used_assertions: std::collections::HashSet::new(),
            rng,
            key,
        };
        let shared = Arc::new(Shared::new(clock, world));
        let listen = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(server::serve(
            listener,
            TlsAcceptor::from(Arc::clone(&identity.server)),
            Arc::clone(&shared),
            address.to_string(),
            stopped,
        ));
        Ok(Handle {
            shared,
            address,
            tenant_id,
            ca_pem: identity.ca_pem,
            stop,
            task,
        })
    }
}

/// A running stand-in; it stops when the handle is dropped. What can be done to it is on
/// [`Control`], which the handle dereferences to.
#[derive(Debug)]
pub struct Handle {
    shared: Arc<Shared>,
    address: SocketAddr,
    tenant_id: TenantId,
    ca_pem: String,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// What can be done to a running stand-in.
pub type Control = Shared;

impl Handle {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The root of all its addresses, by name: `https://localhost:PORT`. Authority and Graph are both
    /// there.
    pub fn base_url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// The certificate that clients must trust.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The tenant's id.
    pub fn tenant_id(&self) -> TenantId {
        self.tenant_id
    }

    /// Stops, and cuts every connection.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        // It ends by itself; a panic in it was reported where it happened.
        let _ = self.task.await;
    }
}

impl Deref for Handle {
    type Target = Control;

    fn deref(&self) -> &Control {
        &self.shared
    }
}
