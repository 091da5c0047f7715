//! How many rotations a second there can be: applications rotate at the same time, more and more of them, until more
//! bring no more.

use std::time::{Duration, Instant};

use e2e::Failure;
use e2e::azure::Azure;
use e2e::operator::Operator;
use uuid::Uuid;

use crate::proc::Usage;

/// The most applications at a time. A rate that still grows there is not the daemon's limit.
pub(crate) const MOST: usize = 128;
/// Rotations of each at a step.
const ROUNDS: u32 = 3;
/// What counts as growth.
const GROWTH: f64 = 1.05;

/// What was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Saturation {
    /// Rotations a second, at most.
    pub(crate) rate: f64,
    /// At how many applications at a time.
    pub(crate) applications: usize,
    /// Whether more of them brought no more.
    pub(crate) is_reached: bool,
    /// What of the processors the daemon used for one there.
    pub(crate) cpu: Duration,
    /// What the provider was sent for one.
    pub(crate) requests: f64,
}

/// The applications' names.
pub(crate) fn applications() -> Vec<String> {
    (0..MOST).map(|number| format!("app-{number}")).collect()
}

/// Doubles the number of applications until the rate stays.
pub(crate) async fn find(
    operator: &Operator,
    azure: &Azure,
    connection: Uuid,
    daemon: u32,
) -> Result<Saturation, Failure> {
    let names = applications();
    let mut rotations: Vec<Uuid> = Vec::new();
    let mut best: Option<Saturation> = None;
    let mut wanted = 4;
    while wanted <= MOST {
        let new = names[rotations.len()..wanted].iter();
        let new = new.map(|name| operator.create(azure, connection, name));
        for created in futures_util::future::join_all(new).await {
            rotations.push(created?.id);
        }
        let step = step(operator, azure, &rotations, daemon).await?;
        match best {
            Some(before) if step.rate < before.rate * GROWTH => {
                let reached = if step.rate > before.rate {
                    step
                } else {
                    before
                };
                return Ok(Saturation {
                    is_reached: true,
                    ..reached
                });
            }
            _ => best = Some(step),
        }
        wanted *= 2;
    }
    best.ok_or_else(|| Failure::new("nothing was rotated"))
}

async fn step(
    operator: &Operator,
    azure: &Azure,
    rotations: &[Uuid],
    daemon: u32,
) -> Result<Saturation, Failure> {
    azure.standin.clear_record();
    let (before, start) = (Usage::of(daemon)?, Instant::now());
    for _ in 0..ROUNDS {
        let all = rotations.iter().map(|id| operator.rotate(*id, None));
        for rotated in futures_util::future::join_all(all).await {
            rotated?;
        }
    }
    let (took, used) = (start.elapsed(), Usage::of(daemon)?.since(&before));
    let count = u32::try_from(rotations.len()).unwrap_or(u32::MAX) * ROUNDS;
    Ok(Saturation {
        rate: f64::from(count) / took.as_secs_f64(),
        applications: rotations.len(),
        is_reached: false,
        cpu: used.cpu / count,
        requests: f64::from(u32::try_from(azure.standin.record(0).len()).unwrap_or(u32::MAX))
            / f64::from(count),
    })
}
