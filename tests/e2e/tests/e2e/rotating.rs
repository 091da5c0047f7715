//! Many rotations under lags, with somebody logging in all along.

use std::time::Duration;

use azure_standin::{
    Audience, Behaviour, Fault, Lag, Lags, Operation, RetryAfter, Rule, WriteWindow,
};
use e2e::azure::{MANAGER, tenant};
use futures_util::future::join_all;
use rotord_api::rotation::SecretRotation;

use crate::rig::Rig;

/// In the daemon's settings: a minute of a real host in 60 ms here.
const SCALE: f64 = 0.001;
/// The bound of the provider, and so the longest soak: 20 minutes, in milliseconds here.
const BOUND_MS: u64 = 1200;
const APPLICATIONS: usize = 10;
const ROTATIONS_OF_EACH: usize = 20;

/// Every replica learns of a change within the bound, each at its own time.
fn lagging() -> Behaviour {
    let lag = Lag::between(0, BOUND_MS - 50);
    Behaviour {
        added: Lags::everywhere(lag),
        removed: Lags::everywhere(lag),
        ..Behaviour::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_rotations_under_lags_fail_no_consumer_and_leave_no_orphan() {
    let names: Vec<String> = (0..APPLICATIONS).map(|n| format!("app-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut config = tenant(&names);
    config.behaviour = lagging();
    let rig = Rig::with(config, |daemon| {
        daemon
            .with("timing.scale", SCALE)
            .with("timing.soak_short", "20m")
            .with("log.filter", "info")
    })
    .await;

    let each = names.iter().map(|app| one_application(&rig, app));
    let rotations: Vec<SecretRotation> = join_all(each).await;
    for (app, rotation) in names.iter().zip(&rotations) {
        let settled = rig.settled(rotation).await;
        rig.assert_no_orphans(app, &settled);
        let checks = rig.azure.standin.checks();
        let checks = checks.app(app).unwrap();
        assert_eq!(checks.added, ROTATIONS_OF_EACH + 1, "{app}");
        assert_eq!(checks.removed, ROTATIONS_OF_EACH, "{app}");
        assert_eq!(
            (checks.foreign_removed, checks.last_removed),
            (0, 0),
            "{app}"
        );
    }
}

/// Answers get lost after they took effect, gateways fail, and the managing application is throttled.
fn bad_weather() -> Vec<Rule> {
    let gateway = Fault::Gateway {
        status: 503,
        empty: false,
        applied: true,
    };
    let throttled = Fault::Throttled {
        retry_after: Some(RetryAfter::Seconds(1)),
        code: None,
    };
    vec![
        Rule::chance(Operation::AddPassword, 0.15, Fault::LostReply),
        Rule::chance(Operation::AddPassword, 0.1, gateway.clone()),
        Rule::chance(Operation::AddPassword, 0.1, Fault::TruncatedReply),
        Rule::chance(Operation::AddPassword, 0.05, Fault::LostRequest),
        Rule::chance(Operation::RemovePassword, 0.2, Fault::LostReply),
        Rule::chance(Operation::RemovePassword, 0.1, gateway),
        Rule::chance(Operation::GetApplication, 0.1, Fault::LostReply),
        Rule::chance(Operation::Token, 0.02, throttled).for_app(MANAGER),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn in_bad_weather_no_consumer_fails_and_whatever_got_lost_is_found_and_removed() {
    let names = ["one", "two", "three", "four"];
    let mut config = tenant(&names);
    config.behaviour = Behaviour {
        write_window: WriteWindow {
            milliseconds: 3,
            ..WriteWindow::default()
        },
        ..lagging()
    };
    let rig = Rig::with(config, |daemon| {
        daemon
            .with("timing.soak_short", "20m")
            // `Retry-After` is not scaled: a second of it has room in this.
            .with("timing.retry_first", "30m")
            // What never took effect is given up after seconds.
            .with("timing.dormant_after", "1h")
            .with("timing.watch_most", "30m")
    })
    .await;
    let each = names.iter().map(|app| async {
        let rotation = rig.create(app).await;
        (rotation, rig.consumer(app, Duration::from_millis(20)).await)
    });
    let started = join_all(each).await;
    for rule in bad_weather() {
        rig.azure.standin.add_fault(rule);
    }
    let each = started.iter().map(|(rotation, _)| async {
        let mut published = 0;
        for _ in 0..6 {
            // A run that a person asked for may fail in such weather; it must say so and leave no trace.
            let rotated = rig.operator.rotate(rotation.id, Some(0)).await;
            published += u32::from(rotated.is_ok());
        }
        published
    });
    let published: u32 = join_all(each).await.iter().sum();
    assert!(published > 0, "nothing got through");
    let record = rig.azure.standin.record(0);
    let struck = record.iter().filter(|entry| entry.fault.is_some());
    assert!(struck.count() > 10, "the weather was good");

    rig.azure.standin.clear_faults();
    let rig = &rig;
    let last = names.iter().zip(started).map(async |(app, started)| {
        let (rotation, consumer) = started;
        rig.operator.rotate(rotation.id, Some(0)).await.unwrap();
        let settled = rig.settled(&rotation).await;
        rig.assert_no_orphans(app, &settled);
        let tally = consumer.stop().await.unwrap();
        assert_eq!((tally.failures, tally.unread), (0, 0), "{app}: {tally:?}");
    });
    join_all(last).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_holds_two_secrets_rotates_in_the_room_that_it_has() {
    let mut config = tenant(&["storefront", "full"]);
    for app in &mut config.applications[1..] {
        app.audience = Audience::AzureADAndPersonalMicrosoftAccount;
    }
    config.applications[1].secrets.clear();
    let rig = Rig::start_with(config).await;
    // Somebody else's leaves room for one of ours alone: nothing could ever be replaced.
    let body = rig
        .operator
        .request(&rig.azure, rig.connection, "full")
        .await
        .unwrap();
    let refused = rig.operator.post_rotation(&body).await.unwrap();
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(rig.operator.rotations().await.unwrap().is_empty());
    rig.assert_others_untouched("full");

    let rotation = rig.create("storefront").await;
    let consumer = rig.consumer("storefront", Duration::from_millis(20)).await;
    rig.rotate(&rotation).await;
    assert_eq!(rig.azure.issued("storefront").unwrap().len(), 2);
    // Full until the least overlap is over: it says from when on it can, and can from then on.
    let refused = rig.operator.rotate(rotation.id, None).await.unwrap_err();
    assert!(
        refused.whole().contains("20"),
        "no time is named: {}",
        refused.whole()
    );
    rig.until_issued("storefront", 1).await;
    let rotated = rig.rotate(&rotation).await;
    let rotated = rig.settled_but_previous(&rotated).await;
    rig.assert_holds_what_is_listed("storefront", &rotated);
    let checks = rig.azure.standin.checks();
    assert_eq!(checks.app("storefront").unwrap().most_live, 2);
    let tally = consumer.stop().await.unwrap();
    assert_eq!(tally.failures, 0, "{tally:?}");
}

/// Creates a rotation and rotates it, while a consumer uses it.
async fn one_application(rig: &Rig, app: &str) -> SecretRotation {
    let mut rotation = rig.create(app).await;
    let consumer = rig.consumer(app, Duration::from_millis(100)).await;
    for _ in 0..ROTATIONS_OF_EACH {
        rotation = rig.operator.rotate(rotation.id, Some(0)).await.unwrap();
    }
    let tally = consumer.stop().await.unwrap();
    assert_eq!(tally.failures, 0, "{app}: {tally:?}");
    assert_eq!(tally.unread, 0, "{app}: {tally:?}");
    assert!(tally.changes > 1, "{app}: {tally:?}");
    rotation
}
