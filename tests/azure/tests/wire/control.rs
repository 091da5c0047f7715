//! The control interface, the record, and the judgement.

use azure_standin::{Operation, Origin, SecretConfig};
use serde_json::{Value, json};

use crate::rig::{self, Reply, Rig, SECRET};

async fn order(rig: &Rig, method: &str, path: &str, body: Value) -> Reply {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let url = rig.url(&format!("/_standin/{path}"));
    rig.send(rig.http.request(method, url).json(&body)).await
}

#[tokio::test]
async fn knobs_and_faults_are_turned_over_http() {
    let rig = Rig::start().await;
    let patch =
        json!({ "replicas": 2, "added": { "token": { "min_ms": 60_000, "max_ms": 60_000 } } });
    let turned = order(&rig, "PATCH", "behaviour", patch).await.json();
    assert_eq!(turned["replicas"], 2);
    assert_eq!(turned["added"]["token"]["max_ms"], 60_000);
    assert_eq!(turned["added"]["read"]["max_ms"], 0);
    let text = rig::text(&rig.add_password("payroll").await.json()["secretText"]);
    assert_eq!(rig.login("payroll", &text).await.status, 401);

    let fault = json!({
        "matching": { "operation": "token", "app": "payroll" },
        "fault": { "kind": "gateway", "status": 503 },
        "times": 1,
    });
    assert_eq!(order(&rig, "POST", "faults", fault).await.status, 200);
    assert_eq!(rig.login("payroll", &text).await.status, 503);
    let rest = order(&rig, "GET", "faults", Value::Null).await.json();
    assert_eq!(rest, json!([]));

    let typo = order(&rig, "PATCH", "behaviour", json!({ "replica": 1 })).await;
    assert_eq!(typo.status, 400);
    assert_eq!(order(&rig, "GET", "nothing", Value::Null).await.status, 404);
}

#[tokio::test]
async fn applications_and_secrets_are_changed_over_http_without_showing_a_text() {
    let rig = Rig::start().await;
    let text = "fOr8Q~somebody-elses-secret-0000000000001";
    let foreign = json!({ "text": text, "name": "theirs", "days": 10 });
    let placed = order(&rig, "POST", "applications/payroll/secrets", foreign).await;
    assert_eq!(placed.status, 200);
    assert_eq!(rig.login("payroll", text).await.status, 200);
    let listed = order(&rig, "GET", "applications/payroll/secrets", Value::Null).await;
    assert!(!listed.body.contains(text));
    assert_eq!(listed.json()[0]["origin"], "foreign");
    assert_eq!(listed.json()[0]["hint"], "fOr");

    let key = rig::text(&placed.json()["key_id"]);
    let path = format!("applications/payroll/secrets/{key}");
    assert_eq!(order(&rig, "DELETE", &path, Value::Null).await.status, 200);
    assert_eq!(rig.login("payroll", text).await.status, 401);
    assert_eq!(order(&rig, "DELETE", &path, Value::Null).await.status, 404);

    let disable = json!({ "disabled": true, "grant": ["Directory.Read.All"] });
    order(&rig, "PATCH", "applications/payroll", disable).await;
    assert_eq!(rig.login("payroll", text).await.error(), "7000112");
    let nobody = order(&rig, "PATCH", "applications/nobody", json!({})).await;
    assert_eq!(nobody.status, 404);
}

#[tokio::test]
async fn the_record_has_every_request_and_no_secret() {
    let rig = Rig::start().await;
    let added = rig.add_password("payroll").await.json();
    let text = rig::text(&added["secretText"]);
    rig.login("payroll", &text).await;
    rig.login("payroll", "guess-8Q~").await;
    let in_query = format!("{}?client_secret={text}", rig.token_path());
    rig.send(rig.http.post(rig.url(&in_query))).await;

    let record = order(&rig, "GET", "record", Value::Null).await;
    for secret in [SECRET, &text, "guess-8Q~"] {
        assert!(!record.body.contains(secret));
    }
    let entries = rig.standin.record(0);
    let seen: Vec<_> = entries
        .iter()
        .map(|entry| (entry.operation, entry.status, entry.error.as_deref()))
        .collect();
    assert_eq!(
        seen,
        [
            (Operation::Token, Some(200), None),
            (Operation::AddPassword, Some(200), None),
            (Operation::Token, Some(200), None),
            (Operation::Token, Some(401), Some("7000215")),
            (Operation::Token, Some(400), Some("900144")),
        ]
    );
    let key = entries[1].key_id.unwrap().to_string();
    assert_eq!(key, rig::text(&added["keyId"]));
    assert_eq!(entries[2].key_id, entries[1].key_id);
    assert_eq!(entries[1].app, entries[2].caller);
    assert!(entries[1].connection > entries[0].connection);
    let later = format!("record?since={}", entries[3].sequence);
    let later = order(&rig, "GET", &later, Value::Null).await.json();
    assert_eq!(later.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn checks_tell_what_no_client_can_see() {
    let rig = Rig::start().await;
    let foreign = rig
        .standin
        .add_foreign_secret("payroll", &SecretConfig::default())
        .unwrap();
    let added = rig.add_password("payroll").await.json();
    let text = rig::text(&added["secretText"]);
    let login = json!({ "app": "payroll", "secret": text });
    let check = order(&rig, "POST", "checks/login", login).await.json();
    assert_eq!(check["works_everywhere"], true);
    assert_eq!(check["key_id"], added["keyId"]);
    let login = json!({ "app": "payroll", "secret": "guess" });
    let check = order(&rig, "POST", "checks/login", login).await.json();
    assert_eq!(check["works_everywhere"], false);
    assert_eq!(check["key_id"], Value::Null);

    rig.login("payroll", &text).await;
    rig.remove_password("payroll", &foreign.to_string()).await;
    let key = rig::text(&added["keyId"]);
    rig.remove_password("payroll", &key).await;
    let checks = rig.standin.checks();
    let payroll = checks.app("payroll").unwrap();
    assert_eq!(
        (
            payroll.live,
            payroll.most_live,
            payroll.added,
            payroll.removed
        ),
        (0, 2, 1, 2)
    );
    assert_eq!((payroll.foreign_removed, payroll.last_removed), (1, 1));
    assert_eq!((payroll.logins, payroll.refused_logins), (1, 0));
    let origins = rig.standin.secrets("payroll").unwrap();
    assert_eq!(origins[1].origin, Origin::Foreign);
}
