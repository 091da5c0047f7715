//! Every named place is reached, and a daemon that dies there loses nothing.

use crash::{Outcome, Plan, Template, play};
use futures_util::StreamExt as _;
use rotord_crash::Point;

/// Runs at the same time: most of a run is waiting.
const AT_ONCE: usize = 4;

pub(crate) fn assert_kept(what: &str, outcome: &Outcome) {
    assert!(
        outcome.violations.is_empty(),
        "{what}: {}\n{}",
        outcome.violations.join("\n"),
        outcome.story
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_place_is_reached_and_a_kill_there_loses_nothing() {
    let template = Template::make().await.unwrap();
    let mut runs = futures_util::stream::iter(Point::all().map(|point| {
        let (plan, template) = (Plan::first_at(point), &template);
        async move { (point, play(&plan, template).await.unwrap()) }
    }))
    .buffer_unordered(AT_ONCE);
    let mut missed = Vec::new();
    while let Some((point, outcome)) = runs.next().await {
        assert_kept(&point.to_string(), &outcome);
        if outcome.reached != [point.to_string()] {
            missed.push(point.to_string());
        }
    }
    assert!(missed.is_empty(), "not reached: {missed:?}");
}
