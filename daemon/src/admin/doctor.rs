//! `rotorctl doctor`: looks at everything that would make rotations fail, and changes nothing.
//!
//! Each kind of look is a file below this one and a line in [`CHECKS`]. What asks a provider goes through the
//! provider host as every call does; `round` bounds how long and how many at a time.

mod case;
mod database;
pub(in crate::admin) mod files;
mod granted;
mod grants;
mod hardening;
mod hosts;
mod listing;
mod login;
mod process;
pub(in crate::admin) mod providers;
mod proxy;
mod root_key;
mod round;
mod sockets;
mod space;
mod standing;
mod target;
mod timing;

use std::time::Instant;

use futures_util::future::LocalBoxFuture;
use rotord_api::catalogue;
use rotord_api::doctor::{DoctorFinding, DoctorQuery, DoctorReport};
use rotord_api::issue::Severity;
use rotord_api::routes;
use rotord_provider::CallError;
use rotord_provider::contract::FaultKind;

use self::case::{Cases, ConnectionCase, RotationCase};
use super::error::shortened;
use super::request::{Query, ok};
use super::{Daemon, Reply, Shared};
use crate::codes;

/// What a look brings. Nothing happens before it is polled.
type Looking<'a> = LocalBoxFuture<'a, Vec<DoctorFinding>>;

/// One kind of look.
enum Check {
    /// At this host and this daemon.
    Here(fn(&Shared) -> Looking<'_>),
    /// At a connection. It asks its service.
    Connection(for<'a> fn(&'a Shared, &'a ConnectionCase) -> Looking<'a>),
    /// At a connection's way to its service, without its provider.
    Network(for<'a> fn(&'a Shared, &'a ConnectionCase) -> Looking<'a>),
    /// At what the books say of a rotation.
    Books(for<'a> fn(&'a Shared, &'a RotationCase) -> Looking<'a>),
    /// At a rotation's target. It asks its service.
    Rotation(for<'a> fn(&'a Shared, &'a RotationCase) -> Looking<'a>),
}

/// Everything that is looked at. Of one connection or rotation, in this order.
const CHECKS: &[(&str, Check)] = &[
    ("process", Check::Here(process::look)),
    ("hardening", Check::Here(hardening::look)),
    ("files", Check::Here(files::look)),
    ("sockets", Check::Here(sockets::look)),
    ("space", Check::Here(space::look)),
    ("root key", Check::Here(root_key::look)),
    ("database", Check::Here(database::look)),
    ("timing", Check::Here(timing::look)),
    ("providers", Check::Here(providers::look)),
    ("grants", Check::Here(grants::look)),
    ("granted", Check::Here(granted::look)),
    ("proxy", Check::Here(proxy::look)),
    ("login", Check::Connection(login::look)),
    ("hosts", Check::Network(hosts::look)),
    ("standing", Check::Books(standing::look)),
    ("target", Check::Rotation(target::look)),
    ("listing", Check::Rotation(listing::look)),
];

/// What would make rotations fail, as far as it can be seen. Nothing is changed for it.
#[utoipa::path(get, path = routes::DOCTOR, tag = "rotord", params(DoctorQuery),
    responses((status = 200, body = DoctorReport)))]
pub(super) async fn doctor(daemon: Daemon, query: Query<DoctorQuery>) -> Reply {
    let started = Instant::now();
    let cases = Cases::of(&daemon, &query.0).await?;
    let findings = round::make(&daemon, &cases).await;
    let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(ok(&DoctorReport::new(findings, took)))
}

/// Looks at what may block, such as files, on a thread of its own.
fn off_thread(
    about: &'static str,
    look: impl FnOnce() -> Vec<DoctorFinding> + Send + 'static,
) -> Looking<'static> {
    Box::pin(async move {
        actix_web::web::block(look)
            .await
            .unwrap_or_else(|error| vec![failed(about, error)])
    })
}

/// A look that came to nothing for the daemon's own reasons.
fn failed(about: &str, error: impl std::fmt::Display) -> DoctorFinding {
    DoctorFinding::problem(&catalogue::LOOK_FAILED, about, shortened(error.to_string()))
}

/// A call that gave no answer is what a look has found.
fn of_call(error: &CallError, about: &str) -> DoctorFinding {
    let passes = error
        .fault()
        .is_some_and(|fault| fault.kind == FaultKind::Throttled);
    let severity = if passes {
        Severity::Warning
    } else {
        Severity::Problem
    };
    let entry = codes::of_call(error);
    DoctorFinding::new(entry, severity, about, shortened(error.to_string()))
}

#[cfg(test)]
mod tests {
    use rotord_provider::contract::Fault;

    use super::*;

    #[test]
    fn what_passes_by_itself_is_a_warning_and_the_rest_a_problem() {
        let fault = |kind| {
            CallError::Fault(Box::new(Fault {
                kind,
                message: "no".to_owned(),
                code: None,
                retry_after: None,
                provider_time: None,
                findings: Vec::new(),
                options: Vec::new(),
            }))
        };
        for (error, code, severity) in [
            (fault(FaultKind::Throttled), "throttled", Severity::Warning),
            (
                fault(FaultKind::Unauthorized),
                "unauthorized",
                Severity::Problem,
            ),
            (
                CallError::Host("x".to_owned()),
                "provider-failed",
                Severity::Problem,
            ),
        ] {
            let found = of_call(&error, "connection azure");
            assert_eq!((found.code.as_str(), found.severity), (code, severity));
        }
    }
}
