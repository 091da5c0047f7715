//! `make simulate`: plays stories, and says what they came to.
//!
//! `SEEDS=n` plays so many, from `FROM` on; `SEED=n` plays one and tells it, with `ONLY='…'` exactly as a failing
//! story printed it, and `FULL=1` with
//! every call.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its purpose")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use simulator::shrink::shrink;
use simulator::{Detail, Report, Scenario, Violation, World};

/// So many kinds of failure are told in full.
const TOLD: usize = 3;
/// So many calm years are timed.
const CALM: u64 = 500;
const PROGRESS: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let done = match number("SEED") {
        Some(seed) => one(seed, std::env::var("ONLY").ok().as_deref()),
        None => many(
            number("FROM").unwrap_or(0),
            number("SEEDS").unwrap_or(20_000),
        ),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("{what}");
            ExitCode::FAILURE
        }
    }
}

/// Tells one story.
fn one(seed: u64, only: Option<&str>) -> Result<(), String> {
    let drawn = Scenario::from_seed(seed);
    let scenario = match only.filter(|only| !only.trim().is_empty()) {
        Some(settings) => drawn.only(settings)?,
        None => drawn,
    };
    let detail = match std::env::var("FULL") {
        Ok(full) if !full.is_empty() => Detail::Full,
        _ => Detail::Short,
    };
    match World::tell(scenario.clone(), detail) {
        Ok((report, story)) => {
            println!("{}", story.join("\n"));
            println!("seed {seed} keeps its promises ({scenario}): {report:?}");
            Ok(())
        }
        Err(violation) => {
            println!("{}", violation.story.join("\n"));
            Err(shrunk(violation))
        }
    }
}

/// Plays many. Each kind of failure is counted, and the first of each is made smaller and told.
fn many(from: u64, count: u64) -> Result<(), String> {
    let (start, mut told) = (Instant::now(), Instant::now());
    let mut sum = Report::default();
    let mut over_the_store = Time::default();
    let mut failures: BTreeMap<String, (u32, Box<Violation>)> = BTreeMap::new();
    for seed in from..from + count {
        let scenario = Scenario::from_seed(seed);
        let begun = scenario.real_store.then(processor_time).flatten();
        match World::play(scenario) {
            Ok(report) => {
                sum.add(&report);
                over_the_store.add(begun, report.days);
            }
            Err(violation) => {
                failures.entry(violation.kind()).or_insert((0, violation)).0 += 1;
            }
        }
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            eprintln!(
                "{} of {count} stories, {}, {} kinds of failure",
                seed - from,
                pace(&sum, start, &over_the_store),
                failures.len()
            );
        }
    }
    for (kind, (times, violation)) in &failures {
        eprintln!("{times} × {kind} (first seed {})", violation.scenario.seed);
    }
    let told: Vec<_> = failures
        .into_values()
        .take(TOLD)
        .map(|(_, violation)| shrunk(violation))
        .collect();
    if !told.is_empty() {
        return Err(told.join("\n\n"));
    }
    println!(
        "{} stories, {}",
        sum.stories,
        pace(&sum, start, &over_the_store)
    );
    println!(
        "{} published in {} attempts (took 1, 2, … attempts: {})",
        sum.published,
        sum.attempts,
        sum.distribution()
    );
    println!(
        "{} steps, {} calls, {} crashes, {} failed commits, {} commands, {} restores from copies; {} steps \
         compared with the real store, {} of its commits refused",
        sum.steps,
        sum.calls,
        sum.crashes,
        sum.failed_commits,
        sum.commands,
        sum.restores,
        sum.compared,
        sum.refused
    );
    if let Some((years, steps)) = calm_pace() {
        println!(
            "without trouble, monthly: {years:.0} rotation-years a second of processor time, {:.1} million steps",
            steps / 1e6
        );
    }
    println!(
        "{} logins of consumers, {} failed where nothing could be done",
        sum.logins, sum.failed_logins
    );
    Ok(())
}

/// What the stories over the real store took: what they measure is `SQLite`.
#[derive(Debug, Default)]
struct Time {
    used: Duration,
    days: i64,
}

impl Time {
    fn add(&mut self, begun: Option<Duration>, days: i64) {
        if let (Some(begun), Some(now)) = (begun, processor_time()) {
            self.used += now.saturating_sub(begun);
            self.days += days;
        }
    }
}

fn pace(sum: &Report, start: Instant, over_the_store: &Time) -> String {
    let seconds = start.elapsed().as_secs_f64();
    let years = |days: i64| f64::from(u32::try_from(days).unwrap_or(u32::MAX)) / 365.0;
    let all = years(sum.days);
    let processor = processor_time().map_or(String::new(), |used| {
        let used = used.saturating_sub(over_the_store.used);
        let pace = years(sum.days - over_the_store.days) / used.as_secs_f64();
        format!("; {pace:.0} a second of processor time over the model")
    });
    format!(
        "{all:.0} rotation-years in {seconds:.1} s: {:.0} a second{processor}",
        all / seconds
    )
}

/// How fast stories go in which nothing goes wrong, what the aim of a thousand is about: years and steps a second.
fn calm_pace() -> Option<(f64, f64)> {
    let begun = processor_time()?;
    let mut sum = Report::default();
    for seed in 0..CALM {
        sum.add(&World::play(Scenario::calm(seed)).ok()?);
    }
    let used = processor_time()?.saturating_sub(begun).as_secs_f64();
    let a_second = |count: f64| count / used;
    let days = u32::try_from(sum.days).ok()?;
    let steps = u32::try_from(sum.steps).ok()?;
    Some((a_second(f64::from(days) / 365.0), a_second(steps.into())))
}

/// What this process has used: beside others, the time on the wall says little.
fn processor_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    let nanoseconds = stat.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

fn shrunk(violation: Box<Violation>) -> String {
    eprintln!("seed {} fails: making it smaller", violation.scenario.seed);
    shrink(violation).to_string()
}
