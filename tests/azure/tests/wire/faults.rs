//! What goes wrong on order: on the wire, and behind it.

use azure_standin::{ConcurrencyStatus, Fault, Operation, RetryAfter, Rule};
use serde_json::json;

use crate::rig::{self, Rig, SECRET};

fn live(rig: &Rig) -> usize {
    rig.standin.secrets("payroll").unwrap().len()
}

#[tokio::test]
async fn a_lost_reply_has_its_effect_and_a_lost_request_has_none() {
    let rig = Rig::start().await;
    let path = format!("{}/addPassword", rig.object_path("payroll"));
    for (fault, effect) in [(Fault::LostReply, 1), (Fault::LostRequest, 0)] {
        let before = live(&rig);
        rig.standin
            .add_fault(Rule::once(Operation::AddPassword, fault));
        assert!(rig.try_post(&path, &json!({})).await.is_err());
        assert_eq!(live(&rig), before + effect);
    }
    assert_eq!(rig.add_password("payroll").await.status, 200);
    let record = rig.standin.record(0);
    let adds: Vec<_> = record
        .iter()
        .filter(|entry| entry.operation == Operation::AddPassword)
        .map(|entry| (entry.status, entry.changed, entry.fault.as_deref()))
        .collect();
    assert_eq!(
        adds,
        [
            (None, true, Some("lost_reply")),
            (None, false, Some("lost_request")),
            (Some(200), true, None),
        ]
    );
}

#[tokio::test]
async fn a_truncated_reply_breaks_off_after_its_effect() {
    let rig = Rig::start().await;
    rig.standin
        .add_fault(Rule::once(Operation::AddPassword, Fault::TruncatedReply));
    let path = format!("{}/addPassword", rig.object_path("payroll"));
    assert!(rig.try_post(&path, &json!({})).await.is_err());
    assert_eq!(live(&rig), 1);
}

#[tokio::test]
async fn gateways_answer_without_json() {
    let rig = Rig::start().await;
    let gateway = |empty, applied| Fault::Gateway {
        status: 502,
        empty,
        applied,
    };
    rig.standin
        .add_fault(Rule::once(Operation::AddPassword, gateway(false, true)));
    rig.standin
        .add_fault(Rule::once(Operation::AddPassword, gateway(true, false)));
    rig.standin
        .add_fault(Rule::once(Operation::AddPassword, Fault::Garbage));
    let page = rig.add_password("payroll").await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (502, "text/html")
    );
    assert_eq!(live(&rig), 1);
    let empty = rig.add_password("payroll").await;
    assert_eq!((empty.status, empty.body.as_str()), (502, ""));
    assert_eq!(live(&rig), 1);
    let garbage = rig.add_password("payroll").await;
    assert_eq!(garbage.status, 200);
    assert!(garbage.body.starts_with("<!DOCTYPE"));
    assert_eq!(live(&rig), 2);
}

#[tokio::test]
async fn throttling_is_json_at_graph_and_text_at_the_token_endpoint() {
    let rig = Rig::behaving(azure_standin::Behaviour::default()).await;
    let throttled = |retry_after| Fault::Throttled {
        retry_after,
        code: Some("activityLimitReached".to_owned()),
    };
    let date = throttled(Some(RetryAfter::Date(90)));
    rig.standin
        .add_fault(Rule::once(Operation::ListApplications, date));
    let reply = rig.get("/v1.0/applications").await;
    assert_eq!(reply.error(), "activityLimitReached");
    assert_eq!(reply.header("retry-after"), "Wed, 02 Jan 2030 03:05:35 GMT");

    let seconds = throttled(Some(RetryAfter::Seconds(60)));
    rig.standin.add_fault(Rule::once(Operation::Token, seconds));
    let reply = rig.login("rotord", SECRET).await;
    assert_eq!(reply.status, 429);
    assert_eq!(reply.body, "Too Many Requests");
    assert_eq!(reply.header("retry-after"), "60");
}

#[tokio::test]
async fn errors_of_either_side_come_as_ordered() {
    let rig = Rig::start().await;
    rig.standin
        .add_fault(Rule::once(Operation::Token, Fault::Entra { code: 53003 }));
    let reply = rig.login("rotord", SECRET).await;
    assert_eq!(reply.json()["error"], "invalid_grant");
    assert_eq!(reply.error(), "53003");

    rig.standin.add_fault(Rule::once(
        Operation::RemovePassword,
        Fault::Graph {
            status: 500,
            code: "Service_InternalServerError".to_owned(),
            message: "Encountered an internal server error.".to_owned(),
            applied: true,
            retry_after: None,
        },
    ));
    let key = rig::text(&rig.add_password("payroll").await.json()["keyId"]);
    let reply = rig.remove_password("payroll", &key).await;
    assert_eq!(
        (reply.status, reply.error().as_str()),
        (500, "Service_InternalServerError")
    );
    assert!(rig.standin.secrets("payroll").unwrap()[0].removed.is_some());

    for status in [
        ConcurrencyStatus::BadRequest,
        ConcurrencyStatus::Conflict,
        ConcurrencyStatus::Unavailable,
    ] {
        let fault = Fault::Concurrency {
            status,
            applied: false,
        };
        rig.standin
            .add_fault(Rule::once(Operation::AddPassword, fault));
        let reply = rig.add_password("payroll").await;
        assert_eq!(reply.status, u16::from(status));
        assert_eq!(reply.error(), "Directory_ConcurrencyViolation");
    }
}

#[tokio::test]
async fn a_withdrawn_token_is_challenged_for_newer_claims() {
    let rig = Rig::start().await;
    rig.standin.add_fault(Rule::once(
        Operation::GetApplication,
        Fault::ClaimsChallenge,
    ));
    let reply = rig.get(&rig.object_path("payroll")).await;
    assert_eq!(reply.error(), "InvalidAuthenticationToken");
    let challenge = reply.header("www-authenticate");
    assert!(challenge.contains("error=\"insufficient_claims\", claims=\""));
    let entry = rig.standin.record(0).pop().unwrap();
    assert_eq!(entry.caller.unwrap().to_string(), rig.app_id("rotord"));
}

#[tokio::test]
async fn a_fault_for_one_application_spares_the_others_logins() {
    let rig = Rig::start().await;
    rig.standin
        .add_fault(Rule::always(Operation::Token, Fault::LostRequest).for_app("payroll"));
    assert_eq!(rig.login("rotord", SECRET).await.status, 200);
    let app = rig.app_id("payroll");
    let form = [
        ("client_id", app.as_str()),
        ("grant_type", "client_credentials"),
    ];
    let request = rig.http.post(rig.url(&rig.token_path())).form(&form);
    assert!(rig.try_send(request).await.is_err());
    rig.standin.clear_faults();
    let request = rig.http.post(rig.url(&rig.token_path())).form(&form);
    assert_eq!(rig.send(request).await.status, 401);
}
