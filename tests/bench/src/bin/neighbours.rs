//! Whether one bad provider harms others: 500 rotations, of which one meets a provider that fails, one a provider that
//! computes for ever and one a provider that traps; and how late the others are published, with that and without.
//!
//! Virtual days in which every rotation comes due once, at its own minute; the bad ones are bad on every other day.
//! Delays are real time from due to published. `make neighbours` builds what it needs.

#![expect(clippy::print_stdout, reason = "figures are for people")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use e2e::failure::OrFail as _;
use e2e::{Daemon, Failure, Operator, built, clock, until};
use futures_util::StreamExt as _;
use rotord_api::connection::AppConnectionAnswer;
use rotord_api::rotation::{SecretRotation, SecretRotationAnswer};
use rotord_api::routes;
use serde_json::{Value, json};
use uuid::Uuid;

/// The others and the three.
const ROTATIONS: usize = 500;
/// What the three meet, on their bad days.
const BAD: [&str; 3] = ["fault:unavailable", "loop", "trap"];
/// A day in six minutes: about one and a half rotations a second. Faster, and the others wait for a processor that they have
/// taken from each other.
const FACTOR: u32 = 240;
/// Good and bad days, alternating.
const DAYS: usize = 2;
/// The provider and its connections.
const ECHO: &str = "echo";
/// From one look at what was published to the next.
const LOOK: Duration = Duration::from_secs(15);
/// Longer than two days.
const PATIENCE: Duration = Duration::from_mins(15);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    match measure().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            println!("no figures: {}", failure.whole());
            ExitCode::FAILURE
        }
    }
}

async fn measure() -> Result<(), Failure> {
    let now = Utc::now();
    // The provider's too: what it issues would else expire within a day, and all of it at once.
    let clock = clock::showing(now, now, FACTOR.into());
    let mut daemon = Daemon::new()?
        .with_test_build()?
        .with("timing.scale", 1.0)
        .with("timing.skew_most", "9000h")
        .with("timing.gate_fresh", "1h")
        // A loop is ended after three seconds of a processor.
        .with("providers.call_time", "3s")
        .with("log.filter", "warn")
        .env(clock::VARIABLE, &clock);
    daemon.add_provider(&built::guest(ECHO).or_fail(|| "there is no provider".to_owned())?)?;
    daemon.start().await?;
    let operator = daemon.operator();
    let good = connect(&operator, "good", &clock).await?;
    let mut bad = Vec::new();
    for what in BAD {
        bad.push(connect(&operator, &what.replace(':', "-"), &clock).await?);
    }
    let project = operator.project().await?;
    let bodies = (0..ROTATIONS).map(|number| {
        let connection = bad.get(number).copied().unwrap_or(good);
        body(&project, connection, number)
    });
    let created: Vec<Result<Uuid, Failure>> = futures_util::stream::iter(bodies)
        .map(|body| create(&operator, body))
        .buffer_unordered(8)
        .collect()
        .await;
    let created: Vec<Uuid> = created.into_iter().collect::<Result<_, _>>()?;
    println!(
        "{} rotations, {} of them bad on every other day",
        created.len(),
        BAD.len()
    );

    let (mut well, mut ill) = (Vec::new(), Vec::new());
    for day in 0..DAYS {
        let is_bad = day % 2 == 1;
        for (connection, what) in bad.iter().zip(BAD) {
            behave(
                &operator,
                *connection,
                if is_bad { what } else { "ok" },
                &clock,
            )
            .await?;
        }
        let delays = one_day(&operator, &bad).await?;
        row(
            if is_bad {
                "with the three"
            } else {
                "without them"
            },
            &delays,
        );
        if is_bad { &mut ill } else { &mut well }.extend(delays);
    }
    row("all days without them", &well);
    row("all days with the three", &ill);
    let (without, with) = (at(&well, 99), at(&ill, 99));
    println!(
        "p99 with the three, of that without: {:.2} (aim: at most 1.10)",
        with.as_secs_f64() / without.as_secs_f64()
    );
    daemon.stop().await
}

