//! When a rotation rotates, as a request says it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use rotord_api::issue::IssueCode;
use rotord_api::rotation::{CreateRotation, TimeOfDay, UpdateRotation};
use rotord_provider::contract::ProviderDescription;
use rotord_rotation::schedule::DailyTime;
use rotord_rotation::{Interval, Plan, RotateAt, Rotation};

use super::view::rotate_at_utc;
use crate::admin::error::ApiError;

/// The plan of a new rotation.
pub(super) fn of_new(
    body: &CreateRotation,
    provider: &ProviderDescription,
) -> Result<Plan, ApiError> {
    let zone = body.time_zone.as_deref().map(zone).transpose()?;
    let at = match (zone, body.rotate_at_local) {
        (Some(_), Some(local)) => local,
        _ => body.rotate_at_utc,
    };
    Ok(Plan {
        auto: body.is_auto_rotation_enabled,
        interval: interval(body.rotation_interval, provider)?,
        daily: DailyTime {
            at: daily(at)?,
            zone,
        },
        overlap: body.overlap_hours.map(hours),
    })
}

/// The plan after a change. Without a description (the provider was never loaded) the interval stays.
pub(super) fn of_change(
    body: &UpdateRotation,
    state: &Rotation,
    provider: &ProviderDescription,
    now: DateTime<Utc>,
) -> Result<Plan, ApiError> {
    let was = state.plan;
    Ok(Plan {
        auto: body.is_auto_rotation_enabled.unwrap_or(was.auto),
        interval: match body.rotation_interval {
            Some(days) if days != was.interval.as_days() => interval(days, provider)?,
            _ => was.interval,
        },
        daily: changed_daily(body, state, now)?,
        overlap: match body.overlap_hours {
            Some(overlap) => overlap.map(hours),
            None => was.overlap,
        },
    })
}

/// A changed UTC time takes the zone away; the one that was shown keeps it.
fn changed_daily(
    body: &UpdateRotation,
    state: &Rotation,
    now: DateTime<Utc>,
) -> Result<DailyTime, ApiError> {
    let was = state.plan.daily;
    let shown = rotate_at_utc(state, now);
    match (&body.time_zone, body.rotate_at_local, body.rotate_at_utc) {
        (Some(Some(name)), local, _) => Ok(DailyTime {
            at: local.map_or(Ok(was.at), daily)?,
            zone: Some(zone(name)?),
        }),
        (Some(None), _, utc) => Ok(DailyTime {
            at: daily(utc.unwrap_or(shown))?,
            zone: None,
        }),
        (None, Some(local), _) if was.zone.is_some() => Ok(DailyTime {
            at: daily(local)?,
            zone: was.zone,
        }),
        (None, Some(_), _) => Err(ApiError::field(
            "rotateAtLocal",
            IssueCode::Custom,
            "needs a timeZone",
        )),
        (None, None, Some(utc)) if utc != shown => Ok(DailyTime {
            at: daily(utc)?,
            zone: None,
        }),
        (None, None, _) => Ok(was),
    }
}

fn interval(days: u32, provider: &ProviderDescription) -> Result<Interval, ApiError> {
    let longest = provider.limits.longest_interval_days.min(Interval::LONGEST);
    let too_long = || {
        ApiError::refused(format!(
            "{} does not support a rotation interval of {days} days: the longest is {longest} days",
            provider.title
        ))
    };
    if days > longest {
        return Err(too_long());
    }
    Interval::days(days).map_err(|_| too_long())
}

fn daily(time: TimeOfDay) -> Result<RotateAt, ApiError> {
    RotateAt::new(time.hours, time.minutes)
        .map_err(|error| ApiError::field("rotateAtUtc", IssueCode::TooBig, error.to_string()))
}

fn zone(name: &str) -> Result<Tz, ApiError> {
    name.parse().map_err(|_| {
        ApiError::field(
            "timeZone",
            IssueCode::InvalidString,
            "must be an IANA time zone such as Europe/Berlin",
        )
    })
}

fn hours(hours: u32) -> Duration {
    Duration::from_secs(u64::from(hours) * 3600)
}
