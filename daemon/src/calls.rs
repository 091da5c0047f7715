//! Makes the domain's calls against the provider host: conversions between what the domain decides in and
//! what providers speak of, and nothing else.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rotord_provider::contract::{self, IssueRequest, Output, ProviderDescription, Target};
use rotord_provider::{CallError, CallOutcome, Turn};
use rotord_rotation::event::{Answer, Revocation, Survey};
use rotord_rotation::{
    Call, Event, Fault, FaultKind, Handle, Inspection, Interval, Issued, Listed, Rules, Timing,
    Verdict,
};

/// What a call brought.
#[derive(Debug)]
pub struct Landed {
    /// For the domain.
    pub event: Event,
    /// What was issued: to be sealed in the transaction that the event leads to.
    pub outputs: Option<Vec<Output>>,
    /// For the log.
    pub requests: u32,
    /// For the log.
    pub duration: Duration,
}

impl Landed {
    /// What was known without asking the provider.
    pub fn without_answer(event: Event) -> Self {
        Self {
            event,
            outputs: None,
            requests: 0,
            duration: Duration::ZERO,
        }
    }
}

/// The provider's bounds, as the domain reads them, before scaling.
///
/// # Errors
/// Where the longest interval is none.
pub fn rules(
    description: &ProviderDescription,
) -> Result<Rules, rotord_rotation::schedule::NotAnInterval> {
    let limits = &description.limits;
    Ok(Rules {
        write_spacing: limits.write_spacing,
        propagation_bound: limits.propagation_bound,
        minimum_overlap: limits.minimum_overlap,
        credential_cap: limits.credential_cap,
        longest_interval: Interval::days(limits.longest_interval_days)?,
        verify_successes: limits.verify_successes,
        verify_spacing: limits.verify_spacing,
        lifetime_intervals: limits.lifetime.intervals,
        lifetime_extra: limits.lifetime.extra,
        lifetime_most: limits.lifetime.max,
    })
}

/// Rules in the same scale as the timing.
///
/// # Errors
/// As [`rules`].
pub fn scaled_rules(
    description: &ProviderDescription,
    timing: &Timing,
) -> Result<Rules, rotord_rotation::schedule::NotAnInterval> {
    Ok(rules(description)?.scaled(timing))
}

/// Makes one call. `outputs` are those of the credential that a verify is about. A service that asks to come
/// again is heeded, but for no longer than `longest_wait`: a number that it, or a stranger's provider, got wrong
/// must not put a rotation to sleep.
pub async fn make(
    turn: Turn,
    target: &Target,
    call: &Call,
    outputs: &[Output],
    longest_wait: Duration,
) -> Landed {
    match call {
        Call::Inspect => {
            let outcome = turn.inspect(target).await;
            landed(outcome, longest_wait, |result, seen| {
                inspected(result.map_err(of_reading), seen)
            })
        }
        Call::Survey => {
            let outcome = turn.survey(target).await;
            landed(outcome, longest_wait, |result, seen| {
                surveyed(result.map_err(of_reading), seen)
            })
        }
        Call::Verify { .. } => {
            let outcome = turn.verify(target, outputs).await;
            landed(outcome, longest_wait, verified)
        }
        Call::Revoke { handle, .. } => {
            let outcome = turn.revoke(target, &handle.0).await;
            landed(outcome, longest_wait, revoked)
        }
        Call::Issue {
            label,
            slot,
            lifetime,
            ..
        } => {
            let request = IssueRequest {
                slot: u32::from(*slot),
                label: label.to_string(),
                lifetime: *lifetime,
                value: None,
            };
            let mut outcome = turn.issue(target, &request).await;
            let outputs = outcome
                .result
                .as_mut()
                .ok()
                .map(|issued| std::mem::take(&mut issued.outputs));
            Landed {
                outputs,
                ..landed(outcome, longest_wait, issued)
            }
        }
    }
}

