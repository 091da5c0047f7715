//! A certificate authority of the stand-in's own, made anew at each start, and the server's
//! certificate signed by it.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// What the server shows, and what clients need to believe it.
#[derive(Debug)]
pub(crate) struct Identity {
    /// For the listener.
    pub server: Arc<ServerConfig>,
    /// The authority's certificate, for clients to trust.
    pub ca_pem: String,
}

/// No certificate could be made.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The names are not names, or the library failed.
    #[error("can't make certificates")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library does not accept them.
    #[error("can't set up TLS")]
    Tls(#[from] rustls::Error),
}

impl Identity {
    /// Makes an authority and a certificate for `localhost`, the loopback addresses and `names`.
    ///
    /// # Errors
    /// When a name is no DNS name or address.
    pub(crate) fn generate(names: &[String]) -> Result<Self, IdentityError> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority
            .distinguished_name
            .push(DnType::CommonName, "azure-standin test authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

        let mut subjects: Vec<String> = ["localhost", "127.0.0.1", "::1"]
            .map(str::to_owned)
            .to_vec();
        subjects.extend(names.iter().cloned());
        let mut server = CertificateParams::new(subjects)?;
        server
            .distinguished_name
            .push(DnType::CommonName, "azure-standin");
        server.use_authority_key_identifier_extension = true;
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = server.signed_by(&key, &authority)?;

        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            server: Arc::new(config),
            ca_pem: authority.pem(),
        })
    }
}
