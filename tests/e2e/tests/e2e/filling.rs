//! A full disk: rotations stop before the provider is asked, reading goes on, the reason is seen, and it all goes on
//! by itself when there is room. On a small file system of its own, which only root can mount.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use azure_standin::{Lag, Operation};
use e2e::azure::tenant;
use e2e::operator::{KIND, live};
use e2e::{Azure, Daemon, until};
use rotord_api::rotation::CredentialStage;
use rotord_api::routes;
use serde_json::json;

use crate::rig::Rig;
use crate::starting::checked;

const LONG: Duration = Duration::from_mins(3);

/// A small file system below the state directory; unmounted when it is dropped.
struct Small {
    path: PathBuf,
}

impl Small {
    /// None, and said so, where this may not be done.
    #[expect(
        clippy::print_stderr,
        reason = "who may not mount is to see that this was not tried"
    )]
    fn mount(path: &Path) -> Option<Self> {
        fs::create_dir(path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=6m,mode=0700", "rotord-test"])
            .arg(path)
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self {
                path: path.to_owned(),
            }),
            other => {
                eprintln!(
                    "SKIPPED: no file system can be mounted here, so that it could fill up: {other:?}"
                );
                None
            }
        }
    }

    /// Until not a byte fits any more.
    fn fill(&self) {
        let mut size = 1 << 20;
        let mut part = 0;
        while size > 0 {
            let filler = self.path.join(format!("filler-{part}"));
            if fs::write(&filler, vec![1; size]).is_err() {
                size /= 2;
            }
            part += 1;
        }
    }

    /// Mounted anew, to be read alone or to be written as well.
    fn remount(&self, how: &str) {
        let options = format!("remount,{how}");
        let mut mount = Command::new("mount");
        let mount = mount.args(["-o", &options]).arg(&self.path);
        assert!(mount.status().unwrap().success(), "{how}");
    }

    fn make_room(&self) {
        for entry in fs::read_dir(&self.path).unwrap() {
            let path = entry.unwrap().path();
            if path
                .file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("filler")
            {
                fs::remove_file(path).unwrap();
            }
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Lazily: whatever is still open in it goes with its process.
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_says_that_the_state_is_on_a_file_system_that_is_read_only() {
    let daemon = Daemon::new().unwrap();
    let state = daemon.path("state");
    let Some(small) = Small::mount(&state) else {
        return;
    };
    small.remount("ro");
    for directory in [state.clone(), state.join("below")] {
        let (code, said) = checked(&daemon, &directory, None).await;
        assert_eq!(code, 78, "{said}");
        assert!(said.contains("read-only"), "{said}");
    }
    small.remount("rw");
    let (code, said) = checked(&daemon, &state, None).await;
    assert_eq!(code, 0, "{said}");
}

/// Dropped in this order: the file system before the folder that it is in.
async fn rig_on_small() -> Option<(Rig, Small)> {
    let azure = Azure::start(tenant(&["payroll"])).await.unwrap();
    let daemon = Daemon::new()
        .unwrap()
        .trusting(&azure)
        .unwrap()
        // The stand-in's clock jumps ahead below, as no provider's does.
        .with("timing.skew_most", "24h");
    let small = Small::mount(&daemon.path("state"))?;
    let rig = Rig::starting(azure, daemon).await;
    Some((rig, small))
}

fn additions(rig: &Rig) -> usize {
    let record = rig.azure.standin.record(0);
    let added = |entry: &&azure_standin::Entry| entry.operation == Operation::AddPassword;
    record.iter().filter(added).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_issued_on_a_full_disk_and_reading_goes_on() {
    let Some((rig, small)) = rig_on_small().await else {
        return;
    };
    let rotation = rig.create("payroll").await;
    let added = additions(&rig);
    small.fill();
    rig.rotate_refused(
        rotation.id,
        &["no room left", "nothing was done", "make room"],
    )
    .await;
    // Nobody had read it before: this would be noted, and there is no room for that either.
    rig.assert_published_works("payroll").await;
    let log = rig.daemon.log().unwrap();
    assert!(
        log.contains("could not be noted in the audit"),
        "the log notes it"
    );
    let status = rig.rotorctl(&["status"]).await;
    assert_eq!(status.code, Some(4), "{status:?}");
    assert!(status.stdout.contains("no room left"), "{status:?}");
    let shown = rig.rotorctl(&["show", "payroll", "--env", "dev"]).await;
    assert_eq!(shown.code, Some(4), "{shown:?}");
    assert!(shown.stdout.contains("make room"), "{shown:?}");
    // A backup needs no room here.
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("backup").display().to_string();
    let saved = rig.rotorctl(&["backup", "--no-passphrase", &file]).await;
    saved.well().unwrap();
    assert_eq!(additions(&rig), added, "the provider was asked");

    small.make_room();
    let status = rig.rotorctl(&["status"]).await;
    assert_eq!(status.code, Some(0), "{status:?}");
    let rotated = rig.rotate(&rotation).await;
    rig.assert_no_orphans("payroll", &rotated);
    assert_eq!(additions(&rig), added + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_the_disk_stopped_goes_on_by_itself_when_there_is_room() {
    let Some((rig, small)) = rig_on_small().await else {
        return;
    };
    let rotation = rig.create("payroll").await;
    let never = Lag::between(3_600_000, 3_600_000);
    let set = |lag: Lag| {
        rig.azure
            .standin
            .set_behaviour(|behaviour| behaviour.added.token = lag);
    };
    set(never);
    let http = rig.operator.http.clone();
    let path = routes::rotate_secrets(KIND, rotation.id);
    tokio::spawn(async move { http.post(&path, &json!(null)).await.ok() });
    rig.until("a credential to be tried out", &rotation, |rotation| {
        live(rotation).any(|credential| credential.stage == CredentialStage::Pending)
    })
    .await;
    small.fill();
    until("the step that can't be written", LONG, async || {
        let log = rig.daemon.log()?;
        let said = log
            .lines()
            .any(|line| line.contains("can't be worked on") && line.contains("no room left"));
        Ok(said.then_some(()))
    })
    .await
    .unwrap();
    small.make_room();
    set(Lag::default());
    rig.azure.standin.advance(Duration::from_secs(3601));
    let rotated = rig
        .until("the new credential", &rotation, |now| {
            now.last_rotated_at > rotation.last_rotated_at
        })
        .await;
    rig.assert_no_orphans("payroll", &rotated);
    assert_eq!(rig.rotorctl(&["status"]).await.code, Some(0));
}
