//! No secret value is anywhere but where it belongs: not in settings, state, log, cache, arguments or
//! environment of a full run. The private key of a certificate is one.

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::azure::{MANAGER, MANAGER_SECRET, tenant};
use e2e::command::Ended;
use e2e::operator::KIND;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use rotord_api::routes;
use serde_json::json;

use crate::rig::Rig;

/// A value and the forms in which it could have been written down.
struct Needle {
    forms: Vec<String>,
}

impl Needle {
    fn new(value: &str) -> Self {
        let mut hex = String::new();
        for byte in value.bytes() {
            write!(hex, "{byte:02x}").unwrap();
        }
        let url: String = value.replace('~', "%7E");
        // Whatever comes before it, one of three ways to begin in base64 is its own.
        let base64 = (0..3).map(|skip| {
            let text = STANDARD.encode(&value.as_bytes()[skip..]);
            text[..text.len() - 4].to_owned()
        });
        let forms = [value.to_owned(), hex, url].into_iter().chain(base64);
        Self {
            forms: forms.collect(),
        }
    }

    /// A line of a PEM file's body, whose bytes could have been written down too.
    fn of_pem(line: &str) -> Self {
        let mut needle = Self::new(line);
        let mut hex = String::new();
        for byte in STANDARD.decode(line).unwrap() {
            write!(hex, "{byte:02x}").unwrap();
        }
        needle.forms.push(hex);
        needle
    }

    fn is_in(&self, hay: &[u8]) -> bool {
        // What is no text stays between what is: the values are ASCII.
        let hay = String::from_utf8_lossy(hay);
        self.forms.iter().any(|form| hay.contains(form))
    }
}

/// What a process shows to everyone, or to its user's others.
fn shown_by(pid: u32) -> Vec<u8> {
    ["cmdline", "environ"]
        .map(|file| {
            let shown = std::fs::read(format!("/proc/{pid}/{file}")).unwrap();
            assert!(!shown.is_empty(), "{file}");
            shown
        })
        .concat()
}

/// What rotorctl wrote, where it ended well.
fn written(ended: Ended) -> Vec<u8> {
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    [ended.stdout, ended.stderr].concat().into_bytes()
}

/// Adds a connection by certificate, whose private key comes in by a pipe. Gives back all that anyone can see of it: the
/// arguments and environment of rotorctl while it waits for the key, and what it writes.
async fn add_by_certificate(rig: &Rig, certificate: &str, key: &str) -> Vec<u8> {
    let body = rig.daemon.path("certificate.pem");
    std::fs::write(&body, certificate).unwrap();
    let mut words = ["connection", "add", "certified", "--method", "certificate"]
        .map(str::to_owned)
        .to_vec();
    for (field, value) in rig.azure.connection_fields().unwrap() {
        words.extend(["--set".to_owned(), format!("{field}={value}")]);
    }
    let body = format!("certificateBody={}", body.display());
    let files = ["--file", &body, "--file", "privateKey=-"];
    words.extend(files.map(str::to_owned));
    let mut seen = Vec::new();
    let line = rig.daemon.rotorctl().unwrap().args(words).input(key);
    let ended = line.run_seen(|pid| seen = shown_by(pid)).await.unwrap();
    assert!(String::from_utf8_lossy(&seen).contains("privateKey=-"));
    seen.extend(written(ended));
    seen
}

