//! What a person changes: pause, move, edit, retire what leaked; and a provider that comes and goes.

use e2e::built;
use e2e::operator::{KIND, secret_name};
use rotord_api::provider::ProviderState;
use rotord_api::rotation::{CredentialStage, RotationStatus};
use rotord_api::routes;
use serde_json::{Value, json};

use crate::rig::{Rig, key_at, keys};

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_rotation_waits_for_a_person_and_resumes() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let ctl = async |words: &[&str]| {
        let line = rig.daemon.rotorctl().unwrap().args(words);
        line.run().await.unwrap().well().unwrap()
    };
    ctl(&["pause", "payroll", "--env", "dev"]).await;
    let paused = rig.operator.rotation(rotation.id).await.unwrap();
    assert_eq!(paused.next_rotation_at, None);
    assert!(paused.state.unwrap().paused);
    ctl(&["rotate", "payroll", "--env", "dev", "--wait"]).await;
    let rotated = rig.operator.rotation(rotation.id).await.unwrap();
    assert_eq!((rotated.active_index, rotated.next_rotation_at), (1, None));
    ctl(&["resume", "payroll", "--env", "dev"]).await;
    let resumed = rig.operator.rotation(rotation.id).await.unwrap();
    assert!(resumed.next_rotation_at.is_some());
    assert!(!resumed.state.unwrap().paused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_takes_the_secrets_along() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let value = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    let http = &rig.operator.http;
    let to = |environment: &str, path: &str| json!({ "destinationEnvironment": environment, "destinationSecretPath": path });
    let route = routes::move_rotation(KIND, rotation.id);
    let nowhere = http.post(&route, &to("prod", "/nowhere")).await.unwrap();
    assert_eq!(nowhere.status, 400, "{}", nowhere.text());
    assert_eq!(rig.operator.secret("PAYROLL_SECRET").await.unwrap(), value);

    let moved = http.post(&route, &to("prod", "/")).await.unwrap();
    let moved: Value = moved.parse().unwrap();
    assert_eq!(
        moved["secretRotation"]["environment"]["slug"],
        json!("prod")
    );
    assert!(rig.operator.secrets().await.unwrap().secrets.is_empty());
    let there = format!(
        "{}?projectId={}&environment=prod",
        routes::secret("PAYROLL_SECRET"),
        rotation.project_id
    );
    let there = http.get(&there).await.unwrap().json().unwrap();
    assert_eq!(there["secret"]["secretValue"], json!(value));
    let rotated = rig.rotate(&rotation).await;
    assert_eq!(rotated.environment.slug, "prod");
    rig.assert_no_orphans("payroll", &rotated);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaked_replaced_credential_is_revoked_at_once() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    // Otherwise it would stay until the next one is due, a month from now.
    let rotated = rig.rotate(&rotation).await;
    let (leaked, published) = (
        key_at(&rotated, CredentialStage::Previous),
        key_at(&rotated, CredentialStage::Active),
    );
    let line = rig.daemon.rotorctl().unwrap();
    let line = line.args(["retire", "payroll", &leaked, "--env", "dev"]);
    line.run().await.unwrap().well().unwrap();
    rig.until_issued("payroll", 1).await;
    let issued = rig.azure.issued("payroll").unwrap();
    assert_eq!(issued[0].to_string(), published);
    rig.assert_others_untouched("payroll");
    let settled = rig.settled(&rotation).await;
    assert_eq!(keys(&settled), [published]);
    // What is gone is kept no longer, whatever was said before.
    let mut left = settled.state.iter().flat_map(|state| &state.credentials);
    let gone = left.find(|credential| credential.key_id == leaked).unwrap();
    assert_eq!(gone.stage, CredentialStage::Gone);
    assert_eq!(gone.revoke_not_before, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaked_published_credential_is_replaced_and_then_revoked() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let consumer = rig
        .consumer("payroll", std::time::Duration::from_millis(20))
        .await;
    let leaked = key_at(&rotation, CredentialStage::Active);
    let retire = routes::of_rotation(routes::RETIRE, rotation.id);
    let body = json!({ "keyId": leaked });
    let reply = rig.operator.http.post(&retire, &body).await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    let settled = rig
        .until("the leaked one to be gone", &rotation, |rotation| {
            let state = rotation.state.as_ref().unwrap();
            state.run.is_none() && !keys(rotation).contains(&leaked)
        })
        .await;
    rig.assert_no_orphans("payroll", &settled);
    assert_ne!(key_at(&settled, CredentialStage::Active), leaked);
    // Whoever reads again after a refusal logs in: at most what was read just before the revoke fails.
    let tally = consumer.stop().await.unwrap();
    assert!(tally.failures <= 1, "{tally:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapped_secret_that_is_renamed_keeps_its_value_and_id() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let before = rig.operator.secrets().await.unwrap().secrets;
    let old = secret_name("payroll", "SECRET");
    let mapping =
        json!({ "secretsMapping": { "clientId": "PAYROLL_ID", "clientSecret": "NEW_NAME" } });
    let path = routes::rotation(KIND, rotation.id);
    let reply = rig.operator.http.patch(&path, &mapping).await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    let after = rig.operator.secrets().await.unwrap().secrets;
    let renamed = after
        .iter()
        .find(|secret| secret.secret_key == "NEW_NAME")
        .unwrap();
    let was = before
        .iter()
        .find(|secret| secret.secret_key == old)
        .unwrap();
    assert_eq!(
        (renamed.id, &renamed.secret_value),
        (was.id, &was.secret_value)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_rotation_says_why_and_keeps_what_works() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let value = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    rig.azure
        .standin
        .set_owner("payroll", "rotord", false)
        .unwrap();
    let path = routes::rotate_secrets(KIND, rotation.id);
    let reply = rig.operator.http.post(&path, &json!(null)).await.unwrap();
    assert_eq!(reply.status, 500, "{}", reply.text());
    let failed = rig.operator.rotation(rotation.id).await.unwrap();
    assert_eq!(failed.rotation_status, RotationStatus::Failed);
    assert!(!failed.last_rotation_message.unwrap_or_default().is_empty());
    assert_eq!(rig.operator.secret("PAYROLL_SECRET").await.unwrap(), value);
    rig.azure
        .standin
        .set_owner("payroll", "rotord", true)
        .unwrap();
    let rotated = rig.rotate(&rotation).await;
    assert_eq!(rotated.last_rotation_message, None);
    rig.assert_no_orphans("payroll", &rotated);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_provider_a_rotation_is_listed_read_paused_and_deleted() {
    let mut rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let value = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    std::fs::remove_file(rig.daemon.path("providers/azure-client-secret.wasm")).unwrap();
    rig.daemon.reload().await.unwrap();

    let status = rig.operator.status().await.unwrap();
    assert!(
        status
            .providers
            .iter()
            .all(|report| report.state != ProviderState::Loaded),
        "{:?}",
        status.providers
    );
    assert_eq!(rig.operator.rotations().await.unwrap().len(), 1);
    assert_eq!(rig.operator.secret("PAYROLL_SECRET").await.unwrap(), value);
    let http = &rig.operator.http;
    let rotate = http
        .post(&routes::rotate_secrets(KIND, rotation.id), &json!(null))
        .await
        .unwrap();
    assert!(rotate.status >= 400, "{}", rotate.text());
    let pause = routes::of_rotation(routes::PAUSE, rotation.id);
    assert_eq!(http.post(&pause, &json!(null)).await.unwrap().status, 200);
    let path = format!(
        "{}?deleteSecrets=true&revokeGeneratedCredentials=true",
        routes::rotation(KIND, rotation.id)
    );
    assert_eq!(http.delete(&path).await.unwrap().status, 200);
    assert!(rig.operator.secrets().await.unwrap().secrets.is_empty());
    // The revoke waits for somebody who can do it.
    assert_eq!(rig.azure.issued("payroll").unwrap().len(), 1);

    let provider = built::provider("azure-client-secret").unwrap();
    rig.daemon.add_provider(&provider).unwrap();
    rig.daemon.reload().await.unwrap();
    rig.until_issued("payroll", 0).await;
    rig.assert_others_untouched("payroll");
}
