//! Durations as a person writes and reads them.

use std::time::Duration;

/// Reads a duration such as `90s`, `2h 30m` or `7days`, as whole seconds (a started one counts).
///
/// # Errors
/// What would be right, for a person.
pub(crate) fn parse_seconds(text: &str) -> Result<u32, String> {
    let seconds = match text.trim() {
        "0" => 0,
        text => {
            let duration = humantime::parse_duration(text)
                .map_err(|_| "write it like 90s, 2h 30m or 7days".to_owned())?;
            duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
        }
    };
    u32::try_from(seconds).map_err(|_| "that is too long".to_owned())
}

/// Reads a duration of whole hours.
///
/// # Errors
/// What would be right, for a person.
pub(crate) fn parse_hours(text: &str) -> Result<u32, String> {
    let seconds = parse_seconds(text)?;
    if !seconds.is_multiple_of(3600) {
        return Err("must be whole hours, such as 12h or 7days".to_owned());
    }
    Ok(seconds / 3600)
}

/// A duration in its two largest units, such as `3days 4h`.
pub(crate) fn roughly(duration: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let seconds = duration.as_secs();
    let Some(first) = UNITS.iter().position(|(size, _)| seconds >= *size) else {
        return "0 s".to_owned();
    };
    let mut left = seconds;
    let mut parts = Vec::new();
    for (size, unit) in UNITS.iter().skip(first).take(2) {
        if left / size > 0 {
            parts.push(format!("{} {unit}", left / size));
        }
        left %= size;
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{parse_hours, parse_seconds, roughly};

    #[test]
    fn people_write_durations_with_units() {
        for (text, seconds) in [
            ("90s", 90),
            ("2h 30m", 9000),
            ("7days", 604_800),
            ("0", 0),
            ("0s", 0),
            ("1500ms", 2),
        ] {
            assert_eq!(parse_seconds(text), Ok(seconds), "{text}");
        }
        for wrong in ["", "5", "soon", "-1h", "1.5.2h", "500years"] {
            assert!(parse_seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_overlap_is_whole_hours() {
        assert_eq!(parse_hours("2days"), Ok(48));
        assert!(parse_hours("90m").is_err());
    }

    #[test]
    fn two_units_say_enough() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (3600, "1 h"),
            (90_061, "1 d 1 h"),
            (86_460, "1 d"),
        ] {
            assert_eq!(roughly(Duration::from_secs(seconds)), text);
        }
    }
}
