//! Taking over a secret that exists on the application already.

use std::time::Duration;

use azure_standin::SecretConfig;
use e2e::Daemon;
use e2e::command::Ended;
use e2e::operator::live;
use rotord_api::rotation::CredentialStage;

use crate::rig::{Rig, key_at};

/// A secret that an application has used since before rotord.
const IN_USE: &str = "aBc8Q~a-secret-that-was-made-by-hand-and-is-in-use";

fn in_use() -> SecretConfig {
    SecretConfig {
        text: Some(IN_USE.to_owned().into()),
        name: Some("in use since long ago".to_owned()),
        ..SecretConfig::default()
    }
}

async fn adopt(daemon: &Daemon, key: &str, more: &[&str], input: &str) -> Ended {
    let line = daemon.rotorctl().unwrap();
    let line = line.args(["adopt", "payroll", key, "--env", "dev", "--yes"]);
    line.args(more).input(input).run().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_adopted_with_its_value_is_published_and_its_first_rotation_overlaps() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let key = rig.azure.standin.add_foreign_secret("payroll", &in_use());
    let key = key.unwrap().to_string();
    let done = adopt(&rig.daemon, &key, &["--value", "clientSecret=-"], IN_USE).await;
    let said = done.well().unwrap();
    assert!(!said.contains(IN_USE));
    let adopted = rig
        .until("it to be published", &rotation, |rotation| {
            let active = live(rotation).find(|c| c.stage == CredentialStage::Active);
            active.is_some_and(|active| active.key_id == key)
        })
        .await;
    assert_eq!(rig.operator.secret("PAYROLL_SECRET").await.unwrap(), IN_USE);
    assert!(adopted.state.unwrap().attention.is_empty());
    let consumer = rig.consumer("payroll", Duration::from_millis(20)).await;
    let rotated = rig.rotate(&rotation).await;
    assert_ne!(key_at(&rotated, CredentialStage::Active), key);
    // Whoever has not read the new one yet goes on with the old one.
    let check = rig.azure.standin.check_login("payroll", IN_USE).unwrap();
    assert!(check.works_everywhere());
    let replaced = live(&rotated).find(|credential| credential.key_id == key);
    let replaced = replaced.expect("it is known");
    assert_eq!(replaced.stage, CredentialStage::Previous);
    assert!(replaced.revoke_not_before.is_some());
    let tally = consumer.stop().await.unwrap();
    assert_eq!(tally.failures, 0, "{tally:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_adopted_without_its_value_is_retired_after_the_next_publication() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let key = rig.azure.standin.add_foreign_secret("payroll", &in_use());
    let key = key.unwrap();
    let done = adopt(&rig.daemon, &key.to_string(), &[], "").await;
    done.well().unwrap();
    let is_live = || {
        let secrets = rig.azure.standin.secrets("payroll").unwrap();
        secrets
            .iter()
            .any(|secret| secret.key_id == key && secret.live())
    };
    rig.settled_but_previous(&rotation).await;
    assert!(is_live(), "nothing was published that could take its place");
    rig.operator.rotate(rotation.id, Some(0)).await.unwrap();
    rig.settled(&rotation).await;
    assert!(!is_live(), "its time has come");
    rig.assert_others_untouched("payroll");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ours_to_adopt_is_refused_and_stays_as_it_is() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let value = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    // Another rotation of the same application, and one of another installation.
    let mut body = rig
        .operator
        .request(&rig.azure, rig.connection, "payroll")
        .await
        .unwrap();
    body["name"] = "payroll-too".into();
    body["secretsMapping"] =
        serde_json::json!({"clientId": "TOO_ID", "clientSecret": "TOO_SECRET"});
    let too = rig.operator.post_rotation(&body).await.unwrap();
    let too: rotord_api::rotation::SecretRotationAnswer = too.parse().unwrap();
    let too = rig.settled(&too.secret_rotation).await;
    let other = Daemon::beside(&rig.azure).await.unwrap();
    let connection = other.operator().connect(&rig.azure, "azure").await.unwrap();
    let theirs = other.operator();
    let theirs = theirs
        .create(&rig.azure, connection, "payroll")
        .await
        .unwrap();
    let foreign = rig.azure.standin.add_foreign_secret("payroll", &in_use());
    let foreign = foreign.unwrap().to_string();
    let before = rig.azure.issued("payroll").unwrap();
    for (key, more, input, words) in [
        (
            key_at(&too, CredentialStage::Active),
            &[][..],
            "",
            "another rotation",
        ),
        (
            key_at(&theirs, CredentialStage::Active),
            &[],
            "",
            "another installation",
        ),
        (
            foreign,
            &["--value", "clientSecret=-"],
            "zZz8Q~the-value-of-quite-another-secret-0",
            "another beginning",
        ),
        (
            "00000000-0000-4000-8000-000000000000".to_owned(),
            &[],
            "",
            "lists no credential",
        ),
    ] {
        let refused = adopt(&rig.daemon, &key, more, input).await;
        assert_eq!(refused.code, Some(1), "{words}: {refused:?}");
        assert!(refused.stderr.contains(words), "{words}: {refused:?}");
        assert!(!refused.stderr.contains("zZz8Q"), "{refused:?}");
    }
    assert_eq!(rig.azure.issued("payroll").unwrap(), before);
    assert_eq!(rig.operator.secret("PAYROLL_SECRET").await.unwrap(), value);
    rig.settled(&rotation).await;
}
