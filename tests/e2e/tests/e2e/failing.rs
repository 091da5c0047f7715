//! A disk that fails under the running daemon, and a database that is damaged there: rotations stop before the provider
//! is asked, reading goes on where it can, and the reason is seen.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

use azure_standin::Operation;
use e2e::azure::tenant;
use e2e::daemon::Start;
use e2e::disk::Disk;
use e2e::{Azure, Daemon, until};
use rustix::io::Errno;

use crate::rig::Rig;

/// What the provider was asked that changes something there.
fn changes(rig: &Rig) -> usize {
    let record = rig.azure.standin.record(0);
    let changed = |entry: &&azure_standin::Entry| {
        matches!(
            entry.operation,
            Operation::AddPassword | Operation::RemovePassword
        )
    };
    record.iter().filter(changed).count()
}

async fn rig_on_disk() -> (Rig, Disk) {
    let azure = Azure::start(tenant(&["payroll"])).await.unwrap();
    let mut daemon = Daemon::new().unwrap().trusting(&azure).unwrap();
    let disk = Disk::of(&mut daemon).unwrap();
    let rig = Rig::starting(azure, daemon).await;
    (rig, disk)
}

/// Orders a rotation: it must be refused with these words, and the published secret still be read, and work.
async fn only_reading_goes_on(rig: &Rig, rotation: uuid::Uuid, words: &[&str]) {
    let before = changes(rig);
    rig.rotate_refused(rotation, words).await;
    rig.assert_published_works("payroll").await;
    let status = rig.rotorctl(&["status"]).await;
    assert_eq!(status.code, Some(4), "{status:?}");
    assert!(status.stdout.contains(words[0]), "{status:?}");
    assert_eq!(changes(rig), before, "the provider was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_issued_while_the_disk_is_read_only_or_broken_and_then_it_goes_on_by_itself() {
    let (rig, disk) = rig_on_disk().await;
    let rotation = rig.create("payroll").await;
    for (error, words) in [
        (Errno::ROFS, &["read-only", "writable again"][..]),
        (Errno::IO, &["database's file failed", "the daemon's log"]),
    ] {
        disk.fail(error).unwrap();
        only_reading_goes_on(&rig, rotation.id, words).await;
        disk.mend().unwrap();
        // What came due meanwhile could not be written down either, and is tried again every five seconds.
        let well = until(
            "a status without trouble",
            Duration::from_secs(30),
            async || {
                let status = rig.rotorctl(&["status"]).await;
                Ok((status.code == Some(0)).then_some(()))
            },
        );
        well.await.unwrap();
        let rotated = rig.rotate(&rotation).await;
        rig.assert_no_orphans("payroll", &rotated);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_issued_from_a_database_that_is_damaged_under_the_daemon() {
    let (mut rig, _) = rig_on_disk().await;
    let rotation = rig.create("payroll").await;
    let backup = rig.daemon.path("backup").display().to_string();
    let saved = rig.rotorctl(&["backup", "--no-passphrase", &backup]).await;
    saved.well().unwrap();
    // Everything in the one file, and nothing of it in memory yet but what a start reads.
    rig.daemon.stop().await.unwrap();
    rig.daemon.start().await.unwrap();
    let value = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    let file = OpenOptions::new()
        .write(true)
        .open(rig.daemon.path("state/rotord.db"))
        .unwrap();
    let (page, length) = (4096, file.metadata().unwrap().len());
    file.write_all_at(&vec![0xa5; usize::try_from(length - page).unwrap()], page)
        .unwrap();

    let before = changes(&rig);
    let words = ["is damaged; nothing was done", "rotorctl restore"];
    rig.rotate_refused(rotation.id, &words).await;
    let status = rig.rotorctl(&["status"]).await;
    assert_eq!(status.code, Some(1), "{status:?}");
    for words in words {
        assert!(status.stderr.contains(words), "{words}: {status:?}");
    }
    assert_eq!(changes(&rig), before, "the provider was asked");
    let login = rig.azure.standin.check_login("payroll", &value).unwrap();
    assert!(login.works_everywhere());

    // The way out that was named.
    rig.daemon.stop().await.unwrap();
    let refused = rig.daemon.launch().await.unwrap();
    assert!(
        matches!(&refused, Start::Ended { code: Some(78), said } if said.contains("damaged")),
        "{refused:?}"
    );
    let line = rig.daemon.rotorctl().unwrap();
    let line = line.args(["restore", "--replace", "--yes", "--config"]);
    let restored = line
        .args([&rig.daemon.settings_file()])
        .args([&backup])
        .run()
        .await
        .unwrap();
    restored.well().unwrap();
    rig.daemon.start().await.unwrap();
    assert_eq!(rig.operator.secret("PAYROLL_SECRET").await.unwrap(), value);
}