/// A call that could not even be begun: certain that nothing was sent.
pub fn not_begun(call: &Call, why: String) -> Event {
    if matches!(call, Call::Verify { .. }) {
        return Event::Verified(Verdict {
            answer: Answer::CannotTell(why),
            provider_time: None,
        });
    }
    let fault = Fault::new(FaultKind::Unavailable, why);
    match call {
        Call::Inspect => Event::Inspected(Err(fault)),
        Call::Survey => Event::Surveyed(Err(fault)),
        Call::Issue { .. } => Event::Issued(Err(fault)),
        Call::Revoke { .. } => Event::Revoked(Err(fault)),
        Call::Verify { .. } => unreachable!("answered above"),
    }
}

fn landed<T>(
    outcome: CallOutcome<T>,
    longest_wait: Duration,
    event: impl FnOnce(Result<T, Fault>, Option<DateTime<Utc>>) -> Event,
) -> Landed {
    let (requests, duration) = (outcome.requests, outcome.duration);
    let provider_time = outcome.provider_time.and_then(time);
    let ambiguous = outcome.is_ambiguous();
    let result = outcome.result.map_err(|error| {
        let fault = fault(&error, ambiguous, provider_time);
        Fault {
            retry_after: fault.retry_after.map(|wait| wait.min(longest_wait)),
            ..fault
        }
    });
    Landed {
        event: event(result, provider_time),
        outputs: None,
        requests,
        duration,
    }
}

/// What the domain makes of a call that gave no answer.
pub fn fault(error: &CallError, ambiguous: bool, seen: Option<DateTime<Utc>>) -> Fault {
    let message = error.to_string();
    let Some(said) = error.fault() else {
        let kind = if ambiguous {
            FaultKind::Ambiguous
        } else {
            FaultKind::Refused
        };
        return Fault {
            provider_time: seen,
            ..Fault::new(kind, message)
        };
    };
    let kind = match &said.kind {
        _ if ambiguous => FaultKind::Ambiguous,
        contract::FaultKind::InvalidInput(field) => FaultKind::InvalidInput(field.clone()),
        contract::FaultKind::Unauthorized => FaultKind::Unauthorized,
        contract::FaultKind::NotFound => FaultKind::NotFound,
        contract::FaultKind::Throttled => FaultKind::Throttled,
        // Ambiguous, and nothing was sent: the host knows better.
        contract::FaultKind::Unavailable | contract::FaultKind::Ambiguous => FaultKind::Unavailable,
        contract::FaultKind::Full => FaultKind::Full,
        contract::FaultKind::Internal
        | contract::FaultKind::Refused
        | contract::FaultKind::Other(_) => FaultKind::Refused,
    };
    Fault {
        kind,
        message: said.message.clone(),
        code: said.code.clone(),
        retry_after: said.retry_after,
        provider_time: said.provider_time.and_then(time).or(seen),
    }
}

/// A call that only reads changed nothing, however it ended: its doubt is a reason to ask again, and no more.
fn of_reading(fault: Fault) -> Fault {
    match fault.kind {
        FaultKind::Ambiguous => Fault {
            kind: FaultKind::Unavailable,
            ..fault
        },
        _ => fault,
    }
}

fn inspected(result: Result<contract::Inspection, Fault>, seen: Option<DateTime<Utc>>) -> Event {
    Event::Inspected(result.map(|inspection| Inspection {
        credential_cap: inspection.credential_cap,
        lifetime_most: inspection.max_lifetime,
        provider_time: inspection.provider_time.and_then(time).or(seen),
    }))
}

fn surveyed(result: Result<contract::Survey, Fault>, seen: Option<DateTime<Utc>>) -> Event {
    Event::Surveyed(result.map(|survey| {
        Survey {
            listed: survey
                .credentials
                .into_iter()
                .map(|credential| Listed {
                    label: credential
                        .label
                        .as_deref()
                        .and_then(|label| label.parse().ok()),
                    handle: Handle(credential.handle),
                    expires_at: credential.expires_at.and_then(time),
                })
                .collect(),
            tombstones: Vec::new(),
            provider_time: survey.provider_time.and_then(time).or(seen),
        }
    }))
}

