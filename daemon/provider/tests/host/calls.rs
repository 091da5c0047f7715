//! Every function of the contract, through the boundary and back.

use std::time::Duration;

use rotord_provider::contract::{FaultKind, RevocationOutcome, Severity, Value, Verdict};
use rotord_provider::{CallError, EngineKind, Limits};

use crate::support::{Echo, connection, issue_request, target};

#[tokio::test]
async fn each_function_gives_its_answer() {
    let echo = Echo::limited(Limits::default()).await;
    let (provider, target) = (&echo.provider, target(&[]));

    let identity = provider
        .turn()
        .await
        .check(&target.connection)
        .await
        .result
        .unwrap();
    assert_eq!(identity.subject, "nobody in particular");
    assert_eq!(identity.findings[0].severity, Severity::Fine);

    let inspection = provider.turn().await.inspect(&target).await.result.unwrap();
    assert_eq!(inspection.title, "echo of key-1");
    assert!(matches!(&inspection.parameters[0].value, Value::Text(key) if key == "key-1"));

    let issued = provider
        .turn()
        .await
        .issue(&target, &issue_request())
        .await
        .result
        .unwrap();
    assert_eq!(issued.outputs[0].value.expose(), b"label-1");
    assert!(issued.outputs[1].value.expose().starts_with(b"value-"));

    let verification = provider
        .turn()
        .await
        .verify(&target, &issued.outputs)
        .await
        .result
        .unwrap();
    assert_eq!(verification.verdict, Verdict::Works);

    let revocation = provider
        .turn()
        .await
        .revoke(&target, &issued.handle)
        .await
        .result
        .unwrap();
    assert_eq!(revocation.outcome, RevocationOutcome::Accepted);

    assert!(
        provider
            .turn()
            .await
            .survey(&target)
            .await
            .result
            .unwrap()
            .credentials
            .is_empty()
    );
}

#[tokio::test]
async fn the_interpreter_and_native_code_give_the_same_answers() {
    for engine in [EngineKind::Pulley, EngineKind::Native] {
        let echo = Echo::with(|settings| settings.engine = engine).await;
        let said = echo.check(&[("behaviour", "say:hello")]).await;
        assert_eq!(said.result.unwrap(), "hello", "{engine:?}");
    }
}

#[tokio::test]
async fn choices_come_in_pages() {
    let echo = Echo::limited(Limits::default()).await;
    let list = "things".parse().unwrap();
    let mut rows = Vec::new();
    let mut page: Option<String> = None;
    loop {
        let answer = echo
            .provider
            .turn()
            .await
            .choices(&connection(&[]), &list, "", page.as_deref())
            .await;
        let answer = answer.result.unwrap();
        rows.extend(answer.rows);
        page = answer.next;
        if page.is_none() {
            break;
        }
    }
    assert_eq!(rows.len(), 25);
    assert_eq!(rows[24], ["things 25", "key-25"]);
}

#[tokio::test]
async fn a_list_that_is_not_offered_is_not_asked_for() {
    let echo = Echo::limited(Limits::default()).await;
    let outcome = echo
        .provider
        .turn()
        .await
        .choices(&connection(&[]), &"others".parse().unwrap(), "", None)
        .await;
    assert!(matches!(outcome.result, Err(CallError::Host(_))));
    assert_eq!(echo.provider.health().calls, 0);
}

#[tokio::test]
async fn a_fault_arrives_with_all_it_says() {
    let echo = Echo::limited(Limits::default()).await;
    for (word, kind) in [
        ("unauthorized", FaultKind::Unauthorized),
        ("not-found", FaultKind::NotFound),
        ("unavailable", FaultKind::Unavailable),
        ("ambiguous", FaultKind::Ambiguous),
        ("full", FaultKind::Full),
        ("internal", FaultKind::Internal),
        ("refused", FaultKind::Refused),
        ("strange", FaultKind::Other("strange".to_owned())),
        (
            "invalid-input",
            FaultKind::InvalidInput("parameters.behaviour".to_owned()),
        ),
        ("throttled", FaultKind::Throttled),
    ] {
        let outcome = echo.check(&[("behaviour", &format!("fault:{word}"))]).await;
        let error = outcome.result.unwrap_err();
        let fault = error.fault().unwrap();
        assert_eq!(fault.kind, kind);
        assert_eq!(fault.code.as_deref(), Some("Echo"));
        let wait = (word == "throttled").then_some(Duration::from_millis(1500));
        assert_eq!(fault.retry_after, wait);
    }
    let health = echo.provider.health();
    assert_eq!(
        (health.calls, health.faults, health.misbehaviours),
        (10, 10, 0)
    );
}

#[tokio::test]
async fn an_unknown_outcome_of_a_revocation_is_no_acceptance() {
    let echo = Echo::limited(Limits::default()).await;
    let outcome = echo
        .provider
        .turn()
        .await
        .revoke(&target(&[("behaviour", "say:perhaps")]), "handle")
        .await;
    assert_eq!(
        outcome.result.unwrap().outcome,
        RevocationOutcome::Unknown("perhaps".to_owned())
    );
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_runs_to_its_end() {
    let server = crate::server::Server::start(crate::server::Behaviour::WaitForPermission).await;
    let echo = Echo::with(|settings| {
        use crate::support::Reach as _;
        settings.reach(&server);
        settings.limits.concurrent_calls = 1;
    })
    .await;
    let url = server.url("/");
    let connection = connection(&[("behaviour", "http"), ("url", &url)]);
    tokio::select! {
        _ = echo.provider.turn().await.check(&connection) => panic!("the server has not answered yet"),
        () = server.request_seen() => {}
    }
    assert_eq!(echo.provider.health().calls, 0);
    server.permit();
    // There is one turn at a time, so this one begins when the other has ended.
    echo.check(&[]).await.result.unwrap();
    let health = echo.provider.health();
    assert_eq!(
        (health.calls, health.faults, health.misbehaviours),
        (2, 0, 0)
    );
}

#[test]
fn a_host_can_be_dropped_in_an_async_context() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let outcome = runtime.block_on(async {
        let provider = {
            let echo = Echo::limited(Limits::default()).await;
            std::sync::Arc::clone(&echo.provider)
        };
        provider.turn().await.check(&connection(&[])).await
    });
    assert!(
        matches!(outcome.result, Err(CallError::Host(_))),
        "its host is gone"
    );
}
