//! Rotations that come due by themselves, on a clock on which a day takes seconds.

use std::time::Duration;

use azure_standin::{Behaviour, ClockConfig, Lag, Lags};
use chrono::{DateTime, NaiveTime, TimeDelta, Timelike as _, Utc};
use e2e::azure::tenant;
use e2e::operator::KIND;
use e2e::{Azure, Daemon, clock};
use rotord_api::rotation::{CredentialStage, SecretRotation};
use rotord_api::routes;
use serde_json::json;

use crate::rig::Rig;

/// A day in twelve seconds.
const FACTOR: f64 = 7200.0;

/// Both clocks begin at `shows`, now.
pub(crate) async fn rig(shows: DateTime<Utc>) -> Rig {
    rig_of(shows, &["payroll"]).await
}

pub(crate) async fn rig_of(shows: DateTime<Utc>, applications: &[&str]) -> Rig {
    let lag = Lag::between(0, 10 * 60_000);
    let mut config = tenant(applications);
    config.behaviour = Behaviour {
        added: Lags::everywhere(lag),
        removed: Lags::everywhere(lag),
        ..Behaviour::default()
    };
    config.clock = ClockConfig {
        epoch: Some(shows),
        multiplier: FACTOR,
    };
    let real = Utc::now();
    let azure = Azure::start(config).await.unwrap();
    let mut daemon = Daemon::new()
        .unwrap()
        .with_test_build()
        .unwrap()
        .trusting(&azure)
        .unwrap()
        .with("timing.scale", 1.0)
        // What takes milliseconds takes minutes on this clock.
        .with("timing.skew_most", "12h")
        .with("timing.gate_fresh", "1h")
        .with("timing.verify_cap", "6h")
        .env(clock::VARIABLE, clock::showing(shows, real, FACTOR));
    daemon.start().await.unwrap();
    let operator = daemon.operator();
    let connection = operator.connect(&azure, "azure").await.unwrap();
    Rig {
        azure,
        daemon,
        operator,
        connection,
    }
}

pub(crate) async fn create_daily(rig: &Rig, hours: u32) -> SecretRotation {
    create_daily_of(rig, "payroll", hours).await
}

pub(crate) async fn create_daily_of(rig: &Rig, app: &str, hours: u32) -> SecretRotation {
    let mut body = rig
        .operator
        .request(&rig.azure, rig.connection, app)
        .await
        .unwrap();
    body["rotationInterval"] = json!(1);
    body["rotateAtUtc"] = json!({ "hours": hours, "minutes": 30 });
    let reply = rig.operator.post_rotation(&body).await.unwrap();
    let created = reply
        .parse::<rotord_api::rotation::SecretRotationAnswer>()
        .unwrap();
    rig.until("creation", &created.secret_rotation, |rotation| {
        rotation.last_rotated_at.is_some()
    })
    .await
}

fn next(rotation: &SecretRotation) -> DateTime<Utc> {
    rotation.next_rotation_at.unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daily_rotation_rotates_daily_and_catches_up_once() {
    // The first one due comes a whole day after it, at that time of day: creation counts as manual.
    let begin = "2031-03-01T10:00:00Z".parse().unwrap();
    let mut rig = rig(begin).await;
    let mut rotation = create_daily(&rig, 2).await;
    let half_past_two = NaiveTime::from_hms_opt(2, 30, 0).unwrap();
    // A day of its clock is seconds of ours, which a start may take.
    let day_after = rotation.created_at.0 + TimeDelta::days(1);
    let that_day = day_after.date_naive().and_time(half_past_two).and_utc();
    let due = if that_day < day_after {
        that_day + TimeDelta::days(1)
    } else {
        that_day
    };
    assert_eq!(next(&rotation), due);
    let consumer = rig.consumer("payroll", Duration::from_millis(5)).await;

    for _ in 0..2 {
        let due = next(&rotation);
        let before = rotation.last_rotated_at;
        rotation = rig
            .until("the next day's rotation", &rotation, |rotation| {
                rotation.last_rotated_at > before
            })
            .await;
        assert!(
            rotation.last_rotated_at.unwrap().0 > due,
            "it came too early"
        );
        assert!(!rotation.is_last_rotation_manual);
        assert_eq!(next(&rotation).time(), half_past_two);
        assert!(next(&rotation) > rotation.last_rotated_at.unwrap().0);
    }

    // The host is off for two days and a half, less than its credential has to live; its clock goes on.
    rig.daemon.stop().await.unwrap();
    rig.azure.standin.advance(Duration::from_hours(60));
    let issued_before = rig.azure.standin.checks().app("payroll").unwrap().added;
    let shows = rig.azure.standin.now();
    rig.daemon = rig
        .daemon
        .env(clock::VARIABLE, clock::showing(shows, Utc::now(), FACTOR));
    rig.daemon.start().await.unwrap();
    let before = rotation.last_rotated_at;
    let caught_up = rig
        .until("the catch-up", &rotation, |rotation| {
            rotation.last_rotated_at > before
        })
        .await;
    let issued = rig.azure.standin.checks().app("payroll").unwrap().added;
    assert_eq!(issued, issued_before + 1, "one for all that was missed");
    assert!(next(&caught_up) > caught_up.last_rotated_at.unwrap().0);
    assert_eq!(next(&caught_up).minute(), 30);

    let tally = consumer.stop().await.unwrap();
    assert_eq!(tally.failures, 0, "{tally:?}");
    let now = rig.operator.rotation(rotation.id).await.unwrap();
    let active = crate::rig::key_at(&now, CredentialStage::Active);
    let issued = rig.azure.issued("payroll").unwrap();
    assert!(issued.iter().any(|key| key.to_string() == active));
    rig.assert_others_untouched("payroll");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_rotation_that_fails_is_tried_again_until_it_works() {
    let begin = "2031-03-01T01:00:00Z".parse().unwrap();
    let rig = rig(begin).await;
    let rotation = create_daily(&rig, 2).await;
    rig.azure
        .standin
        .set_owner("payroll", "rotord", false)
        .unwrap();
    let failed = rig
        .until("a failure", &rotation, |rotation| {
            rotation
                .state
                .as_ref()
                .is_some_and(|state| state.failures > 1)
        })
        .await;
    let status = rig.operator.status().await.unwrap();
    assert!(
        status
            .failing
            .iter()
            .any(|item| item.rotation_id == rotation.id),
        "{status:#?}"
    );
    assert!(failed.last_rotation_message.is_some());
    assert_eq!(failed.last_rotated_at, rotation.last_rotated_at);
    rig.azure
        .standin
        .set_owner("payroll", "rotord", true)
        .unwrap();
    let rotated = rig
        .until("the run after it", &rotation, |now| {
            now.last_rotated_at > rotation.last_rotated_at
        })
        .await;
    assert_eq!(rotated.last_rotation_message, None);
    let path = routes::check_credentials(KIND, rotation.id);
    let check = rig.operator.http.post(&path, &json!(null)).await.unwrap();
    assert_eq!(check.status, 204, "{}", check.text());
}
