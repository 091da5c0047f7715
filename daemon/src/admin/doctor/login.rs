//! Whether a connection logs in, what it may do there, and whether the clocks agree.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rotord_api::catalogue::{CLOCK, CLOCK_OFF, CLOCK_SKEW, LOGIN, PROVIDER_MISSING};
use rotord_api::doctor::DoctorFinding;
use rotord_api::issue::Severity;

use super::case::ConnectionCase;
use super::{Looking, failed, of_call};
use crate::admin::{Shared, describe};
use crate::{calls, codes};

/// Of what keeps rotations from publishing: more than this part of it is worth a word.
const WORTH_A_WORD: u32 = 5;

pub(super) fn look<'a>(daemon: &'a Shared, case: &'a ConnectionCase) -> Looking<'a> {
    Box::pin(async move {
        let about = &case.about;
        let Some(provider) = &case.provider else {
            let message = format!("no loaded provider serves {}", case.connection.kind);
            return vec![DoctorFinding::problem(&PROVIDER_MISSING, about, message)];
        };
        let opened = match case.opened(daemon, provider).await {
            Ok(opened) => opened,
            Err(error) => return vec![failed(about, error)],
        };
        let outcome = provider.turn().await.check(&opened).await;
        let here = daemon.clock.now().wall;
        let mut there = outcome.provider_time;
        let mut found = Vec::new();
        let reported =
            |of| DoctorFinding::of_provider(provider.slug().as_str(), about, describe::finding(of));
        match outcome.result {
            Ok(identity) => {
                case.logs_in.set(true);
                there = identity.provider_time.or(there);
                let message = format!("logged in as {}", identity.subject);
                found.push(DoctorFinding::fine(&LOGIN, about, message));
                found.extend(identity.findings.into_iter().map(reported));
            }
            Err(error) => {
                // What it had seen before it failed.
                let carried = error.fault().map_or(&[][..], |fault| &fault.findings);
                found.extend(carried.iter().cloned().map(reported));
                if found.iter().all(|of| of.severity != Severity::Problem) {
                    let remedy = case.help(codes::of_call(&error));
                    found.push(of_call(&error, about).fix(remedy));
                }
            }
        }
        if let Some(there) = there.and_then(calls::time) {
            found.push(clock(about, here, there, daemon.timing.skew_most));
        }
        found
    })
}

fn clock(about: &str, here: DateTime<Utc>, there: DateTime<Utc>, most: Duration) -> DoctorFinding {
    let ahead = here - there;
    let seconds = ahead.num_seconds().abs();
    let side = if ahead < TimeDelta::zero() {
        "behind"
    } else {
        "ahead of"
    };
    let message = format!("this host's clock is {seconds} s {side} the service's");
    let off = ahead.abs().to_std().unwrap_or(Duration::MAX);
    if off > most {
        let most = most.as_secs();
        let message = format!("{message}; more than {most} s keep everything from being published");
        DoctorFinding::problem(&CLOCK_SKEW, about, message)
    } else if off > most / WORTH_A_WORD {
        DoctorFinding::warning(&CLOCK_OFF, about, message)
    } else {
        DoctorFinding::fine(&CLOCK, about, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_right_off_or_too_far_off() {
        let here = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        for (seconds, code, words) in [
            (1, "clock", "1 s ahead of"),
            (-61, "clock-off", "61 s behind"),
            (299, "clock-off", "299 s ahead of"),
            (301, "clock-skew", "301 s ahead of"),
            (-400, "clock-skew", "400 s behind"),
        ] {
            let there = here - TimeDelta::seconds(seconds);
            let found = clock("connection azure", here, there, Duration::from_mins(5));
            assert_eq!(found.code, code);
            assert!(found.message.contains(words), "{}", found.message);
        }
    }
}
