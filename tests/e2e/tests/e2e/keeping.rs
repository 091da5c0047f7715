//! Backups, and what they are for: a host that died, a database that was lost.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use e2e::azure::tenant;
use e2e::command::Ended;
use e2e::{Azure, Daemon};
use rotord_api::rotation::CredentialStage;

use crate::rig::{Rig, key_at};

const PASSPHRASE: &str = "a passphrase for the worst day";

async fn backup(daemon: &Daemon, file: &Path, more: &[&str]) -> Ended {
    let line = daemon.rotorctl().unwrap().args(["backup"]).args([file]);
    line.args(more).input(PASSPHRASE).run().await.unwrap()
}

async fn restore(daemon: &Daemon, file: &Path, passphrase: &str, more: &[&str]) -> Ended {
    let line = daemon.rotorctl().unwrap().args(["restore", "--yes"]);
    let line = line
        .args([file])
        .args(["--config"])
        .args([daemon.settings_file()]);
    line.args(more).input(passphrase).run().await.unwrap()
}

/// Everything below a folder, by name and content.
fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        // Says who last held it.
        .filter(|path| !path.ends_with("rotord.lock"))
        .map(|path| {
            (
                path.display().to_string(),
                fs::read(&path).unwrap_or_default(),
            )
        })
        // What connections share, and a journal that was folded: whoever closes last removes them.
        .filter(|(name, bytes): &(String, Vec<u8>)| !name.ends_with("-shm") && !bytes.is_empty())
        .collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_died_lives_on_by_its_backup_and_its_passphrase() {
    let mut rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let value = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("rotord.backup");
    let said = backup(&rig.daemon, &file, &["--passphrase-file", "-"]).await;
    let said = said.well().unwrap();
    assert!(said.contains("sealed"), "{said}");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        content(elsewhere.path()).len(),
        1,
        "nothing else is left there"
    );
    let bytes = fs::read(&file).unwrap();
    for secret in [&value, PASSPHRASE, e2e::azure::MANAGER_SECRET] {
        assert!(
            !bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes())
        );
    }
    // It rotates once more, and dies with its root key.
    let rotated = rig.rotate(&rotation).await;
    let forgotten = key_at(&rotated, CredentialStage::Active);
    rig.daemon.kill().await.unwrap();

    let mut other = Daemon::new().unwrap().trusting(&rig.azure).unwrap();
    other.write_settings().unwrap();
    let said = restore(&other, &file, PASSPHRASE, &["--passphrase-file", "-"]).await;
    let said = said.well().unwrap();
    for words in [
        "restored 1 rotation ",
        "attention mode",
        "new root key was made",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    other.start().await.unwrap();
    let operator = other.operator();
    assert_eq!(operator.secret("PAYROLL_SECRET").await.unwrap(), value);
    let doubted = operator.until("doubt", rotation.id, |rotation| {
        let attention = &rotation.state.as_ref().unwrap().attention;
        let mut doubts = attention.iter();
        doubts.any(|item| item.key_id.as_deref() == Some(&forgotten))
    });
    doubted.await.unwrap();
    let status = other
        .rotorctl()
        .unwrap()
        .args(["status"])
        .run()
        .await
        .unwrap();
    assert_eq!(status.code, Some(4), "{status:?}");
    assert!(
        status.stdout.contains("restored from a backup of"),
        "{status:?}"
    );
    // It goes on rotating.
    operator.rotate(rotation.id, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_restored_changes_nothing_and_says_why() {
    let mut rig = Rig::start(&["payroll"]).await;
    rig.create("payroll").await;
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("rotord.backup");
    backup(&rig.daemon, &file, &["--passphrase-file", "-"])
        .await
        .well()
        .unwrap();
    let refused = restore(&rig.daemon, &file, "", &["--replace"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.stderr.contains("stop the daemon first"),
        "{refused:?}"
    );
    rig.daemon.stop().await.unwrap();

    let bytes = fs::read(&file).unwrap();
    let damaged = elsewhere.path().join("damaged");
    let mut wrong = bytes.clone();
    wrong[bytes.len() / 2] ^= 1;
    fs::write(&damaged, wrong).unwrap();
    let cut = elsewhere.path().join("cut");
    fs::write(&cut, &bytes[..bytes.len() - 100]).unwrap();
    let newer = elsewhere.path().join("newer");
    let mut version = bytes.clone();
    version[14] = b'9';
    fs::write(&newer, version).unwrap();
    let other = elsewhere.path().join("other");
    fs::write(&other, "something else").unwrap();
    let state = rig.daemon.path("state");
    let before = content(&state);
    let by_passphrase = &["--replace", "--passphrase-file", "-"][..];
    for (file, passphrase, arguments, words) in [
        (
            &file,
            "another passphrase",
            by_passphrase,
            "the passphrase is wrong",
        ),
        (&file, "", &[], "holds 1 rotation:"),
        (&damaged, PASSPHRASE, by_passphrase, "damaged"),
        (&cut, PASSPHRASE, by_passphrase, "cut off"),
        (&newer, PASSPHRASE, by_passphrase, "form 9"),
        (&other, PASSPHRASE, by_passphrase, "not a backup of rotord"),
    ] {
        let refused = restore(&rig.daemon, file, passphrase, arguments).await;
        assert_eq!(refused.code, Some(1), "{words}: {refused:?}");
        assert!(refused.stderr.contains(words), "{words}: {refused:?}");
        assert!(content(&state) == before, "{words}: something was changed");
    }
    rig.daemon.start().await.unwrap();
    rig.operator.secret("PAYROLL_SECRET").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_never_takes_the_place_of_anything_else() {
    let azure = Azure::start(tenant(&[])).await.unwrap();
    let daemon = Daemon::beside(&azure).await.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("rotord.backup");
    fs::write(&file, "a letter").unwrap();
    let refused = backup(&daemon, &file, &["--no-passphrase"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert_eq!(fs::read(&file).unwrap(), b"a letter");
    fs::remove_file(&file).unwrap();
    for _ in 0..2 {
        let done = backup(&daemon, &file, &["--no-passphrase"]).await;
        done.well().unwrap();
    }
    // Nobody is there to be asked, and what is too short is no passphrase.
    let unasked = backup(&daemon, &file, &[]).await;
    assert_eq!(unasked.code, Some(64), "{unasked:?}");
    let short = daemon.rotorctl().unwrap().args(["backup"]).args([&file]);
    let short = short.args(["--passphrase-file", "-"]).input("hunter2");
    let short = short.run().await.unwrap();
    assert_eq!(short.code, Some(64), "{short:?}");
    assert!(!short.stderr.contains("hunter2"), "{short:?}");
    assert_eq!(content(elsewhere.path()).len(), 1, "no half of one is left");
}
