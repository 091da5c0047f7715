//! Old state: copies of the state directory taken at every kind of moment, put back by `rotorctl restore` and by a
//! plain copy, with and without a witness, 0 to 10 rotations later. Whatever the database has forgotten, it is seen
//! to be old, nothing that lives is revoked, and a person finds the way back to normal rotating by rotorctl alone.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use azure_standin::{Fault, Lag, Operation, Rule};
use e2e::azure::tenant;
use e2e::operator::live;
use e2e::{Consumer, until};
use rotord_api::rotation::{CredentialStage, SecretRotation};
use rotord_api::routes;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::rig::Rig;

const LONG: Duration = Duration::from_mins(3);
/// Real time for which an answer of the provider is on its way, where one is: a copy is taken meanwhile.
const ON_ITS_WAY: u64 = 8_000;

/// When the copy is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    BeforeIssue,
    Intended,
    LostAnswer,
    Pending,
    JustPublished,
    Retiring,
}

/// How the copy comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// `rotorctl backup` and `rotorctl restore`.
    Restored,
    /// Files copied, and copied back.
    Copied,
}

/// A rotation's life, and a copy of the state from the middle of it.
struct Life {
    rig: Rig,
    rotation: SecretRotation,
    consumer: Consumer,
    backup: PathBuf,
    copy: PathBuf,
}

impl Life {
    /// Lives until the moment, and takes the copies there, with the daemon at work.
    async fn until(moment: Moment) -> Self {
        let rig = Rig::with(tenant(&["payroll"]), |daemon| {
            daemon
                // The stand-in's clock jumps ahead below, as no provider's does.
                .with("timing.skew_most", "24h")
        })
        .await;
        let rotation = rig.create("payroll").await;
        let consumer = rig.consumer("payroll", Duration::from_millis(50)).await;
        let (backup, copy) = (rig.daemon.path("backup"), rig.daemon.path("copy"));
        let life = Self {
            rig,
            rotation,
            consumer,
            backup,
            copy,
        };
        life.reach(moment).await;
        life.take_copies().await;
        life
    }

    async fn reach(&self, moment: Moment) {
        let Self { rig, rotation, .. } = self;
        let standin = &rig.azure.standin;
        match moment {
            Moment::BeforeIssue => {}
            Moment::Intended => {
                let slow = Fault::Slow {
                    milliseconds: ON_ITS_WAY,
                };
                standin.add_fault(Rule::once(Operation::AddPassword, slow));
                self.rig.rotate_in_the_background(self.rotation.id);
                rig.until_issued("payroll", 2).await;
            }
            Moment::LostAnswer => {
                // Its removal is on its way while the copy is taken.
                let slow = Fault::Slow {
                    milliseconds: ON_ITS_WAY,
                };
                standin.add_fault(Rule::once(Operation::RemovePassword, slow));
                standin.add_fault(Rule::once(Operation::AddPassword, Fault::LostReply));
                self.rig.rotate_in_the_background(self.rotation.id);
                rig.until("a lost answer", rotation, |rotation| {
                    rotation
                        .state
                        .as_ref()
                        .is_some_and(|state| state.watched > 0)
                        || at_stage(rotation, CredentialStage::Retiring)
                })
                .await;
            }
            Moment::Pending => {
                let never = Lag::between(3_600_000, 3_600_000);
                standin.set_behaviour(|behaviour| behaviour.added.token = never);
                self.rig.rotate_in_the_background(self.rotation.id);
                rig.until("a pending credential", rotation, |rotation| {
                    at_stage(rotation, CredentialStage::Pending)
                })
                .await;
            }
            Moment::JustPublished => {
                rig.operator.rotate(rotation.id, None).await.unwrap();
            }
            Moment::Retiring => {
                rig.operator.rotate(rotation.id, None).await.unwrap();
                let slow = Fault::Slow {
                    milliseconds: ON_ITS_WAY,
                };
                standin.add_fault(Rule::once(Operation::RemovePassword, slow));
                let retire = routes::of_rotation(routes::RETIRE, rotation.id);
                let reply = rig.operator.http.post(&retire, &json!(null)).await.unwrap();
                assert_eq!(reply.status, 200, "{}", reply.text());
                // It has reached the provider: one that gets there after the death is not the old books' doing.
                rig.until_issued("payroll", 1).await;
            }
        }
    }

