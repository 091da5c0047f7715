//! What it can be told to do:
//!
//! | behaviour | what happens |
//! |---|---|
//! | `ok` or nothing | the plain good answer |
//! | `say:TEXT` | an answer with this text in it: the subject, a choice, the title, the value, a `not-yet`, an `other` outcome, a label |
//! | `fault:KIND` | this fault, such as `fault:throttled` (with 1500 ms to wait) or `fault:invalid-input` |
//! | `trap` | a panic |
//! | `loop` | computes for ever |
//! | `hog-memory` | asks for memory until it is refused |
//! | `leave-behind` | says what it finds in its memory, which is nothing, and fills half a megabyte for the next call to find |
//! | `huge-output` | an answer with 64 MiB of text |
//! | `log-flood` | 100 000 lines of 1 KiB |
//! | `leak-secret-in-log` | writes the connection's `token` to the log |
//! | `http` | GETs `url` and says status and body |
//! | `http-fresh` | the same, on a fresh connection |
//! | `http-post:TEXT` | POSTs the text to `url`, with the `token` as bearer |
//! | `http-flood` | GETs `url` 10 000 times, or until it fails |
//! | `http-insist` | GETs `url` 10 000 times, whatever comes of it |
//! | `finding:SEVERITY` | a check or an inspection with this finding |
//! | `closed` | a fault that carries a closed network path |
//! | `endless` | a list of choices that names the same page again and again |

use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering::Relaxed;

use rotor_provider_sdk::http::{Error, Request};
use rotor_provider_sdk::{
    Connection, Fault, FaultKind, Finding, Host, Level, Result, Severity, Target, Timestamp, Values,
};

/// Does what the connection says and returns what is to be said.
pub(crate) fn of_connection(
    host: &dyn Host,
    connection: &Connection,
    function: &str,
) -> Result<Option<String>> {
    act(host, connection, &connection.values, function)
}

/// Does what the parameters say, or else the connection.
pub(crate) fn of_target(
    host: &dyn Host,
    target: &Target,
    function: &str,
) -> Result<Option<String>> {
    if target.parameters.optional_text("behaviour")?.is_some() {
        act(host, &target.connection, &target.parameters, function)
    } else {
        of_connection(host, &target.connection, function)
    }
}

fn act(
    host: &dyn Host,
    connection: &Connection,
    told: &Values,
    function: &str,
) -> Result<Option<String>> {
    let behaviour = told.optional_text("behaviour")?.unwrap_or("ok");
    if told.optional_text("at")?.is_some_and(|at| at != function) {
        return Ok(None);
    }
    let (what, detail) = behaviour.split_once(':').unwrap_or((behaviour, ""));
    match what {
        // Of the last two the functions that they are for know.
        "ok" | "finding" | "endless" => Ok(None),
        "say" => Ok(Some(detail.to_owned())),
        "fault" => Err(fault(detail)),
        "trap" => trap(),
        "loop" => spin(),
        "hog-memory" => hog(),
        "leave-behind" => Ok(Some(leave_behind().to_owned())),
        "huge-output" => Ok(Some("x".repeat(64 << 20))),
        "log-flood" => {
            let line = "x".repeat(1024);
            (0..100_000).for_each(|_| host.log(Level::Info, &line));
            Ok(None)
        }
        "leak-secret-in-log" => {
            let token = connection.values.secret("token")?;
            let text = token.expose_text().unwrap_or_default();
            host.log(Level::Warn, &format!("the token is {text}"));
            Ok(None)
        }
        "http" => ask(host, Request::get(url(connection, told)?)).map(Some),
        "http-fresh" => ask(
            host,
            Request::get(url(connection, told)?).fresh_connection(),
        )
        .map(Some),
        "http-post" => {
            let mut request = Request::post(url(connection, told)?);
            if let Some(token) = connection.values.optional_secret("token")? {
                request = request.bearer(token);
            }
            request = request.form([("text", detail.as_bytes())]);
            ask(host, request).map(Some)
        }
        "http-flood" => {
            let url = url(connection, told)?;
            for _ in 0..10_000 {
                ask(host, Request::get(url))?;
            }
            Ok(None)
        }
        "http-insist" => {
            let url = url(connection, told)?;
            for _ in 0..10_000 {
                // Denials are what is asked for.
                let _ = ask(host, Request::get(url));
            }
            Ok(None)
        }
        "closed" => {
            let path = Finding::problem("path-closed", "echo.test can't be reached");
            let path = path.remedy("allow outgoing TLS connections to echo.test:443");
            Err(Fault::unavailable("nobody answers").finding(&path))
        }
        _ => Err(told.invalid("behaviour", format!("no behaviour is named {what:?}"))),
    }
}

