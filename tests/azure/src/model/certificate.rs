//! A certificate that is registered on an application, for logins by signed assertion.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::KeyId;

/// A registered public certificate. It holds no private key.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The service's name for it.
    pub key_id: KeyId,
    /// Its subject.
    pub display_name: String,
    /// Valid from.
    pub start: DateTime<Utc>,
    /// Valid until.
    pub end: DateTime<Utc>,
    der: Vec<u8>,
    public_key: Vec<u8>,
}

/// Why a file is not a certificate to register.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// No PEM block of a certificate in it.
    #[error("no certificate in PEM form")]
    NotPem,
    /// The certificate does not parse.
    #[error("malformed certificate")]
    Malformed,
}

impl Certificate {
    /// Reads the first certificate of a PEM text.
    ///
    /// # Errors
    /// When there is none, or it does not parse.
    pub fn from_pem(text: &str, key_id: KeyId) -> Result<Self, CertificateError> {
        let pem = Pem::iter_from_buffer(text.as_bytes())
            .filter_map(Result::ok)
            .find(|pem| pem.label == "CERTIFICATE")
            .ok_or(CertificateError::NotPem)?;
        let (_, parsed) =
            X509Certificate::from_der(&pem.contents).map_err(|_| CertificateError::Malformed)?;
        let instant = |time: x509_parser::time::ASN1Time| {
            DateTime::from_timestamp(time.timestamp(), 0).ok_or(CertificateError::Malformed)
        };
        Ok(Self {
            key_id,
            display_name: parsed.subject().to_string(),
            start: instant(parsed.validity().not_before)?,
            end: instant(parsed.validity().not_after)?,
            public_key: parsed.public_key().raw.to_vec(),
            der: pem.contents.clone(),
        })
    }

    /// The `SubjectPublicKeyInfo`, in DER.
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// The whole certificate in base 64, as `keyCredentials.key` shows it.
    pub fn key(&self) -> String {
        STANDARD.encode(&self.der)
    }

    /// The SHA-1 thumbprint in hexadecimal capitals, as the portal and `customKeyIdentifier` show it.
    pub fn thumbprint(&self) -> String {
        use std::fmt::Write as _;
        self.sha1()
            .as_ref()
            .iter()
            .fold(String::new(), |mut text, byte| {
                // Writing to a String can't fail.
                let _ = write!(text, "{byte:02X}");
                text
            })
    }

    /// Whether an assertion's header names this certificate: by `x5t`, `x5t#S256` or an old `kid`.
    pub fn is_named(&self, x5t: Option<&str>, x5t_s256: Option<&str>, kid: Option<&str>) -> bool {
        let sha1 = URL_SAFE_NO_PAD.encode(self.sha1());
        let sha256 = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &self.der));
        let unpadded = |text: &str| text.trim_end_matches('=').to_owned();
        match (x5t_s256, x5t, kid) {
            (Some(name), _, _) => unpadded(name) == sha256,
            (None, Some(name), _) => unpadded(name) == sha1,
            (None, None, Some(kid)) => {
                unpadded(kid) == sha1 || kid.eq_ignore_ascii_case(&self.thumbprint())
            }
            (None, None, None) => false,
        }
    }

    fn sha1(&self) -> digest::Digest {
        digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.der)
    }
}
