//! Another root key, from each place that one comes from, with a daemon that is killed in between.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use e2e::Daemon;
use e2e::azure::tenant;
use e2e::daemon::Start;
use serde_json::Value;

use crate::rig::Rig;

async fn root_key(daemon: &Daemon, arguments: &[&str]) -> String {
    let line = daemon.rotorctl().unwrap().args(["root-key"]);
    let ended = line.args(arguments.iter().copied()).run().await.unwrap();
    ended.well().unwrap()
}

async fn status(daemon: &Daemon) -> Value {
    serde_json::from_str(&root_key(daemon, &["status", "--json"]).await).unwrap()
}

fn write_key(path: &Path, key: &str) {
    fs::write(path, key).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

async fn killed_and_started(rig: &mut Rig) {
    rig.daemon.kill().await.unwrap();
    rig.daemon.start().await.unwrap();
}

/// It says which key it was given, and which it wants.
async fn is_refused(rig: &mut Rig) {
    match rig.daemon.launch().await.unwrap() {
        Start::Ended { code, said } => {
            assert_eq!(code, Some(78), "{said}");
            assert!(said.contains("root-key-wrong"), "{said}");
        }
        Start::Ready => panic!("the old root key opens the database"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemons_own_key_is_replaced_while_it_works_and_no_key_is_in_its_log() {
    let mut rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let value = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    let before = status(&rig.daemon).await;
    let path = PathBuf::from(before["path"].as_str().unwrap());
    let old = fs::read_to_string(&path).unwrap();
    let said = root_key(&rig.daemon, &["rewrap", "--yes"]).await;
    let new = fs::read_to_string(&path).unwrap();
    for key in [&old, &new] {
        assert!(!said.contains(key.trim()));
        assert!(!rig.daemon.log().unwrap().contains(key.trim()));
    }
    let rotated = rig.rotate(&rotation).await;
    killed_and_started(&mut rig).await;
    let now = status(&rig.daemon).await;
    assert_ne!(now["inUse"], before["inUse"]);
    assert_eq!(now["opening"].as_array().unwrap().len(), 1);
    assert_ne!(rig.operator.secret("PAYROLL_SECRET").await.unwrap(), value);
    rig.settled_but_previous(&rotated).await;
    // With the old key in its place, and with none, it does not start.
    rig.daemon.kill().await.unwrap();
    write_key(&path, &old);
    is_refused(&mut rig).await;
    write_key(&path, &new);
    rig.daemon.start().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_a_file_holds_is_replaced_by_a_start_with_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let (path, next) = (folder.path().join("root.key"), folder.path().join("new"));
    write_key(&path, &"o".repeat(64));
    let in_settings = path.display().to_string();
    let mut rig = Rig::with(tenant(&["payroll"]), |daemon| {
        daemon.with("state.root_key_file", in_settings)
    })
    .await;
    rig.create("payroll").await;
    let value = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    let said = root_key(
        &rig.daemon,
        &["rewrap", "--new-key", next.to_str().unwrap()],
    )
    .await;
    assert!(said.contains("is waited for"), "{said}");
    // Until then, the old one will do.
    killed_and_started(&mut rig).await;
    let waits = status(&rig.daemon).await;
    assert_eq!(waits["opening"].as_array().unwrap().len(), 2);
    rig.daemon.kill().await.unwrap();
    fs::rename(&next, &path).unwrap();
    rig.daemon.start().await.unwrap();
    let now = status(&rig.daemon).await;
    assert_eq!(now["inUse"], waits["waiting"]);
    assert_eq!(now["opening"].as_array().unwrap().len(), 1);
    assert_eq!(rig.operator.secret("PAYROLL_SECRET").await.unwrap(), value);
    rig.daemon.kill().await.unwrap();
    write_key(&path, &"o".repeat(64));
    is_refused(&mut rig).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_daemons_own_key_is_handed_over_as_a_credential_and_its_file_told_to_be_left() {
    let mut rig = Rig::start(&["payroll"]).await;
    let before = status(&rig.daemon).await;
    let plain = before["path"].as_str().unwrap().to_owned();
    let credentials = tempfile::tempdir().unwrap();
    let key = fs::read_to_string(&plain).unwrap();
    fs::write(credentials.path().join("rotord.root-key"), key).unwrap();
    rig.daemon.kill().await.unwrap();
    let directory = credentials.path().display().to_string();
    rig.daemon.set_env("CREDENTIALS_DIRECTORY", Some(directory));
    rig.daemon.start().await.unwrap();
    let now = status(&rig.daemon).await;
    assert_eq!(now["place"], "credential");
    assert_eq!(now["inUse"], before["inUse"]);
    assert_eq!(now["copies"], serde_json::json!([plain]));
    let doctor = rig.daemon.rotorctl().unwrap().args(["doctor", "--json"]);
    let doctor = doctor.run().await.unwrap();
    assert!(doctor.stdout.contains("root-key-copy"), "{doctor:?}");
    fs::remove_file(&plain).unwrap();
    killed_and_started(&mut rig).await;
    let now = status(&rig.daemon).await;
    assert_eq!(now["copies"], serde_json::json!([]));
}