/// The finding that was asked for by `finding:SEVERITY`, if one was.
pub(crate) fn finding(told: &Values) -> Result<Option<Finding>> {
    let behaviour = told.optional_text("behaviour")?.unwrap_or_default();
    let Some(severity) = behaviour.strip_prefix("finding:") else {
        return Ok(None);
    };
    let severity = match severity {
        "fine" => Severity::Fine,
        "warning" => Severity::Warning,
        "problem" => Severity::Problem,
        other => Severity::Other(other.to_owned()),
    };
    let seen = Finding::new(severity, "as-asked", "a finding as it was asked for");
    Ok(Some(seen.remedy("ask for another")))
}

fn url<'a>(connection: &'a Connection, told: &'a Values) -> Result<&'a str> {
    match told.optional_text("url")? {
        Some(url) => Ok(url),
        None => connection.values.text("url"),
    }
}

fn ask(host: &dyn Host, request: Request) -> Result<String> {
    match host.send(request) {
        Ok(response) => {
            let body = String::from_utf8_lossy(response.body.expose());
            Ok(format!("{} {body}", response.status))
        }
        Err(Error::Denied(why)) => Err(Fault::refused(why).code("denied")),
        Err(Error::Unreachable(why)) => Err(Fault::unavailable(why).code("unreachable")),
        Err(Error::Interrupted(why)) => Err(Fault::ambiguous(why).code("interrupted")),
        Err(Error::TooLarge(why)) => Err(Fault::ambiguous(why).code("too-large")),
        Err(Error::Other(why)) => Err(Fault::ambiguous(why).code("other")),
    }
}

fn fault(kind: &str) -> Fault {
    let kind = match kind {
        "invalid-input" => FaultKind::InvalidInput("parameters.behaviour".to_owned()),
        "unauthorized" => FaultKind::Unauthorized,
        "not-found" => FaultKind::NotFound,
        "throttled" => FaultKind::Throttled,
        "unavailable" => FaultKind::Unavailable,
        "ambiguous" => FaultKind::Ambiguous,
        "full" => FaultKind::Full,
        "internal" => FaultKind::Internal,
        "refused" => FaultKind::Refused,
        other => FaultKind::Other(other.to_owned()),
    };
    let wait = matches!(kind, FaultKind::Throttled).then_some(1500);
    Fault::new(kind, "a fault as it was asked for")
        .code("Echo")
        .retry_after_ms(wait)
}

#[allow(clippy::panic, reason = "what was asked for")]
fn trap() -> ! {
    panic!("a panic as it was asked for")
}

#[allow(clippy::empty_loop, reason = "what was asked for")]
fn spin() -> ! {
    loop {}
}

fn leave_behind() -> &'static str {
    static MEMORY: [AtomicU8; 512 << 10] = [const { AtomicU8::new(0) }; 512 << 10];
    let is_fresh = MEMORY.iter().all(|byte| byte.load(Relaxed) == 0);
    for byte in &MEMORY {
        byte.store(0xa5, Relaxed);
    }
    if is_fresh { "nothing" } else { "something" }
}

fn hog() -> ! {
    let mut held = Vec::new();
    loop {
        held.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
}

/// Seconds since 1970, by the clock that the connection names, else by the host's. The named one shows
/// `anchor + (host's − anchor) × factor`.
pub(crate) fn now(host: &dyn Host, connection: &Connection) -> Result<Timestamp> {
    let values = &connection.values;
    let Some(clock) = values.optional_text("clock")? else {
        return Ok(host.now());
    };
    let read = |(anchor, factor): (&str, &str)| {
        let (anchor, factor) = (anchor.parse::<i64>().ok()? / 1000, factor.parse().ok()?);
        let since = host.now().checked_sub(anchor)?;
        anchor.checked_add(since.checked_mul(factor)?)
    };
    clock
        .split_once(':')
        .and_then(read)
        .ok_or_else(|| values.invalid("clock", "no clock is named so"))
}
