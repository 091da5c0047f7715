//! What is claimed in numbers.

use std::time::Duration;

use simulator::{Fault, Report, Scenario, World};

fn told(scenario: Scenario) -> Report {
    World::play(scenario).unwrap_or_else(|violation| panic!("{violation}"))
}

/// Twenty rotations a story, until there are so many.
fn rotations(count: u64, of: impl Fn(u64) -> Scenario) -> Report {
    let mut sum = Report::default();
    for seed in 0.. {
        if sum.published >= count {
            return sum;
        }
        sum.add(&told(of(seed)));
    }
    sum
}

fn monthly(seed: u64) -> Scenario {
    Scenario {
        days: 30 * 20 + 10,
        ..Scenario::calm(seed)
    }
}

#[test]
fn a_calm_year_rotates_every_month_and_leaves_two_alive() {
    let report = told(Scenario::calm(1));
    assert_eq!(report.attempts, report.published);
    assert!((11..=14).contains(&report.published), "{report:?}");
    assert!(report.live <= 2, "{report:?}");
    assert_eq!(report.failed_logins, 0);
}

#[test]
fn a_thousand_rotations_below_the_short_soak_cost_no_login() {
    let sum = rotations(1000, |seed| Scenario {
        faults: Scenario::calm(seed).faults.with(Fault::Flapping, 500),
        ..monthly(seed)
    });
    assert!(sum.logins > 30_000_000, "{sum:?}");
    assert_eq!(sum.failed_logins, 0, "{sum:?}");
}

#[test]
fn a_thousand_scheduled_rotations_with_lags_of_up_to_twenty_minutes_cost_no_login() {
    // The first one of each story is a creation, whose soak is short: it has no lag to wait for.
    let sum = rotations(1000, |seed| {
        let mut scenario = monthly(seed);
        scenario.lag = 1199;
        scenario.faults.set(Fault::Flapping, 500);
        scenario
    });
    assert_eq!(sum.early_scheduled, 0, "{sum:?}");
    assert_eq!(sum.failed_scheduled, 0, "{sum:?}");
}

#[test]
fn beyond_the_soak_some_logins_fail_and_most_do_not() {
    let sum = rotations(500, |seed| Scenario {
        lag: 3600,
        ..monthly(seed)
    });
    println!(
        "lags of up to an hour: {} of {} published too early, {} of {} logins failed",
        sum.early, sum.published, sum.failed_logins, sum.logins
    );
    assert!(sum.early > 0, "the lag was not felt: {sum:?}");
    // It waits for as long as it was refused: few of those that lag are met.
    assert!(sum.early * 2 < sum.published, "{sum:?}");
}

#[test]
fn with_a_third_of_the_answers_lost_nothing_is_left_behind() {
    let sum = rotations(1000, |seed| Scenario {
        faults: Scenario::calm(seed)
            .faults
            .with(Fault::Lost, 300)
            .with(Fault::Late, 300),
        ..monthly(seed)
    });
    println!("attempts: {}", sum.distribution());
    assert!(sum.attempts > sum.published * 5 / 4, "{sum:?}");
    assert!(sum.attempts < sum.published * 2, "{sum:?}");
    // At rest two or three of a rotation's are alive.
    assert!(sum.live <= sum.stories * 3, "{sum:?}");
}

#[test]
fn a_clock_that_is_wrong_publishes_nothing_and_revokes_nothing() {
    let jumps = |seed| Scenario {
        faults: Scenario::calm(seed).faults.with(Fault::Jump, 200),
        ..monthly(seed)
    };
    let sum = rotations(400, jumps);
    // One run each: what a fast clock began early is published once it is set right, and takes its time's place.
    assert!(sum.attempts <= sum.published + sum.published / 4, "{sum:?}");
    assert_eq!(sum.failed_logins, 0, "{sum:?}");
}

#[test]
fn three_days_of_sleep_cost_at_most_one_run() {
    let sum = rotations(400, |seed| Scenario {
        faults: Scenario::calm(seed).faults.with(Fault::Suspend, 60),
        interval: 1,
        days: 60,
        ..Scenario::calm(seed)
    });
    // An attempt is lost where the sleep cuts its connection. Two on one day: a late one that began before midnight.
    assert!(
        sum.attempts <= sum.published + sum.published / 20,
        "{sum:?}"
    );
    assert!(sum.most_a_day <= 2, "{sum:?}");
}

/// Hundred runs were missed: when the one that catches up begins, after the start.
fn catches_up_after(seed: u64) -> Duration {
    World::misses_runs(seed, 100).unwrap_or_else(|what| panic!("seed {seed}: {what}"))
}

#[test]
fn a_hundred_missed_runs_are_caught_up_by_one_and_five_hundred_rotations_do_so_spread() {
    let window = Duration::from_mins(5);
    let mut tenths = [0_u32; 10];
    for seed in 0..500 {
        let after = catches_up_after(seed);
        assert!(after <= window + Duration::from_secs(30), "{after:?}");
        let tenth = after.as_secs() * 10 / window.as_secs();
        tenths[usize::try_from(tenth).unwrap().min(9)] += 1;
    }
    assert!(
        tenths.iter().all(|count| (20..=90).contains(count)),
        "{tenths:?}"
    );
}
