//! Whether a rotation's target is there, can be changed, and lets its credentials live long enough.

use std::time::Duration;

use rotord_api::catalogue::{LIFETIME, LIFETIME_TOO_SHORT, TARGET};
use rotord_api::doctor::DoctorFinding;
use rotord_api::issue::Severity;
use rotord_rotation::{Interval, Rules, Timing};

use super::case::RotationCase;
use super::{Looking, failed, of_call};
use crate::admin::rotations::target;
use crate::admin::{Shared, describe};
use crate::codes;

const DAY: u64 = 24 * 60 * 60;

pub(super) fn look<'a>(daemon: &'a Shared, case: &'a RotationCase) -> Looking<'a> {
    Box::pin(async move {
        let about = &case.about;
        if case.provider.is_none() {
            // The notices have told it.
            return Vec::new();
        }
        let (provider, target) = match target::configured(daemon, &case.record.details).await {
            Ok(configured) => configured,
            Err(error) => return vec![failed(about, error)],
        };
        let inspection = match provider.turn().await.inspect(&target).await.result {
            Ok(inspection) => inspection,
            Err(error) => {
                let remedy = case.help(codes::of_call(&error));
                return vec![of_call(&error, about).fix(remedy)];
            }
        };
        let of_provider = provider.description().limits.credential_cap;
        case.cap.set(inspection.credential_cap.or(of_provider));
        let mut found: Vec<_> = inspection
            .findings
            .into_iter()
            .map(|of| {
                let of = describe::finding(of);
                DoctorFinding::of_provider(provider.slug().as_str(), about, of)
            })
            .collect();
        if found.iter().all(|found| found.severity == Severity::Fine) {
            let message = format!("it is there: {}", inspection.title);
            found.push(DoctorFinding::fine(&TARGET, about, message));
        }
        if let Some(rules) = &case.rules {
            let interval = case.record.state.plan.interval;
            let most = inspection.max_lifetime;
            found.push(lifetime(case, rules, interval, most, &daemon.timing));
        }
        found
    })
}

fn lifetime(
    case: &RotationCase,
    rules: &Rules,
    interval: Interval,
    most: Option<Duration>,
    timing: &Timing,
) -> DoctorFinding {
    let found = judge(&case.about, rules, interval, most, timing);
    if found.severity == Severity::Fine {
        return found;
    }
    found.fix(case.help(&LIFETIME_TOO_SHORT))
}

fn judge(
    about: &str,
    rules: &Rules,
    interval: Interval,
    most: Option<Duration>,
    timing: &Timing,
) -> DoctorFinding {
    match rules.lifetime(interval, most, timing) {
        Ok(lifetime) => {
            let message = format!(
                "a credential is asked for with {} days of life, for an interval of {}",
                lifetime.as_secs() / DAY,
                interval.as_days()
            );
            DoctorFinding::fine(&LIFETIME, about, message)
        }
        Err(short) => DoctorFinding::problem(&LIFETIME_TOO_SHORT, about, short.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_that_is_shorter_than_the_interval_is_a_problem() {
        let rules = Rules {
            write_spacing: Duration::ZERO,
            propagation_bound: Duration::ZERO,
            minimum_overlap: Duration::from_mins(110),
            credential_cap: None,
            longest_interval: Interval::days(909).unwrap(),
            verify_successes: 1,
            verify_spacing: Duration::ZERO,
            lifetime_intervals: 2,
            lifetime_extra: Duration::ZERO,
            lifetime_most: None,
        };
        let judge = |days, most| {
            let interval = Interval::days(days).unwrap();
            let most = Some(Duration::from_secs(most * DAY));
            judge("rotation a", &rules, interval, most, &Timing::default())
        };
        assert_eq!(judge(90, 180).code, "lifetime");
        let found = judge(170, 180);
        assert_eq!(found.code, "lifetime-too-short");
        assert!(found.message.contains("180 days"), "{}", found.message);
    }
}
