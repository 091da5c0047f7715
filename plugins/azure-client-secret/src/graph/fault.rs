//! What Graph's refusals mean.
//!
//! After a changing request the line between *refused* and *ambiguous* is everything: a credential that
//! was made without our knowing is an orphan. An answer of the 400s in Graph's own words is a refusal; one
//! without them is not, since whatever stands between may have let the change through and put its own page in
//! place of the answer; a 5xx is none either, whatever its body says, since Graph has been seen to apply a
//! change and answer 503.

use rotor_provider_sdk::http::{Error, Response};
use rotor_provider_sdk::{Fault, FaultKind, OptionEntry, Timestamp};
use serde_json::Value;

use crate::connection::Azure;

/// With these a gateway gave up waiting, which is not Graph's refusal.
const TIMED_OUT: u16 = 408;
const CLOSED: u16 = 499;

const NOT_GRAPHS: &str = "the answer is not Graph's; is something between?";

/// What Graph has said in products' recordings, whose code beside it was not kept.
const NO_SUCH_PASSWORD: &str = "No password credential found";
const CONCURRENT: &str = "concurrent requests";

/// Whether Graph refused to remove a client secret because it knows none with that id.
pub(crate) fn is_no_such_password(fault: &Fault) -> bool {
    fault.kind == FaultKind::Refused && fault.message.contains(NO_SUCH_PASSWORD)
}

/// Whether Graph itself gave this refusal.
pub(crate) fn is_graphs(response: &Response) -> bool {
    Refusal::read(response).code.is_some()
}

/// A reading request that got no answer.
pub(super) fn of_lost_read(azure: &Azure, error: &Error) -> Fault {
    Fault::unavailable(azure.graph_root.lost(error))
}

/// A changing request that got no answer.
pub(super) fn of_lost_change(azure: &Azure, error: &Error) -> Fault {
    match error {
        Error::Denied(_) | Error::Unreachable(_) => of_lost_read(azure, error),
        Error::Interrupted(why) | Error::TooLarge(why) | Error::Other(why) => {
            Fault::ambiguous(format!(
                "{} gave no whole answer to a change: {why}",
                azure.graph_root.host()
            ))
        }
    }
}

/// A reading request that was answered with anything but success.
pub(super) fn of_read(response: &Response, now: Timestamp) -> Fault {
    let refusal = Refusal::read(response);
    let fault = match response.status {
        TIMED_OUT | CLOSED => Fault::unavailable(refusal.told("the answer was not waited for")),
        400..=499 => refusal
            .of_the_400s()
            .unwrap_or_else(|| Fault::unavailable(refusal.told(NOT_GRAPHS))),
        500.. => Fault::unavailable(refusal.told("Graph is unavailable")),
        _ => Fault::unavailable(refusal.told(NOT_GRAPHS)),
    };
    refusal.complete(fault, now)
}

/// A changing request that was answered with anything but success.
pub(super) fn of_change(response: &Response, now: Timestamp) -> Fault {
    let refusal = Refusal::read(response);
    let fault = match response.status {
        TIMED_OUT | CLOSED => Fault::ambiguous(refusal.told("the change was not waited for")),
        400..=499 => refusal.of_the_400s().unwrap_or_else(|| {
            Fault::ambiguous(refusal.told(
                "the answer to the change is not Graph's, and what stands between may have let it through",
            ))
        }),
        _ => Fault::ambiguous(refusal.told("Graph failed, and may have made the change")),
    };
    refusal.complete(fault, now)
}

/// Graph's error body, where the answer has one.
struct Refusal<'a> {
    response: &'a Response,
    code: Option<String>,
    message: Option<String>,
}

impl<'a> Refusal<'a> {
    fn read(response: &'a Response) -> Self {
        let body: Value = response.json().unwrap_or_default();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let message = &body["error"]["message"];
        Self {
            response,
            code: text(&body["error"]["code"]).filter(|code| !code.is_empty()),
            // Some parts of Graph say it in a language.
            message: text(message).or_else(|| text(&message["value"])),
        }
    }

    /// An explicit no; `None` where it is not Graph's.
    fn of_the_400s(&self) -> Option<Fault> {
        if self.is_concurrency() {
            return Some(Fault::throttled(self.told(
                "another change of the directory is under way; nothing was done",
            )));
        }
        let is_graphs = self.code.is_some() || self.says(NO_SUCH_PASSWORD);
        if !is_graphs && self.response.status != 429 {
            return None;
        }
        Some(match (self.response.status, self.code.as_deref()) {
            (429, _) => Fault::throttled(self.told("Graph asks to come again later")),
            (_, Some("TooManyAppPasswords")) => Fault::full(self.told(
                "the application holds as many client secrets as it may: two, since it is open to \
                 personal accounts",
            )),
            (_, Some("Directory_ResourceSizeExceeded")) => {
                Fault::full(self.told("the application has reached its size limit"))
            }
            (_, Some("CredentialInvalidLifetimeAsPerAppPolicy")) => Fault::refused(self.told(
                "a policy of the tenant does not allow a client secret to live this long; a shorter \
                 rotation interval asks for less",
            )),
            (_, Some("CredentialTypeNotAllowedAsPerAppPolicy")) => Fault::refused(
                self.told("a policy of the tenant forbids client secrets for this application"),
            ),
            (_, Some("Directory_QuotaExceeded")) => {
                Fault::refused(self.told("the directory has reached its quota"))
            }
            (401, _) => Fault::unauthorized(self.told("Graph did not accept the token")),
            (403, _) => Fault::unauthorized(self.told(
                "the connection may not do this; it needs Application.ReadWrite.OwnedBy and to be an \
                 owner of the application, or Application.ReadWrite.All, and a fresh grant takes some \
                 minutes",
            )),
            (404, _) => Fault::not_found(self.told("Graph knows no such application")),
            _ => Fault::refused(self.told("Graph refused")),
        })
    }

    /// Seen with three statuses, and with the message alone.
    fn is_concurrency(&self) -> bool {
        self.code.as_deref() == Some("Directory_ConcurrencyViolation") || self.says(CONCURRENT)
    }

    fn says(&self, words: &str) -> bool {
        self.message
            .as_deref()
            .is_some_and(|message| message.contains(words))
    }

    /// Our words, then Graph's.
    fn told(&self, what: &str) -> String {
        match (&self.message, &self.code) {
            (Some(message), _) => format!("{what}: {message}"),
            (None, Some(code)) => format!("{what}: {code}"),
            (None, None) => format!("{what} (status {})", self.response.status),
        }
    }

    fn complete(self, fault: Fault, now: Timestamp) -> Fault {
        // What Microsoft's support asks for.
        let options = self.response.header("request-id").map(|id| OptionEntry {
            name: "request-id".to_owned(),
            value: id.to_owned(),
        });
        Fault {
            code: self.code,
            options: options.into_iter().collect(),
            ..fault
        }
        .retry_after_ms(self.response.retry_after_ms(now))
        .provider_time(self.response.date())
    }
}
