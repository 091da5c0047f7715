//! What a provider can't have more of, and what its misdeeds leave behind: nothing.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use rotord_provider::contract::Connection;
use rotord_provider::{CallError, EngineKind, Limits, LoadError, TrapKind};

use crate::server::{Behaviour, Server};
use crate::support::{Echo, Reach as _, connection, target};

fn hurried() -> Limits {
    Limits {
        call_time: Duration::from_millis(300),
        ..Limits::default()
    }
}

fn behaving(behaviour: &str) -> Connection {
    connection(&[("behaviour", behaviour)])
}

#[tokio::test]
async fn a_loop_ends_when_its_time_is_up() {
    for engine in [EngineKind::Pulley, EngineKind::Native] {
        let echo = Echo::with(|settings| {
            settings.engine = engine;
            settings.limits = hurried();
        })
        .await;
        let outcome = echo.provider.turn().await.check(&behaving("loop")).await;
        assert!(
            matches!(outcome.result, Err(CallError::TimedOut { .. })),
            "{outcome:?}"
        );
        assert!(!outcome.is_ambiguous(), "it sent nothing");
    }
}

#[tokio::test]
async fn loops_do_not_keep_other_calls_from_their_turn() {
    let echo = Echo::with(|settings| {
        settings.limits.call_time = Duration::from_secs(2);
        settings.limits.concurrent_calls = 16;
    })
    .await;
    let loops: Vec<_> = (0..6)
        .map(|_| {
            let provider = echo.provider.clone();
            tokio::spawn(async move { provider.turn().await.check(&behaving("loop")).await })
        })
        .collect();
    // More loops than threads, and yet an answer before they end.
    let outcome = echo.check(&[]).await;
    assert!(outcome.result.is_ok(), "{outcome:?}");
    for looping in loops {
        let ended = looping.await.unwrap().result;
        assert!(matches!(ended, Err(CallError::TimedOut { .. })));
    }
}

#[tokio::test]
async fn a_guest_that_waits_for_an_answer_ends_when_its_time_is_up() {
    let server = Server::start(Behaviour::NeverAnswer).await;
    let echo = Echo::with(|settings| {
        settings.reach(&server);
        settings.limits.call_time = Duration::from_secs(3);
    })
    .await;
    let target = target(&[("behaviour", "http-post:x"), ("url", &server.url("/"))]);
    let outcome = echo.issue(&target).await;
    // Either the request's own time is up first, or the call's: it was sent, so it is in doubt.
    assert!(outcome.result.is_err());
    assert_eq!(outcome.requests, 1);
    assert!(outcome.is_ambiguous());
}

#[tokio::test]
async fn memory_beyond_the_limit_ends_the_call() {
    for engine in [EngineKind::Pulley, EngineKind::Native] {
        let echo = Echo::with(|settings| {
            settings.engine = engine;
            settings.limits.memory = 8 << 20;
        })
        .await;
        let outcome = echo
            .provider
            .turn()
            .await
            .check(&behaving("hog-memory"))
            .await;
        let limit = 8 << 20;
        assert!(
            matches!(outcome.result, Err(CallError::MemoryLimit { limit: l }) if l == limit),
            "{outcome:?}"
        );
    }
}

#[tokio::test]
async fn no_call_finds_what_another_left_in_its_memory() {
    for engine in [EngineKind::Pulley, EngineKind::Native] {
        let echo = Echo::with(|settings| settings.engine = engine).await;
        let found = || echo.check(&[("behaviour", "leave-behind")]);
        for _ in 0..8 {
            assert_eq!(found().await.result.unwrap(), "nothing");
        }
        // More than there is room for at the same time.
        let all = (0..2 * Limits::default().concurrent_calls).map(|_| found());
        for found in futures_util::future::join_all(all).await {
            assert_eq!(found.result.unwrap(), "nothing");
        }
    }
}

