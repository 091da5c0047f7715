//! HTTP on the Unix sockets. Only this module knows HTTP.
//!
//! Two sockets, one set of handlers: on the admin socket whoever the kernel lets connect may do everything; on the
//! reader socket anyone may connect and reads what the settings grant to his user or groups. Who is on the other
//! end is what the kernel says (`SO_PEERCRED`); a connection of which it says nothing is answered with 403.
//!
//! | Module | Knows |
//! |---|---|
//! | `serve` | accepting connections, and for how long there is an application to answer them |
//! | `routing` | which handler serves which route |
//! | `peer`, `access`, `crowd` | who is calling, what he may read, and how many may at once |
//! | `error`, `request` | the shape of errors, reading bodies and queries |
//! | `rotations`, `connections`, `secrets`, `projects`, `status` | a resource each |
//! | `doctor`, and a file below it for each kind of look | what would make rotations fail |
//! | `backup` | the whole of it as one sealed file |
//! | `root_key` | which root keys open the database |
//! | `openapi` | the description that is generated from the handlers |

mod access;
mod audit;
mod backup;
mod connections;
mod crowd;
mod describe;
mod doctor;
mod error;
mod granted;
mod lookup;
mod openapi;
mod peer;
mod projects;
mod request;
mod root_key;
mod rotations;
mod routing;
mod secrets;
mod serve;
mod status;
#[cfg(test)]
mod tests;

use std::io;
use std::os::unix::net::UnixListener;

use actix::Addr;
use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use rotord_rotation::{InstallationId, Timing};
use tokio::sync::watch;

use self::access::Access;
use self::audit::Reads;
use self::error::ApiError;
use self::secrets::Kept;
pub use self::serve::Server;
use crate::actors::rotator::Rotator;
use crate::actors::scheduler::Scheduler;
use crate::actors::store::StoreHandle;
use crate::clock::Clock;
use crate::providers::Providers;
use crate::settings::InForce;

/// The largest body on the reader socket, whose routes take none.
const READER_BODY: usize = 4096;

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
    /// What the administrator decides.
    pub settings: InForce,
}

/// Serves the admin socket.
///
/// # Errors
/// The listener can't be taken over.
pub fn serve_admin(listener: UnixListener, admin: Admin) -> io::Result<Server> {
    let limit = admin.settings.now().admin.body_limit;
    serve(listener, admin, Access::Everything, limit)
}

/// Serves the reader socket: the routes that read secrets, for those whom the settings grant some.
///
/// # Errors
/// The listener can't be taken over.
pub fn serve_reader(listener: UnixListener, admin: Admin) -> io::Result<Server> {
    let access = Access::Granted(admin.settings.clone());
    serve(listener, admin, access, READER_BODY)
}

/// One per socket.
struct Shared {
    admin: Admin,
    access: Access,
    started_at: DateTime<Utc>,
    reads: Reads,
    kept: Kept,
    /// Becomes true when the daemon stops: who waits for something is not to wait on.
    stopping: watch::Receiver<bool>,
}

type Daemon = web::Data<Shared>;
type Reply = Result<HttpResponse, ApiError>;

fn serve(
    listener: UnixListener,
    admin: Admin,
    access: Access,
    body_limit: usize,
) -> io::Result<Server> {
    let (stop, stopping) = watch::channel(false);
    let shared = web::Data::new(Shared {
        started_at: admin.clock.now().wall,
        admin,
        access,
        reads: Reads::default(),
        kept: Kept::default(),
        stopping,
    });
    Server::start(listener, shared, body_limit, stop)
}

impl std::ops::Deref for Shared {
    type Target = Admin;

    fn deref(&self) -> &Admin {
        &self.admin
    }
}
