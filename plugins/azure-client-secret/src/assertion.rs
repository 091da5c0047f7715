//! Logging in with a certificate: a short-lived JWT that its private key signs.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use rotor_provider_sdk::{Host, Random, Secret};
use rsa::PrivateKey;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::pkcs8::DecodePrivateKey;
use rsa::pkcs8::der::pem;
use rsa::sha2::{Digest, Sha256};
use rsa::signature::{RandomizedSigner, SignatureEncoding};
use serde::Serialize;
use sha1::Sha1;

/// How long an assertion is good for, in seconds. Entra wants it short.
const LIFETIME: i64 = 600;

/// How assertions are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// What Microsoft asks for today.
    Ps256,
    /// What older stand-ins and proxies know.
    Rs256,
}

/// A certificate with its private key.
pub(crate) struct Certificate {
    der: Vec<u8>,
    key: PrivateKey,
    algorithm: Algorithm,
}

/// Why a certificate or its key can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CertificateError {
    NoCertificate,
    EncryptedKey,
    NoRsaKey,
    NotAPair,
}

impl CertificateError {
    /// The connection's field that is wrong.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Self::NoCertificate => "certificateBody",
            Self::EncryptedKey | Self::NoRsaKey | Self::NotAPair => "privateKey",
        }
    }
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCertificate => {
                "connection.certificateBody must be a certificate in PEM, from \
                 -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----"
            }
            Self::EncryptedKey => {
                "connection.privateKey is encrypted; decrypt it first, such as with \
                 `openssl pkey -in key.pem -out plain.pem`"
            }
            Self::NoRsaKey => "connection.privateKey must be an RSA key in PEM, PKCS #8 or PKCS #1",
            Self::NotAPair => "connection.privateKey does not belong to connection.certificateBody",
        })
    }
}

impl Certificate {
    pub(crate) fn parse(
        certificate: &str,
        key: &Secret,
        algorithm: Algorithm,
    ) -> Result<Self, CertificateError> {
        let block =
            pem_block(certificate, &["CERTIFICATE"]).ok_or(CertificateError::NoCertificate)?;
        let (_, der) =
            pem::decode_vec(block.expose()).map_err(|_| CertificateError::NoCertificate)?;
        let key = private_key(key)?;
        // The certificate holds the key's public half in this very encoding.
        let public = key
            .as_public_key()
            .to_pkcs1_der()
            .map_err(|_| CertificateError::NoRsaKey)?;
        let public = public.as_bytes();
        if !der.windows(public.len()).any(|window| window == public) {
            return Err(CertificateError::NotAPair);
        }
        Ok(Self {
            der,
            key,
            algorithm,
        })
    }

    /// A signed assertion for one login.
    pub(crate) fn assertion(
        &self,
        host: &dyn Host,
        client_id: &str,
        audience: &str,
    ) -> Result<Secret, rsa::signature::Error> {
        let now = host.now();
        let claims = Claims {
            aud: audience,
            iss: client_id,
            sub: client_id,
            jti: host.uuid(),
            iat: now,
            nbf: now,
            exp: now + LIFETIME,
        };
        let header = match self.algorithm {
            Algorithm::Ps256 => Header {
                alg: "PS256",
                typ: "JWT",
                thumbprint: None,
                thumbprint_sha256: Some(Base64UrlUnpadded::encode_string(&Sha256::digest(
                    &self.der,
                ))),
            },
            Algorithm::Rs256 => Header {
                alg: "RS256",
                typ: "JWT",
                thumbprint: Some(Base64UrlUnpadded::encode_string(&Sha1::digest(&self.der))),
                thumbprint_sha256: None,
            },
        };
        let signed = format!("{}.{}", part(&header)?, part(&claims)?);
        let mut random = Rng(host);
        let signature = match self.algorithm {
            Algorithm::Ps256 => rsa::pss::SigningKey::<Sha256>::new(self.key.clone())
                .try_sign_with_rng(&mut random, signed.as_bytes())?
                .to_vec(),
            Algorithm::Rs256 => rsa::pkcs1v15::SigningKey::<Sha256>::new(self.key.clone())
                .try_sign_with_rng(&mut random, signed.as_bytes())?
                .to_vec(),
        };
        let signature = Base64UrlUnpadded::encode_string(&signature);
        Ok(format!("{signed}.{signature}").into())
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Header {
    alg: &'static str,
    typ: &'static str,
    #[serde(rename = "x5t", skip_serializing_if = "Option::is_none")]
    thumbprint: Option<String>,
    #[serde(rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    thumbprint_sha256: Option<String>,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

fn part(value: &impl Serialize) -> Result<String, rsa::signature::Error> {
    let json = serde_json::to_vec(value).map_err(rsa::signature::Error::from_source)?;
    Ok(Base64UrlUnpadded::encode_string(&json))
}

fn private_key(key: &Secret) -> Result<PrivateKey, CertificateError> {
    let text = key.expose_text().ok_or(CertificateError::NoRsaKey)?;
    if pem_block(text, &["ENCRYPTED PRIVATE KEY"]).is_some()
        || text.contains("Proc-Type: 4,ENCRYPTED")
    {
        return Err(CertificateError::EncryptedKey);
    }
    let block =
        pem_block(text, &["PRIVATE KEY", "RSA PRIVATE KEY"]).ok_or(CertificateError::NoRsaKey)?;
    let block = block.expose_text().ok_or(CertificateError::NoRsaKey)?;
    PrivateKey::from_pkcs8_pem(block)
        .ok()
        .or_else(|| PrivateKey::from_pkcs1_pem(block).ok())
        .ok_or(CertificateError::NoRsaKey)
}

/// The first block with one of these labels. What surrounds it, such as the attributes that `openssl
/// pkcs12` writes or a chain, and spaces that a form or a file added, are left out.
fn pem_block(text: &str, labels: &[&str]) -> Option<Secret> {
    let (label, start) = labels
        .iter()
        .find_map(|label| Some((label, text.find(&format!("-----BEGIN {label}-----"))?)))?;
    let end_line = format!("-----END {label}-----");
    let block = &text[start..];
    let block = &block[..block.find(&end_line)? + end_line.len()];
    // Never larger than what it is made of, so that no outgrown copy stays behind.
    let mut lines = String::with_capacity(block.len() + 1);
    for line in block.lines().map(str::trim).filter(|line| !line.is_empty()) {
        lines.push_str(line);
        lines.push('\n');
    }
    Some(lines.into())
}

/// The daemon's random numbers as the signer wants them.
struct Rng<'a>(&'a dyn Host);

impl rsa::rand_core::TryRng for Rng<'_> {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), Self::Error> {
        Random::fill(self.0, buffer);
        Ok(())
    }
}

impl rsa::rand_core::TryCryptoRng for Rng<'_> {}
