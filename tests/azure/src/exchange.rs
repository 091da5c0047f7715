//! One request, from its route to its outcome, and the note of it in the record.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::answer::{Answer, Outcome};
use crate::fault::{Fault, Operation, RetryAfter};
use crate::model::{AppId, Application, KeyId, ObjectId};
use crate::record::{Entry, public_query};
use crate::request::Request;
use crate::route::{Key, Route};
use crate::world::{Shared, World};
use crate::{control, entra, graph, management};

/// A request under way: what handlers read and change.
pub(crate) struct Exchange<'a> {
    /// What was asked.
    pub request: &'a Request,
    /// The state.
    pub world: &'a mut World,
    /// The time, one for the whole exchange.
    pub now: DateTime<Utc>,
    /// The answer's id.
    pub request_id: Uuid,
    /// For the record.
    pub note: Note,
}

/// What handlers leave for the record.
#[derive(Debug, Default)]
pub(crate) struct Note {
    /// Who called.
    pub caller: Option<AppId>,
    /// The application concerned.
    pub app: Option<AppId>,
    /// The secret or certificate concerned.
    pub key_id: Option<KeyId>,
    /// An error's code.
    pub error: Option<String>,
    /// Whether the directory changed.
    pub changed: bool,
}

impl Exchange<'_> {
    /// The `Date` of the answer.
    pub(crate) fn date(&self) -> DateTime<Utc> {
        skewed(self.now, self.world.behaviour.date_skew_ms)
    }

    /// What `Retry-After` says.
    pub(crate) fn retry_after(&self, retry_after: RetryAfter) -> String {
        match retry_after {
            RetryAfter::Seconds(seconds) => seconds.to_string(),
            RetryAfter::Date(seconds) => {
                http_date(self.date() + TimeDelta::seconds(i64::from(seconds)))
            }
        }
    }

    /// The client's own id of the request, or ours.
    pub(crate) fn client_request_id(&self) -> Uuid {
        self.request.client_request_id().unwrap_or(self.request_id)
    }

    /// The application that the request is about, as far as its form tells.
    fn subject(&self, route: &Route) -> Option<&Application> {
        let tenant = &self.world.tenant;
        match route {
            Route::Token { .. } => {
                let client = entra::claimed_client(self.request)?;
                tenant.by_app_id(client.parse().ok()?)
            }
            Route::Graph(route) => match route.application_key()? {
                Key::Id(id) => tenant.by_object_id(id.parse().ok()?),
                Key::AppId(id) => tenant.by_app_id(id.parse().ok()?),
            },
            _ => None,
        }
    }

    fn dispatch(&mut self, route: &Route) -> Answer {
        match route {
            Route::Token { tenant } => entra::token(self, tenant),
            Route::OpenIdConfiguration { tenant } => entra::openid_configuration(self, tenant),
            Route::Keys { tenant } => entra::keys(self, tenant),
            Route::InstanceDiscovery => entra::instance_discovery(self),
            Route::Subscriptions => management::subscriptions(self),
            Route::Graph(route) => graph::answer(self, route),
            Route::Control(_) | Route::Unknown => Answer::empty(404),
        }
    }
}

/// Performs a request and adds it to the record, unless it is the control interface's.
pub(crate) fn perform(shared: &Shared, request: &Request) -> Outcome {
    let route = Route::of(request);
    let now = shared.clock.now();
    if let Route::Control(path) = &route {
        return Outcome::Answer(control::answer(shared, request, path), Duration::ZERO);
    }
    let mut world = shared.world();
    let request_id = uuid::Builder::from_random_bytes(world.rng.u128(..).to_be_bytes()).into_uuid();
    let mut exchange = Exchange {
        request,
        world: &mut world,
        now,
        request_id,
        note: Note::default(),
    };
    let operation = route.operation(&request.method);
    let subject = exchange
        .subject(&route)
        .map(|app| (app.object_id, app.app_id));
    exchange.note.app = subject.map(|(_, app_id)| app_id);
    let fault = strike(
        exchange.world,
        operation,
        subject.map(|(object_id, _)| object_id),
    );
    if let Route::Graph(_) = &route {
        exchange.note.caller = graph::caller(&exchange);
    }
    let outcome = match &fault {
        None => Outcome::Answer(exchange.dispatch(&route), Duration::ZERO),
        Some(fault) => {
            let answer = fault.takes_effect().then(|| exchange.dispatch(&route));
            faulty(&mut exchange, operation, fault.clone(), answer)
        }
    };
    let entry = entry(&exchange, operation, fault.as_ref(), &outcome);
    let date = exchange.date();
    world.record.add(entry);
    dated(outcome, date)
}