#[tokio::test]
async fn a_provider_is_asked_what_it_is_while_as_many_calls_run_as_may() {
    let server = Server::start(Behaviour::WaitForPermission).await;
    // So few that one provider may have them all.
    let most = 3;
    let echo = Echo::with(|settings| {
        settings.reach(&server);
        settings.limits.concurrent_calls = most;
        assert_eq!(settings.limits.calls_of_one(), most);
    })
    .await;
    let calls = (0..most).map(|_| {
        let (provider, url) = (echo.provider.clone(), server.url("/"));
        let fields = connection(&[("behaviour", "http"), ("url", &url)]);
        tokio::spawn(async move { provider.turn().await.check(&fields).await })
    });
    let calls: Vec<_> = calls.collect();
    for _ in 0..most {
        server.request_seen().await;
    }
    let report = echo.load_beside("trap-on-describe").await;
    assert!(
        matches!(
            report.result,
            Err(LoadError::Describe(CallError::Trap { .. }))
        ),
        "{report:?}"
    );
    (0..most).for_each(|_| server.permit());
    for call in calls {
        let outcome = call.await.unwrap();
        assert!(outcome.result.is_ok(), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_provider_whose_calls_do_not_end_leaves_room_for_another() {
    let echo = Echo::with(|settings| settings.limits.concurrent_calls = 4).await;
    let another = echo.load_plugin("azure-client-secret").await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(echo.provider.turn().await);
    }
    assert!(echo.provider.turn().now_or_never().is_none());
    // Who waits for its own provider's room holds none of what is left.
    let waiting = tokio::spawn({
        let provider = Arc::clone(&echo.provider);
        async move { provider.turn().await }
    });
    tokio::task::yield_now().await;
    let other = another.turn().now_or_never().unwrap();
    drop(held.pop());
    drop(waiting.await.unwrap());
    drop(other);
}

#[tokio::test]
async fn a_guest_that_asks_for_what_is_denied_lets_others_run() {
    let echo = Echo::with(|settings| settings.limits.requests = 1).await;
    let insists = || connection(&[("behaviour", "http-insist"), ("url", "https://a.test/")]);
    // More of them than threads.
    let floods = (0..4).map(|_| {
        let provider = echo.provider.clone();
        tokio::spawn(async move { provider.turn().await.check(&insists()).await })
    });
    let floods: Vec<_> = floods.collect();
    assert!(echo.check(&[]).await.result.is_ok());
    let ended = floods.iter().filter(|flood| flood.is_finished()).count();
    assert_eq!(ended, 0);
}

#[tokio::test]
async fn output_beyond_the_limit_ends_the_call() {
    let echo = Echo::with(|settings| settings.limits.memory = 256 << 20).await;
    let outcome = echo
        .provider
        .turn()
        .await
        .check(&behaving("huge-output"))
        .await;
    assert!(
        matches!(outcome.result, Err(CallError::OutputLimit { .. })),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_flood_of_log_lines_is_dropped() {
    let echo = Echo::limited(Limits::default()).await;
    let log = crate::secrets::capture();
    let outcome = echo
        .provider
        .turn()
        .await
        .check(&behaving("log-flood"))
        .await;
    assert!(outcome.result.is_ok(), "{outcome:?}");
    let lines = log.text();
    let most = Limits::default().log_lines;
    assert_eq!(
        lines
            .lines()
            .filter(|line| line.contains("xxxxxxxx"))
            .count(),
        most
    );
    assert!(
        lines.contains(&format!("dropped={}", 100_000 - most)),
        "{lines}"
    );
}

#[tokio::test]
async fn requests_beyond_the_limit_are_denied() {
    let server = Server::start(Behaviour::Answer(200, "fine")).await;
    let echo = Echo::with(|settings| {
        settings.reach(&server);
        settings.limits.requests = 5;
    })
    .await;
    let outcome = echo
        .check(&[("behaviour", "http-flood"), ("url", &server.url("/"))])
        .await;
    let error = outcome.result.unwrap_err();
    assert_eq!(error.fault().unwrap().code.as_deref(), Some("denied"));
    assert_eq!(outcome.requests, 5);
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test]
async fn a_flood_of_denied_requests_leaves_few_short_lines_in_the_log() {
    let echo = Echo::with(|settings| settings.limits.requests = 5).await;
    let log = crate::secrets::capture();
    let path = "flooded/".repeat(1000);
    let url = format!("https://{}.test/{path}", "flooder.".repeat(500));
    let outcome = echo
        .check(&[("behaviour", "http-insist"), ("url", &url)])
        .await;
    assert!(outcome.result.is_ok(), "{outcome:?}");
    let text = log.text();
    let logged: Vec<_> = text.lines().filter(|line| line.contains("flood")).collect();
    assert_eq!(logged.len(), 6, "what may be sent, and one more");
    assert!(logged.iter().all(|line| line.len() < 2500), "{logged:?}");
    assert!(text.contains("unlogged=9994"), "{text}");
}

#[tokio::test]
async fn a_trap_fails_one_call_and_nothing_else() {
    let echo = Echo::limited(Limits::default()).await;
    let log = crate::secrets::capture();
    for _ in 0..3 {
        let outcome = echo.issue(&target(&[("behaviour", "trap")])).await;
        assert!(!outcome.is_ambiguous(), "it sent nothing");
        let error = outcome.result.unwrap_err();
        let CallError::Trap { kind, message } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(*kind, TrapKind::Panicked);
        // Where in the provider's own source, for whoever has to mend it.
        assert!(message.starts_with("at "), "{message}");
        assert!(message.contains(".rs:"), "{message}");
        assert!(error.to_string().starts_with("the provider panicked: at "));
    }
    assert_eq!(log.text().matches("the provider misbehaved").count(), 3);
    assert_eq!(echo.provider.health().misbehaviours_in_a_row, 3);
    assert!(echo.check(&[]).await.result.is_ok());
    let health = echo.provider.health();
    assert_eq!(
        (health.misbehaviours, health.misbehaviours_in_a_row),
        (3, 0)
    );
    assert!(health.last_misbehaviour.unwrap().contains("panicked"));
}