async fn connect(operator: &Operator, name: &str, clock: &str) -> Result<Uuid, Failure> {
    let credentials = json!({ "behaviour": "ok", "clock": clock });
    let body = json!({ "name": name, "method": "plain", "credentials": credentials });
    let reply = operator
        .http
        .post(&routes::connections_of_app(ECHO), &body)
        .await?;
    Ok(reply.parse::<AppConnectionAnswer>()?.app_connection.id)
}

/// From now on whatever creates over this connection meets this.
async fn behave(
    operator: &Operator,
    connection: Uuid,
    what: &str,
    clock: &str,
) -> Result<(), Failure> {
    let body = json!({
        "method": "plain", "credentials": { "behaviour": what, "at": "issue", "clock": clock },
    });
    let path = routes::connection(ECHO, connection);
    operator
        .http
        .patch(&path, &body)
        .await?
        .parse::<AppConnectionAnswer>()?;
    Ok(())
}

/// Spread over the day, so that it is not their own number that keeps them waiting.
fn body(project: &str, connection: Uuid, number: usize) -> Value {
    let minute = number * 1440 / ROTATIONS;
    json!({
        "name": format!("r{number}"), "projectId": project, "connectionId": connection,
        "environment": "dev", "secretPath": "/", "isAutoRotationEnabled": true, "rotationInterval": 1,
        "rotateAtUtc": { "hours": minute / 60, "minutes": minute % 60 },
        "parameters": { "key": format!("k{number}") },
        "secretsMapping": { "name": format!("N{number}"), "value": format!("V{number}") },
    })
}

async fn create(operator: &Operator, body: Value) -> Result<Uuid, Failure> {
    let reply = operator
        .http
        .post(&routes::rotations_of_type(ECHO), &body)
        .await?;
    Ok(reply.parse::<SecretRotationAnswer>()?.secret_rotation.id)
}

/// Waits until each of the others was published after the time at which it is due next, and tells how late.
async fn one_day(operator: &Operator, bad: &[Uuid]) -> Result<Vec<Duration>, Failure> {
    let others = |rotations: Vec<SecretRotation>| {
        let others = rotations.into_iter();
        others.filter(|rotation| !bad.contains(&rotation.connection_id))
    };
    let due: BTreeMap<Uuid, DateTime<Utc>> = others(operator.rotations().await?)
        .filter_map(|rotation| Some((rotation.id, rotation.next_rotation_at?.0)))
        .collect();
    let mut published = BTreeMap::new();
    until("a day's rotations", PATIENCE, async || {
        for rotation in others(operator.rotations().await?) {
            let (Some(last), Some(due)) = (rotation.last_rotated_at, due.get(&rotation.id)) else {
                continue;
            };
            if last.0 >= *due {
                published
                    .entry(rotation.id)
                    .or_insert_with(|| real(last.0 - *due));
            }
        }
        // Seldom, since a list of five hundred is work; each is published once in six minutes.
        tokio::time::sleep(LOOK).await;
        Ok((published.len() == due.len()).then_some(()))
    })
    .await?;
    Ok(published.into_values().collect())
}

fn real(virtual_time: TimeDelta) -> Duration {
    virtual_time.to_std().unwrap_or_default() / FACTOR
}

fn at(delays: &[Duration], percent: usize) -> Duration {
    let mut sorted = delays.to_vec();
    sorted.sort();
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).copied().unwrap_or_default()
}

fn row(what: &str, delays: &[Duration]) {
    let millis = |percent| at(delays, percent).as_secs_f64() * 1000.0;
    println!(
        "{what:<26} {:>4} published, p50 {:>7.1} ms, p99 {:>7.1} ms, last {:>7.1} ms",
        delays.len(),
        millis(50),
        millis(99),
        millis(100),
    );
}
