//! Makes the looks: as many at a time as hurt nobody, each for a bounded time, and nobody waits for what is stuck.
//!
//! There is a lane for this host and one for each provider. In a lane whose provider did not answer in time no
//! further call of it is begun: what is left of it is told as not looked at, and the other lanes never notice.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use rotord_api::catalogue;
use rotord_api::doctor::DoctorFinding;

use super::case::Cases;
use super::{CHECKS, Check, Looking};
use crate::admin::Shared;

/// What one look may take.
const LOOK: Duration = Duration::from_secs(30);
/// What all of them together may take: less than a client waits.
const ROUND: Duration = Duration::from_mins(5);
/// Looks at a time in one lane: a quarter of the calls that a provider host makes by default.
const WIDTH: usize = 4;

/// Looks that are made one after the other.
struct Series<'a> {
    about: &'a str,
    looks: Vec<Look<'a>>,
}

struct Look<'a> {
    name: &'static str,
    /// It calls a provider, which may be stuck.
    asks: bool,
    looking: Looking<'a>,
}

/// Everything that was seen.
pub(super) async fn make(daemon: &Shared, cases: &Cases) -> Vec<DoctorFinding> {
    let deadline = Instant::now() + ROUND;
    let lanes = lanes(daemon, cases)
        .into_values()
        .map(|lane| drive(lane, LOOK, deadline));
    once(join_all(lanes).await.concat(), cases)
}

/// What several looks saw is told once: the two that ask for a rotation's target meet the same refusal, and so did its
/// connection's login.
fn once(findings: Vec<DoctorFinding>, cases: &Cases) -> Vec<DoctorFinding> {
    let connections = cases.connections.iter();
    let connections: HashMap<_, _> = connections
        .map(|case| (case.connection.id, case.about.as_str()))
        .collect();
    let rotations = cases.rotations.iter().filter_map(|case| {
        let connection = connections.get(&case.record.details.connection)?;
        Some((case.about.as_str(), *connection))
    });
    let rotations: HashMap<&str, &str> = rotations.collect();
    let key =
        |about: &str, of: &DoctorFinding| (about.to_owned(), of.code.clone(), of.message.clone());
    let mut told = HashSet::new();
    let first = findings.into_iter().filter(|finding| {
        let of_connection = rotations.get(finding.about.as_str());
        let is_told = of_connection.is_some_and(|about| told.contains(&key(about, finding)));
        !is_told && told.insert(key(&finding.about, finding))
    });
    first.collect()
}

/// By the provider that is asked; none is this host.
fn lanes<'a>(daemon: &'a Shared, cases: &'a Cases) -> BTreeMap<Option<&'a str>, Vec<Series<'a>>> {
    let mut lanes: BTreeMap<Option<&str>, Vec<Series<'_>>> = BTreeMap::new();
    let here = lanes.entry(None).or_default();
    for (name, check) in CHECKS {
        if let (true, Check::Here(look)) = (cases.here, check) {
            here.push(Series {
                about: name,
                looks: vec![Look {
                    name,
                    asks: false,
                    looking: look(daemon),
                }],
            });
        }
    }
    for case in &cases.rotations {
        here.push(series(&case.about, |check| match check {
            Check::Books(look) => Some((false, look(daemon, case))),
            _ => None,
        }));
    }
    for case in &cases.connections {
        let provider = case.provider.as_ref().map(|p| p.slug().as_str());
        let looks = series(&case.about, |check| match check {
            Check::Connection(look) => Some((true, look(daemon, case))),
            Check::Network(look) => Some((false, look(daemon, case))),
            _ => None,
        });
        lanes.entry(provider).or_default().push(looks);
    }
    for case in &cases.rotations {
        let provider = case.provider.as_ref().map(|p| p.slug().as_str());
        let looks = series(&case.about, |check| match check {
            Check::Rotation(look) => Some((true, look(daemon, case))),
            _ => None,
        });
        lanes.entry(provider).or_default().push(looks);
    }
    lanes
}

fn series<'a>(
    about: &'a str,
    of: impl Fn(&'static Check) -> Option<(bool, Looking<'a>)>,
) -> Series<'a> {
    let looks = CHECKS.iter().filter_map(|(name, check)| {
        let (asks, looking) = of(check)?;
        Some(Look {
            name,
            asks,
            looking,
        })
    });
    Series {
        about,
        looks: looks.collect(),
    }
}

async fn drive(lane: Vec<Series<'_>>, most: Duration, deadline: Instant) -> Vec<DoctorFinding> {
    let is_stuck = Cell::new(false);
    let is_stuck = &is_stuck;
    let each = stream::iter(lane).map(|series| async move {
        let mut seen = Vec::new();
        for look in series.looks {
            seen.extend(one(look, series.about, most, deadline, is_stuck).await);
        }
        seen
    });
    each.buffered(WIDTH).concat().await
}

async fn one(
    look: Look<'_>,
    about: &str,
    most: Duration,
    deadline: Instant,
    is_stuck: &Cell<bool>,
) -> Vec<DoctorFinding> {
    let name = look.name;
    let left = most.min(deadline.saturating_duration_since(Instant::now()));
    if left.is_zero() {
        return vec![skipped(about, name, "the time for the whole look was over")];
    }
    if look.asks && is_stuck.get() {
        let why = "its provider did not answer another look in time";
        return vec![skipped(about, name, why)];
    }
    if let Ok(seen) = tokio::time::timeout(left, look.looking).await {
        return seen;
    }
    is_stuck.set(is_stuck.get() || look.asks);
    let why = format!("there was no answer within {} s", left.as_secs());
    vec![skipped(about, name, &why)]
}

fn skipped(about: &str, name: &str, why: &str) -> DoctorFinding {
    let message = format!("the {name} was not looked at: {why}");
    DoctorFinding::warning(&catalogue::NOT_LOOKED_AT, about, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(asks: bool, answers: bool) -> Look<'static> {
        Look {
            name: "target",
            asks,
            looking: Box::pin(async move {
                if !answers {
                    std::future::pending::<()>().await;
                }
                vec![DoctorFinding::fine(&catalogue::TARGET, "it", "is there")]
            }),
        }
    }

    fn series(looks: Vec<Look<'static>>) -> Series<'static> {
        Series { about: "it", looks }
    }

    async fn codes(lane: Vec<Series<'static>>, most: Duration, round: Duration) -> Vec<String> {
        let seen = drive(lane, most, Instant::now() + round).await;
        seen.into_iter().map(|finding| finding.code).collect()
    }

    #[tokio::test]
    async fn what_is_stuck_is_not_asked_again_and_what_asks_nobody_is_looked_at() {
        // More than run at a time: the rest come when the first ones have timed out.
        let mut lane: Vec<_> = (0..WIDTH)
            .map(|_| series(vec![look(true, false)]))
            .collect();
        lane.push(series(vec![look(true, true), look(false, true)]));
        let most = Duration::from_millis(20);
        let mut expected = vec!["not-looked-at"; WIDTH + 1];
        expected.push("target");
        assert_eq!(codes(lane, most, ROUND).await, expected);
    }

    #[tokio::test]
    async fn when_the_time_is_over_the_rest_is_told_as_not_looked_at() {
        let lane = vec![series(vec![look(false, true)])];
        assert_eq!(codes(lane, LOOK, Duration::ZERO).await, ["not-looked-at"]);
    }

    #[tokio::test]
    async fn a_look_that_answers_is_what_it_saw() {
        let lane = vec![series(vec![look(true, true), look(true, true)])];
        assert_eq!(codes(lane, LOOK, ROUND).await, ["target", "target"]);
    }
}
