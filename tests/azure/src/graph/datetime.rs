//! Times as Graph writes and reads them: UTC with `Z`, and as many digits of a second as are not zero,
//! up to seven. Durations as it writes them.

use chrono::{DateTime, SubsecRound, Timelike, Utc};

/// Writes a time.
pub(super) fn write(time: DateTime<Utc>) -> String {
    let whole = time.format("%Y-%m-%dT%H:%M:%S");
    let ticks = time.nanosecond() / 100;
    if ticks == 0 {
        return format!("{whole}Z");
    }
    let fraction = format!("{ticks:07}");
    format!("{whole}.{}Z", fraction.trim_end_matches('0'))
}

/// Reads a time with any offset, to 100 ns.
pub(super) fn read(text: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(time.with_timezone(&Utc).trunc_subsecs(7))
}

/// Writes a duration in days and what is left of them, such as `P4DT12H30M5S`.
pub(super) fn duration(seconds: u64) -> String {
    let days = seconds / 86_400;
    let parts = [
        (seconds / 3600 % 24, 'H'),
        (seconds / 60 % 60, 'M'),
        (seconds % 60, 'S'),
    ];
    let rest: Vec<String> = parts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    match (days, rest.concat().as_str()) {
        (0, "") => "PT0S".to_owned(),
        (0, rest) => format!("PT{rest}"),
        (days, "") => format!("P{days}D"),
        (days, rest) => format!("P{days}DT{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_name_what_is_not_zero() {
        for (seconds, written) in [
            (0, "PT0S"),
            (5, "PT5S"),
            (90 * 86_400, "P90D"),
            (36 * 3600, "P1DT12H"),
            (4 * 86_400 + 12 * 3600 + 30 * 60 + 5, "P4DT12H30M5S"),
        ] {
            assert_eq!(duration(seconds), written);
        }
    }

    #[test]
    fn offsets_are_converted_and_digits_kept() {
        for (given, written) in [
            ("2022-05-07T06:52:43Z", "2022-05-07T06:52:43Z"),
            (
                "2021-10-12T17:05:26.1557753+08:00",
                "2021-10-12T09:05:26.1557753Z",
            ),
            ("2021-10-12T09:05:26.150Z", "2021-10-12T09:05:26.15Z"),
            (
                "2021-10-12T09:05:26.123456789Z",
                "2021-10-12T09:05:26.1234567Z",
            ),
        ] {
            assert_eq!(write(read(given).unwrap()), written);
        }
        assert!(read("2021-10-12T09:05:26").is_none());
        assert!(read("tomorrow").is_none());
    }
}
