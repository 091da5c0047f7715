//! The clock of the daemon's test build, as its environment sets it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// The variable that sets it.
pub const VARIABLE: &str = "ROTORD_TEST_CLOCK";

/// The variable's value for a clock that runs so many times as fast as the host's and shows `shows` when that shows
/// `real`. `factor` is not 1.
pub fn showing(shows: DateTime<Utc>, real: DateTime<Utc>, factor: f64) -> String {
    // It shows `anchor + (real − anchor) × factor`.
    let ahead = shows - real;
    let since = ahead.abs().to_std().unwrap_or(Duration::ZERO);
    let since = TimeDelta::from_std(since.div_f64(factor - 1.0)).unwrap_or_default();
    let anchor = if ahead < TimeDelta::zero() {
        real + since
    } else {
        real - since
    };
    format!("{}:{factor}", anchor.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shows_what_was_asked_for_at_the_instant() {
        let real: DateTime<Utc> = "2031-03-01T01:00:00Z".parse().unwrap();
        let text = showing(real + TimeDelta::hours(48), real, 3.0);
        let anchor = real - TimeDelta::hours(24);
        assert_eq!(text, format!("{}:3", anchor.timestamp_millis()));
    }
}
