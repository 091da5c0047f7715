//! HTTP on the Unix sockets. Only this module knows HTTP.
//!
//! Two sockets, one set of handlers: on the admin socket whoever the kernel lets connect may do everything; on the
//! reader socket anyone may connect and reads what the settings grant to his user or groups. Who is on the other
//! end is what the kernel says (`SO_PEERCRED`); a connection of which it says nothing is answered with 403.
//!
//! | Module | Knows |
//! |---|---|
//! | `routing` | which handler serves which route |
//! | `peer`, `access`, `crowd` | who is calling, what he may read, and how many may at once |
//! | `error`, `request` | the shape of errors, reading bodies and queries |
//! | `rotations`, `connections`, `secrets`, `projects`, `status` | a resource each |
//! | `doctor`, and a file below it for each kind of look | what would make rotations fail |
//! | `backup` | the whole of it as one sealed file |
//! | `openapi` | the description that is generated from the handlers |

mod access;
mod audit;
mod backup;
mod connections;
mod crowd;
mod describe;
mod doctor;
mod error;
mod lookup;
mod openapi;
mod peer;
mod projects;
mod request;
mod rotations;
mod routing;
mod secrets;
mod status;
#[cfg(test)]
mod tests;

use std::io;
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use actix::Addr;
use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::{NormalizePath, TrailingSlash, from_fn};
use actix_web::{App, HttpResponse, HttpServer, web};
use chrono::{DateTime, Utc};
use rotord_rotation::{InstallationId, Timing};

use self::access::Access;
use self::audit::Reads;
use self::crowd::Crowd;
use self::error::ApiError;
use crate::actors::rotator::Rotator;
use crate::actors::scheduler::Scheduler;
use crate::actors::store::StoreHandle;
use crate::clock::Clock;
use crate::providers::Providers;
use crate::settings::Settings;

/// Seconds for which a stop waits for answers under way.
const SHUTDOWN: u64 = 2;
/// The largest body on the reader socket, whose routes take none.
const READER_BODY: usize = 4096;

/// Connections to the admin socket at once; further ones wait.
const MOST_ADMINS: usize = 1024;

/// What the handlers work with.
#[derive(Debug, Clone)]
pub struct Admin {
    /// The books.
    pub store: StoreHandle,
    /// Who performs what people order.
    pub rotator: Addr<Rotator>,
    /// Who knows what is due next.
    pub scheduler: Addr<Scheduler>,
    /// The providers.
    pub providers: Providers,
    /// The clocks.
    pub clock: Clock,
    /// The bounds, scaled.
    pub timing: Timing,
    /// Whose labels are ours.
    pub installation: InstallationId,
    /// What the administrator decided.
    pub settings: Arc<Settings>,
}

/// Serves the admin socket. Nothing is answered before the returned server is polled.
///
/// # Errors
/// The listener can't be taken over.
pub fn serve_admin(listener: UnixListener, admin: Admin) -> io::Result<(Server, ServerHandle)> {
    let limit = admin.settings.admin.body_limit;
    serve(listener, admin, Access::Everything, limit)
}

/// Serves the reader socket: the routes that read secrets, for those whom the settings grant some.
///
/// # Errors
/// The listener can't be taken over.
pub fn serve_reader(listener: UnixListener, admin: Admin) -> io::Result<(Server, ServerHandle)> {
    let access = Access::granted(&admin.settings.reader);
    serve(listener, admin, access, READER_BODY)
}

/// One per socket.
struct Shared {
    admin: Admin,
    access: Access,
    started_at: DateTime<Utc>,
    reads: Reads,
}

type Daemon = web::Data<Shared>;
type Reply = Result<HttpResponse, ApiError>;

fn serve(
    listener: UnixListener,
    admin: Admin,
    access: Access,
    body_limit: usize,
) -> io::Result<(Server, ServerHandle)> {
    // The admin socket is for few, whom the kernel chooses.
    let crowd = match &access {
        Access::Everything => None,
        Access::Granted(_) => Some((Crowd::default(), access.clone())),
    };
    let most = match &access {
        Access::Everything => MOST_ADMINS,
        Access::Granted(_) => crowd::ALL,
    };
    let shared = web::Data::new(Shared {
        started_at: admin.clock.now().wall,
        admin,
        access,
        reads: Reads::default(),
    });
    let server = HttpServer::new(move || {
        let routes = match &shared.access {
            Access::Everything => routing::admin,
            Access::Granted(_) => routing::reader,
        };
        App::new()
            .app_data(web::Data::clone(&shared))
            .app_data(web::PayloadConfig::new(body_limit))
            .configure(routes)
            .wrap(from_fn(request::around))
            .wrap(NormalizePath::new(TrailingSlash::Trim))
    })
    .workers(1)
    .max_connections(most)
    .disable_signals()
    .shutdown_timeout(SHUTDOWN)
    // Before `listen_uds`, which takes the callback over as it is then.
    .on_connect(move |connection, extensions| {
        peer::note(connection, extensions);
        if let Some((crowd, access)) = &crowd {
            crowd.admit(access, connection, extensions);
        }
    })
    .listen_uds(listener)?
    .run();
    let handle = server.handle();
    Ok((server, handle))
}

impl std::ops::Deref for Shared {
    type Target = Admin;

    fn deref(&self) -> &Admin {
        &self.admin
    }
}
