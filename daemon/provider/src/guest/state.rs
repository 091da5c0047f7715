//! What a store holds for its guest: the capabilities that it is lent.

use std::time::Instant;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error as WasiHttpError, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use super::MOST_RESOURCES;
use super::limiter::Limiter;
use super::output::Output;
use crate::bindings::{http, log};
use crate::http::HttpSession;
use crate::log::GuestLog;
use crate::scrub::Scrubber;
use crate::settings::Limits;
use crate::ticker::{Running, TICK, TickerHandle};

/// Random bytes that a guest may ask for at once.
const MOST_RANDOM: u64 = 64 * 1024;

/// Bytes of one list of headers in `wasi:http`, which leads nowhere. They lie in the host's memory, not in the
/// guest's, once for each of the [`MOST_RESOURCES`] that a guest may hold.
const LONGEST_FIELDS: usize = 4 * 1024;

/// One guest's state on the host's side.
pub(crate) struct GuestState {
    pub(crate) limiter: Limiter,
    pub(crate) http: HttpSession,
    pub(crate) log: GuestLog,
    pub(crate) scrubber: Scrubber,
    pub(crate) output: Output,
    ticker: TickerHandle,
    /// Present while the guest itself runs.
    running: Option<Running>,
    /// Since when it does, or did.
    since: Instant,
    /// It went on when it was last asked to let others run.
    went_on: bool,
    wasi: WasiCtx,
    wasi_http: WasiHttpCtx,
    refusal: RefuseHttp,
    resources: ResourceTable,
}

impl GuestState {
    pub(crate) fn new(
        limits: &Limits,
        ticker: TickerHandle,
        http: HttpSession,
        log: GuestLog,
        scrubber: Scrubber,
    ) -> Self {
        let output = Output::default();
        // Nothing is inherited: no environment, arguments, directories, and no sockets.
        let wasi = WasiCtxBuilder::new()
            .stdout(output.clone())
            .stderr(output.clone())
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .max_random_size(MOST_RANDOM)
            .build();
        let mut wasi_http = WasiHttpCtx::new();
        wasi_http.set_field_size_limit(LONGEST_FIELDS);
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(MOST_RESOURCES);
        Self {
            limiter: Limiter::new(limits.memory),
            http,
            log,
            scrubber,
            output,
            running: Some(ticker.run()),
            since: Instant::now(),
            went_on: false,
            ticker,
            wasi,
            wasi_http,
            refusal: RefuseHttp,
            resources,
        }
    }

    /// The epoch went on, for others too: a guest that waited for the network meanwhile and runs since a moment ago goes on.
    /// Never twice in a row: not everything that it asks of the host makes it wait.
    pub(crate) fn may_go_on(&mut self, now: Instant) -> bool {
        let has_run = now.saturating_duration_since(self.since);
        self.went_on = has_run < TICK && !self.went_on;
        self.went_on
    }
}

impl http::Host for GuestState {
    async fn send(
        &mut self,
        request: http::Request,
    ) -> wasmtime::Result<Result<http::Response, http::Error>> {
        self.running = None;
        let answer = self.http.send(request, &self.scrubber).await;
        self.running = Some(self.ticker.run());
        self.since = Instant::now();
        if let Ok(answer) = &answer {
            self.scrubber.learn(&answer.body);
        }
        Ok(answer.map_err(http::Error::from))
    }
}

impl log::Host for GuestState {
    async fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Debug => tracing::Level::DEBUG,
            log::Level::Info => tracing::Level::INFO,
            log::Level::Warn => tracing::Level::WARN,
            log::Level::Error => tracing::Level::ERROR,
        };
        self.log.push(level, message);
        Ok(())
    }
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.resources,
        }
    }
}

impl WasiHttpView for GuestState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.wasi_http,
            table: &mut self.resources,
            hooks: &mut self.refusal,
        }
    }
}

/// `wasi:http` links so that guests of other languages' toolchains load, and refuses: `rotor:provider/http`
/// is the way out.
struct RefuseHttp;

impl WasiHttpHooks for RefuseHttp {
    fn send_request(
        &mut self,
        _request: ::http::Request<WasiBody>,
        _options: Option<wasmtime_wasi_http::RequestOptions>,
        _sent: Box<dyn Future<Output = Result<(), WasiHttpError>> + Send>,
    ) -> Box<
        dyn Future<
                Output = wasmtime_wasi_http::Result<(
                    ::http::Response<WasiBody>,
                    Box<dyn Future<Output = Result<(), WasiHttpError>> + Send>,
                )>,
            > + Send,
    > {
        Box::new(async { Err(WasiHttpError::HttpRequestDenied) })
    }
}

#[cfg(test)]
mod tests {
    use wasmtime_wasi_http::p2::bindings::http::types::HostFields as _;

    use super::*;
    use crate::http::{Authorities, Connector, EgressPolicy};
    use crate::settings::EngineKind;
    use crate::ticker::Ticker;

    #[test]
    fn headers_that_lead_nowhere_hold_little_of_the_hosts_memory() {
        let engine = crate::engine::build(EngineKind::Pulley, &Limits::default()).unwrap();
        let ticker = Ticker::start(&engine).unwrap();
        let limits = Limits::default();
        let session = HttpSession::new(
            String::new(),
            "check",
            Connector::new(Authorities::default()),
            EgressPolicy::default(),
            limits.clone(),
            Instant::now(),
        );
        let log = GuestLog::new(1, 1);
        let mut state =
            GuestState::new(&limits, ticker.handle(), session, log, Scrubber::default());
        let mut list = |size| {
            state
                .http()
                .from_list(vec![("a".to_owned(), vec![b'x'; size])])
                .is_ok()
        };
        assert!(list(LONGEST_FIELDS / 2));
        assert!(!list(LONGEST_FIELDS));
    }
}
