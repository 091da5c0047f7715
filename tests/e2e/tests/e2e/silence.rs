//! No secret value is anywhere but where it belongs: not in settings, state, log, cache, arguments or
//! environment of a full run.

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::azure::{MANAGER, MANAGER_SECRET, tenant};
use e2e::operator::KIND;
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

    fn is_in(&self, hay: &[u8]) -> bool {
        // What is no text stays between what is: the values are ASCII.
        let hay = String::from_utf8_lossy(hay);
        self.forms.iter().any(|form| hay.contains(form))
    }
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
    let mut rig = Rig::with(tenant(&["payroll"]), |daemon| {
        daemon.with("log.filter", "debug,rotord=trace,rotord_provider=trace")
    })
    .await;
    let rotation = rig.create("payroll").await;
    let consumer = rig
        .consumer("payroll", std::time::Duration::from_millis(20))
        .await;
    rig.operator.rotate(rotation.id, Some(0)).await.unwrap();

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
    for app in [MANAGER, "payroll"] {
        let texts = rig.azure.standin.secret_texts(app).unwrap();
        values.extend(texts.iter().map(|text| text.expose().to_owned()));
    }
    assert!(values.len() >= 6, "too few to have been a full run");
    let needles: Vec<Needle> = values.iter().map(|value| Needle::new(value)).collect();

    let pid = rig.daemon.pid().unwrap();
    for file in ["cmdline", "environ"] {
        let bytes = std::fs::read(format!("/proc/{pid}/{file}")).unwrap();
        assert!(!bytes.is_empty());
        assert!(!needles.iter().any(|needle| needle.is_in(&bytes)), "{file}");
    }
    assert_eq!(found_below(rig.daemon.folder(), &needles), [""; 0]);
    rig.daemon.stop().await.unwrap();
    assert_eq!(found_below(rig.daemon.folder(), &needles), [""; 0]);

    // The search finds what is there.
    let planted = rig.daemon.path("cache/planted");
    std::fs::write(&planted, format!("xy{}", STANDARD.encode(&values[0]))).unwrap();
    assert_eq!(
        found_below(rig.daemon.folder(), &needles),
        [planted.display().to_string()]
    );
    let log = rig.daemon.log().unwrap();
    assert!(
        log.contains("DEBUG") || log.contains("TRACE"),
        "the log was too quiet to tell"
    );
}
