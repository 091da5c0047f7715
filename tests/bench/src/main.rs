//! Figures of the whole daemon: the real binary beside the stand-in for Azure, each figure with the aim that it is
//! held against. Absolute times depend on the machine; the ratios are measured in one run, on the same one.

#![expect(clippy::print_stdout, reason = "figures are for people")]

mod bare;
mod calls;
mod load;
mod logins;
mod proc;
mod saturation;
mod table;
mod units;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use e2e::Failure;
use e2e::azure::{Azure, tenant};
use e2e::daemon::Daemon;
use e2e::operator::Operator;
use rotord_api::routes;
use rotord_api::secret::SecretsQuery;
use rotord_provider::EngineKind;

use crate::proc::Usage;
use crate::table::{Aim, Table, millis};

/// How long reads are counted.
const READS: Duration = Duration::from_secs(3);
/// How long the idle daemon is watched.
const IDLE: Duration = Duration::from_secs(20);

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
    let mut table = Table::new();
    calls(&mut table).await?;

    let applications = saturation::applications();
    let applications: Vec<&str> = applications.iter().map(String::as_str).collect();
    let azure = Azure::start(tenant(&applications)).await?;
    let secret = e2e::operator::secret_name(&saturation::applications()[0], "SECRET");
    let mut daemon = Daemon::new()?
        .trusting(&azure)?
        .with("timing.scale", 0.001)
        // As it is installed: what tests want to see besides is not what is measured.
        .with("log.filter", "info")
        .with("credentials.grants", vec![units::grant(&secret)]);
    let cold = started(&mut daemon).await?;
    daemon.stop().await?;
    let warm = started(&mut daemon).await?;
    table.row(
        "start to ready, warm cache",
        millis(warm),
        1,
        "ms",
        Aim::AtMost(100.0),
    );
    table.row(
        "start to ready, cold cache",
        millis(cold),
        1,
        "ms",
        Aim::None,
    );

    let operator = daemon.operator();
    rotations(&mut table, &daemon, &operator, &azure).await?;
    reads(&mut table, &daemon, &operator).await?;
    let slowest = units::at_once(&daemon).await?;
    let units = format!("{} units that ask at once, p99", units::UNITS);
    table.row(&units, millis(slowest), 1, "ms", Aim::AtMost(50.0));
    daemon.stop().await?;
    idle(&mut table, &mut daemon).await?;
    table.end();
    Ok(())
}

/// As many rotations as there can be, beside what their requests cost a client that does nothing else.
async fn rotations(
    table: &mut Table,
    daemon: &Daemon,
    operator: &Operator,
    azure: &Azure,
) -> Result<(), Failure> {
    let connection = operator.connect(azure, "bench").await?;
    let found = saturation::find(operator, azure, connection, pid(daemon)?).await?;
    let cpu = millis(found.cpu);
    table.row(
        "CPU of the daemon per rotation",
        cpu,
        2,
        "ms",
        Aim::AtMost(5.0),
    );
    table.row("requests per rotation", found.requests, 1, "", Aim::None);
    let bare = millis(logins::alone(azure).await?) * found.requests;
    table.row(
        "CPU of a bare client for as many logins",
        bare,
        2,
        "ms",
        Aim::None,
    );
    table.row("a rotation to those logins", cpu / bare, 2, "", Aim::None);
    let reached = if found.is_reached {
        ""
    } else {
        ", still growing"
    };
    table.row(
        &format!(
            "rotations/s, {} applications at a time{reached}",
            found.applications
        ),
        found.rate,
        1,
        "",
        Aim::None,
    );
    Ok(())
}

/// Instantiate, call and drop, native and interpreted.
async fn calls(table: &mut Table) -> Result<(), Failure> {
    let native = calls::overhead(EngineKind::Native).await?;
    let pulley = calls::overhead(EngineKind::Pulley).await?;
    let mut row = |name: &str, time: Duration, aim| {
        table.row(name, time.as_secs_f64() * 1e6, 0, "µs", aim);
    };
    row("provider call, native", native.call, Aim::AtMost(100.0));
    row("provider call, Pulley", pulley.call, Aim::AtMost(200.0));
    let there_and_back = "with the way to the guests' threads and back";
    row(
        &format!("native, {there_and_back}"),
        native.whole,
        Aim::None,
    );
    row(
        &format!("Pulley, {there_and_back}"),
        pulley.whole,
        Aim::None,
    );
    let ratio = pulley.call.as_secs_f64() / native.call.as_secs_f64();
    table.row("Pulley to native", ratio, 2, "", Aim::None);
    Ok(())
}

/// A daemon with all those rotations, of which none has anything to do.
async fn idle(table: &mut Table, daemon: &mut Daemon) -> Result<(), Failure> {
    // In earnest: with every wait shortened it would look at its targets all the time.
    daemon.set("timing.scale", 1.0);
    daemon.set("timing.catch_up_spread", "1s");
    started(daemon).await?;
    let pid = pid(daemon)?;
    daemon.operator().status().await?;
    // What a start leaves to do is done when its rotations were looked at.
    tokio::time::sleep(IDLE).await;
    let before = Usage::of(pid)?;
    tokio::time::sleep(IDLE).await;
    let idle = Usage::of(pid)?.since(&before);
    let memory = Usage::resident_megabytes(pid)?;
    table.row("idle: resident memory", memory, 1, "MB", Aim::AtMost(40.0));
    let wakes = idle.switches_a_second(IDLE);
    table.row("idle: wake-ups a second", wakes, 1, "", Aim::AtMost(0.0));
    let cpu = idle.cpu.as_secs_f64() / IDLE.as_secs_f64() * 100.0;
    table.row("idle: CPU", cpu, 3, "%", Aim::None);
    daemon.stop().await
}

/// Reads of one secret, beside a bare server that answers the same bytes on the same kind of socket.
async fn reads(table: &mut Table, daemon: &Daemon, operator: &Operator) -> Result<(), Failure> {
    let name = e2e::operator::secret_name(&saturation::applications()[0], "SECRET");
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
    let ratio = ours / theirs;
    table.row(
        "secret reads to a bare actix-web's answers",
        ratio,
        2,
        "",
        Aim::AtLeast(0.5),
    );
    table.row("secret reads/s", ours, 0, "", Aim::None);
    table.row("the same from a bare actix-web", theirs, 0, "", Aim::None);
    Ok(())
}

fn pid(daemon: &Daemon) -> Result<u32, Failure> {
    daemon
        .pid()
        .ok_or_else(|| Failure::new("the daemon has no process"))
}

async fn started(daemon: &mut Daemon) -> Result<Duration, Failure> {
    let start = Instant::now();
    daemon.start().await?;
    Ok(start.elapsed())
}
