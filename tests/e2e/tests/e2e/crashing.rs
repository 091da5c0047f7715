//! SIGKILL in the middle of a rotation, at each of its steps: nothing is orphaned, and nobody is locked out.

use std::time::Duration;

use azure_standin::{Fault, Lag, Operation, Rule};
use e2e::azure::tenant;
use e2e::until;
use rotord_api::routes;
use serde_json::json;

use crate::rig::Rig;

const LONG: Duration = Duration::from_mins(2);

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_step_orphans_nothing_and_fails_no_consumer() {
    let mut rig = Rig::with(tenant(&["payroll"]), |daemon| {
        // The stand-in's clock jumps ahead below, as no provider's does.
        daemon.with("timing.skew_most", "24h")
    })
    .await;
    let rotation = rig.create("payroll").await;
    let consumer = rig.consumer("payroll", Duration::from_millis(20)).await;

    // The secret is made; its answer is on the way when the daemon dies.
    let slow = Fault::Slow {
        milliseconds: 60_000,
    };
    rig.azure
        .standin
        .add_fault(Rule::once(Operation::AddPassword, slow));
    rig.rotate_in_the_background(rotation.id);
    rig.until_issued("payroll", 2).await;
    rig.daemon.kill().await.unwrap();
    rig.daemon.start().await.unwrap();
    let after_issue = rig.settled_but_previous(&rotation).await;
    rig.assert_no_orphans("payroll", &after_issue);
    let log = rig.daemon.log().unwrap();
    for said in [
        "the answer to an attempt was lost",
        "what a lost answer had made was found",
        "the provider accepted a revoke",
        "a credential is gone at the provider",
    ] {
        assert!(log.contains(said), "{said}: {log}");
    }

    // It is issued and recorded; no replica knows it yet.
    let never = Lag::between(3_600_000, 3_600_000);
    rig.azure
        .standin
        .set_behaviour(|behaviour| behaviour.added.token = never);
    let since = rig.last_entry();
    rig.rotate_in_the_background(rotation.id);
    rig.asked(since, |entry| entry.operation == Operation::AddPassword)
        .await;
    rig.until("a pending credential", &rotation, |rotation| {
        let state = rotation.state.as_ref().unwrap();
        state
            .credentials
            .iter()
            .any(|credential| credential.stage == rotord_api::rotation::CredentialStage::Pending)
    })
    .await;
    rig.daemon.kill().await.unwrap();
    rig.azure
        .standin
        .set_behaviour(|behaviour| behaviour.added.token = Lag::default());
    rig.azure.standin.advance(Duration::from_secs(3601));
    rig.daemon.start().await.unwrap();
    let after_verify = rig.settled_but_previous(&rotation).await;
    rig.assert_no_orphans("payroll", &after_verify);
    assert!(after_verify.last_rotated_at > rotation.last_rotated_at);

    // It removes what was replaced.
    let since = rig.last_entry();
    let slow = Fault::Slow {
        milliseconds: 60_000,
    };
    rig.azure
        .standin
        .add_fault(Rule::once(Operation::RemovePassword, slow));
    let live = rig.azure.issued("payroll").unwrap().len();
    rig.operator.rotate(rotation.id, Some(0)).await.unwrap();
    let retire = routes::of_rotation(routes::RETIRE, rotation.id);
    rig.operator.http.post(&retire, &json!(null)).await.unwrap();
    asked_or_fewer(&rig, since, live).await;
    rig.daemon.kill().await.unwrap();
    rig.daemon.start().await.unwrap();
    let settled = rig.settled(&rotation).await;
    rig.assert_no_orphans("payroll", &settled);

    // And it still rotates.
    let rotated = rig.rotate(&rotation).await;
    rig.assert_no_orphans("payroll", &rotated);
    let tally = consumer.stop().await.unwrap();
    assert_eq!(tally.failures, 0, "{tally:?}");
    assert!(tally.unread > 0, "it was never down: {tally:?}");
    let checks = rig.azure.standin.checks();
    assert_eq!(checks.app("payroll").unwrap().last_removed, 0);
}

/// Waits until a removal has taken effect, though it may not have been answered.
async fn asked_or_fewer(rig: &Rig, since: u64, live: usize) {
    until("a removal", LONG, async || {
        let record = rig.azure.standin.record(since);
        let removed = record
            .iter()
            .any(|entry| entry.operation == Operation::RemovePassword);
        Ok((removed || rig.azure.issued("payroll")?.len() <= live).then_some(()))
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_creation_leaves_nothing_behind_but_what_it_says() {
    let mut rig = Rig::start(&["payroll"]).await;
    let slow = Fault::Slow {
        milliseconds: 60_000,
    };
    rig.azure
        .standin
        .add_fault(Rule::once(Operation::AddPassword, slow));
    let body = rig
        .operator
        .request(&rig.azure, rig.connection, "payroll")
        .await
        .unwrap();
    let operator = rig.operator.clone();
    tokio::spawn(async move { operator.post_rotation(&body).await.ok() });
    rig.until_issued("payroll", 1).await;
    rig.daemon.kill().await.unwrap();
    rig.daemon.start().await.unwrap();
    let rotations = rig.operator.rotations().await.unwrap();
    assert_eq!(rotations.len(), 1);
    // The run goes on by itself, under a new name; what was lost is found and removed.
    let settled = rig.settled(&rotations[0]).await;
    rig.assert_no_orphans("payroll", &settled);
    assert_eq!(rig.azure.issued("payroll").unwrap().len(), 1);
    let published = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    let check = rig
        .azure
        .standin
        .check_login("payroll", &published)
        .unwrap();
    assert!(check.works_everywhere());
}
