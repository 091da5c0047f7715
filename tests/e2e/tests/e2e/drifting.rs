//! The published credential changes behind the daemon's back, or comes near its end. Days take seconds here.

use azure_standin::{Fault, KeyId, Matching, Operation, Rule};
use e2e::operator::KIND;
use hyper::Method;
use rotord_api::rotation::{CredentialStage, SecretRotation};
use rotord_api::routes;
use serde_json::json;

use crate::rig::{Rig, key_at};
use crate::scheduling::{create_daily, rig};

/// Removes the published credential at the provider, as a person could in a portal.
fn remove_outside(rig: &Rig, rotation: &SecretRotation) -> String {
    let key = key_at(rotation, CredentialStage::Active);
    let id: KeyId = key.parse().unwrap();
    assert!(rig.azure.standin.remove_secret("payroll", id).unwrap());
    key
}

async fn with_long_interval(rig: &Rig) -> SecretRotation {
    let rotation = create_daily(rig, 2).await;
    patch(rig, &rotation, &json!({"rotationInterval": 30})).await
}

async fn patch(rig: &Rig, rotation: &SecretRotation, body: &serde_json::Value) -> SecretRotation {
    let path = routes::rotation(KIND, rotation.id);
    let reply = rig
        .operator
        .http
        .send(Method::PATCH, &path, &[], body.to_string().into_bytes())
        .await
        .unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    rig.operator.rotation(rotation.id).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_credential_that_was_removed_outside_is_replaced_within_a_day_or_so() {
    let rig = rig("2031-03-01T10:00:00Z".parse().unwrap()).await;
    let rotation = with_long_interval(&rig).await;
    let removed_at = rig.azure.standin.now();
    let removed = remove_outside(&rig, &rotation);
    let replaced = rig
        .until("another one", &rotation, |rotation| {
            rotation.last_rotated_at.unwrap().0 > removed_at
        })
        .await;
    assert_ne!(key_at(&replaced, CredentialStage::Active), removed);
    let took = replaced.last_rotated_at.unwrap().0 - removed_at;
    assert!(took < chrono::TimeDelta::hours(44), "{took}");
    let log = rig.daemon.log().unwrap();
    assert!(log.contains("removed at the provider"), "it was said");
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_start_it_is_noticed_at_once() {
    let mut rig = rig("2031-03-01T10:00:00Z".parse().unwrap()).await;
    let rotation = with_long_interval(&rig).await;
    rig.daemon.stop().await.unwrap();
    let removed_at = rig.azure.standin.now();
    remove_outside(&rig, &rotation);
    rig.daemon.start().await.unwrap();
    let replaced = rig
        .until("another one", &rotation, |rotation| {
            rotation.last_rotated_at.unwrap().0 > removed_at
        })
        .await;
    let took = replaced.last_rotated_at.unwrap().0 - removed_at;
    assert!(
        took < chrono::TimeDelta::hours(20),
        "{took}: no daily check can have been it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_paused_one_it_is_shouted_about_and_a_resume_replaces_it() {
    let mut rig = rig("2031-03-01T10:00:00Z".parse().unwrap()).await;
    let rotation = with_long_interval(&rig).await;
    let run = async |arguments: &[&str]| {
        let line = rig.daemon.rotorctl().unwrap();
        line.args(arguments).run().await.unwrap()
    };
    let place = ["payroll", "--env", "dev"];
    run(&[&["pause"], &place[..]].concat())
        .await
        .well()
        .unwrap();
    let removed = remove_outside(&rig, &rotation);
    rig.daemon.stop().await.unwrap();
    rig.daemon.start().await.unwrap();
    rig.until("a shout", &rotation, |rotation| {
        let attention = &rotation.state.as_ref().unwrap().attention;
        attention.iter().any(|item| item.code == "drifted")
    })
    .await;
    let run = async |arguments: &[&str]| {
        let line = rig.daemon.rotorctl().unwrap();
        line.args(arguments).run().await.unwrap()
    };
    let status = run(&["status"]).await;
    assert_eq!(status.code, Some(4), "{status:?}");
    assert!(
        status.stdout.contains("removed at the provider"),
        "{status:?}"
    );
    let shown = run(&[&["show"], &place[..]].concat()).await;
    assert!(shown.stdout.contains("rotorctl resume"), "{shown:?}");
    run(&[&["resume"], &place[..]].concat())
        .await
        .well()
        .unwrap();
    let replaced = rig
        .until("another one", &rotation, |rotation| {
            key_at(rotation, CredentialStage::Active) != removed
        })
        .await;
    assert!(replaced.state.unwrap().attention.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_near_its_end_is_replaced_before_its_time_or_shouted_about() {
    let rig = rig("2031-03-01T10:00:00Z".parse().unwrap()).await;
    // Issued for a day's interval, so with five days to live; due in a month.
    let rotation = with_long_interval(&rig).await;
    let active = key_at(&rotation, CredentialStage::Active);
    let end = rotation.state.as_ref().unwrap().credentials.iter();
    let end = end
        .filter(|c| c.key_id == active)
        .find_map(|c| c.expires_at);
    let replaced = rig
        .until("the guard", &rotation, |rotation| {
            key_at(rotation, CredentialStage::Active) != active
        })
        .await;
    let at = replaced.last_rotated_at.unwrap().0;
    assert!(
        at < end.unwrap().0 - chrono::TimeDelta::days(1),
        "{at}: {end:?}"
    );
    assert!(!replaced.is_last_rotation_manual);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_refused_though_it_is_listed_is_told_until_it_works_again() {
    let rig = rig("2031-03-01T10:00:00Z".parse().unwrap()).await;
    let rotation = with_long_interval(&rig).await;
    rig.azure.standin.add_fault(Rule {
        matching: Matching {
            operation: Some(Operation::Token),
            app: Some("payroll".to_owned()),
        },
        ..Rule::always(Operation::Token, Fault::Entra { code: 7_000_215 })
    });
    let place = ["payroll", "--env", "dev"];
    let checked = rig.rotorctl(&[&["check"], &place[..]].concat()).await;
    assert_eq!(checked.code, Some(1), "{checked:?}");
    let told = |rotation: &SecretRotation| {
        let attention = &rotation.state.as_ref().unwrap().attention;
        attention.iter().any(|item| item.code == "login-refused")
    };
    rig.until("attention", &rotation, told).await;
    let status = rig.rotorctl(&["status"]).await;
    assert_eq!(status.code, Some(4), "{status:?}");
    assert!(status.stdout.contains("did not log in"), "{status:?}");
    rig.azure.standin.clear_faults();
    let after = rig.until("it to pass", &rotation, |r| !told(r)).await;
    assert_eq!(
        key_at(&after, CredentialStage::Active),
        key_at(&rotation, CredentialStage::Active)
    );
}
