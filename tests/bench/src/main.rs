//! Figures of the whole daemon: the real binary beside the stand-in for Azure, each figure with the aim that it is
//! held against. Absolute times depend on the machine; the ratios are measured in one run, on the same one.

#![expect(clippy::print_stdout, reason = "figures are for people")]

mod bare;
mod load;
mod proc;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use e2e::Failure;
use e2e::azure::{Azure, tenant};
use e2e::daemon::Daemon;
use e2e::operator::Operator;
use rotord_api::routes;
use rotord_api::secret::SecretsQuery;

use crate::proc::Usage;

/// Applications, each with a rotation, for the figures under load.
const APPLICATIONS: [&str; 6] = ["one", "two", "three", "four", "five", "six"];
/// Rotations of each, for the figures per rotation.
const ROTATIONS: u32 = 5;
/// How long reads are counted.
const READS: Duration = Duration::from_secs(3);
/// How long the idle daemon is watched.
const IDLE: Duration = Duration::from_secs(10);

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
    let azure = Azure::start(tenant(&APPLICATIONS)).await?;
    let mut daemon = Daemon::new()?.trusting(&azure)?.with("timing.scale", 0.001);

    let cold = started(&mut daemon).await?;
    daemon.stop().await?;
    let warm = started(&mut daemon).await?;
    row("start to ready, cold cache", &millis(cold), "");
    row(
        "start to ready, warm cache",
        &millis(warm),
        "aim: under 100 ms",
    );

    let pid = daemon
        .pid()
        .ok_or_else(|| Failure::new("the daemon has no process"))?;
    let operator = daemon.operator();
    let connection = operator.connect(&azure, "bench").await?;
    let mut rotations = Vec::new();
    for app in APPLICATIONS {
        rotations.push(operator.create(&azure, connection, app).await?.id);
    }

    let (before, start) = (Usage::of(pid)?, Instant::now());
    for _ in 0..ROTATIONS {
        let all = rotations.iter().map(|id| operator.rotate(*id, None));
        for rotated in futures_util::future::join_all(all).await {
            rotated?;
        }
    }
    let (took, used) = (start.elapsed(), Usage::of(pid)?.since(&before));
    let count = u32::try_from(rotations.len()).unwrap_or(u32::MAX) * ROTATIONS;
    row(
        "CPU of the daemon per rotation",
        &millis(used.cpu / count),
        "aim: at most 5 ms",
    );
    row(
        "rotations a second, six applications",
        &format!("{:.1}", f64::from(count) / took.as_secs_f64()),
        "waits scaled by 0.001",
    );

    reads(&daemon, &operator).await?;

    daemon.stop().await?;
    started(&mut daemon).await?;
    let pid = daemon
        .pid()
        .ok_or_else(|| Failure::new("the daemon has no process"))?;
    operator.status().await?;
    // What a start leaves to do is done when its rotations were looked at.
    tokio::time::sleep(IDLE).await;
    let before = Usage::of(pid)?;
    tokio::time::sleep(IDLE).await;
    let idle = Usage::of(pid)?.since(&before);
    row(
        "idle: resident memory",
        &format!("{:.1} MB", Usage::resident_megabytes(pid)?),
        "aim: under 40 MB",
    );
    row(
        "idle: wake-ups a second",
        &format!("{:.1}", idle.switches_a_second(IDLE)),
        "aim: 0",
    );
    row(
        "idle: CPU",
        &format!(
            "{:.3} %",
            idle.cpu.as_secs_f64() / IDLE.as_secs_f64() * 100.0
        ),
        "",
    );
    daemon.stop().await
}

/// Reads of one secret, beside a bare server that answers the same bytes on the same kind of socket.
async fn reads(daemon: &Daemon, operator: &Operator) -> Result<(), Failure> {
    let name = e2e::operator::secret_name(APPLICATIONS[0], "SECRET");
    let query = SecretsQuery {
        ..operator.place().await?
    };
    let path = routes::with_query(&routes::secret(&name), &query);
    let reply = daemon.admin().get(&path).await?;
    if reply.status != 200 {
        return Err(Failure::new(format!(
            "the secret can't be read: {}",
            reply.text()
        )));
    }
    let bare = bare::serve(daemon.path("bare.sock"), reply.text())?;
    let ours = load::requests(daemon.admin().socket(), &path, READS).await?;
    let theirs = load::requests(&bare, &path, READS).await?;
    row("secret reads a second", &format!("{ours:.0}"), "");
    row(
        "the same from a bare actix-web",
        &format!("{theirs:.0}"),
        "",
    );
    row(
        "ratio",
        &format!("{:.2}", ours / theirs),
        "aim: 0.5 or better",
    );
    Ok(())
}

async fn started(daemon: &mut Daemon) -> Result<Duration, Failure> {
    let start = Instant::now();
    daemon.start().await?;
    Ok(start.elapsed())
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

fn row(what: &str, figure: &str, aim: &str) {
    println!("{what:<42} {figure:>12}   {aim}");
}
