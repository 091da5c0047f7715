//! `make crash RUNS=n`: kills the real daemon in many ways and tells whether anything was lost.
//!
//! ```text
//! crash RUNS          so many runs of this commit, those that were played before included
//! crash seed SEED     one run, with its story where something was lost
//! crash at PLACE[:N]  one run that is killed at a place
//! crash power SEED    one run, with the power cut before every sync of it
//! crash old           what a kill left is put back later: every place, 0, 1, 2 and 10 rotations later, by a copy and
//!                     by a restore, with the witness and without it
//! crash old PLACE     the same of one place
//! crash figures       what the ledger says of this commit
//! ```

#![expect(clippy::print_stdout, reason = "figures and stories are for people")]

use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Instant;

use crash::ledger::{self, Ledger, Line};
use crash::old::Old;
use crash::{Plan, Template, play};
use e2e::Failure;
use e2e::built::root;
use e2e::failure::OrFail as _;
use futures_util::StreamExt as _;
use rotord_crash::Point;
use tokio::signal::unix::{SignalKind, signal};

/// Runs at the same time: most of a run is waiting.
const AT_ONCE: usize = 8;
/// From one line of progress to the next.
const PROGRESS: usize = 50;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // What is dropped takes its daemons along.
    let done = tokio::select! {
        done = asked(&arguments) => done,
        stopped = asked_to_stop() => stopped.map(|()| Some(false)),
    };
    match done {
        Ok(Some(true)) => ExitCode::SUCCESS,
        Ok(Some(false)) => ExitCode::FAILURE,
        Ok(None) => {
            println!(
                "crash RUNS | crash seed SEED | crash at PLACE[:N] | crash power SEED | crash old [PLACE] | \
                 crash figures"
            );
            ExitCode::from(64)
        }
        Err(failure) => {
            println!("{}", failure.whole());
            ExitCode::FAILURE
        }
    }
}

/// Does what was asked for, and tells whether nothing was lost. None is what nobody can ask for.
async fn asked(arguments: &[&str]) -> Result<Option<bool>, Failure> {
    let kept = match arguments {
        ["seed", seed] => match seed.parse() {
            Ok(seed) => one(Plan::from_seed(seed)).await,
            Err(_) => return Ok(None),
        },
        ["at", place] => {
            let (point, nth) = place.split_once(':').unwrap_or((place, "1"));
            match (point.parse(), nth.parse()) {
                (Ok(point), Ok(nth)) => one(Plan::at(point, nth)).await,
                _ => return Ok(None),
            }
        }
        ["power", seed] => match seed.parse() {
            Ok(seed) => power(seed).await,
            Err(_) => return Ok(None),
        },
        ["old"] => old(Point::all().flat_map(Old::of).collect()).await,
        ["old", place] => match place.parse() {
            Ok(point) => old(Old::of(point).collect()).await,
            Err(_) => return Ok(None),
        },
        ["figures"] => figures(),
        [runs] => match runs.parse() {
            Ok(runs) => many(runs).await,
            Err(_) => return Ok(None),
        },
        _ => return Ok(None),
    };
    kept.map(Some)
}

async fn asked_to_stop() -> Result<(), Failure> {
    let no_signals = || "signals can't be received".to_owned();
    let mut terminate = signal(SignalKind::terminate()).or_fail(no_signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).or_fail(no_signals)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// What is run.
fn commit() -> Result<String, Failure> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(root())
            .output();
        output
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
            .or_fail(|| "git can't be run".to_owned())
    };
    let changed = git(&["status", "--porcelain", "--untracked-files=no"])?;
    let mark = if changed.is_empty() { "" } else { "+" };
    Ok(git(&["rev-parse", "--short=12", "HEAD"])? + mark)
}

fn ledger() -> Result<Ledger, Failure> {
    Ledger::open(&root().join("build/crash-ledger.jsonl"))
}

fn figures() -> Result<bool, Failure> {
    println!("{}", ledger::figures(&ledger()?.of(&commit()?)?));
    Ok(true)
}

async fn one(plan: Plan) -> Result<bool, Failure> {
    let template = Template::make().await?;
    let outcome = play(&plan, &template).await?;
    if outcome.violations.is_empty() {
        println!("nothing was lost: {outcome:#?}");
        return Ok(true);
    }
    println!("{}\n\n{}", outcome.story, outcome.violations.join("\n"));
    Ok(false)
}

async fn power(seed: u64) -> Result<bool, Failure> {
    let outcome = crash::power::play(seed).await?;
    println!("{outcome:#?}");
    Ok(outcome.violations.is_empty())
}

async fn old(all: Vec<Old>) -> Result<bool, Failure> {
    let template = Template::make().await?;
    let total = all.len();
    let mut done = futures_util::stream::iter(all.into_iter().map(|old| {
        let template = &template;
        async move { (old, crash::old::play(old, template).await) }
    }))
    .buffer_unordered(AT_ONCE);
    let (mut count, mut wrong) = (0_usize, 0_usize);
    while let Some((old, outcome)) = done.next().await {
        let outcome = outcome?;
        count += 1;
        if !outcome.violations.is_empty() || outcome.reached != [old.point.to_string()] {
            wrong += 1;
            println!(
                "{}\n\n{old}: reached {:?}\n{}",
                outcome.story,
                outcome.reached,
                outcome.violations.join("\n")
            );
        }
        if count.is_multiple_of(PROGRESS) || count == total {
            println!("{count} of {total} put back, {wrong} with something wrong");
        }
    }
    Ok(wrong == 0)
}

async fn many(runs: u64) -> Result<bool, Failure> {
    let commit = commit()?;
    let mut ledger = ledger()?;
    let played: std::collections::HashSet<u64> =
        ledger.of(&commit)?.iter().map(|line| line.seed).collect();
    let seeds: Vec<u64> = (0..runs).filter(|seed| !played.contains(seed)).collect();
    println!(
        "{commit}: {} runs, {} of them played before",
        runs,
        played.len()
    );
    let template = Arc::new(Template::make().await?);
    let (begun, total) = (Instant::now(), seeds.len());
    let mut done = futures_util::stream::iter(seeds.into_iter().map(|seed| {
        let template = Arc::clone(&template);
        async move {
            let started = Instant::now();
            let outcome = play(&Plan::from_seed(seed), &template).await;
            (seed, outcome, started.elapsed())
        }
    }))
    .buffer_unordered(AT_ONCE);
    let (mut count, mut violated) = (0_usize, 0);
    while let Some((seed, outcome, took)) = done.next().await {
        let outcome = outcome?;
        count += 1;
        if !outcome.violations.is_empty() {
            violated += 1;
            println!(
                "{}\n\nseed {seed}: {}\nplay it again: make crash SEED={seed}",
                outcome.story,
                outcome.violations.join("\n")
            );
        }
        ledger.add(&Line {
            commit: commit.clone(),
            seed,
            kept: outcome.violations.is_empty(),
            points: outcome.reached,
            missed: outcome.missed,
            kills: outcome.kills,
            stops: outcome.stops,
            attempts: outcome.attempts,
            logins: outcome.logins,
            lost_replies: outcome.lost_replies,
            violations: outcome.violations,
            milliseconds: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        })?;
        if count.is_multiple_of(PROGRESS) {
            let pace =
                begun.elapsed().as_secs_f64() / f64::from(u32::try_from(count).unwrap_or(u32::MAX));
            println!("{count} of {total}, {violated} violated, {pace:.2} s a run");
        }
    }
    println!("{}", ledger::figures(&ledger.of(&commit)?));
    Ok(violated == 0)
}
