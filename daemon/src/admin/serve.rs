//! Accepting connections, on a thread of its own, and answering them with actix-web.
//!
//! Not with its own server: that keeps the time for the `Date` header twice a second, whether anybody asks or not. Here
//! the application is there while somebody is connected and a little longer, and an idle daemon sleeps.

use std::io;
use std::net::SocketAddr;
use std::os::unix::net::UnixListener as StdListener;
use std::pin::pin;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive};
use actix_rt::Arbiter;
use actix_service::boxed::{self, RcService};
use actix_service::{IntoServiceFactory as _, ServiceFactory as _, ServiceFactoryExt as _};
use actix_service::{Service as _, map_config};
use actix_web::dev::AppConfig;
use actix_web::middleware::{NormalizePath, TrailingSlash, from_fn};
use actix_web::{App, web};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::access::Access;
use super::crowd::{self, Crowd};
use super::request::BodyLimit;
use super::{Daemon, peer, request, routing};

/// Connections to the admin socket at once; further ones wait.
const MOST_ADMINS: usize = 1024;
/// How long a connection may be silent between two requests.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// How long a request's head may take to arrive.
const HEAD: Duration = Duration::from_secs(5);
/// How long a caller may take to close.
const DISCONNECT: Duration = Duration::from_secs(1);
/// How long the application is kept after the last connection: making it takes longer than most answers.
const LINGER: Duration = Duration::from_secs(10);
/// After an accept that failed: there may be no file descriptor left for a while.
const BREATH: Duration = Duration::from_millis(100);

/// One socket that is being served. Dropped, it stops without waiting for answers under way.
#[derive(Debug)]
pub struct Server {
    stop: watch::Sender<bool>,
    ended: oneshot::Receiver<()>,
    thread: Arbiter,
}

impl Server {
    pub(super) fn start(
        listener: StdListener,
        daemon: Daemon,
        body_limit: usize,
        stop: watch::Sender<bool>,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let (end, ended) = oneshot::channel();
        let thread = Arbiter::new();
        // What it makes stays on its thread.
        thread.spawn_fn(move || {
            actix_rt::spawn(async move {
                match UnixListener::from_std(listener) {
                    Ok(listener) => Door::new(daemon, body_limit).keep(listener).await,
                    Err(error) => tracing::error!(%error, "a socket can't be served"),
                }
                // Nobody waits for it where the daemon does not stop.
                let _ = end.send(());
            });
        });
        Ok(Self {
            stop,
            ended,
            thread,
        })
    }

    /// Accepts nothing more, answers what is under way, and returns when all of it is answered.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        // An error says that it has ended already.
        let _ = (&mut self.ended).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.thread.stop();
    }
}

type Application = RcService<(UnixStream, Option<SocketAddr>), (), DispatchError>;

struct Door {
    daemon: Daemon,
    body_limit: usize,
    most: usize,
    crowd: Option<Crowd>,
}

impl Door {
    fn new(daemon: Daemon, body_limit: usize) -> Self {
        // The admin socket is for few, whom the kernel chooses.
        let (most, crowd) = match &daemon.access {
            Access::Everything => (MOST_ADMINS, None),
            Access::Granted(_) => (crowd::ALL, Some(Crowd::default())),
        };
        Self {
            daemon,
            body_limit,
            most,
            crowd,
        }
    }

    /// Lets callers in until it is told to stop, and then waits for those who are in.
    async fn keep(self, listener: UnixListener) {
        let mut connections = JoinSet::new();
        let mut application: Option<Application> = None;
        let mut stopping = self.daemon.stopping.clone();
        let mut stop = pin!(stopping.wait_for(|stop| *stop));
        let mut idle_since = Instant::now();
        loop {
            tokio::select! {
                biased;
                _ = &mut stop => break,
                Some(_) = connections.join_next() => idle_since = Instant::now(),
                accepted = listener.accept(), if connections.len() < self.most => match accepted {
                    Ok((stream, _)) => {
                        let Some(application) = self.open(&mut application).await else {
                            continue;
                        };
                        connections.spawn_local(application.call((stream, None)));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        sleep(BREATH).await;
                    }
                },
                () = sleep_until(idle_since + LINGER), if connections.is_empty() && application.is_some() => {
                    application = None;
                }
            }
        }
        drop(listener);
        while connections.join_next().await.is_some() {}
    }

    /// The application, made where there is none.
    async fn open(&self, application: &mut Option<Application>) -> Option<Application> {
        if application.is_none() {
            let made = self.application().await;
            if made.is_err() {
                tracing::error!(
                    "the application for a socket can't be made: its callers are turned away"
                );
            }
            *application = made.ok();
        }
        application.clone()
    }

    async fn application(&self) -> Result<Application, ()> {
        let app = {
            let routes = match &self.daemon.access {
                Access::Everything => routing::admin,
                Access::Granted(_) => routing::reader,
            };
            App::new()
                .app_data(web::Data::clone(&self.daemon))
                .app_data(web::PayloadConfig::new(self.body_limit))
                .app_data(BodyLimit(self.body_limit))
                .configure(routes)
                .wrap(from_fn(request::around))
                .wrap(NormalizePath::new(TrailingSlash::Trim))
                .into_factory()
                .map_err(|error: actix_web::Error| error.error_response())
        };
        let (daemon, crowd) = (web::Data::clone(&self.daemon), self.crowd.clone());
        let stopping = self.daemon.stopping.clone();
        let service = HttpService::build()
            .keep_alive(KeepAlive::Timeout(KEEP_ALIVE))
            .client_request_timeout(HEAD)
            .client_disconnect_timeout(DISCONNECT)
            // As actix-web's own server does: it ends silent connections, and each other one after its answer.
            .graceful_shutdown_signal(move || {
                let mut stopping = stopping.clone();
                async move {
                    // An error says that nobody can stop it any more, as good as a stop.
                    let _ = stopping.wait_for(|stop| *stop).await;
                }
            })
            .on_connect_ext(move |connection: &UnixStream, extensions| {
                peer::note(connection, extensions);
                if let Some(crowd) = &crowd {
                    crowd.admit(&daemon.access, connection, extensions);
                }
            })
            .h1(map_config(app, |()| AppConfig::default()));
        service.new_service(()).await.map(boxed::rc_service)
    }
}