fn verified(result: Result<contract::Verification, Fault>, seen: Option<DateTime<Utc>>) -> Event {
    let verdict = match result {
        Ok(verification) => Verdict {
            answer: match verification.verdict {
                contract::Verdict::Works => Answer::Works,
                contract::Verdict::NotYet(why) => Answer::NotYet(why),
                contract::Verdict::CannotTell(why) => Answer::CannotTell(why),
                contract::Verdict::Never(why) => Answer::Never(why),
            },
            provider_time: verification.provider_time.and_then(time).or(seen),
        },
        // A login that ended in a fault says nothing of the credential.
        Err(fault) => Verdict {
            provider_time: fault.provider_time,
            answer: Answer::CannotTell(fault.to_string()),
        },
    };
    Event::Verified(verdict)
}

fn issued(result: Result<contract::Issued, Fault>, seen: Option<DateTime<Utc>>) -> Event {
    Event::Issued(result.map(|issued| Issued {
        handle: Handle(issued.handle),
        expires_at: issued.expires_at.and_then(time),
        provider_time: issued.provider_time.and_then(time).or(seen),
    }))
}

fn revoked(result: Result<contract::Revocation, Fault>, seen: Option<DateTime<Utc>>) -> Event {
    Event::Revoked(result.and_then(|revocation| {
        let provider_time = revocation.provider_time.and_then(time).or(seen);
        match revocation.outcome {
            contract::RevocationOutcome::Accepted => Ok(Revocation {
                found: true,
                provider_time,
            }),
            contract::RevocationOutcome::NotFound => Ok(Revocation {
                found: false,
                provider_time,
            }),
            contract::RevocationOutcome::Unknown(what) => {
                let message =
                    format!("the provider ended the revoke in a way that is not known: {what}");
                Err(Fault {
                    provider_time,
                    ..Fault::new(FaultKind::Ambiguous, message)
                })
            }
        }
    }))
}

/// None where the number is no instant: a provider's word is not trusted to be one.
pub fn time(timestamp: contract::Timestamp) -> Option<DateTime<Utc>> {
    DateTime::UNIX_EPOCH.checked_add_signed(TimeDelta::try_seconds(timestamp.0)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubt_about_a_call_that_only_reads_is_a_reason_to_ask_again() {
        let timed_out = CallError::TimedOut {
            limit: Duration::from_secs(1),
        };
        let doubtful = fault(&timed_out, true, None);
        assert_eq!(doubtful.kind, FaultKind::Ambiguous, "of a call that writes");
        let reading = of_reading(doubtful.clone());
        assert!(reading.kind.is_passing());
        assert_eq!(reading.message, doubtful.message);
        let refused = Fault::new(FaultKind::Refused, "no");
        assert_eq!(of_reading(refused.clone()), refused);
    }

    #[test]
    fn a_service_can_not_put_a_rotation_to_sleep() {
        const MOST: Duration = Duration::from_hours(6);
        for (asked, heeded) in [
            (None, None),
            (Some(Duration::from_mins(1)), Some(Duration::from_mins(1))),
            (Some(Duration::from_millis(u64::MAX)), Some(MOST)),
        ] {
            let said = contract::Fault {
                kind: contract::FaultKind::Throttled,
                message: "later".to_owned(),
                code: None,
                retry_after: asked,
                provider_time: None,
                findings: Vec::new(),
                options: Vec::new(),
            };
            let outcome = CallOutcome {
                result: Err(CallError::Fault(Box::new(said))),
                provider_time: None,
                requests: 1,
                duration: Duration::ZERO,
            };
            let Event::Revoked(Err(fault)) = landed(outcome, MOST, revoked).event else {
                panic!("a fault was lost");
            };
            assert_eq!(fault.retry_after, heeded);
        }
    }
}
