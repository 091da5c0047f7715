//! Whether the way to a connection's service is open: name, address, certificate, grant.
//!
//! Which of the hosts that a provider declares a connection needs is the provider's knowledge. So those that the
//! connection names are tried, and the declared ones where it names none.

use rotord_api::doctor::DoctorFinding;
use rotord_api::issue::Severity;
use rotord_provider::HostReach;
use rotord_provider::http::Reached;

use super::case::ConnectionCase;
use super::{Looking, failed};
use crate::admin::Shared;
use crate::codes;

pub(super) fn look<'a>(daemon: &'a Shared, case: &'a ConnectionCase) -> Looking<'a> {
    Box::pin(async move {
        let Some(provider) = &case.provider else {
            // The login has told it.
            return Vec::new();
        };
        let opened = match case.opened(daemon, provider).await {
            Ok(opened) => opened,
            Err(error) => return vec![failed(&case.about, error)],
        };
        let mut reached = provider.reach(&opened, false).await;
        if reached.is_empty() {
            reached = provider.reach(&opened, true).await;
        }
        reached
            .iter()
            .map(|host| judge(host, &case.connection.name, case.logs_in.get()))
            .collect()
    })
}

fn judge(host: &HostReach, connection: &str, logs_in: bool) -> DoctorFinding {
    let HostReach {
        host,
        named_by_connection,
        reached,
    } = host;
    let severity = match reached {
        Reached::Yes { .. } => Severity::Fine,
        // It is not needed, or withheld on purpose.
        _ if logs_in && !named_by_connection => Severity::Fine,
        Reached::NotGranted if !named_by_connection => Severity::Fine,
        _ => Severity::Problem,
    };
    let mut message = words(reached);
    if severity == Severity::Fine && !matches!(reached, Reached::Yes { .. }) {
        message.push_str("; the connection was not seen to need it");
    }
    let about = format!("host {host} of connection {connection}");
    DoctorFinding::new(codes::of_reached(reached), severity, about, message)
}

fn words(reached: &Reached) -> String {
    match reached {
        Reached::Yes { address } => format!("reached at {address}; its certificate is trusted"),
        Reached::NotGranted => "the settings withhold it from the provider".to_owned(),
        Reached::NoName(why) => format!("its name can't be resolved: {why}"),
        Reached::PrivateAddress(addresses) => {
            let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
            format!(
                "its name leads to {}, which is not granted",
                addresses.join(", ")
            )
        }
        Reached::NoConnection(why) => format!("no connection could be made: {why}"),
        Reached::TimedOut(limit) => format!("it did not answer within {} s", limit.as_secs()),
        Reached::NoTls(why) => format!("no TLS session came about: {why}"),
        Reached::NoAuthorities(why) => why.clone(),
        Reached::Refused(certificate) => certificate.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_is_not_needed_is_no_problem() {
        let host = |named_by_connection, reached| HostReach {
            host: "a.example".parse().unwrap(),
            named_by_connection,
            reached,
        };
        let unknown = || Reached::NoName("no such name".to_owned());
        for (host, logs_in, code, severity) in [
            (
                host(true, unknown()),
                true,
                "host-unknown",
                Severity::Problem,
            ),
            (host(false, unknown()), true, "host-unknown", Severity::Fine),
            (
                host(false, unknown()),
                false,
                "host-unknown",
                Severity::Problem,
            ),
            (
                host(false, Reached::NotGranted),
                false,
                "host-closed",
                Severity::Fine,
            ),
            (
                host(true, Reached::NotGranted),
                false,
                "host-closed",
                Severity::Problem,
            ),
        ] {
            let found = judge(&host, "azure", logs_in);
            assert_eq!((found.code.as_str(), found.severity), (code, severity));
            assert_eq!(found.about, "host a.example of connection azure");
        }
    }
}
