//! The requests of one call.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rotord_crash::{Moment, Step as Place, reach};
use tokio::time::timeout;
use url::Url;
use zeroize::Zeroize as _;

use super::answer;
use super::connect::Connector;
use super::error::SendError;
use super::policy::EgressPolicy;
use super::request;
use super::resolve::{Pins, Resolver};
use crate::bindings::http::{Request as WireRequest, Response as WireResponse};
use crate::contract::Timestamp;
use crate::scrub::Scrubber;
use crate::settings::Limits;

/// What the log keeps of a host or a path, and of an error, in bytes.
const LONGEST_NAME: usize = 256;
const LONGEST_ERROR: usize = 1024;

/// What one call may still do, and has seen.
pub(crate) struct HttpSession {
    provider: String,
    /// The function that is called.
    call: &'static str,
    connector: Connector,
    policy: EgressPolicy,
    limits: Limits,
    deadline: Instant,
    pins: Pins,
    asked: u32,
    /// What was asked beyond the limit and is not in the log line by line.
    unlogged: u64,
    /// Counted where the connection is made, so that it is right even if the call ends in the middle.
    sent: Arc<AtomicU32>,
    last_date: Option<Timestamp>,
}

impl HttpSession {
    /// `deadline` is the call's own.
    pub(crate) fn new(
        provider: String,
        call: &'static str,
        connector: Connector,
        policy: EgressPolicy,
        limits: Limits,
        deadline: Instant,
    ) -> Self {
        Self {
            provider,
            call,
            connector,
            policy,
            limits,
            deadline,
            pins: Pins::default(),
            asked: 0,
            unlogged: 0,
            sent: Arc::default(),
            last_date: None,
        }
    }

    /// Requests of which a part was, or may have been, sent.
    pub(crate) fn sent(&self) -> u32 {
        self.sent.load(Ordering::Relaxed)
    }

    /// The last `Date` that was seen.
    pub(crate) fn last_date(&self) -> Option<Timestamp> {
        self.last_date
    }

    /// Sends one request and reads its answer. What is known to be secret is kept out of the log.
    pub(crate) async fn send(
        &mut self,
        mut wire: WireRequest,
        scrubber: &Scrubber,
    ) -> Result<WireResponse, SendError> {
        let started = Instant::now();
        let method = wire.method.clone();
        self.asked = self.asked.saturating_add(1);
        let url = Url::parse(&wire.url);
        let result = match &url {
            Ok(url) => self.send_to(url, &mut wire, started).await,
            Err(e) => Err(SendError::Denied(format!("the URL can't be read: {e}"))),
        };
        wire.zeroize();
        // One line more than may be sent tells that there was more; the rest is counted.
        if self.asked <= self.limits.requests.saturating_add(1) {
            let took = started.elapsed();
            self.record(&method, url.as_ref().ok(), &result, took, scrubber);
        } else {
            self.unlogged += 1;
        }
        result
    }

    /// Writes to the log what was only counted.
    pub(crate) fn finish(&self) {
        if self.unlogged > 0 {
            tracing::warn!(
                target: TARGET, provider = self.provider, unlogged = self.unlogged,
                "more requests beyond the limit were denied"
            );
        }
    }

    async fn send_to(
        &mut self,
        url: &Url,
        wire: &mut WireRequest,
        started: Instant,
    ) -> Result<WireResponse, SendError> {
        if self.asked > self.limits.requests {
            return Err(SendError::Denied(format!(
                "a call may send {} requests",
                self.limits.requests
            )));
        }
        let to = self.policy.check(url)?;
        let method = request::method(&wire.method)?;
        let headers = std::mem::take(&mut wire.headers);
        let request = request::build(
            method,
            url,
            headers,
            wire.body.take(),
            self.limits.request_body,
        )?;

        let asked = wire
            .timeout_ms
            .map_or(Duration::MAX, |ms| Duration::from_millis(ms.into()));
        let allowed = asked
            .min(self.limits.request_time)
            .min(self.deadline.saturating_duration_since(started));
        let left = || allowed.saturating_sub(started.elapsed());
        let resolver = Resolver::new(to.clone(), self.pins.clone(), wire.fresh_connection);
        let connect_limit = self.limits.connect_time.min(left());
        let one = self
            .connector
            .prepare(to, resolver, connect_limit, &self.sent, self.call)?;
        let exchange = async {
            let response = one.send(request).await?;
            reach(|| Place::of_call(self.call), Moment::Answered);
            self.last_date = answer::date(response.headers()).or(self.last_date);
            answer::read(response, self.limits.response_body).await
        };
        match timeout(left(), exchange).await {
            Ok(answer) => answer,
            Err(_) => Err(one.out_of_time(allowed)),
        }
    }

    /// The one line that the log gets: never a header, a body, a query or a known secret, and bounded, since
    /// a guest chooses the host and the path.
    fn record(
        &self,
        method: &str,
        url: Option<&Url>,
        result: &Result<WireResponse, SendError>,
        took: Duration,
        scrubber: &Scrubber,
    ) {
        let provider = self.provider.as_str();
        let name = |text: &str| scrubber.strict_line(text, LONGEST_NAME);
        let host = name(url.and_then(Url::host_str).unwrap_or("?"));
        let path = name(url.map_or("?", Url::path));
        let method = if request::method(method).is_ok() {
            method
        } else {
            "?"
        };
        let ms = took.as_millis();
        match result {
            Ok(response) => {
                tracing::info!(target: TARGET, provider, method, host, path, status = response.status, ms);
            }
            Err(error) => {
                tracing::warn!(target: TARGET, provider, method, host, path, error = error.kind(), ms, "{}",
                    scrubber.strict_line(&error.to_string(), LONGEST_ERROR));
            }
        }
    }
}

/// Under which the daemon's log filter finds the requests of providers.
const TARGET: &str = "rotord_provider::http";
