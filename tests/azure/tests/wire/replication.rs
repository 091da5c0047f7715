//! Lag between replicas, as a client sees it, and time that a test controls.

use std::collections::BTreeSet;
use std::time::Duration;

use azure_standin::{Behaviour, Lag, Lags};

use crate::rig::{self, Rig};

#[tokio::test]
async fn each_lookup_lags_by_itself() {
    let rig = Rig::behaving(Behaviour {
        added: Lags {
            token: Lag::between(3000, 3000),
            read: Lag::between(2000, 2000),
            lookup: Lag::between(1000, 1000),
        },
        ..Behaviour::default()
    })
    .await;
    let added = rig.add_password("payroll").await.json();
    let key = rig::text(&added["keyId"]);
    let text = rig::text(&added["secretText"]);
    let listed = async || {
        let app = rig.get(&rig.object_path("payroll")).await.json();
        app["passwordCredentials"].as_array().unwrap().len()
    };
    assert_eq!(listed().await, 0);
    assert_eq!(rig.login("payroll", &text).await.error(), "7000215");
    let unknown = rig.remove_password("payroll", &key).await;
    assert!(rig::text(&unknown.json()["error"]["message"]).contains(&key));

    rig.standin.advance(Duration::from_secs(2));
    assert_eq!(listed().await, 1);
    assert_eq!(rig.login("payroll", &text).await.error(), "7000215");
    rig.standin.advance(Duration::from_secs(1));
    assert_eq!(rig.login("payroll", &text).await.status, 200);
    assert_eq!(rig.remove_password("payroll", &key).await.status, 204);
}

#[tokio::test]
async fn logins_flap_while_replicas_disagree_and_then_agree() {
    let rig = Rig::behaving(Behaviour {
        replicas: 4,
        added: Lags {
            token: Lag::between(0, 60_000),
            ..Lags::default()
        },
        ..Behaviour::default()
    })
    .await;
    let text = rig::text(&rig.add_password("payroll").await.json()["secretText"]);
    rig.standin.advance(Duration::from_secs(30));
    let check = rig.standin.check_login("payroll", &text).unwrap();
    let working = check.replicas.iter().filter(|works| **works).count();
    assert!(
        (1..4).contains(&working),
        "the seed gives a split: {check:?}"
    );
    let mut seen = BTreeSet::new();
    for _ in 0..40 {
        seen.insert(rig.login("payroll", &text).await.status);
    }
    assert_eq!(seen, BTreeSet::from([200, 401]));

    rig.standin.advance(Duration::from_secs(30));
    let check = rig.standin.check_login("payroll", &text).unwrap();
    assert!(check.works_everywhere());
    for _ in 0..10 {
        assert_eq!(rig.login("payroll", &text).await.status, 200);
    }
}

#[tokio::test]
async fn removed_secrets_linger_and_their_tokens_outlive_them() {
    let rig = Rig::behaving(Behaviour {
        removed: Lags::everywhere(Lag::between(60_000, 60_000)),
        ..Behaviour::default()
    })
    .await;
    let added = rig.add_password("payroll").await.json();
    let text = rig::text(&added["secretText"]);
    let key = rig::text(&added["keyId"]);
    assert_eq!(rig.remove_password("payroll", &key).await.status, 204);
    assert_eq!(rig.login("payroll", &text).await.status, 200);
    let app = rig.get(&rig.object_path("payroll")).await.json();
    assert_eq!(app["passwordCredentials"][0]["keyId"], added["keyId"]);
    rig.standin.advance(Duration::from_mins(1));
    assert_eq!(rig.login("payroll", &text).await.error(), "7000215");
}

#[tokio::test]
async fn the_date_header_follows_the_clock_and_its_skew() {
    let rig = Rig::behaving(Behaviour {
        date_skew_ms: -600_000,
        ..Behaviour::default()
    })
    .await;
    let reply = rig.login("rotord", rig::SECRET).await;
    assert_eq!(reply.header("date"), "Wed, 02 Jan 2030 02:54:05 GMT");
    rig.standin.advance(Duration::from_hours(24));
    let reply = rig.login("rotord", rig::SECRET).await;
    assert_eq!(reply.header("date"), "Thu, 03 Jan 2030 02:54:05 GMT");
}

#[tokio::test]
async fn secrets_expire_by_the_stand_ins_clock() {
    let rig = Rig::behaving(Behaviour::default()).await;
    let text = rig::text(&rig.add_password("payroll").await.json()["secretText"]);
    assert_eq!(rig.login("payroll", &text).await.status, 200);
    rig.standin.advance(Duration::from_hours(24 * 731));
    assert_eq!(rig.login("payroll", &text).await.error(), "7000222");
}
