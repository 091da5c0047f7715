//! What goes out, and what a provider may believe of how it ended.

use std::time::Duration;

use rotord_provider::contract::{FaultKind, Timestamp};
use rotord_provider::{CallOutcome, Grant, HostSettings};

use crate::server::{Behaviour, Server};
use crate::support::{Echo, Reach as _, issue_request, target};

/// One GET by the guest.
async fn get(echo: &Echo, url: &str) -> CallOutcome<String> {
    echo.check(&[("behaviour", "http"), ("url", url)]).await
}

/// The kind of error that the guest was given.
fn error_of<T: std::fmt::Debug>(outcome: &CallOutcome<T>) -> String {
    let error = outcome.result.as_ref().unwrap_err();
    error
        .fault()
        .unwrap_or_else(|| panic!("{error:?}"))
        .code
        .clone()
        .unwrap()
}

#[tokio::test]
async fn an_answer_arrives_whole() {
    let server = Server::start(Behaviour::Answer(404, "there is no such thing")).await;
    let echo = Echo::reaching(&server).await;
    let outcome = get(&echo, &server.url("/v1/x?y=1")).await;
    assert_eq!(outcome.result.unwrap(), "404 there is no such thing");
    assert_eq!(outcome.requests, 1);
    let request = &server.requests()[0];
    assert!(
        request.starts_with("GET /v1/x?y=1 HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.contains(&format!("host: localhost:{}\r\n", server.port())),
        "{request}"
    );
}

#[tokio::test]
async fn the_services_clock_is_reported() {
    let server = Server::start(Behaviour::AnswerWith(
        "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
    ))
    .await;
    let echo = Echo::reaching(&server).await;
    let outcome = get(&echo, &server.url("/")).await;
    assert_eq!(outcome.provider_time, Some(Timestamp(784_111_777)));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let headers = "location: https://localhost:1/elsewhere\r\n";
    let server = Server::start(Behaviour::AnswerWith(headers)).await;
    let echo = Echo::reaching(&server).await;
    assert_eq!(
        get(&echo, &server.url("/")).await.result.unwrap(),
        "200 fine"
    );
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn what_was_certainly_not_sent_is_unreachable() {
    let hangs_up = Server::start(Behaviour::CloseBeforeTls).await;
    let untrusted = Server::start(Behaviour::Answer(200, "fine")).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody_port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let echo = Echo::with(|settings| {
        settings.reach(&hangs_up);
        let any = |port: u16| format!("localhost:{port}").parse().unwrap();
        let grant = Grant {
            private: vec![
                any(hangs_up.port()),
                any(untrusted.port()),
                any(nobody_port),
            ],
            ..Grant::default()
        };
        settings.grants.insert("echo".parse().unwrap(), grant);
    })
    .await;
    for url in [
        hangs_up.url("/"),
        untrusted.url("/"),
        format!("https://localhost:{nobody_port}/"),
        "https://no-such-name.invalid/".to_owned(),
    ] {
        let target = target(&[("behaviour", "http-post:x"), ("url", &url)]);
        let outcome = echo.provider.issue(&target, &issue_request()).await;
        assert_eq!(error_of(&outcome), "unreachable", "{url}");
        assert_eq!(outcome.requests, 0, "{url}");
        assert!(!outcome.is_ambiguous(), "{url}");
    }
    assert!(untrusted.requests().is_empty());
}

#[tokio::test]
async fn a_server_that_never_speaks_tls_is_unreachable() {
    // The kernel completes the connection; nobody ever accepts it.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let server = Server::start(Behaviour::Answer(200, "fine")).await;
    let echo = Echo::with(|settings| {
        settings.reach(&server);
        let grant = Grant {
            private: vec![format!("localhost:{port}").parse().unwrap()],
            ..Grant::default()
        };
        settings.grants.insert("echo".parse().unwrap(), grant);
        settings.limits.connect_time = Duration::from_millis(200);
    })
    .await;
    let outcome = get(&echo, &format!("https://localhost:{port}/")).await;
    assert_eq!(error_of(&outcome), "unreachable");
    assert_eq!(outcome.requests, 0);
}

#[tokio::test]
async fn what_may_have_been_sent_is_interrupted() {
    for behaviour in [
        Behaviour::CloseAtFirstByte,
        Behaviour::CloseAfterRequest,
        Behaviour::CloseInBody,
        Behaviour::NeverAnswer,
    ] {
        let server = Server::start(behaviour).await;
        let echo = Echo::with(|settings| {
            settings.reach(&server);
            settings.limits.request_time = Duration::from_millis(500);
        })
        .await;
        let target = target(&[("behaviour", "http-post:x"), ("url", &server.url("/"))]);
        let outcome = echo.provider.issue(&target, &issue_request()).await;
        assert_eq!(error_of(&outcome), "interrupted", "{behaviour:?}");
        assert_eq!(outcome.requests, 1, "{behaviour:?}");
        assert!(outcome.is_ambiguous(), "{behaviour:?}");
        assert!(server.requests().len() <= 1, "never sent twice");
    }
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_too_large() {
    for behaviour in [Behaviour::Announce(10_000_000), Behaviour::Endless] {
        let server = Server::start(behaviour).await;
        let echo = Echo::reaching(&server).await;
        let outcome = get(&echo, &server.url("/")).await;
        assert_eq!(error_of(&outcome), "too-large", "{behaviour:?}");
        assert_eq!(outcome.requests, 1);
    }
}

#[tokio::test]
async fn a_connection_is_kept_within_a_call_and_no_longer() {
    let server = Server::start(Behaviour::Answer(200, "fine")).await;
    let echo = Echo::with(|settings| {
        settings.reach(&server);
        settings.limits.requests = 3;
    })
    .await;
    let flood = [("behaviour", "http-flood"), ("url", &server.url("/"))];
    echo.check(&flood).await;
    assert_eq!((server.requests().len(), server.connections()), (3, 1));
    echo.check(&flood).await;
    assert_eq!((server.requests().len(), server.connections()), (6, 2));
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_is_replaced() {
    let server = Server::start(Behaviour::AnswerAndClose).await;
    let echo = Echo::with(|settings| {
        settings.reach(&server);
        settings.limits.requests = 3;
    })
    .await;
    let outcome = echo
        .check(&[("behaviour", "http-flood"), ("url", &server.url("/"))])
        .await;
    // Whether the closing was seen before the next request is a race in the world: then it is
    // interrupted. It is never sent twice.
    assert!(["denied", "interrupted"].contains(&error_of(&outcome).as_str()));
    assert_eq!(server.requests().len(), server.connections());
    assert!(server.requests().len() <= outcome.requests as usize);
}

#[tokio::test]
async fn a_host_that_is_not_granted_is_denied() {
    let server = Server::start(Behaviour::Answer(200, "fine")).await;
    let narrowed = |settings: &mut HostSettings| {
        settings.reach(&server);
        let grant = settings.grants.values_mut().next().unwrap();
        grant.only = Some(vec!["graph.example.com".parse().unwrap()]);
    };
    let echo = Echo::with(narrowed).await;
    let outcome = get(&echo, &server.url("/")).await;
    assert_eq!(error_of(&outcome), "denied");
    assert_eq!((outcome.requests, server.connections()), (0, 0));
}

#[tokio::test]
async fn a_parameter_does_not_grant_what_the_connection_does_not() {
    let server = Server::start(Behaviour::Answer(200, "fine")).await;
    let echo = Echo::reaching(&server).await;
    let mut target = target(&[]);
    let told = crate::support::connection(&[("behaviour", "http"), ("url", &server.url("/"))]);
    target.parameters.extend(told.values);
    let outcome = echo.provider.inspect(&target).await;
    assert_eq!(error_of(&outcome), "denied");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_granted_name_at_a_private_address_is_denied() {
    let server = Server::start(Behaviour::Answer(200, "fine")).await;
    let echo = Echo::with(|settings| {
        settings.reach(&server);
        settings.grants.clear();
    })
    .await;
    let outcome = get(&echo, &server.url("/")).await;
    assert_eq!(error_of(&outcome), "denied");
    let fault = outcome.result.unwrap_err().fault().unwrap().clone();
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(
        fault.message.contains("private address"),
        "{}",
        fault.message
    );
    assert!(!fault.message.contains("127.0.0.1"), "{}", fault.message);
    assert_eq!((outcome.requests, server.connections()), (0, 0));
}

#[tokio::test]
async fn plain_http_is_denied() {
    let server = Server::start(Behaviour::Answer(200, "fine")).await;
    let echo = Echo::reaching(&server).await;
    let outcome = get(&echo, &server.url("/").replace("https", "http")).await;
    assert_eq!(error_of(&outcome), "denied");
    assert_eq!(server.connections(), 0);
}
