//! Instants and times of day, in the caller's zone and in UTC.

use std::str::FromStr;

use chrono::{DateTime, Days, LocalResult, NaiveDate, NaiveTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use rotord_api::Timestamp;
use rotord_api::rotation::TimeOfDay;

use crate::duration::roughly;

/// What to tell a person whose zone is not known.
pub(crate) const ZONE_NOT_KNOWN: &str =
    "this system names no time zone, so the time of day is taken for UTC; say --zone for another";

/// The time at which the program was started, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// Now.
    pub(crate) now: DateTime<Utc>,
    /// The caller's zone; UTC where the system names none.
    pub(crate) zone: Tz,
    /// Whether the system names one.
    pub(crate) knows_zone: bool,
}

impl Clock {
    /// The system's.
    pub(crate) fn system() -> Self {
        let zone = local_zone();
        Self {
            now: Utc::now(),
            zone: zone.unwrap_or(Tz::UTC),
            knows_zone: zone.is_some(),
        }
    }

    /// An instant for a person: their own time, and how far away it is.
    pub(crate) fn show(&self, at: Timestamp) -> String {
        let local =
            at.0.with_timezone(&self.zone)
                .format("%Y-%m-%d %H:%M:%S %Z");
        format!("{local} ({})", self.distance(at))
    }

    /// An instant: for a person how far away it is, else in ISO 8601; a dash where there is none.
    pub(crate) fn short(&self, at: Option<Timestamp>, person: bool) -> String {
        match at {
            Some(at) if person => self.distance(at),
            at => self.cell(at, person),
        }
    }

    /// An instant: for a person as [`Clock::show`], else in ISO 8601; a dash where there is none.
    pub(crate) fn cell(&self, at: Option<Timestamp>, person: bool) -> String {
        match at {
            None => "-".to_owned(),
            Some(at) if person => self.show(at),
            Some(at) => at.to_string(),
        }
    }

    /// A time of day, in its own zone, where it has one, and in UTC, or in UTC and the caller's where that is another.
    pub(crate) fn rotate_at(&self, zoned: Option<(&str, TimeOfDay)>, utc: TimeOfDay) -> String {
        match zoned {
            Some((zone, local)) => format!("{local} {zone} ({utc} UTC)"),
            None if is_utc(self.zone) => format!("{utc} UTC"),
            None => format!("{utc} UTC ({} {} now)", self.local_of(utc), self.zone),
        }
    }

    /// The next time of day in UTC at which this one comes in `zone`.
    pub(crate) fn utc_of(&self, local: TimeOfDay, zone: Tz) -> TimeOfDay {
        let today = self.now.with_timezone(&zone).date_naive();
        let at = [Some(today), today.checked_add_days(Days::new(1))]
            .into_iter()
            .flatten()
            .filter_map(|date| first_instant(date, local, zone))
            .find(|at| *at >= self.now);
        at.map_or(local, |at| TimeOfDay {
            hours: at.hour(),
            minutes: at.minute(),
        })
    }

    /// The caller's time of day at one in UTC, today.
    pub(crate) fn local_of(&self, utc: TimeOfDay) -> TimeOfDay {
        let at = first_instant(self.now.date_naive(), utc, Tz::UTC)
            .unwrap_or(self.now)
            .with_timezone(&self.zone);
        TimeOfDay {
            hours: at.hour(),
            minutes: at.minute(),
        }
    }

    /// A text of the daemon's, with its instants as they are shown everywhere: see [`Clock::cell`].
    pub(crate) fn in_words(&self, text: &str, person: bool) -> String {
        let mut shown = String::new();
        let mut rest = text;
        let mut before = ' ';
        while let Some(letter) = rest.chars().next() {
            let found = (!before.is_alphanumeric()).then(|| instant(rest)).flatten();
            if let Some((at, length)) = found {
                shown.push_str(&self.cell(Some(at), person));
                rest = &rest[length..];
                before = ' ';
            } else {
                shown.push(letter);
                rest = &rest[letter.len_utf8()..];
                before = letter;
            }
        }
        shown
    }

    fn distance(&self, at: Timestamp) -> String {
        match (at.0 - self.now).to_std() {
            Ok(ahead) => format!("in {}", roughly(ahead)),
            Err(_) => format!(
                "{} ago",
                roughly((self.now - at.0).to_std().unwrap_or_default())
            ),
        }
    }
}

/// An instant in UTC that a text begins with, in one of the daemon's two forms, and how long it is in bytes:
/// `2026-03-01T10:00:00.000Z` or `2026-03-01 10:00:00 UTC`.
fn instant(text: &str) -> Option<(Timestamp, usize)> {
    let (date, rest) = text.split_at_checked(10)?;
    let end = match rest.as_bytes().first()? {
        b'T' => "Z",
        b' ' => " UTC",
        _ => return None,
    };
    let time = rest[1..].bytes();
    let length = time
        .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'))
        .count();
    let time = &rest[1..=length];
    rest[1 + length..].starts_with(end).then_some(())?;
    let at = DateTime::parse_from_rfc3339(&format!("{date}T{time}Z")).ok()?;
    Some((Timestamp(at.to_utc()), 10 + 1 + length + end.len()))
}

/// Reads a time of day such as `02:30`.
///
/// # Errors
/// What would be right, for a person.
pub(crate) fn parse_time_of_day(text: &str) -> Result<TimeOfDay, String> {
    let wrong = || "write it like 02:30, from 00:00 to 23:59".to_owned();
    let (hours, minutes) = text.trim().split_once(':').ok_or_else(wrong)?;
    let number = |part: &str, below: u32| {
        let digits =
            !part.is_empty() && part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse()
            .ok()
            .filter(|number: &u32| digits && *number < below)
            .ok_or_else(wrong)
    };
    Ok(TimeOfDay {
        hours: number(hours, 24)?,
        minutes: number(minutes, 60)?,
    })
}

