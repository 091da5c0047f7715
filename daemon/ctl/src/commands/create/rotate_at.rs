//! The time of day on the command line.

use chrono_tz::Tz;
use clap::Args;
use rotord_api::rotation::TimeOfDay;

use crate::when::{Clock, is_utc, parse_time_of_day, parse_zone};

/// When in the day to rotate, and by whose clock.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct RotateAt {
    /// The time of day, such as 02:30, in your own time zone; of a rotation that has a zone, in that
    #[arg(long, value_name = "HH:MM", value_parser = parse_time_of_day)]
    rotate_at: Option<TimeOfDay>,
    /// The time of day is meant in UTC
    #[arg(long, conflicts_with = "zone")]
    utc: bool,
    /// The time of day is meant in this zone, such as Europe/Berlin
    #[arg(long, value_name = "ZONE", value_parser = parse_zone)]
    zone: Option<Tz>,
}

impl RotateAt {
    /// The time, where it is given.
    pub(crate) fn time(&self) -> Option<TimeOfDay> {
        self.rotate_at
    }

    /// Whether only its zone is given.
    pub(crate) fn is_zone_alone(&self) -> bool {
        self.rotate_at.is_none() && self.says_zone()
    }

    /// Whether a zone is given.
    pub(crate) fn says_zone(&self) -> bool {
        self.utc || self.zone.is_some()
    }

    /// Whether it is taken for UTC only because the caller's zone is not known.
    pub(crate) fn is_guessed(&self, clock: &Clock) -> bool {
        !clock.knows_zone && !self.says_zone()
    }

    /// The zone that it is meant in; none is UTC.
    pub(crate) fn zone(&self, clock: &Clock) -> Option<Tz> {
        let zone = self.zone.unwrap_or(clock.zone);
        (!self.utc && !is_utc(zone)).then_some(zone)
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use chrono_tz::Tz;

    use super::RotateAt;
    use crate::when::Clock;

    #[test]
    fn the_callers_zone_counts_unless_another_is_said() {
        let here = Clock {
            now: Utc::now(),
            zone: Tz::Europe__Berlin,
            knows_zone: true,
        };
        assert_eq!(RotateAt::default().zone(&here), Some(Tz::Europe__Berlin));
        assert_eq!(
            RotateAt {
                utc: true,
                ..RotateAt::default()
            }
            .zone(&here),
            None
        );
        assert_eq!(
            RotateAt {
                zone: Some(Tz::Asia__Tokyo),
                ..RotateAt::default()
            }
            .zone(&here),
            Some(Tz::Asia__Tokyo)
        );
        assert_eq!(
            RotateAt::default().zone(&Clock {
                zone: Tz::Etc__UTC,
                ..here
            }),
            None
        );
    }
}
