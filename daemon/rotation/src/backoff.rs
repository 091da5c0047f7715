//! Exponential waits.

use std::time::Duration;

/// `first * 2^tries`, at most `most`.
pub fn exponential(first: Duration, most: Duration, tries: u32) -> Duration {
    let factor = 1u32.checked_shl(tries.min(30)).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_bound_and_never_overflow() {
        let wait =
            |tries| exponential(Duration::from_mins(1), Duration::from_hours(6), tries).as_secs();
        assert_eq!([wait(0), wait(1), wait(2)], [60, 120, 240]);
        assert_eq!(
            [wait(9), wait(40), wait(u32::MAX)],
            [21_600, 21_600, 21_600]
        );
    }
}