/// Reads the name of a zone such as `Europe/Berlin`.
///
/// # Errors
/// What would be right, for a person.
pub(crate) fn parse_zone(text: &str) -> Result<Tz, String> {
    Tz::from_str(text.trim())
        .map_err(|_| "write an IANA name such as Europe/Berlin or UTC".to_owned())
}

/// Whether a zone is UTC by one of its names.
pub(crate) fn is_utc(zone: Tz) -> bool {
    matches!(
        zone,
        Tz::UTC
            | Tz::Etc__UTC
            | Tz::Etc__UCT
            | Tz::Etc__Zulu
            | Tz::Etc__Universal
            | Tz::UCT
            | Tz::Universal
            | Tz::Zulu
    )
}

/// The first instant of a date at or after a time of day there: a time that is skipped is the one after the
/// gap, one that comes twice is the first.
fn first_instant(date: NaiveDate, time: TimeOfDay, zone: Tz) -> Option<DateTime<Utc>> {
    let start = date.and_time(NaiveTime::from_hms_opt(time.hours, time.minutes, 0)?);
    // No zone has ever skipped more than a day.
    (0..=24 * 60).find_map(|minutes| {
        let local = start + chrono::TimeDelta::minutes(minutes);
        match zone.from_local_datetime(&local) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.with_timezone(&Utc)),
            LocalResult::None => None,
        }
    })
}

fn local_zone() -> Option<Tz> {
    let named = std::env::var("TZ")
        .ok()
        .and_then(|name| Tz::from_str(name.trim_start_matches(':')).ok());
    named.or_else(|| Tz::from_str(&iana_time_zone::get_timezone().ok()?).ok())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use chrono_tz::Tz;
    use rotord_api::rotation::TimeOfDay;

    use super::{Clock, parse_time_of_day, parse_zone};

    fn clock(now: &str, zone: Tz) -> Clock {
        Clock {
            now: now.parse::<DateTime<Utc>>().unwrap(),
            zone,
            knows_zone: true,
        }
    }

    fn at(text: &str) -> TimeOfDay {
        parse_time_of_day(text).unwrap()
    }

    #[test]
    fn times_of_day_are_read_strictly() {
        assert_eq!(at("2:05").to_string(), "02:05");
        for wrong in [
            "24:00", "12:60", "12", "", "12:", "+1:00", "001:00", "1:00am",
        ] {
            assert!(parse_time_of_day(wrong).is_err(), "{wrong}");
        }
        assert!(parse_zone("Europe/Berlin").is_ok());
        assert!(parse_zone("Berlin").is_err());
    }

    #[test]
    fn local_times_follow_the_zones_clock() {
        for (now, utc) in [
            ("2026-01-15T12:00:00Z", "01:30"),
            ("2026-07-15T12:00:00Z", "00:30"),
        ] {
            assert_eq!(
                clock(now, Tz::UTC).utc_of(at("02:30"), Tz::Europe__Berlin),
                at(utc)
            );
        }
    }

    #[test]
    fn a_skipped_time_is_the_first_after_the_gap_and_a_repeated_one_the_first() {
        // Berlin skips 02:00..03:00 on 29 March 2026 and repeats it on 25 October 2026.
        assert_eq!(
            clock("2026-03-28T23:30:00Z", Tz::UTC).utc_of(at("02:30"), Tz::Europe__Berlin),
            at("01:00")
        );
        assert_eq!(
            clock("2026-10-24T23:00:00Z", Tz::UTC).utc_of(at("02:30"), Tz::Europe__Berlin),
            at("00:30")
        );
    }

    #[test]
    fn instants_in_the_daemons_words_are_shown_like_others() {
        let clock = clock("2026-03-01T10:00:00Z", Tz::Europe__Berlin);
        for (text, person, program) in [
            (
                "due at 2026-03-01 11:00:00.25 UTC; or not",
                "due at 2026-03-01 12:00:00 CET (in 1 h); or not",
                "due at 2026-03-01T11:00:00.250Z; or not",
            ),
            (
                "next at 2026-03-01T11:00:00.000Z",
                "next at 2026-03-01 12:00:00 CET (in 1 h)",
                "next at 2026-03-01T11:00:00.000Z",
            ),
            (
                "ä 2026-13-01T11:00:00Z",
                "ä 2026-13-01T11:00:00Z",
                "ä 2026-13-01T11:00:00Z",
            ),
            ("on 2026-03-01", "on 2026-03-01", "on 2026-03-01"),
            (
                "x2026-03-01T11:00:00Z",
                "x2026-03-01T11:00:00Z",
                "x2026-03-01T11:00:00Z",
            ),
        ] {
            assert_eq!(clock.in_words(text, true), person);
            assert_eq!(clock.in_words(text, false), program);
        }
    }

    #[test]
    fn instants_are_shown_in_the_callers_zone_with_their_distance() {
        let clock = clock("2026-03-01T10:00:00Z", Tz::Europe__Berlin);
        let ahead = "2026-03-04T11:00:00Z".parse::<DateTime<Utc>>().unwrap();
        assert_eq!(
            clock.show(ahead.into()),
            "2026-03-04 12:00:00 CET (in 3 d 1 h)"
        );
        let past = "2026-03-01T09:59:00Z".parse::<DateTime<Utc>>().unwrap();
        assert_eq!(
            clock.show(past.into()),
            "2026-03-01 10:59:00 CET (1 min ago)"
        );
    }
}
