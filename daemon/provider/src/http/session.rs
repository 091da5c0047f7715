//! The requests of one call.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use hyper::Request;
use hyper::body::Incoming;
use tokio::time::timeout;
use url::{Host, Url};
use zeroize::Zeroize as _;

use super::answer;
use super::connect::{Connector, Sender};
use super::error::{SendError, chain};
use super::policy::{Destination, EgressPolicy};
use super::request;
use crate::bindings::http::{Request as WireRequest, Response as WireResponse};
use crate::contract::Timestamp;
use crate::settings::Limits;

/// What one call may still do, has open and has seen.
pub(crate) struct HttpSession {
    provider: String,
    connector: Connector,
    policy: EgressPolicy,
    limits: Limits,
    deadline: Instant,
    /// Connections without a request under way, by where they lead.
    idle: HashMap<(Host<String>, u16), Sender>,
    asked: u32,
    sent: u32,
    last_date: Option<Timestamp>,
}

impl HttpSession {
    /// `deadline` is the call's own.
    pub(crate) fn new(
        provider: String,
        connector: Connector,
        policy: EgressPolicy,
        limits: Limits,
        deadline: Instant,
    ) -> Self {
        Self {
            provider,
            connector,
            policy,
            limits,
            deadline,
            idle: HashMap::new(),
            asked: 0,
            sent: 0,
            last_date: None,
        }
    }

    /// Requests of which a part was, or may have been, sent.
    pub(crate) fn sent(&self) -> u32 {
        self.sent
    }

    /// The last `Date` that was seen.
    pub(crate) fn last_date(&self) -> Option<Timestamp> {
        self.last_date
    }

    /// Sends one request and reads its answer.
    pub(crate) async fn send(&mut self, mut wire: WireRequest) -> Result<WireResponse, SendError> {
        let started = Instant::now();
        let method = wire.method.clone();
        let url = Url::parse(&wire.url);
        let result = match &url {
            Ok(url) => self.send_to(url, &mut wire, started).await,
            Err(e) => Err(SendError::Denied(format!("the URL can't be read: {e}"))),
        };
        wire.zeroize();
        self.record(&method, url.as_ref().ok(), &result, started.elapsed());
        result
    }

    async fn send_to(
        &mut self,
        url: &Url,
        wire: &mut WireRequest,
        started: Instant,
    ) -> Result<WireResponse, SendError> {
        self.asked += 1;
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
        let deadline = started + allowed;

        let sender = if wire.fresh_connection {
            None
        } else {
            self.take_idle(&to).await
        };
        let (sender, response) = self.exchange(&to, sender, request, deadline).await?;
        let left = deadline.saturating_duration_since(Instant::now());
        let answer = match timeout(left, answer::read(response, self.limits.response_body)).await {
            Ok(answer) => answer?,
            Err(_) => return Err(out_of_time(allowed)),
        };
        if !wire.fresh_connection {
            self.idle.insert((to.host, to.port), sender);
        }
        Ok(answer)
    }

    /// Hands the request to a connection and waits for the answer's head. A kept connection that was
    /// closed in the meantime gives the request back untouched; it then goes over a new one.
    async fn exchange(
        &mut self,
        to: &Destination,
        kept: Option<Sender>,
        mut request: Request<http_body_util::Full<bytes::Bytes>>,
        deadline: Instant,
    ) -> Result<(Sender, hyper::Response<Incoming>), SendError> {
        let mut kept = kept;
        loop {
            let was_kept = kept.is_some();
            let mut sender = match kept.take() {
                Some(sender) => sender,
                None => {
                    self.connector
                        .connect(to, self.connect_limit(deadline))
                        .await?
                }
            };
            self.sent += 1;
            let left = deadline.saturating_duration_since(Instant::now());
            let mut error = match timeout(left, sender.try_send_request(request)).await {
                Ok(Ok(response)) => {
                    self.last_date = answer::date(response.headers()).or(self.last_date);
                    return Ok((sender, response));
                }
                Ok(Err(error)) => error,
                Err(_) => return Err(out_of_time(left)),
            };
            match error.take_message() {
                Some(untouched) => {
                    self.sent -= 1;
                    if !was_kept {
                        let reason =
                            format!("{}:{} closed the connection at once", to.host, to.port);
                        return Err(SendError::Unreachable(reason));
                    }
                    request = untouched;
                }
                None => return Err(SendError::Interrupted(chain(&error.into_error()))),
            }
        }
    }

    fn connect_limit(&self, deadline: Instant) -> Duration {
        self.limits
            .connect_time
            .min(deadline.saturating_duration_since(Instant::now()))
    }

    async fn take_idle(&mut self, to: &Destination) -> Option<Sender> {
        let mut sender = self.idle.remove(&(to.host.clone(), to.port))?;
        sender.ready().await.ok()?;
        Some(sender)
    }

    /// The one line that the log gets: never a header, a body or a query.
    fn record(
        &self,
        method: &str,
        url: Option<&Url>,
        result: &Result<WireResponse, SendError>,
        took: Duration,
    ) {
        let provider = self.provider.as_str();
        let host = url.and_then(Url::host_str).unwrap_or("?");
        let path = url.map_or("?", Url::path);
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
                tracing::warn!(target: TARGET, provider, method, host, path, error = error.kind(), ms, "{error}");
            }
        }
    }
}

/// Under which the daemon's log filter finds the requests of providers.
const TARGET: &str = "rotord_provider::http";

fn out_of_time(allowed: Duration) -> SendError {
    SendError::Interrupted(format!("no whole answer within {allowed:.1?}"))
}
