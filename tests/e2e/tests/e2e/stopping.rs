//! A stop in the middle of a call: it is finished, or left to recovery, within ten seconds, and the log says which,
//! by name.

use std::time::{Duration, Instant};

use azure_standin::{Fault, Operation, Rule};
use e2e::operator::live;
use rotord_api::rotation::CredentialStage;
use rotord_api::routes;
use serde_json::json;

use crate::rig::Rig;

/// What a stop may take: ten seconds by its own word, and the rest for a busy machine.
const STOP: Duration = Duration::from_secs(25);
/// Real time: longer than any stop waits, and shorter.
const TOO_LONG: u64 = 60_000;
const SHORT: u64 = 3_000;

fn slow(operation: Operation, milliseconds: u64) -> Rule {
    Rule::once(operation, Fault::Slow { milliseconds })
}

/// Stops, and answers with what was logged meanwhile, a line each.
async fn stop(rig: &mut Rig) -> Vec<String> {
    let before = rig.daemon.log().unwrap().len();
    let begun = Instant::now();
    rig.daemon.stop().await.unwrap();
    let took = begun.elapsed();
    assert!(took < STOP, "it took {took:?}");
    let log = rig.daemon.log().unwrap();
    log[before..].lines().map(str::to_owned).collect()
}

fn assert_said(lines: &[String], words: &[&str]) {
    let found = lines
        .iter()
        .any(|line| words.iter().all(|word| line.contains(word)));
    assert!(found, "no line with {words:?} in {lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_that_does_not_end_is_left_to_recovery_by_name() {
    let mut rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    rig.azure
        .standin
        .add_fault(slow(Operation::AddPassword, TOO_LONG));
    rig.rotate_in_the_background(rotation.id);
    rig.until_issued("payroll", 2).await;
    let said = stop(&mut rig).await;
    assert_said(
        &said,
        &[
            "payroll",
            "issue",
            "left to recovery",
            "looks for what it made",
        ],
    );
    rig.daemon.start().await.unwrap();
    let settled = rig.settled_but_previous(&rotation).await;
    rig.assert_no_orphans("payroll", &settled);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_that_ends_in_time_is_finished_and_said_to_be() {
    let mut rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    rig.azure
        .standin
        .add_fault(slow(Operation::AddPassword, SHORT));
    rig.rotate_in_the_background(rotation.id);
    rig.until_issued("payroll", 2).await;
    let said = stop(&mut rig).await;
    assert_said(&said, &["payroll", "issue", "finished and written down"]);
    let issued = rig.azure.issued("payroll").unwrap();
    rig.daemon.start().await.unwrap();
    let settled = rig.settled_but_previous(&rotation).await;
    // It goes on with what it had: nothing was lost.
    assert_eq!(rig.azure.issued("payroll").unwrap(), issued);
    rig.assert_no_orphans("payroll", &settled);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_does_not_end_is_made_again() {
    let mut rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let hang = Fault::Slow {
        milliseconds: TOO_LONG,
    };
    let rule = Rule::always(Operation::Token, hang).for_app("payroll");
    rig.azure.standin.add_fault(rule);
    let since = rig.last_entry();
    rig.rotate_in_the_background(rotation.id);
    let app = rig.azure.app("payroll").unwrap().app_id;
    rig.asked(since, |entry| {
        entry.operation == Operation::Token && entry.caller == Some(app)
    })
    .await;
    let said = stop(&mut rig).await;
    assert_said(
        &said,
        &["payroll", "verify", "left to recovery", "asks again"],
    );
    rig.azure.standin.clear_faults();
    rig.daemon.start().await.unwrap();
    let settled = rig.settled_but_previous(&rotation).await;
    rig.assert_no_orphans("payroll", &settled);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_rotation_is_told_its_end_by_the_daemon_s_next_start() {
    let mut rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    for killed in [false, true] {
        let hang = Fault::Slow {
            milliseconds: TOO_LONG,
        };
        let rule = Rule::always(Operation::Token, hang).for_app("payroll");
        rig.azure.standin.add_fault(rule);
        let before = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
        let line = rig.daemon.rotorctl().unwrap();
        let waiting = tokio::spawn(line.args(["rotate", "payroll", "--wait"]).run());
        rig.until("a credential to be tried out", &rotation, |rotation| {
            live(rotation).any(|credential| credential.stage == CredentialStage::Pending)
        })
        .await;
        if killed {
            rig.daemon.kill().await.unwrap();
        } else {
            rig.daemon.stop().await.unwrap();
        }
        rig.azure.standin.clear_faults();
        rig.daemon.start().await.unwrap();
        let ended = waiting.await.unwrap().unwrap();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stdout.contains("payroll: rotated"), "{ended:?}");
        let after = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
        assert_ne!(before, after);
        rig.settled_but_previous(&rotation).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoke_that_does_not_end_is_looked_after() {
    let mut rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    rig.rotate(&rotation).await;
    rig.azure
        .standin
        .add_fault(slow(Operation::RemovePassword, TOO_LONG));
    let retire = routes::of_rotation(routes::RETIRE, rotation.id);
    rig.operator.http.post(&retire, &json!(null)).await.unwrap();
    rig.until_issued("payroll", 1).await;
    let said = stop(&mut rig).await;
    assert_said(
        &said,
        &["payroll", "revoke", "left to recovery", "was removed"],
    );
    rig.daemon.start().await.unwrap();
    let settled = rig.settled(&rotation).await;
    rig.assert_no_orphans("payroll", &settled);
}
