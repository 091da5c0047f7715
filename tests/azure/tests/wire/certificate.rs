//! Logins by a signed assertion.

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding};
use azure_standin::Behaviour;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, PKCS_RSA_SHA256};
use serde_json::{Value, json};

use crate::rig::{self, GRAPH_SCOPE, Reply, Rig};

struct Holder {
    key: KeyPair,
    certificate: rcgen::Certificate,
}

impl Holder {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.not_before = rcgen::date_time_ymd(2029, 1, 1);
        params.not_after = rcgen::date_time_ymd(2031, 1, 1);
        let certificate = params.self_signed(&key).unwrap();
        Self {
            key: KeyPair::from_pkcs8(&key.serialize_der()).unwrap(),
            certificate,
        }
    }

    fn header(&self, algorithm: &str) -> Value {
        let der = self.certificate.der();
        let sha1 = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, der);
        let sha256 = digest::digest(&digest::SHA256, der);
        match algorithm {
            "PS256" => json!({ "alg": "PS256", "x5t#S256": URL_SAFE_NO_PAD.encode(sha256) }),
            _ => json!({ "alg": algorithm, "x5t": URL_SAFE_NO_PAD.encode(sha1) }),
        }
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let encoding: &dyn RsaEncoding = match header["alg"].as_str() {
            Some("PS256") => &RSA_PSS_SHA256,
            _ => &RSA_PKCS1_SHA256,
        };
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let rng = SystemRandom::new();
        self.key
            .sign(encoding, &rng, signed.as_bytes(), &mut signature)
            .unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

async fn rig(holder: &Holder) -> Rig {
    let mut config = rig::config();
    config.applications[0].certificate_pems = vec![holder.certificate.pem()];
    config.clock = rig::stopped_clock();
    config.behaviour = Behaviour::default();
    Rig::with(config).await
}

fn claims(rig: &Rig) -> Value {
    let now = rig::epoch().timestamp();
    let app = rig.app_id("rotord");
    json!({
        "aud": rig.url(&rig.token_path()), "iss": app, "sub": app,
        "nbf": now, "exp": now + 600, "jti": "1",
    })
}

async fn login(rig: &Rig, assertion: &str) -> Reply {
    rig.login_form(&[
        ("client_id", &rig.app_id("rotord")),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", assertion),
        ("scope", GRAPH_SCOPE),
        ("grant_type", "client_credentials"),
    ])
    .await
}

#[tokio::test]
async fn both_algorithms_and_both_thumbprints_log_in() {
    let holder = Holder::new();
    let rig = rig(&holder).await;
    for algorithm in ["RS256", "PS256"] {
        let assertion = holder.sign(&holder.header(algorithm), &claims(&rig));
        let reply = login(&rig, &assertion).await;
        assert_eq!(reply.status, 200, "{algorithm}: {reply:?}");
    }
}

#[tokio::test]
async fn times_in_an_assertion_may_have_fractions() {
    let holder = Holder::new();
    let rig = rig(&holder).await;
    let mut claims = claims(&rig);
    claims["exp"] = json!(1_893_553_445.0 + 600.25);
    let assertion = holder.sign(&holder.header("RS256"), &claims);
    assert_eq!(login(&rig, &assertion).await.status, 200);
}

#[tokio::test]
async fn an_assertion_that_is_wrong_anywhere_is_refused_with_its_number() {
    let holder = Holder::new();
    let rig = rig(&holder).await;
    let now = rig::epoch().timestamp();
    let change = |name: &str, value: Value| {
        let mut claims = claims(&rig);
        claims[name] = value;
        holder.sign(&holder.header("PS256"), &claims)
    };
    let stranger = Holder::new();
    let misnamed = stranger.sign(&holder.header("PS256"), &claims(&rig));
    let unregistered = stranger.sign(&stranger.header("PS256"), &claims(&rig));
    let unsigned = holder.sign(&json!({ "alg": "none" }), &claims(&rig));
    for (assertion, code) in [
        (change("aud", json!("https://elsewhere/x/v2.0")), "700023"),
        (
            change("iss", json!("11111111-1111-4111-8111-111111111111")),
            "700021",
        ),
        (change("sub", json!(rig.app_id("payroll"))), "700021"),
        (change("exp", json!(now - 301)), "700024"),
        (change("nbf", json!(now + 301)), "700024"),
        (change("jti", json!("")), "50027"),
        (misnamed, "700027"),
        (unregistered, "700027"),
        (unsigned, "700027"),
        ("nonsense".to_owned(), "50027"),
    ] {
        let reply = login(&rig, &assertion).await;
        assert_eq!((reply.status, reply.error().as_str()), (401, code));
    }
}

#[tokio::test]
async fn an_assertion_may_be_good_for_one_login_only() {
    let holder = Holder::new();
    let rig = rig(&holder).await;
    let assertion = holder.sign(&holder.header("RS256"), &claims(&rig));
    assert_eq!(login(&rig, &assertion).await.status, 200);
    assert_eq!(login(&rig, &assertion).await.status, 200);
    rig.standin
        .set_behaviour(|behaviour| behaviour.assertions_once = true);
    assert_eq!(login(&rig, &assertion).await.error(), "700027");
}

#[tokio::test]
async fn an_expired_certificate_logs_in_no_more() {
    let holder = Holder::new();
    let rig = rig(&holder).await;
    let year = 365 * 24;
    rig.standin.advance(std::time::Duration::from_hours(year));
    let now = rig.standin.now().timestamp();
    let mut claims = claims(&rig);
    claims["nbf"] = json!(now);
    claims["exp"] = json!(now + 600);
    let assertion = holder.sign(&holder.header("PS256"), &claims);
    assert_eq!(login(&rig, &assertion).await.error(), "700027");
}

#[tokio::test]
async fn the_key_is_shown_only_to_who_selects_it() {
    let holder = Holder::new();
    let rig = rig(&holder).await;
    let assertion = holder.sign(&holder.header("RS256"), &claims(&rig));
    let bearer = rig::text(&login(&rig, &assertion).await.json()["access_token"]);
    let get = async |query: &str| {
        let url = rig.url(&format!("{}{query}", rig.object_path("rotord")));
        rig.send(rig.http.get(url).bearer_auth(&bearer))
            .await
            .json()
    };
    let plain = get("").await;
    assert_eq!(plain["keyCredentials"][0]["key"], Value::Null);
    assert_eq!(plain["keyCredentials"][0]["type"], "AsymmetricX509Cert");
    let selected = get("?$select=keyCredentials").await;
    assert!(selected["keyCredentials"][0]["key"].is_string());
}
