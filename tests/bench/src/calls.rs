//! What a provider call costs beside the network: a small guest is instantiated, called and dropped.

use std::time::{Duration, Instant};

use e2e::{Failure, built};
use rotord_provider::contract::{Connection, NamedValue, Value};
use rotord_provider::{EngineKind, Host, HostSettings};

/// Calls before any is counted.
const WARM: usize = 200;
/// Calls that are counted.
const CALLS: usize = 4000;

/// What the median call takes.
pub(crate) struct Overhead {
    /// An instance, the call and the drop of all that it had.
    pub(crate) call: Duration,
    /// With the way from the caller's task to the guests' threads and back.
    pub(crate) whole: Duration,
}

/// Calls the guest `echo`, which answers a few lines.
pub(crate) async fn overhead(engine: EngineKind) -> Result<Overhead, Failure> {
    let no_guest = "the guest can't be measured";
    let folder = tempfile::tempdir().map_err(|error| Failure::new(no_guest).because(error))?;
    let guest = built::guest("echo").map_err(|error| Failure::new(no_guest).because(error))?;
    std::fs::copy(guest, folder.path().join("echo.wasm"))
        .map_err(|error| Failure::new(no_guest).because(error))?;
    let host = Host::new(HostSettings {
        directories: vec![folder.path().to_owned()],
        engine,
        ..HostSettings::default()
    })
    .map_err(|error| Failure::new(no_guest).because(error))?;
    host.load_all().await;
    let provider = host
        .provider("echo")
        .ok_or_else(|| Failure::new("the guest `echo` does not load"))?;
    let connection = Connection {
        method: "plain".to_owned(),
        values: vec![NamedValue {
            name: "url".to_owned(),
            value: Value::Text("https://graph.example.com/v1.0".to_owned()),
        }],
    };
    let (mut calls, mut whole) = (Vec::with_capacity(CALLS), Vec::with_capacity(CALLS));
    for call in 0..WARM + CALLS {
        let start = Instant::now();
        let answered = provider.turn().await.check(&connection).await;
        let took = start.elapsed();
        if answered.result.is_err() {
            return Err(Failure::new("the guest `echo` does not answer"));
        }
        if call >= WARM {
            calls.push(answered.duration);
            whole.push(took);
        }
    }
    // Its runtime may not be dropped within another one's.
    tokio::task::spawn_blocking(move || drop((provider, host)))
        .await
        .map_err(|error| Failure::new(no_guest).because(error))?;
    Ok(Overhead {
        call: median(calls),
        whole: median(whole),
    })
}

/// There are always [`CALLS`].
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
