//! A fixed set of stories: every promise holds in each of them. `make simulate` plays more.

use simulator::shrink::shrink;
use simulator::{Fault, Report, Scenario, World};

/// Plays the stories of these seeds; the first broken promise fails with its smallest story.
fn play(seeds: impl IntoIterator<Item = u64>) -> Report {
    let mut sum = Report::default();
    for seed in seeds {
        match World::play(Scenario::from_seed(seed)) {
            Ok(report) => sum.add(&report),
            Err(violation) => panic!("{}", shrink(violation)),
        }
    }
    sum
}

#[test]
fn the_promises_hold_in_the_first_stories() {
    let sum = play(0..1000);
    assert!(
        sum.published > 0 && sum.crashes > 0 && sum.commands > 0,
        "{sum:?}"
    );
    assert!(sum.failed_commits > 0 && sum.restores > 0, "{sum:?}");
    assert!(sum.compared > 0, "the real store was not played: {sum:?}");
    assert!(sum.refused > 0, "the real store refused nothing: {sum:?}");
}

#[test]
fn the_promises_hold_in_the_next_stories() {
    play(1000..2000);
}

#[test]
fn the_promises_hold_where_the_books_are_restored() {
    let mut sum = Report::default();
    for seed in 0..400 {
        let mut scenario = Scenario::from_seed(seed);
        scenario.faults.set(Fault::OldState, 200);
        scenario.days = scenario.days.max(scenario.interval * 8);
        scenario.real_store = seed % 100 == 0;
        match World::play(scenario) {
            Ok(report) => sum.add(&report),
            Err(violation) => panic!("{}", shrink(violation)),
        }
    }
    assert!(sum.restores > 200, "{sum:?}");
}

#[test]
fn equal_seeds_tell_equal_stories() {
    for seed in 0..40 {
        let tell = || format!("{:?}", World::play(Scenario::from_seed(seed)));
        assert_eq!(tell(), tell());
    }
}

#[test]
fn a_printed_scenario_is_read_back() {
    for seed in 0..200 {
        let scenario = Scenario::from_seed(seed);
        let text = scenario.to_string();
        let read = Scenario::from_seed(seed).only(&text);
        assert_eq!(read.as_ref(), Ok(&scenario), "{text}");
    }
    assert!(Scenario::from_seed(1).only("lots=3").is_err());
    assert!(Scenario::from_seed(1).only("days").is_err());
}
