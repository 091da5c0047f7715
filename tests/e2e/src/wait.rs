//! Waiting for something that will come, with an end to the patience.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::failure::Failure;

/// Between two looks.
const PERIOD: Duration = Duration::from_millis(20);

/// Looks until `look` sees it.
///
/// # Errors
/// It did not come within the time, or looking failed.
pub async fn until<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Result<Option<T>, Failure>,
) -> Result<T, Failure> {
    let end = Instant::now() + within;
    loop {
        if let Some(seen) = look().await? {
            return Ok(seen);
        }
        if Instant::now() >= end {
            return Err(Failure::new(format!(
                "{what}: not within {} s",
                within.as_secs()
            )));
        }
        sleep(PERIOD).await;
    }
}
