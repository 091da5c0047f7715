//! Signed tokens in compact form: the access tokens made here, and the assertions that clients sign.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256,
    UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The key that signs this stand-in's access tokens.
#[derive(Debug)]
pub struct SigningKey {
    pair: KeyPair,
    id: String,
}

/// No key could be made.
#[derive(Debug, thiserror::Error)]
#[error("can't make a signing key")]
pub struct KeyError;

impl SigningKey {
    /// Makes a key; its id is drawn from `rng`, the key itself is not.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn generate(rng: &mut fastrand::Rng) -> Result<Self, KeyError> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError)?;
        let id = URL_SAFE_NO_PAD.encode(rng.u128(..).to_be_bytes());
        Ok(Self { pair, id })
    }

    /// Signs claims with RS256.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, KeyError> {
        let header = serde_json::json!({
            "typ": "JWT", "alg": "RS256", "x5t": self.id, "kid": self.id,
        });
        let claims = serde_json::to_vec(claims).map_err(|_| KeyError)?;
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                token.as_bytes(),
                &mut signature,
            )
            .map_err(|_| KeyError)?;
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Ok(token)
    }

    /// The public half, as an RSA public key in DER.
    pub fn public_key(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// The key as a JSON web key set has it.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn jwk(&self) -> Result<serde_json::Value, KeyError> {
        use x509_parser::prelude::FromDer as _;
        use x509_parser::public_key::PublicKey;
        use x509_parser::x509::SubjectPublicKeyInfo;

        let spki = self.pair.public_key().as_der().map_err(|_| KeyError)?;
        let (_, parsed) = SubjectPublicKeyInfo::from_der(spki.as_ref()).map_err(|_| KeyError)?;
        let PublicKey::RSA(key) = parsed.parsed().map_err(|_| KeyError)? else {
            return Err(KeyError);
        };
        let modulus = key.modulus.strip_prefix(&[0]).unwrap_or(key.modulus);
        Ok(serde_json::json!({
            "kty": "RSA", "use": "sig", "kid": self.id, "x5t": self.id,
            "n": URL_SAFE_NO_PAD.encode(modulus), "e": URL_SAFE_NO_PAD.encode(key.exponent),
        }))
    }
}

/// The header of a token.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Header {
    /// The algorithm, such as `RS256`.
    pub alg: String,
    /// A key's id.
    pub kid: Option<String>,
    /// The certificate's SHA-1 thumbprint.
    pub x5t: Option<String>,
    /// The certificate's SHA-256 thumbprint.
    #[serde(rename = "x5t#S256")]
    pub x5t_s256: Option<String>,
}

/// Why a text is not a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    /// Not three parts with dots between.
    #[error("not three parts")]
    Parts,
    /// A part is not base 64 or not the JSON expected.
    #[error("unreadable part")]
    Content,
}

/// A token in parts, its signature not yet looked at.
#[derive(Debug)]
pub(crate) struct Token<'a, C> {
    /// Its header.
    pub header: Header,
    /// What it claims; believe it only after [`Token::is_signed_by`].
    pub claims: C,
    signed: &'a [u8],
    signature: Vec<u8>,
}

impl<'a, C: DeserializeOwned> Token<'a, C> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn parse(text: &'a str) -> Result<Self, Malformed> {
        let (signed, signature) = text.rsplit_once('.').ok_or(Malformed::Parts)?;
        let (header, claims) = signed.split_once('.').ok_or(Malformed::Parts)?;
        if claims.contains('.') {
            return Err(Malformed::Parts);
        }
        let decode = |part: &str| {
            URL_SAFE_NO_PAD
                .decode(part.trim_end_matches('='))
                .map_err(|_| Malformed::Content)
        };
        let json = |part| decode(part);
        Ok(Self {
            header: serde_json::from_slice(&json(header)?).map_err(|_| Malformed::Content)?,
            claims: serde_json::from_slice(&json(claims)?).map_err(|_| Malformed::Content)?,
            signed: signed.as_bytes(),
            signature: decode(signature)?,
        })
    }
}

impl<C> Token<'_, C> {
    /// Whether a public key (DER, bare or as `SubjectPublicKeyInfo`) signed it, by the algorithm that
    /// the header names: RS256 or PS256.
    pub(crate) fn is_signed_by(&self, public_key: &[u8]) -> bool {
        let algorithm = match self.header.alg.as_str() {
            "RS256" => &RSA_PKCS1_2048_8192_SHA256,
            "PS256" => &RSA_PSS_2048_8192_SHA256,
            _ => return false,
        };
        UnparsedPublicKey::new(algorithm, public_key)
            .verify(self.signed, &self.signature)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Claims {
        sub: String,
    }

    #[test]
    fn a_signed_token_verifies_and_a_changed_one_does_not() {
        let mut rng = fastrand::Rng::with_seed(1);
        let key = SigningKey::generate(&mut rng).unwrap();
        let text = key
            .sign(&Claims {
                sub: "me".to_owned(),
            })
            .unwrap();
        let token = Token::<Claims>::parse(&text).unwrap();
        assert!(token.is_signed_by(key.public_key()));
        assert_eq!(token.claims.sub, "me");

        let other = SigningKey::generate(&mut rng).unwrap();
        assert!(!token.is_signed_by(other.public_key()));
        let parts: Vec<_> = text.split('.').collect();
        let forged = URL_SAFE_NO_PAD.encode(r#"{"sub":"you"}"#);
        let forged = [parts[0], &forged, parts[2]].join(".");
        let forged = Token::<Claims>::parse(&forged).unwrap();
        assert!(!forged.is_signed_by(key.public_key()));
    }

    #[test]
    fn malformed_texts_are_told_apart() {
        let parse = |text| Token::<Claims>::parse(text).map(|_| ()).unwrap_err();
        assert_eq!(parse("no-dots"), Malformed::Parts);
        assert_eq!(parse("a.b.c.d"), Malformed::Parts);
        assert_eq!(parse("a.b.c"), Malformed::Content);
    }

    #[test]
    fn the_key_set_has_the_modulus_without_its_sign_byte() {
        let key = SigningKey::generate(&mut fastrand::Rng::with_seed(1)).unwrap();
        let jwk = key.jwk().unwrap();
        let modulus = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
        assert_eq!(modulus.len(), 256);
    }
}
