//! A state directory that was restored from a copy: what it does not know may be what is live.

use std::path::Path;

use rotord_api::rotation::{CredentialStage, SecretRotation};
use rotord_api::routes;
use serde_json::json;

use crate::rig::{Rig, key_at};

/// A rotation whose last run the database has forgotten, and the value that this run had published.
async fn restored() -> (Rig, SecretRotation, String, String) {
    let mut rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    rig.daemon.stop().await.unwrap();
    let (state, copy) = (rig.daemon.path("state"), rig.daemon.path("copy"));
    copy_folder(&state, &copy);
    rig.daemon.start().await.unwrap();
    let rotated = rig.rotate(&rotation).await;
    let forgotten = key_at(&rotated, CredentialStage::Active);
    let value = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    rig.daemon.stop().await.unwrap();
    std::fs::remove_dir_all(&state).unwrap();
    std::fs::rename(&copy, &state).unwrap();
    rig.daemon.start().await.unwrap();
    let rotation = rig
        .until("the forgotten one to be reported", &rotation, |rotation| {
            let attention = &rotation.state.as_ref().unwrap().attention;
            attention
                .iter()
                .any(|item| item.key_id.as_deref() == Some(&forgotten))
        })
        .await;
    (rig, rotation, forgotten, value)
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        assert!(entry.file_type().unwrap().is_file());
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restored_database_does_not_know_is_reported_and_left_alone() {
    let (rig, rotation, forgotten, value) = restored().await;
    let status = rig.operator.status().await.unwrap();
    assert!(
        status
            .attention
            .iter()
            .any(|item| item.rotation_id == rotation.id),
        "{status:#?}"
    );
    let ended = rig.daemon.rotorctl().unwrap().args(["status"]);
    assert_eq!(ended.run().await.unwrap().code, Some(4));
    // Rotating goes on, and touches it not.
    rig.operator.rotate(rotation.id, Some(0)).await.unwrap();
    let issued = rig.azure.issued("payroll").unwrap();
    assert!(issued.iter().any(|key| key.to_string() == forgotten));
    let check = rig.azure.standin.check_login("payroll", &value).unwrap();
    assert!(check.works_everywhere());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_forgotten_is_adopted_with_its_value() {
    let (rig, rotation, forgotten, value) = restored().await;
    let client_id = rig.azure.app("payroll").unwrap().app_id;
    let body = json!({
        "keyId": forgotten, "outputs": { "clientId": client_id, "clientSecret": value }
    });
    let path = routes::of_rotation(routes::ADOPT, rotation.id);
    let reply = rig.operator.http.post(&path, &body).await.unwrap();
    assert!([200, 202].contains(&reply.status), "{}", reply.text());
    rig.until("it to be published", &rotation, |rotation| {
        let state = rotation.state.as_ref().unwrap();
        state.run.is_none() && key_at(rotation, CredentialStage::Active) == forgotten
    })
    .await;
    assert_eq!(rig.operator.secret("PAYROLL_SECRET").await.unwrap(), value);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_forgotten_is_removed_when_a_person_says_so() {
    let (rig, rotation, forgotten, _) = restored().await;
    let line = rig.daemon.rotorctl().unwrap();
    let line = line.args(["remove", "payroll", &forgotten, "--env", "dev", "--yes"]);
    line.run().await.unwrap().well().unwrap();
    rig.until_issued("payroll", 1).await;
    let settled = rig.settled(&rotation).await;
    rig.assert_no_orphans("payroll", &settled);
}
