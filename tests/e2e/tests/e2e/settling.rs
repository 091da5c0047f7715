//! An attempt that can't be settled for days keeps nobody from reading, no other rotation from rotating, and no person
//! from a way out.

use azure_standin::{Fault, Operation, Rule};
use chrono::{DateTime, TimeDelta, Utc};
use hyper::Method;
use rotord_api::rotation::SecretRotation;
use rotord_api::routes;
use serde_json::json;

use crate::rig::Rig;
use crate::scheduling::{create_daily_of, rig_of};

fn rotated_since(rotation: &SecretRotation, at: DateTime<Utc>) -> bool {
    rotation.last_rotated_at.is_some_and(|last| last.0 > at)
}

#[tokio::test(flavor = "multi_thread")]
async fn days_of_ambiguous_answers_block_nobody() {
    let begin = "2031-03-01T10:00:00Z".parse().unwrap();
    let rig = rig_of(begin, &["payroll", "billing"]).await;
    let payroll = create_daily_of(&rig, "payroll", 2).await;
    let billing = create_daily_of(&rig, "billing", 3).await;
    let value = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    // Neither an answer nor an effect, so nothing that could ever be found.
    let fault = Rule::always(Operation::AddPassword, Fault::LostRequest).for_app("payroll");
    rig.azure.standin.add_fault(fault);
    let lost = rig
        .until(
            "as many lost answers as may be open",
            &payroll,
            |rotation| {
                rotation
                    .state
                    .as_ref()
                    .is_some_and(|state| state.watched >= 3)
            },
        )
        .await;
    let since = rig.azure.standin.now();
    assert!(!rotated_since(&lost, since));
    for _ in 0..2 {
        let before = rig.operator.rotation(billing.id).await.unwrap();
        rig.until("the other's next day", &billing, |rotation| {
            rotation.last_rotated_at > before.last_rotated_at
        })
        .await;
        assert_eq!(rig.operator.secret("PAYROLL_SECRET").await.unwrap(), value);
    }
    assert!(rig.azure.standin.now() - since > TimeDelta::hours(20));
    let shown = rig.rotorctl(&["show", "payroll", "--env", "dev"]).await;
    assert!(shown.stdout.contains("watched for"), "{shown:?}");
    let status = rig.rotorctl(&["status"]).await;
    assert!(status.stdout.contains("payroll"), "{status:?}");

    // The ways out: each is effective at once.
    let place = ["payroll", "--env", "dev"];
    let said = rig.rotorctl(&[&["pause"], &place[..]].concat()).await;
    said.well().unwrap();
    let retire = routes::of_rotation(routes::RETIRE, payroll.id);
    let active = crate::rig::key_at(&lost, rotord_api::rotation::CredentialStage::Active);
    let body = json!({ "keyId": active });
    let retired = rig.operator.http.post(&retire, &body).await.unwrap();
    assert_eq!(retired.status, 200, "{}", retired.text());
    let said = rig
        .rotorctl(&[&["delete"], &place[..], &["--yes"]].concat())
        .await;
    said.well().unwrap();
    let gone = rig
        .operator
        .http
        .send(
            Method::GET,
            &routes::rotation(e2e::operator::KIND, payroll.id),
            &[],
            Vec::new(),
        )
        .await
        .unwrap();
    assert_eq!(gone.status, 404, "{}", gone.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_works_lets_go_on_what_a_disabled_application_had_stopped() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let disabled = Rule::always(Operation::Token, Fault::Entra { code: 7_000_112 });
    rig.azure.standin.add_fault(disabled.for_app("payroll"));
    let order = routes::rotate_secrets(e2e::operator::KIND, rotation.id);
    let refused = rig.operator.http.post(&order, &json!({})).await.unwrap();
    assert_eq!(refused.status, 500, "{}", refused.text());
    let is_blocked = |rotation: &SecretRotation| {
        let mut told = rotation.state.iter().flat_map(|state| &state.attention);
        told.any(|told| told.code == "blocked")
    };
    rig.until("the block", &rotation, is_blocked).await;
    let check = ["check", "payroll", "--env", "dev"];
    assert_ne!(rig.rotorctl(&check).await.code, Some(0));
    assert!(is_blocked(
        &rig.operator.rotation(rotation.id).await.unwrap()
    ));

    rig.azure.standin.clear_faults();
    rig.rotorctl(&check).await.well().unwrap();
    assert!(!is_blocked(
        &rig.operator.rotation(rotation.id).await.unwrap()
    ));
    rig.rotate(&rotation).await;
    rig.settled_but_previous(&rotation).await;
}