    async fn take_copies(&self) {
        let line = self.rig.daemon.rotorctl().unwrap();
        let line = line
            .args(["backup", "--no-passphrase", "--json"])
            .args([&self.backup]);
        line.run().await.unwrap().well().unwrap();
        // As a snapshot of the file system would be: at one instant.
        self.signal(Signal::STOP);
        self.rig.daemon.copy_state(&self.copy).unwrap();
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = self.rig.daemon.pid().unwrap();
        let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// What was under way at the moment comes to its end, as if no copy had been taken.
    async fn go_on(&self) {
        let lag = |behaviour: &mut azure_standin::Behaviour| behaviour.added.token = Lag::default();
        self.rig.azure.standin.set_behaviour(lag);
        if self.copied_with_lag().await {
            self.rig.azure.standin.advance(Duration::from_secs(3601));
        }
        self.rig
            .until("the run's end", &self.rotation, |rotation| {
                rotation.state.as_ref().is_some_and(|state| {
                    state.run.is_none()
                        && state.watched == 0
                        && !at_stage(rotation, CredentialStage::Retiring)
                })
            })
            .await;
    }

    async fn copied_with_lag(&self) -> bool {
        let now = self.rig.operator.rotation(self.rotation.id).await.unwrap();
        at_stage(&now, CredentialStage::Pending)
    }

    async fn rotate(&self) {
        self.rig
            .operator
            .rotate(self.rotation.id, None)
            .await
            .unwrap();
    }

    /// Everything of ours that lives at the provider.
    fn alive(&self) -> BTreeSet<String> {
        let issued = self.rig.azure.issued("payroll").unwrap();
        issued.iter().map(ToString::to_string).collect()
    }

    /// Puts the copy back and has a daemon look at it: it is old, all that lives is known or in doubt, and stays.
    async fn check_restored(&mut self, way: Way, witness: bool) {
        let case = format!(
            "{way:?}, {}",
            if witness { "witness" } else { "no witness" }
        );
        self.put_back(way, witness).await;
        let alive = self.alive();
        self.rig.daemon.start().await.unwrap();
        let known = until(&case, LONG, async || {
            let now = self.rig.operator.rotation(self.rotation.id).await?;
            let known: BTreeSet<String> = live(&now)
                .map(|credential| credential.key_id.clone())
                .chain(doubtful(&now))
                .collect();
            let all = alive.is_subset(&known);
            Ok((all && has_attention(&now, "state-is-old")).then_some(now))
        });
        let now = known
            .await
            .unwrap_or_else(|failure| panic!("{case}: {failure}\nalive: {alive:?}"));
        let gone: Vec<_> = alive.difference(&self.alive()).cloned().collect();
        assert_eq!(gone, [""; 0], "{case}: revoked: {now:#?}");
        // A person is told, and told what helps.
        let shown = self
            .rig
            .rotorctl(&["show", "payroll", "--env", "dev"])
            .await;
        assert_eq!(shown.code, Some(4), "{case}: {shown:?}");
        for words in ["may be old", "rotorctl unblock"] {
            assert!(
                shown.stdout.contains(words),
                "{case}: {words}: {}",
                shown.stdout
            );
        }
        let status = self.rig.rotorctl(&["status"]).await;
        assert_eq!(status.code, Some(4), "{case}: {status:?}");
    }

    async fn put_back(&mut self, way: Way, witness: bool) {
        let path = self.rig.daemon.path("witness/generation");
        let path = if witness {
            path.display().to_string()
        } else {
            String::new()
        };
        self.with_witness(path);
        match way {
            Way::Copied => self.rig.daemon.put_state_back(&self.copy).unwrap(),
            Way::Restored => {
                let settings = self.rig.daemon.settings_file();
                let line = self.rig.daemon.rotorctl().unwrap();
                let line = line
                    .args(["restore", "--replace", "--yes", "--config"])
                    .args([&settings, &self.backup]);
                let said = line.run().await.unwrap().well().unwrap();
                assert!(said.contains("attention mode"), "{said}");
            }
        }
    }

    fn assert_no_failed_login(&self) {
        let tally = self.consumer.tally();
        assert!(tally.logins > 0, "{tally:?}");
        assert_eq!(tally.failures, 0, "{tally:?}");
    }

    fn with_witness(&mut self, path: String) {
        self.rig.daemon.set("state.witness", path);
    }

    /// A person ends it all: the published one is adopted by its value, the others are removed, as status says.
    async fn find_the_way_out(&self, published: &str, value: &str) {
        let now = self
            .rig
            .until("no run", &self.rotation, |rotation| {
                rotation
                    .state
                    .as_ref()
                    .is_some_and(|state| state.run.is_none())
            })
            .await;
        let file = self.rig.daemon.path("value");
        std::fs::write(&file, value).unwrap();
        let place = ["payroll", "--env", "dev"];
        for key in doubtful(&now) {
            let done = if key == published {
                let value = format!("clientSecret={}", file.display());
                let mut line = vec!["adopt", place[0], &key, "--value", &value];
                line.extend(&place[1..]);
                self.rig.rotorctl(&line).await
            } else {
                let mut line = vec!["remove", place[0], &key, "--yes"];
                line.extend(&place[1..]);
                self.rig.rotorctl(&line).await
            };
            done.well()
                .unwrap_or_else(|failure| panic!("{key}: {failure}"));
            self.rig
                .until("that to be settled", &self.rotation, |rotation| {
                    rotation
                        .state
                        .as_ref()
                        .is_some_and(|state| state.run.is_none())
                })
                .await;
        }
        let unblocked = self
            .rig
            .rotorctl(&["unblock", "payroll", "--env", "dev"])
            .await;
        unblocked.well().unwrap();
        self.rig
            .until("nothing to look at", &self.rotation, |rotation| {
                let state = rotation.state.as_ref().unwrap();
                state.attention.is_empty() && state.run.is_none()
            })
            .await;
        self.rotate().await;
        // What the old books call lost and is nowhere may be watched for a while yet.
        let settled = [CredentialStage::Active, CredentialStage::Previous];
        let rotation = self
            .rig
            .until("the rest to be gone", &self.rotation, |rotation| {
                rotation
                    .state
                    .as_ref()
                    .is_some_and(|state| state.run.is_none())
                    && live(rotation).all(|credential| settled.contains(&credential.stage))
            })
            .await;
        self.rig.assert_no_orphans("payroll", &rotation);
        let status = self.rig.rotorctl(&["status"]).await;
        assert_eq!(status.code, Some(0), "{status:?}");
    }
}

fn at_stage(rotation: &SecretRotation, stage: CredentialStage) -> bool {
    live(rotation).any(|credential| credential.stage == stage)
}

fn has_attention(rotation: &SecretRotation, code: &str) -> bool {
    let attention = rotation.state.iter().flat_map(|state| &state.attention);
    attention.into_iter().any(|item| item.code == code)
}

fn doubtful(rotation: &SecretRotation) -> Vec<String> {
    let attention = rotation.state.iter().flat_map(|state| &state.attention);
    attention.filter_map(|item| item.key_id.clone()).collect()
}

const WAYS: [(Way, bool); 4] = [
    (Way::Restored, true),
    (Way::Copied, true),
    (Way::Restored, false),
    (Way::Copied, false),
];

/// A life for each way, at the same time: most of it is waiting.
async fn in_every_way(story: impl AsyncFn(Way, bool)) {
    let stories = WAYS.map(|(way, witness)| story(way, witness));
    futures_util::future::join_all(stories).await;
}

/// The daemon dies at the moment, and its copy comes back: nothing was done since.
async fn nothing_later(moment: Moment) {
    in_every_way(async |way, witness| {
        let mut life = Life::until(moment).await;
        life.rig.daemon.kill().await.unwrap();
        // The answer that was on its way reaches nobody.
        life.rig.azure.standin.clear_faults();
        life.check_restored(way, witness).await;
        life.assert_no_failed_login();
    })
    .await;
}

/// What was under way ends well, as the first rotation since, or one more is made; then others.
async fn rotations_later(moment: Moment, later: usize) {
    in_every_way(async |way, witness| {
        let mut life = Life::until(moment).await;
        life.go_on().await;
        let under_way = matches!(
            moment,
            Moment::Intended | Moment::LostAnswer | Moment::Pending
        );
        for _ in usize::from(under_way)..later {
            life.rotate().await;
        }
        let before = life.rig.operator.rotation(life.rotation.id).await.unwrap();
        let published = crate::rig::key_at(&before, CredentialStage::Active);
        let value = life.rig.operator.secret("PAYROLL_SECRET").await.unwrap();
        life.rig.daemon.stop().await.unwrap();
        life.check_restored(way, witness).await;
        let standin = &life.rig.azure.standin;
        let check = standin.check_login("payroll", &value).unwrap();
        assert!(
            check.works_everywhere(),
            "{way:?}, {witness}: it was published"
        );
        life.assert_no_failed_login();
        life.find_the_way_out(&published, &value).await;
    })
    .await;
}

macro_rules! at_every_moment {
    ($($name:ident: $moment:expr;)+) => {$(
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread")]
            async fn nothing_that_lives_is_revoked_if_nothing_was_done_since() {
                nothing_later($moment).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn nothing_that_lives_is_revoked_a_rotation_later() {
                rotations_later($moment, 1).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn nothing_that_lives_is_revoked_two_rotations_later() {
                rotations_later($moment, 2).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn nothing_that_lives_is_revoked_ten_rotations_later() {
                rotations_later($moment, 10).await;
            }
        }
    )+};
}

at_every_moment! {
    before_anything_is_issued: Moment::BeforeIssue;
    while_the_answer_is_on_its_way: Moment::Intended;
    after_an_answer_was_lost: Moment::LostAnswer;
    while_it_is_proved: Moment::Pending;
    just_after_it_is_published: Moment::JustPublished;
    while_the_replaced_one_is_retired: Moment::Retiring;
}

/// Overwritten in place, without a witness: as far as the host can tell nothing has happened. The labels tell.
#[tokio::test(flavor = "multi_thread")]
async fn labels_alone_tell_an_old_database_where_nothing_else_does() {
    let mut life = Life::until(Moment::Intended).await;
    life.go_on().await;
    life.rotate().await;
    life.rotate().await;
    life.rig.daemon.stop().await.unwrap();
    life.with_witness(String::new());
    let state = life.rig.daemon.path("state");
    for entry in std::fs::read_dir(&life.copy).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), state.join(entry.file_name())).unwrap();
    }
    let alive = life.alive();
    life.rig.daemon.start().await.unwrap();
    let doubted = life
        .rig
        .until(
            "what is not known to be in doubt",
            &life.rotation,
            |rotation| doubtful(rotation).len() >= 2,
        )
        .await;
    assert!(!has_attention(&doubted, "state-is-old"), "{doubted:#?}");
    assert!(life.alive().is_superset(&alive));
    // The answer that the old database calls lost is in doubt with the others.
    let known: BTreeSet<String> = live(&doubted)
        .map(|credential| credential.key_id.clone())
        .chain(doubtful(&doubted))
        .collect();
    assert!(known.is_superset(&alive), "{alive:?}\n{doubted:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_was_copied_to_another_machine_is_recognised() {
    let one = Uuid::new_v4().simple().to_string();
    let two = Uuid::new_v4().simple().to_string();
    let mut rig = Rig::with(tenant(&["payroll"]), |daemon| {
        let file = daemon.path("machine-id");
        std::fs::write(&file, format!("{one}\n")).unwrap();
        daemon
            .with("state.machine_id_file", file.display().to_string())
            .with("state.witness", "")
    })
    .await;
    let rotation = rig.create("payroll").await;
    rig.daemon.stop().await.unwrap();
    std::fs::write(rig.daemon.path("machine-id"), format!("{two}\n")).unwrap();
    rig.daemon.start().await.unwrap();
    let seen = rig
        .until("attention", &rotation, |rotation| {
            has_attention(rotation, "state-is-old")
        })
        .await;
    let attention = &seen.state.unwrap().attention;
    let words = serde_json::to_string(attention).unwrap();
    assert!(
        words.contains("another machine, which may still run"),
        "{words}"
    );
    // What the other machine publishes is not revoked from here, whatever is ordered of the rotation.
    let first = rig.azure.issued("payroll").unwrap();
    let line = rig.daemon.rotorctl().unwrap();
    let line = line.args(["rotate", "payroll", "--env", "dev", "--wait"]);
    let line = line.args(["--retire-previous-after", "0s"]);
    line.run().await.unwrap().well().unwrap();
    let is_kept = |rotation: &SecretRotation| {
        let mut waits = live(rotation).filter_map(|credential| credential.waiting_for.as_ref());
        waits.any(|why| why.contains("unblock the rotation"))
    };
    rig.until("the replaced one to be kept", &rotation, is_kept)
        .await;
    let issued = rig.azure.issued("payroll").unwrap();
    assert!(first.iter().all(|key| issued.contains(key)), "{issued:?}");
    let line = rig.daemon.rotorctl().unwrap();
    let line = line.args(["unblock", "payroll", "--env", "dev"]);
    line.run().await.unwrap().well().unwrap();
    // It is this machine's now: that is said once.
    rig.daemon.stop().await.unwrap();
    rig.daemon.start().await.unwrap();
    let rotated = rig.rotate(&rotation).await;
    let attention: Value = serde_json::to_value(&rotated.state.unwrap().attention).unwrap();
    assert_eq!(attention, json!([]));
}