/// Whether a rule strikes, and with what.
fn strike(world: &mut World, operation: Operation, subject: Option<ObjectId>) -> Option<Fault> {
    let tenant = &world.tenant;
    let is_about =
        |name: &str| subject.is_some() && tenant.named(name).map(|app| app.object_id) == subject;
    world.rules.strike(operation, is_about, &mut world.rng)
}

/// What a fault makes of an answer; `answer` is absent where the request had no effect.
fn faulty(
    exchange: &mut Exchange<'_>,
    operation: Operation,
    fault: Fault,
    answer: Option<Answer>,
) -> Outcome {
    let at_once = |answer| Outcome::Answer(answer, Duration::ZERO);
    match fault {
        Fault::LostReply | Fault::LostRequest => Outcome::Cut,
        Fault::TruncatedReply => Outcome::Truncated(answer.unwrap_or(Answer::empty(200))),
        Fault::Garbage => {
            let mut garbage = answer.unwrap_or(Answer::empty(200));
            garbage.status = 200;
            garbage.body = Bytes::from_static(b"<!DOCTYPE html><title>Sign in</title>");
            at_once(garbage)
        }
        Fault::Gateway { status, empty, .. } => at_once(gateway(status, empty)),
        Fault::Throttled { retry_after, code } => {
            let retry_after = retry_after.map(|retry_after| exchange.retry_after(retry_after));
            at_once(match operation {
                Operation::Token | Operation::Discovery => entra::throttled(retry_after),
                _ => graph::throttled(exchange, code, retry_after, "WriteLimitExceeded"),
            })
        }
        Fault::Concurrency { status, .. } => at_once(graph::concurrency(exchange, status)),
        Fault::Graph {
            status,
            code,
            message,
            retry_after,
            ..
        } => {
            let retry_after = retry_after.map(|retry_after| exchange.retry_after(retry_after));
            at_once(graph::failure(
                exchange,
                status,
                &code,
                message,
                retry_after,
            ))
        }
        Fault::ClaimsChallenge => at_once(graph::claims_challenge(exchange)),
        Fault::Entra { code } => at_once(entra::failure(exchange, code)),
        Fault::Slow { milliseconds } => Outcome::Answer(
            answer.unwrap_or(Answer::empty(500)),
            Duration::from_millis(milliseconds),
        ),
    }
}

fn gateway(status: u16, empty: bool) -> Answer {
    if empty {
        return Answer::empty(status);
    }
    let page = format!(
        "<html><head><title>{status}</title></head><body><h2>Our services aren't available right now</h2></body></html>"
    );
    Answer::text(status, "text/html", page)
}

fn entry(
    exchange: &Exchange<'_>,
    operation: Operation,
    fault: Option<&Fault>,
    outcome: &Outcome,
) -> Entry {
    let request = exchange.request;
    let note = &exchange.note;
    Entry {
        sequence: 0,
        at: exchange.now,
        connection: request.connection,
        method: request.method.as_str().to_owned(),
        path: request.path.clone(),
        query: (!request.query.is_empty()).then(|| public_query(&request.query)),
        operation,
        status: match outcome {
            Outcome::Answer(answer, _) | Outcome::Truncated(answer) => Some(answer.status),
            Outcome::Cut => None,
        },
        error: note.error.clone(),
        caller: note.caller,
        app: note.app,
        key_id: note.key_id,
        fault: fault.map(|fault| fault.name().to_owned()),
        changed: note.changed,
        user_agent: request.header("user-agent").map(str::to_owned),
    }
}

fn dated(outcome: Outcome, date: DateTime<Utc>) -> Outcome {
    let with_date = |answer: Answer| answer.with("Date", http_date(date));
    match outcome {
        Outcome::Answer(answer, delay) => Outcome::Answer(with_date(answer), delay),
        Outcome::Truncated(answer) => Outcome::Truncated(with_date(answer)),
        Outcome::Cut => Outcome::Cut,
    }
}

/// The time that `Date` shows.
pub(crate) fn skewed(now: DateTime<Utc>, skew_ms: i64) -> DateTime<Utc> {
    TimeDelta::try_milliseconds(skew_ms)
        .and_then(|skew| now.checked_add_signed(skew))
        .unwrap_or(now)
}

/// A time in the form of HTTP.
pub(crate) fn http_date(time: DateTime<Utc>) -> String {
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
