//! The test build's part: the place that was asked for, and the end.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Signal, getpid, kill_process};

use crate::Point;

const VARIABLE: &str = "ROTORD_CRASH_AT";

struct Order {
    at: Point,
    /// Counts down to the time that is meant.
    left: AtomicU32,
}

/// The order of this process.
static ORDER: OnceLock<Option<Order>> = OnceLock::new();

/// Ends the process if this is the place, the time that was asked for.
pub(crate) fn reach(point: Point) {
    assert!(
        Point::all().any(|known| known == point),
        "{point} is missing from the list of places"
    );
    let Some(order) = ORDER.get_or_init(order) else {
        return;
    };
    if order.at == point && order.left.fetch_sub(1, Ordering::Relaxed) == 1 {
        // Nothing of this process runs on after it.
        let _ = kill_process(getpid(), Signal::KILL);
        loop {
            std::thread::park();
        }
    }
}

/// A test that says it wrongly must not pass for one in which nothing happened.
#[expect(clippy::panic, reason = "a test build, and a wrong test")]
fn order() -> Option<Order> {
    let text = std::env::var(VARIABLE).ok()?;
    let (name, nth) = text.split_once(':').unwrap_or((&text, "1"));
    match (name.parse(), nth.parse()) {
        (Ok(at), Ok(nth)) if nth > 0 => Some(Order {
            at,
            left: AtomicU32::new(nth),
        }),
        _ => panic!("{VARIABLE}={text}: it is PLACE or PLACE:TIMES"),
    }
}
