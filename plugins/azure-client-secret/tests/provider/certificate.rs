//! Logging in with a certificate. The pair in `pair/` was made for these tests and is used nowhere else.

use azure_client_secret::AzureClientSecret as Azure;
use base64ct::{Base64UrlUnpadded, Encoding};
use rotor_provider_sdk::mock::MockHost;
use rotor_provider_sdk::{Connection, FaultKind, NamedValue, Provider, Result, Secret, Target};
use rsa::PublicKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::pkcs8::der::pem;
use rsa::sha2::{Digest, Sha256};
use rsa::signature::Verifier;
use serde_json::Value;
use sha1::Sha1;

use crate::target::{self, CLIENT, NOW, OBJECT, ROTATOR, TENANT};

const CERTIFICATE: &str = include_str!("pair/certificate.pem");
const KEY: &str = include_str!("pair/key.pem");
const KEY_PKCS1: &str = include_str!("pair/key-pkcs1.pem");
const OTHER_KEY: &str = include_str!("pair/other-key.pem");
const ENCRYPTED_KEY: &str = include_str!("pair/encrypted-key.pem");

/// One login's assertion, in its three parts.
struct Assertion {
    header: Value,
    claims: Value,
    signed: String,
    signature: Vec<u8>,
}

fn connection(certificate: &str, key: &str, algorithm: Option<&str>) -> Connection {
    let algorithm = algorithm.map(|algorithm| NamedValue::text("algorithm", algorithm));
    let values = [
        NamedValue::text("tenantId", TENANT),
        NamedValue::text("clientId", ROTATOR),
        NamedValue::text("certificateBody", certificate),
        NamedValue::secret("privateKey", Secret::from(key)),
    ];
    Connection::new("certificate", values.into_iter().chain(algorithm))
}

fn log_in(host: &MockHost, connection: Connection) -> Result<()> {
    let parameters = [
        NamedValue::text("objectId", OBJECT),
        NamedValue::text("clientId", CLIENT),
    ];
    Azure::survey(host, &Target::new(connection, parameters)).map(drop)
}

fn assertion(certificate: &str, key: &str, algorithm: Option<&str>) -> Assertion {
    let host = MockHost::at(NOW)
        .answer(target::token(&[]))
        .answer(target::dated(200, &target::application()));
    log_in(&host, connection(certificate, key, algorithm)).unwrap();
    let login = host.requests().remove(0);
    let form = login.body.unwrap();
    let form = form.expose_text().unwrap();
    let (before, assertion) = form.split_once("&client_assertion=").unwrap();
    assert!(before.ends_with(
        "&grant_type=client_credentials&client_assertion_type=\
         urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    ));
    assert!(!form.contains("client_secret"));
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let json =
        |part: &str| serde_json::from_slice(&Base64UrlUnpadded::decode_vec(part).unwrap()).unwrap();
    Assertion {
        header: json(header),
        claims: json(claims),
        signed: signed.to_owned(),
        signature: Base64UrlUnpadded::decode_vec(signature).unwrap(),
    }
}

fn public_key() -> PublicKey {
    let key = rsa::PrivateKey::from_pkcs8_pem(KEY).unwrap();
    key.as_public_key().clone()
}

fn der() -> Vec<u8> {
    pem::decode_vec(CERTIFICATE.as_bytes()).unwrap().1
}

#[test]
fn ps256_is_the_default_and_verifies_with_the_public_key() {
    let assertion = assertion(CERTIFICATE, KEY, None);
    assert_eq!(assertion.header["alg"], "PS256");
    assert_eq!(assertion.header["typ"], "JWT");
    assert_eq!(
        assertion.header["x5t#S256"],
        Base64UrlUnpadded::encode_string(&Sha256::digest(der()))
    );
    let signature = rsa::pss::Signature::try_from(assertion.signature.as_slice()).unwrap();
    let key = rsa::pss::VerifyingKey::<Sha256>::new(public_key());
    key.verify(assertion.signed.as_bytes(), &signature).unwrap();
    key.verify(b"something else", &signature).unwrap_err();
}

#[test]
fn rs256_is_signed_on_request() {
    let assertion = assertion(CERTIFICATE, KEY, Some("RS256"));
    assert_eq!(assertion.header["alg"], "RS256");
    assert_eq!(
        assertion.header["x5t"],
        Base64UrlUnpadded::encode_string(&Sha1::digest(der()))
    );
    let signature = rsa::pkcs1v15::Signature::try_from(assertion.signature.as_slice()).unwrap();
    let key = rsa::pkcs1v15::VerifyingKey::<Sha256>::new(public_key());
    key.verify(assertion.signed.as_bytes(), &signature).unwrap();
    key.verify(b"something else", &signature).unwrap_err();
}

#[test]
fn an_assertion_is_ours_for_entra_and_ten_minutes() {
    let claims = assertion(CERTIFICATE, KEY, None).claims;
    assert_eq!(
        claims["aud"],
        format!("https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token")
    );
    assert_eq!(claims["iss"], ROTATOR);
    assert_eq!(claims["sub"], ROTATOR);
    assert_eq!(claims["nbf"], NOW);
    assert_eq!(claims["exp"], NOW + 600);
    assert_eq!(claims["jti"].as_str().unwrap().len(), 36);
}

#[test]
fn keys_are_read_as_pkcs8_and_as_pkcs1() {
    assertion(CERTIFICATE, KEY_PKCS1, None);
}

#[test]
fn what_other_tools_write_around_pem_does_no_harm() {
    let bag = "Bag Attributes\n    localKeyID: 01\nsubject=CN = x\n";
    let certificate = format!("{bag}{CERTIFICATE}{CERTIFICATE}").replace('\n', "\r\n");
    let key = format!("{bag}{}\n\n  ", KEY.replace('\n', "  \n  "));
    assertion(&certificate, &key, None);
}

#[test]
fn what_can_not_be_used_is_told_by_its_field_and_never_sent() {
    for (certificate, key, field, word) in [
        ("", KEY, "certificateBody", "required"),
        ("nonsense", KEY, "certificateBody", "PEM"),
        (KEY, KEY, "certificateBody", "PEM"),
        (
            "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----",
            KEY,
            "certificateBody",
            "PEM",
        ),
        (CERTIFICATE, "nonsense", "privateKey", "RSA key"),
        (CERTIFICATE, CERTIFICATE, "privateKey", "RSA key"),
        (CERTIFICATE, ENCRYPTED_KEY, "privateKey", "encrypted"),
        (CERTIFICATE, OTHER_KEY, "privateKey", "does not belong"),
    ] {
        let host = MockHost::at(NOW);
        let fault = log_in(&host, connection(certificate, key, None)).unwrap_err();
        assert_eq!(
            fault.kind,
            FaultKind::InvalidInput(format!("connection.{field}")),
            "{}",
            fault.message
        );
        assert!(fault.message.contains(word), "{}", fault.message);
    }
}
