//! Another root key, over the socket, while everything goes on.

use std::fs;
use std::path::{Path, PathBuf};

use rotord_api::root_key::RootKeyText;
use rotord_api::routes;
use rotord_store::{RootKeySource, Secret};
use serde_json::{Value, json};

use super::house::House;
use crate::settings::Settings;

const NEW: &str = "a new root key, which is long enough for one";

/// Whose settings name its state directory, too.
async fn house() -> (House, PathBuf) {
    let mut state = PathBuf::new();
    let house = House::with(|settings: &mut Settings| {
        state = settings.admin.socket.with_file_name("state");
        settings.state.directory.clone_from(&state);
    });
    (house.await, state)
}

fn body(key: &str) -> Value {
    json!({"rootKey": RootKeyText::new(key.as_bytes())})
}

async fn status(house: &House) -> Value {
    let answer = house.get(routes::ROOT_KEY).await;
    answer.is(200);
    answer.body
}

fn label(key: &str) -> String {
    let key = RootKeySource::Given(Secret::new(key));
    key.label(Path::new("/")).unwrap()
}

#[actix_rt::test]
async fn the_key_in_the_state_directory_is_replaced_at_once() {
    let (house, state) = house().await;
    let before = status(&house).await;
    assert_eq!(before["place"], "state-directory");
    let old = fs::read_to_string(state.join("root.key")).unwrap();
    assert_eq!(before["inUse"], label(&old));

    let report = house.order(routes::ROOT_KEY_REWRAP).await;
    report.is(200);
    assert_eq!(report.body["inUse"], true);

    let now = status(&house).await;
    assert_eq!(now["inUse"], report.body["label"]);
    assert_eq!(now["opening"], json!([now["inUse"]]));
    let kept = state.join(format!("root.key.{}", before["inUse"].as_str().unwrap()));
    assert_eq!(now["replaced"], json!([kept]));
    assert_eq!(fs::read_to_string(kept).unwrap(), old);
    let new = fs::read_to_string(state.join("root.key")).unwrap();
    assert_eq!(now["inUse"], label(&new));
    assert_ne!(new, old);

    assert_eq!(house.noted("rewrap-root-key").await, 1);
    let said = format!("{} {now} {:?}", report.body, house.audit().await);
    assert!(!said.contains(old.trim()) && !said.contains(new.trim()));
}

#[actix_rt::test]
async fn a_key_that_is_given_is_waited_for_and_can_be_taken_back() {
    let (house, state) = house().await;
    let before = status(&house).await;
    let report = house.post(routes::ROOT_KEY_REWRAP, &body(NEW)).await;
    report.is(200);
    assert_eq!(report.body["inUse"], false);
    let now = status(&house).await;
    assert_eq!(now["inUse"], before["inUse"]);
    assert_eq!(now["waiting"], report.body["label"]);
    assert_eq!(now["opening"].as_array().unwrap().len(), 2);
    assert_eq!(now["waiting"], label(NEW));
    let found = house.get(routes::DOCTOR).await;
    assert!(found.body.to_string().contains("root-key-waits"));

    let own = fs::read_to_string(state.join("root.key")).unwrap();
    let report = house.post(routes::ROOT_KEY_REWRAP, &body(&own)).await;
    report.is(200);
    assert_eq!(report.body["inUse"], true);
    assert_eq!(status(&house).await["waiting"], Value::Null);
    assert_eq!(house.noted("rewrap-root-key").await, 2);
}

#[actix_rt::test]
async fn a_file_that_the_settings_name_is_not_the_daemons_to_replace() {
    let mut key = PathBuf::new();
    let house = House::with(|settings: &mut Settings| {
        key = settings.admin.socket.with_file_name("root.key");
        settings.state.root_key_file = Some(key.clone());
    });
    let house = house.await;
    house
        .order(routes::ROOT_KEY_REWRAP)
        .await
        .is(400)
        .says("--new-key FILE");
    let given = house.post(routes::ROOT_KEY_REWRAP, &body(NEW)).await;
    given.is(200);
    let next = given.body["next"].to_string();
    assert!(next.contains(&key.display().to_string()), "{next}");
}

#[actix_rt::test]
async fn what_is_no_key_is_refused_and_changes_nothing() {
    let (house, state) = house().await;
    let rewrap = async |body: Value| house.post(routes::ROOT_KEY_REWRAP, &body).await;
    rewrap(body("short")).await.is(422).says("32 bytes");
    let wrong = rewrap(json!({"rootKey": "hunter2"})).await;
    wrong.is(422).says("hexadecimal");
    assert!(!wrong.body.to_string().contains("hunter2"));
    let own = fs::read_to_string(state.join("root.key")).unwrap();
    rewrap(body(&own)).await.is(400).says("in use already");
    fs::write(state.join("root.key"), "x".repeat(64)).unwrap();
    let changed = house.order(routes::ROOT_KEY_REWRAP).await;
    changed.is(400).says("changed since the start");
    assert_eq!(status(&house).await["opening"].as_array().unwrap().len(), 1);
    assert_eq!(house.noted("rewrap-root-key").await, 0);
}
