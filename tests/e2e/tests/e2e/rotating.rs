//! Many rotations under lags, with somebody logging in all along.

use std::time::Duration;

use azure_standin::{Behaviour, Lag, Lags};
use e2e::azure::tenant;
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
