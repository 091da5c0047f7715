//! A fixed set of stories: every promise holds in each of them.

use std::time::Duration;

use simulator::provider::Behaviour;
use simulator::{Report, Scenario, World};

/// Plays the stories of these seeds; the first broken promise fails with its story.
fn play(seeds: std::ops::Range<u64>) -> Report {
    let mut sum = Report::default();
    for seed in seeds {
        match World::play(Scenario::from_seed(seed)) {
            Ok(report) => {
                sum.published += report.published;
                sum.attempts += report.attempts;
                sum.crashes += report.crashes;
                sum.steps += report.steps;
                sum.days += report.days;
            }
            Err(violation) => panic!("{violation}"),
        }
    }
    assert!(
        sum.published > 0 && sum.crashes > 0,
        "nothing happened: {sum:?}"
    );
    sum
}

/// `make simulate SEEDS=n`.
#[test]
#[ignore = "for as long as one likes: SEEDS=n"]
fn as_many_stories_as_asked_for() {
    let seeds = std::env::var("SEEDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(10_000);
    let start = std::time::Instant::now();
    let sum = play(0..seeds);
    let years = sum.days / 365;
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{seeds} stories, {years} rotation-years in {seconds:.1} s: {} published in {} attempts, {} crashes, {} steps",
        sum.published, sum.attempts, sum.crashes, sum.steps
    );
}

#[test]
fn the_promises_hold_in_the_first_thousand_stories() {
    play(0..1000);
}

#[test]
fn the_promises_hold_in_the_second_thousand_stories() {
    play(1000..2000);
}

fn calm(seed: u64, lost: u64) -> Scenario {
    let behaviour = Behaviour {
        replicas: 4,
        lag: Duration::from_secs(50),
        lost,
        throttled: 0,
        unreachable: 0,
        cap: None,
        foreign: 2,
    };
    Scenario {
        seed,
        behaviour,
        interval: 30,
        days: 30 * 12,
        crashes: 0,
        commands: 0,
        outages: 0,
    }
}

#[test]
fn a_calm_year_rotates_every_month_and_leaves_two_alive() {
    let report = World::play(calm(1, 0)).unwrap_or_else(|violation| panic!("{violation}"));
    assert_eq!(report.attempts, report.published);
    assert!((11..=13).contains(&report.published), "{report:?}");
    assert!(report.live <= 2, "{report:?}");
}

#[test]
fn lost_answers_cost_attempts_and_leave_nothing_behind() {
    let mut totals = (0, 0);
    for seed in 0..20 {
        let report = World::play(calm(seed, 300)).unwrap_or_else(|violation| panic!("{violation}"));
        assert!(report.live <= 3, "{report:?}");
        totals = (totals.0 + report.published, totals.1 + report.attempts);
    }
    assert!(totals.1 > totals.0, "no answer was lost");
}

#[test]
fn equal_seeds_tell_equal_stories() {
    for seed in 0..20 {
        let tell = || format!("{:?}", World::play(Scenario::from_seed(seed)));
        assert_eq!(tell(), tell());
    }
}
