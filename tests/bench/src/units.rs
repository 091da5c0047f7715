//! How long units wait for their credentials when many of them start at once, as at a boot.

use std::time::Duration;

use e2e::daemon::Daemon;
use e2e::{Failure, credential};
use toml::{Table, Value};

/// How many ask at once.
pub(crate) const UNITS: usize = 200;

const UNIT: &str = "bench@.service";
const NAME: &str = "token";

/// What lets them have this secret.
pub(crate) fn grant(secret: &str) -> Value {
    let text = [
        ("unit", UNIT),
        ("credential", NAME),
        ("environment", "dev"),
        ("secret", secret),
    ];
    let text = text.map(|(key, value)| (key.to_owned(), Value::from(value)));
    Table::from_iter(text).into()
}

/// The time within which 99 of 100 have it whole.
pub(crate) async fn at_once(daemon: &Daemon) -> Result<Duration, Failure> {
    let socket = daemon.path("credentials.sock");
    let asks = std::iter::repeat_with(|| credential::load(&socket, "bench@1.service", NAME));
    let asks = asks.take(UNITS);
    let mut times = Vec::with_capacity(UNITS);
    for loaded in futures_util::future::join_all(asks).await {
        let loaded = loaded?;
        if loaded.value.is_empty() || loaded.value.len() > credential::MOST {
            return Err(Failure::new("a unit was refused its credential"));
        }
        times.push(loaded.took);
    }
    times.sort_unstable();
    // There are always as many as asked.
    Ok(times[UNITS * 99 / 100 - 1])
}
