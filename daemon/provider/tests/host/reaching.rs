//! Whether a host can be reached, and where the way to it is closed.

use std::time::Duration;

use rotord_provider::http::{Certificate, Reached};
use rotord_provider::{Grant, HostSettings, Limits};

use crate::server::{Behaviour, Server};
use crate::support::{Echo, Reach as _, connection};

/// How far the host of this URL is reached.
async fn reach(url: impl AsRef<str>, change: impl FnOnce(&mut HostSettings)) -> Reached {
    let echo = Echo::with(change).await;
    let connection = connection(&[("url", url.as_ref())]);
    let mut tried = echo.provider.reach(&connection, false).await;
    assert_eq!(tried.len(), 1, "{tried:?}");
    let host = tried.remove(0);
    assert!(host.named_by_connection);
    host.reached
}

fn grant(private: &[&str]) -> Grant {
    Grant {
        private: private.iter().map(|rule| rule.parse().unwrap()).collect(),
        ..Grant::default()
    }
}

fn granting(settings: &mut HostSettings, grant: Grant) {
    settings.grants.insert("echo".parse().unwrap(), grant);
}

#[tokio::test]
async fn a_host_that_is_reached_is_sent_nothing() {
    let server = Server::start(Behaviour::Answer(200, "fine")).await;
    let reached = reach(server.url("/"), |settings| settings.reach(&server)).await;
    assert!(
        matches!(reached, Reached::Yes { address } if address.is_loopback()),
        "{reached:?}"
    );
    assert_eq!((server.connections(), server.requests().len()), (1, 0));
}

#[tokio::test]
async fn each_closed_way_is_told_by_where_it_is_closed() {
    let server = Server::start(Behaviour::Answer(200, "fine")).await;
    let url = server.url("/");
    let host = format!("localhost:{}", server.port());
    let private = reach(&url, |_| {}).await;
    assert!(
        matches!(&private, Reached::PrivateAddress(all) if all.iter().all(std::net::IpAddr::is_loopback)),
        "{private:?}"
    );
    let withheld = reach(&url, |settings| {
        let only = Some(Vec::new());
        granting(
            settings,
            Grant {
                only,
                ..grant(&[&host])
            },
        );
    });
    assert_eq!(withheld.await, Reached::NotGranted);
    assert_eq!(
        server.connections(),
        0,
        "nothing may be tried that is not granted"
    );
    let untrusted = reach(&url, |settings| granting(settings, grant(&[&host])));
    assert_eq!(untrusted.await, Reached::Refused(Certificate::Untrusted));
    let by_address = format!("127.0.0.1:{}", server.port());
    let other_name = reach(format!("https://{by_address}/"), |settings| {
        settings.reach(&server);
        granting(settings, grant(&[&by_address]));
    });
    assert_eq!(other_name.await, Reached::Refused(Certificate::OtherName));
}

#[tokio::test]
async fn nobody_there_and_no_such_name_are_told_apart() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("localhost:{}", nobody.local_addr().unwrap().port());
    drop(nobody);
    let server = Server::start(Behaviour::CloseBeforeTls).await;
    let refused = reach(format!("https://{host}/"), |settings| {
        settings.reach(&server);
        granting(settings, grant(&[&host]));
    });
    let refused = refused.await;
    assert!(matches!(&refused, Reached::NoConnection(_)), "{refused:?}");
    let hung_up = reach(server.url("/"), |settings| settings.reach(&server)).await;
    assert!(matches!(&hung_up, Reached::NoTls(_)), "{hung_up:?}");
    // A name that no resolver may know.
    let unknown = reach("https://nobody.invalid/", |settings| {
        settings.reach(&server);
        settings.limits = Limits {
            connect_time: Duration::from_mins(1),
            ..Limits::default()
        };
    });
    let unknown = unknown.await;
    assert!(matches!(&unknown, Reached::NoName(_)), "{unknown:?}");
}

#[tokio::test]
async fn a_host_that_takes_too_long_is_given_up() {
    // Connections wait here, and nobody takes them.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("localhost:{}", silent.local_addr().unwrap().port());
    let limit = Duration::from_millis(50);
    let server = Server::start(Behaviour::CloseBeforeTls).await;
    let slow = reach(format!("https://{host}/"), |settings| {
        settings.reach(&server);
        granting(settings, grant(&[&host]));
        settings.limits.connect_time = limit;
    });
    assert_eq!(slow.await, Reached::TimedOut(limit));
}
