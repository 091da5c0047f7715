//! `rotorctl exec`: a program that has its secrets, and has the new ones when they rotate.

use std::fs;
use std::path::Path;
use std::time::Duration;

use e2e::command::Ended;
use e2e::{Failure, until};
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::rig::Rig;

const PATIENCE: Duration = Duration::from_secs(30);
/// Notes what it was given, and lives on.
const NOTES_AND_LIVES: &str = r#"printf '%s\n' "$SECRET" >>"$NOTES"; exec sleep 1000"#;
/// Ends only once there is a file that says so.
const NOTES_AND_IS_SLOW: &str = r#"
slow() { echo asked >>"$NOTES"; while [ ! -e "$NOTES.go" ]; do sleep 0.02; done; exit 0; }
trap slow TERM
printf '%s\n' "$SECRET" >>"$NOTES"
while :; do sleep 1000 >/dev/null 2>&1 & wait $!; kill $!; done"#;
/// Notes what is in its file whenever it is told, and leaves nothing running.
const NOTES_WHEN_TOLD: &str = r#"
note() { printf '%s\n' "$(cat "$SECRET")" >>"$NOTES"; }
trap note HUP
trap 'kill $!; exit 9' TERM
note
while :; do sleep 1000 >/dev/null 2>&1 & wait $!; kill $!; done"#;

/// A program that runs by `rotorctl exec`.
struct Running {
    id: Pid,
    ended: JoinHandle<Result<Ended, Failure>>,
}

impl Running {
    async fn start(rig: &Rig, notes: &Path, arguments: &[&str], script: &str) -> Self {
        let line = rig.daemon.rotorctl().unwrap().env("NOTES", notes);
        let line = line.args(["exec", "--env", "dev"]).args(arguments);
        let line = line.args(["--", "sh", "-c", script]);
        let (told, id) = oneshot::channel();
        let ended = tokio::spawn(line.run_seen(move |id| {
            let _ = told.send(id);
        }));
        let id = Pid::from_raw(id.await.unwrap().cast_signed()).unwrap();
        Self { id, ended }
    }

    async fn end(self) -> Ended {
        kill_process(self.id, Signal::TERM).unwrap();
        self.ended.await.unwrap().unwrap()
    }
}

/// Waits until so much was noted.
async fn noted(notes: &Path, lines: usize) -> Vec<String> {
    let look = async || {
        let text = fs::read_to_string(notes).unwrap_or_default();
        let all: Vec<_> = text.lines().map(str::to_owned).collect();
        Ok((all.len() >= lines).then_some(all))
    };
    until("what the program notes", PATIENCE, look)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_has_its_secrets_and_its_end_is_the_end() {
    let rig = Rig::start(&["payroll"]).await;
    rig.create("payroll").await;
    let value = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    let exec = |arguments: &[&str], script: &str| {
        let line = rig.daemon.rotorctl().unwrap();
        let line = line.args(["exec", "--env", "dev"]).args(arguments);
        line.args(["--", "sh", "-c", script]).run()
    };
    let both = [
        "--secret",
        "A=PAYROLL_SECRET",
        "--secret-file",
        "F=PAYROLL_SECRET",
    ];
    let ended = exec(&both, r#"printf %s "$A"; cat "$F"; exit 7"#)
        .await
        .unwrap();
    assert_eq!(ended.code, Some(7), "{}", ended.stderr);
    assert_eq!(ended.stdout, value.repeat(2));
    // Nothing of it is where others could see it.
    assert!(!ended.stderr.contains(&value));
    let ended = exec(&["--secret", "PAYROLL_SECRET"], "kill -KILL $$")
        .await
        .unwrap();
    assert_eq!(ended.code, Some(137));
    // As by a shell: what is not there, and what is no program.
    let file = rig.daemon.settings_file();
    for (program, code) in [("/no/such/program", 127), (file.to_str().unwrap(), 126)] {
        let line = rig.daemon.rotorctl().unwrap();
        let line = line.args(["exec", "--env", "dev", "--secret", "PAYROLL_SECRET"]);
        let ended = line.args(["--", program]).run().await.unwrap();
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
    }
    let ended = exec(&["--secret", "NO_SUCH_SECRET"], "exit 0")
        .await
        .unwrap();
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("NO_SUCH_SECRET"), "{}", ended.stderr);
    let told = ["--secret", "A=PAYROLL_SECRET", "--on-change", "HUP"];
    let ended = exec(&told, "exit 0").await.unwrap();
    assert_eq!(ended.code, Some(64));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_value_starts_the_program_anew_and_the_daemon_may_be_away_meanwhile() {
    let mut rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes");
    let running = Running::start(
        &rig,
        &notes,
        &["--secret", "SECRET=PAYROLL_SECRET"],
        NOTES_AND_LIVES,
    );
    let running = running.await;
    let first = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    assert_eq!(noted(&notes, 1).await.first(), Some(&first));
    rig.daemon.stop().await.unwrap();
    rig.daemon.start().await.unwrap();
    rig.rotate(&rotation).await;
    let second = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    assert_eq!(noted(&notes, 2).await, [first, second]);
    let ended = running.end().await;
    assert_eq!(ended.code, Some(143), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_while_the_program_ends_does_not_keep_it_from_starting_anew() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes");
    let secret = ["--secret", "SECRET=PAYROLL_SECRET"];
    let running = Running::start(&rig, &notes, &secret, NOTES_AND_IS_SLOW).await;
    noted(&notes, 1).await;
    rig.rotate(&rotation).await;
    assert_eq!(noted(&notes, 2).await[1], "asked");
    kill_process(running.id, Signal::HUP).unwrap();
    fs::write(folder.path().join("notes.go"), "").unwrap();
    let second = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    assert_eq!(noted(&notes, 3).await[2], second);
    let ended = running.end().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_told_finds_the_new_value_in_its_file() {
    let rig = Rig::start(&["payroll"]).await;
    let rotation = rig.create("payroll").await;
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes");
    let arguments = [
        "--secret-file",
        "SECRET=PAYROLL_SECRET",
        "--on-change",
        "HUP",
    ];
    let running = Running::start(&rig, &notes, &arguments, NOTES_WHEN_TOLD).await;
    let first = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    assert_eq!(noted(&notes, 1).await.first(), Some(&first));
    rig.rotate(&rotation).await;
    let second = rig.operator.secret("PAYROLL_SECRET").await.unwrap();
    assert_eq!(noted(&notes, 2).await, [first, second]);
    let ended = running.end().await;
    assert_eq!(ended.code, Some(9), "{}", ended.stderr);
}
