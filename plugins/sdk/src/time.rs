//! The ways in which services write times. All become [`Timestamp`]: seconds since 1970 in UTC.

use std::time::UNIX_EPOCH;

use chrono::{DateTime, SecondsFormat};

use crate::Timestamp;

/// Reads RFC 3339 with any fraction and offset, such as `2026-05-07T06:52:43.1234567Z`. The fraction is cut.
pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|time| time.timestamp())
}

/// Reads an HTTP date in each form that HTTP has: `Sun, 06 Nov 1994 08:49:37 GMT`, and from old services and
/// proxies `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`.
pub fn parse_http_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let strict = httpdate::parse_http_date(text).ok().and_then(|time| {
        let since = time.duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(since.as_secs()).ok()
    });
    // Some write a number for the zone, one digit for the day, or a wrong weekday, which adds nothing.
    let mail = |text| {
        let time = DateTime::parse_from_rfc2822(text).ok()?;
        Some(time.timestamp())
    };
    strict
        .or_else(|| mail(text))
        .or_else(|| mail(text.split_once(',')?.1.trim_start()))
}

/// Writes RFC 3339 in UTC, such as `2026-05-07T06:52:43Z`; `None` outside the years that can be written.
pub fn rfc3339(time: Timestamp) -> Option<String> {
    DateTime::from_timestamp(time, 0).map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_of_any_length_are_cut() {
        for fraction in ["", ".1", ".123", ".1234567", ".999999999"] {
            let text = format!("2024-05-07T06:52:43{fraction}Z");
            assert_eq!(parse_rfc3339(&text), Some(1_715_064_763), "{text}");
        }
    }

    #[test]
    fn offsets_are_taken_into_account() {
        assert_eq!(
            parse_rfc3339("2024-05-07T08:52:43+02:00"),
            parse_rfc3339("2024-05-07T06:52:43Z")
        );
    }

    #[test]
    fn what_is_written_reads_back() {
        assert_eq!(rfc3339(1_715_064_763).unwrap(), "2024-05-07T06:52:43Z");
        assert_eq!(
            parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777)
        );
        assert_eq!(rfc3339(784_111_777).unwrap(), "1994-11-06T08:49:37Z");
        assert_eq!(rfc3339(i64::MAX), None);
    }

    #[test]
    fn an_http_date_has_three_forms() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            // As some write it.
            "Sun, 6 Nov 1994 08:49:37 +0000",
            "6 Nov 1994 08:49:37 GMT",
            "Mon, 06 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse_http_date(text), Some(784_111_777), "{text}");
        }
        assert_eq!(
            parse_http_date("Friday, 04-Sep-26 01:51:03 GMT"),
            Some(1_788_486_663)
        );
        for nonsense in ["", "yesterday", "Sunday, 06-Nov-94", "Sun Nov 6 1994"] {
            assert_eq!(parse_http_date(nonsense), None, "{nonsense}");
        }
    }
}
