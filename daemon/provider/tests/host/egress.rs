//! What goes out, and what a provider may believe of how it ended.

use std::time::Duration;

use rotord_provider::contract::{FaultKind, Timestamp};
use rotord_provider::{CallOutcome, Grant, HostSettings, Limits};

use crate::server::{Behaviour, Server};
use crate::support::{Echo, Reach as _, target};

/// One GET by the guest.
async fn get(echo: &Echo, url: &str) -> CallOutcome<String> {
    echo.check(&[("behaviour", "http"), ("url", url)]).await
}

/// Lets `echo` reach this port of this machine, and no other.
fn grant_port(settings: &mut HostSettings, port: u16) {
    let grant = Grant {
        private: vec![format!("localhost:{port}").parse().unwrap()],
        ..Grant::default()
    };
    settings.grants.insert("echo".parse().unwrap(), grant);
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

/// An operator is told where it failed, in words, and no page of a library's manual.
fn assert_names<T: std::fmt::Debug>(outcome: &CallOutcome<T>, place: &str) {
    let error = outcome.result.as_ref().unwrap_err();
    let said = error.fault().unwrap().message.clone();
    assert!(said.contains(place), "{said}");
    for noise in ["https://", "error sending request", "client error"] {
        assert!(!said.contains(noise), "{said}");
    }
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
async fn nothing_is_added_that_the_guest_did_not_ask_for() {
    let server = Server::start(Behaviour::Answer(200, "fine")).await;
    let echo = Echo::reaching(&server).await;
    get(&echo, &server.url("/")).await.result.unwrap();
    let request = server.requests().remove(0).to_ascii_lowercase();
    let headers = request
        .lines()
        .skip(1)
        .map_while(|line| Some(line.split_once(':')?.0));
    for name in headers {
        let known = ["accept", "authorization", "host", "user-agent"];
        assert!(known.contains(&name), "{name} in {request}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = Server::start(Behaviour::Redirect).await;
    let echo = Echo::reaching(&server).await;
    assert_eq!(
        get(&echo, &server.url("/")).await.result.unwrap(),
        "302 moved"
    );
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_proxy_in_the_environment_is_not_used() {
    // A process's environment is set from outside alone, so this runs itself again.
    let nobody = "http://127.0.0.1:9";
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "egress::an_answer_arrives_whole"])
        .envs(["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, nobody)))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(said.contains("1 passed"), "{said}");
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
        let outcome = echo.issue(&target).await;
        assert_eq!(error_of(&outcome), "unreachable", "{url}");
        let place = url.trim_start_matches("https://").trim_end_matches('/');
        assert_names(&outcome, place);
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
    let short = Duration::from_millis(200);
    let narrows: [fn(&mut Limits, Duration); 2] = [
        |limits, short| limits.connect_time = short,
        |limits, short| limits.request_time = short,
    ];
    for narrow in narrows {
        let echo = Echo::with(|settings| {
            settings.reach(&server);
            grant_port(settings, port);
            narrow(&mut settings.limits, short);
        })
        .await;
        let outcome = get(&echo, &format!("https://localhost:{port}/")).await;
        assert_eq!(error_of(&outcome), "unreachable");
        assert_eq!(outcome.requests, 0);
    }
}

#[tokio::test]
async fn a_call_that_ends_before_there_is_a_connection_has_sent_nothing() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let server = Server::start(Behaviour::Answer(200, "fine")).await;
    let echo = Echo::with(|settings| {
        settings.reach(&server);
        grant_port(settings, port);
        settings.limits.call_time = Duration::from_millis(300);
    })
    .await;
    let url = format!("https://localhost:{port}/");
    let target = target(&[("behaviour", "http-post:x"), ("url", &url)]);
    let outcome = echo.issue(&target).await;
    assert!(outcome.result.is_err());
    assert_eq!(outcome.requests, 0);
    assert!(!outcome.is_ambiguous());
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
            settings.limits.request_time = Duration::from_secs(3);
        })
        .await;
        let target = target(&[("behaviour", "http-post:x"), ("url", &server.url("/"))]);
        let outcome = echo.issue(&target).await;
        assert_eq!(error_of(&outcome), "interrupted", "{behaviour:?}");
        assert_names(&outcome, &format!("localhost:{}", server.port()));
        assert_eq!(outcome.requests, 1, "{behaviour:?}");
        assert!(outcome.is_ambiguous(), "{behaviour:?}");
        assert_eq!(server.connections(), 1, "never tried twice");
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
async fn a_head_beyond_the_limit_is_too_large() {
    for (length, whole) in [(60_000, true), (70_000, false)] {
        let server = Server::start(Behaviour::LongHeader(length)).await;
        let echo = Echo::reaching(&server).await;
        let outcome = get(&echo, &server.url("/")).await;
        assert_eq!(outcome.result.is_ok(), whole);
        if !whole {
            assert_eq!(error_of(&outcome), "too-large");
        }
    }
}

#[tokio::test]
async fn an_error_tells_no_query() {
    for behaviour in [
        Behaviour::CloseBeforeTls,
        Behaviour::CloseAfterRequest,
        Behaviour::CloseInBody,
    ] {
        let server = Server::start(behaviour).await;
        let echo = Echo::reaching(&server).await;
        let outcome = get(&echo, &server.url("/?sig=query-0007")).await;
        let shown = format!("{outcome:?}");
        assert!(outcome.result.is_err());
        assert!(!shown.contains("query-0007"), "{shown}");
        assert!(!shown.contains("127.0.0.1"), "{shown}");
    }
}

#[tokio::test]
async fn each_request_has_a_connection_of_its_own_and_resumes_tls() {
    let server = Server::start(Behaviour::Answer(200, "fine")).await;
    let echo = Echo::with(|settings| {
        settings.reach(&server);
        settings.limits.requests = 3;
    })
    .await;
    let flood = [("behaviour", "http-flood"), ("url", &server.url("/"))];
    echo.check(&flood).await;
    assert_eq!((server.requests().len(), server.connections()), (3, 3));
    assert_eq!(server.resumed(), 2);
}

#[tokio::test]
async fn a_server_that_closes_after_each_answer_loses_nothing() {
    let server = Server::start(Behaviour::AnswerAndClose).await;
    let echo = Echo::with(|settings| {
        settings.reach(&server);
        settings.limits.requests = 3;
    })
    .await;
    let outcome = echo
        .check(&[("behaviour", "http-flood"), ("url", &server.url("/"))])
        .await;
    // The flood ends at the limit and at nothing else.
    assert_eq!(error_of(&outcome), "denied");
    assert_eq!((server.requests().len(), server.connections()), (3, 3));
    assert_eq!(outcome.requests, 3);
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
    let outcome = echo.provider.turn().await.inspect(&target).await;
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
async fn a_private_address_in_place_of_a_name_is_denied() {
    let server = Server::start(Behaviour::Answer(200, "fine")).await;
    let echo = Echo::reaching(&server).await;
    // The connection names it, which grants the host and not that it is private.
    let outcome = get(&echo, &format!("https://127.0.0.1:{}/", server.port())).await;
    assert_eq!(error_of(&outcome), "denied");
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
