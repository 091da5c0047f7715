//! What must never be in the log, in a fault or in an answer for a person.

use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use rotord_provider::contract::Verdict;
use tracing_subscriber::fmt::MakeWriter;

use crate::server::{Behaviour, Server};
use crate::support::{Echo, connection, target};

#[tokio::test]
async fn a_secret_that_a_provider_logs_is_taken_out() {
    let echo = Echo::limited(rotord_provider::Limits::default()).await;
    let log = capture();
    let fields = [
        ("behaviour", "leak-secret-in-log"),
        ("token", "tok-logged-0001"),
    ];
    echo.check(&fields).await.result.unwrap();
    assert!(
        log.text().contains("the token is [redacted]"),
        "{}",
        log.text()
    );
    assert!(!log.text().contains("tok-logged-0001"));
}

#[tokio::test]
async fn a_secret_in_a_requests_host_or_path_is_taken_out_of_the_log() {
    let echo = Echo::limited(rotord_provider::Limits::default()).await;
    let log = capture();
    for url in [
        "https://in-a-path.test/tok-in-url-0009/x",
        "https://tok-in-url-0009.in-a-host.test/",
    ] {
        let fields = [
            ("behaviour", "http"),
            ("url", url),
            ("token", "tok-in-url-0009"),
        ];
        echo.check(&fields).await.result.unwrap_err();
    }
    let text = log.text();
    // The client's own trace, which no setting but "trace" shows, is not ours.
    let ours = text.lines().filter(|line| line.contains("rotord_provider"));
    let text = ours.collect::<Vec<_>>().join("\n");
    assert!(text.contains("in-a-path.test") && text.contains("in-a-host.test"));
    assert!(!text.contains("tok-in-url-0009"), "{text}");
}

#[tokio::test]
async fn a_secret_in_a_fault_or_an_answer_is_taken_out() {
    let echo = Echo::limited(rotord_provider::Limits::default()).await;
    // The guest names the behaviour that it does not know.
    let fields = [("behaviour", "tok-told-0002"), ("token", "tok-told-0002")];
    let outcome = echo.check(&fields).await;
    let shown = format!("{outcome:?}");
    assert!(
        shown.contains("[redacted]") && !shown.contains("tok-told-0002"),
        "{shown}"
    );

    let fields = [
        ("behaviour", "say:my token is tok-said-0003"),
        ("token", "tok-said-0003"),
    ];
    assert_eq!(
        echo.check(&fields).await.result.unwrap(),
        "my token is [redacted]"
    );
}

#[tokio::test]
async fn a_token_in_an_answer_is_taken_out_of_what_follows() {
    let body = r#"{"error":"no","secretText":"Xk8Q~abcdefghijklmnopqrstuvwxyz0123456789"}"#;
    let server = Server::start(Behaviour::Answer(401, body)).await;
    let echo = Echo::reaching(&server).await;
    let target = target(&[("behaviour", "http"), ("url", &server.url("/"))]);
    let outputs = [output("value", "some-value")];
    let verification = echo
        .provider
        .turn()
        .await
        .verify(&target, &outputs)
        .await
        .result
        .unwrap();
    let Verdict::NotYet(why) = verification.verdict else {
        panic!("{verification:?}")
    };
    assert_eq!(why, r#"401 {"error":"no","secretText":"[redacted]"}"#);
}

#[tokio::test]
async fn a_credential_under_test_is_taken_out() {
    let echo = Echo::limited(rotord_provider::Limits::default()).await;
    let target = target(&[("behaviour", "say:refused issued-value-0004")]);
    let outputs = [
        output("name", "refused"),
        output("value", "issued-value-0004"),
    ];
    let verification = echo
        .provider
        .turn()
        .await
        .verify(&target, &outputs)
        .await
        .result
        .unwrap();
    let not_yet = Verdict::NotYet("refused [redacted]".to_owned());
    assert_eq!(verification.verdict, not_yet, "what is public stays");
}

#[tokio::test]
async fn each_request_is_logged_without_query_header_or_body() {
    let server = Server::start(Behaviour::Answer(200, "answer-body-0005")).await;
    let echo = Echo::reaching(&server).await;
    let log = capture();
    let url = server.url("/path-0005?sig=query-0005");
    let fields = [
        ("behaviour", "http-post:request-body-0005"),
        ("url", &url),
        ("token", "tok-header-0005"),
    ];
    let outcome = echo.issue(&target(&fields)).await;
    outcome.result.unwrap();
    let request = &server.requests()[0];
    for sent in ["query-0005", "tok-header-0005", "request-body-0005"] {
        assert!(request.contains(sent), "{request}");
    }

    let text = log.text();
    let line = text
        .lines()
        .find(|line| line.contains("path-0005"))
        .unwrap();
    for part in [
        "provider=\"echo\"",
        "method=\"POST\"",
        "host=\"localhost\"",
        "path=\"/path-0005\"",
        "status=200",
        "ms=",
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
    for secret in [
        "query-0005",
        "tok-header-0005",
        "request-body-0005",
        "answer-body-0005",
    ] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn values_do_not_print() {
    let echo = Echo::limited(rotord_provider::Limits::default()).await;
    let outcome = echo.issue(&target(&[])).await;
    let shown = format!("{outcome:?}");
    let issued = outcome.result.unwrap();
    let value = std::str::from_utf8(issued.outputs[1].value.expose()).unwrap();
    assert!(value.starts_with("value-"));
    assert!(!shown.contains(value), "{shown}");
    let shown = format!("{:?}", connection(&[("token", "tok-0006")]));
    assert!(!shown.contains("tok-0006"), "{shown}");
}

fn output(name: &str, value: &str) -> rotord_provider::contract::Output {
    rotord_provider::contract::Output {
        name: name.to_owned(),
        value: rotord_provider::Secret::new(value),
    }
}

/// Everything that this process logs. Guests run on threads of their own, so it can't be less.
pub(crate) struct Capture(Written);

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

/// Captures from now on. Tests that share a process share what is captured: look for what is one's own.
pub(crate) fn capture() -> Capture {
    static ALL: OnceLock<Written> = OnceLock::new();
    let written = ALL.get_or_init(|| {
        let written = Written::default();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(written.clone())
            .init();
        written
    });
    Capture(written.clone())
}

impl Capture {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Written {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