/// Every file below a folder that holds one of the values.
fn found_below(folder: &Path, needles: &[Needle]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = entry.path();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(found_below(&path, needles));
        } else if kind.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            if needles.iter().any(|needle| needle.is_in(&bytes)) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_run_leaves_no_secret_value_anywhere() {
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let certificate = CertificateParams::new(Vec::new())
        .unwrap()
        .self_signed(&key)
        .unwrap()
        .pem();
    let key = key.serialize_pem();
    let mut config = tenant(&["payroll", "billing"]);
    config.applications[0].certificate_pems = vec![certificate.clone()];
    let mut rig = Rig::with(config, |daemon| {
        daemon.with("log.filter", "debug,rotord=trace,rotord_provider=trace")
    })
    .await;
    let rotation = rig.create("payroll").await;
    let consumer = rig
        .consumer("payroll", std::time::Duration::from_millis(20))
        .await;
    rig.operator.rotate(rotation.id, Some(0)).await.unwrap();

    let mut seen = add_by_certificate(&rig, &certificate, &key).await;
    let certified = ["connection", "show", "certified", "--json"].map(str::to_owned);
    let line = rig.daemon.rotorctl().unwrap().args(certified);
    let shown = line.run().await.unwrap().json().unwrap();
    let certified = shown["appConnection"]["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    rig.operator
        .create(&rig.azure, certified, "billing")
        .await
        .unwrap();
    for line in [
        "rotate billing --retire-previous-after 0s",
        "show billing",
        "list --json",
        "secret list --env dev",
        "connection check certified",
        "status",
    ] {
        let line = rig.daemon.rotorctl().unwrap().args(line.split(' '));
        seen.extend(written(line.run().await.unwrap()));
    }

    // A wrong secret, a wrong login and a lost answer make for talkative errors.
    let http = &rig.operator.http;
    let mut wrong = rig.azure.connection("wrong").unwrap();
    let mistyped = "tYp8Q~a-secret-of-another-place-mistyped";
    wrong["credentials"]["clientSecret"] = json!(mistyped);
    let path = routes::connections_of_app(e2e::operator::CONNECTIONS);
    let refused = http.post(&path, &wrong).await.unwrap();
    assert_eq!(refused.status, 400);
    wrong["credentials"]["tenantId"] = json!([mistyped]);
    wrong["name"] = json!("A Bad Name");
    let refused = http.post(&path, &wrong).await.unwrap();
    assert_eq!(refused.status, 422);
    assert!(!refused.text().contains(mistyped));
    rig.azure.standin.add_fault(azure_standin::Rule::once(
        azure_standin::Operation::AddPassword,
        azure_standin::Fault::LostReply,
    ));
    rig.operator.rotate(rotation.id, Some(0)).await.unwrap();
    let credentials = routes::generated_credentials(KIND, rotation.id);
    assert_eq!(http.get(&credentials).await.unwrap().status, 200);
    rig.settled(&rotation).await;
    consumer.stop().await.unwrap();

    let mut values = vec![MANAGER_SECRET.to_owned(), mistyped.to_owned()];
    for app in [MANAGER, "payroll", "billing"] {
        let texts = rig.azure.standin.secret_texts(app).unwrap();
        values.extend(texts.iter().map(|text| text.expose().to_owned()));
    }
    assert!(values.len() >= 8, "too few to have been a full run");
    let mut needles: Vec<Needle> = values.iter().map(|value| Needle::new(value)).collect();
    // Whole lines of its body, but for the first: it says only what kind of key it is.
    let lines = key.lines().filter(|line| line.len() == 64).skip(1);
    needles.extend(lines.map(Needle::of_pem));
    assert!(needles.len() > values.len() + 20, "the key is too short");

    let pid = rig.daemon.pid().unwrap();
    seen.extend(shown_by(pid));
    assert!(!needles.iter().any(|needle| needle.is_in(&seen)));
    assert_eq!(found_below(rig.daemon.folder(), &needles), [""; 0]);
    rig.daemon.stop().await.unwrap();
    assert_eq!(found_below(rig.daemon.folder(), &needles), [""; 0]);

    // The search finds what is there.
    let planted = rig.daemon.path("cache/planted");
    for text in [format!("xy{}", STANDARD.encode(&values[0])), key] {
        std::fs::write(&planted, text).unwrap();
        assert_eq!(
            found_below(rig.daemon.folder(), &needles),
            [planted.display().to_string()]
        );
    }
    let log = rig.daemon.log().unwrap();
    assert!(
        log.contains("DEBUG") || log.contains("TRACE"),
        "the log was too quiet to tell"
    );
}
