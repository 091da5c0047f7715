//! What a kill at each place left is put back later, and nothing that lives is revoked.

use crash::Template;
use crash::old::{Old, play};
use futures_util::StreamExt as _;
use rotord_crash::Point;

use crate::places::assert_kept;

/// Runs at the same time: most of a run is waiting.
const AT_ONCE: usize = 4;

/// Each place in one of its ways; `crash old` plays them all.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_kill_at_each_place_left_is_put_back_and_nothing_that_lives_is_revoked() {
    let template = Template::make().await.unwrap();
    // By seven, so that neighbours differ in all: there are sixteen ways.
    let olds = Point::all().enumerate().map(|(number, point)| {
        let ways: Vec<Old> = Old::of(point).collect();
        ways[number * 7 % ways.len()]
    });
    let mut runs = futures_util::stream::iter(olds.map(|old| {
        let template = &template;
        async move { (old, play(old, template).await.unwrap()) }
    }))
    .buffer_unordered(AT_ONCE);
    let mut missed = Vec::new();
    while let Some((old, outcome)) = runs.next().await {
        assert_kept(&old.to_string(), &outcome);
        if outcome.reached != [old.point.to_string()] {
            missed.push(old.to_string());
        }
    }
    assert!(missed.is_empty(), "not reached: {missed:?}");
}
