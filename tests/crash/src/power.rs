//! Power cuts: what the daemon wrote and synced is recorded, and from the record the disk is made as a power cut at
//! any moment would leave it.
//!
//! The record is made by a small library that is loaded into the daemon before the C library (`recorder.c`). It
//! knows each write, and each sync, with its time; the stand-in knows when each credential came to be. So at every
//! sync there are two questions: does what is on disk by now know every credential that is at the provider by now,
//! and does the daemon start on it?

pub mod disk;
mod record;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use azure_standin::{Config, Fault, Operation, Rule, SecretView};
use chrono::{DateTime, Utc};
use e2e::azure::tenant;
use e2e::failure::OrFail as _;
use e2e::{Azure, Daemon, Failure, Operator, preload, until};
use fastrand::Rng;
use rotord_api::routes;
use rotord_rotation::Label;
use rotord_store::{Options, RootKeySource, Store};
use serde_json::json;

use self::disk::{Disk, Files};
use self::record::Entry;
use crate::check;

/// Rotations of one run, one after the other.
const ROTATIONS: u32 = 4;
/// The longest that a run takes to come to rest.
const PATIENCE: Duration = Duration::from_mins(2);
/// Syncs of a first start: at each of them the daemon itself is started.
const FIRST_START: usize = 12;
/// Later it is started at one boundary in so many, and at the others its database is opened.
const START_ONE_IN: usize = 20;

/// What came of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Syncs, before each of which the power was cut.
    pub boundaries: usize,
    /// Disks that were made and looked at.
    pub disks: usize,
    /// Starts of the daemon itself.
    pub starts: usize,
    /// Credentials that were ever at the provider.
    pub credentials: usize,
    /// Replies that were lost.
    pub lost_replies: usize,
    /// What was not as promised.
    pub violations: Vec<String>,
}

/// Runs several rotations with lost replies, and cuts the power before every sync.
///
/// # Errors
/// It can't be played.
pub async fn play(seed: u64) -> Result<Outcome, Failure> {
    let azure = Azure::start(Config {
        seed,
        ..tenant(&["payroll"])
    })
    .await?;
    let (daemon, record) = recorded_daemon(&azure)?;
    let daemon = rotate(daemon, &azure).await?;
    let entries = record::read(&record)?;
    let secrets = azure.standin.secrets("payroll");
    let secrets = secrets.or_fail(|| "the tenant lacks the application".to_owned())?;
    let labelled: Vec<(Label, SecretView)> = secrets
        .into_iter()
        .filter_map(|secret| {
            let label = secret.display_name.as_deref()?.parse().ok()?;
            Some((label, secret))
        })
        .collect();
    let mut outcome = Outcome {
        credentials: labelled.len(),
        lost_replies: azure
            .standin
            .record(0)
            .iter()
            .filter(|entry| entry.changed && entry.status.is_none())
            .count(),
        ..Outcome::default()
    };
    let top = daemon.path("disk");
    cut(&top, &entries, &labelled, seed, &mut outcome).await?;
    Ok(outcome)
}

/// A daemon with state and witness below `disk`, in a new folder, all of whose writes there are recorded.
fn recorded_daemon(azure: &Azure) -> Result<(Daemon, PathBuf), Failure> {
    let mut daemon = Daemon::new()?.with_test_build()?.trusting(azure)?;
    let io = || "a folder can't be made".to_owned();
    std::fs::create_dir(daemon.path("disk")).or_fail(io)?;
    let path = |name: &str| daemon.path(name).display().to_string();
    let recorder = preload::library("tests/crash/src/power/recorder.c")?;
    let (state, witness) = (path("disk/state"), path("disk/witness/generation"));
    let (top, record) = (path("disk"), daemon.path("power.record"));
    daemon = daemon
        .with("state.directory", state)
        .with("state.witness", witness)
        .with("timing.retry_most", "20m")
        .with("timing.watch_most", "20m");
    daemon.set_env("LD_PRELOAD", Some(recorder.display().to_string()));
    daemon.set_env("POWER_ROOTS", Some(top));
    daemon.set_env("POWER_RECORD", Some(record.display().to_string()));
    Ok((daemon, record))
}

/// Several rotations from the very first start on, with a stop, a kill and another root key in between.
async fn rotate(mut daemon: Daemon, azure: &Azure) -> Result<Daemon, Failure> {
    daemon.start().await?;
    let operator = daemon.operator();
    let connection = operator.connect(azure, "azure").await?;
    azure
        .standin
        .add_fault(Rule::chance(Operation::AddPassword, 0.3, Fault::LostReply));
    // The first one is lost for certain.
    azure
        .standin
        .add_fault(Rule::once(Operation::AddPassword, Fault::LostReply));
    let rotation = operator.create(azure, connection, "payroll").await?.id;
    for number in 0..ROTATIONS {
        operator.rotate(rotation, None).await?;
        match number {
            0 => {
                daemon.stop().await?;
                daemon.start().await?;
            }
            1 => {
                daemon.kill().await?;
                daemon.start().await?;
            }
            2 => {
                let http = daemon.operator().http;
                http.post(routes::ROOT_KEY_REWRAP, &json!({})).await?;
            }
            _ => {}
        }
    }
    settle(&operator, azure).await?;
    daemon.stop().await?;
    Ok(daemon)
}

async fn settle(operator: &Operator, azure: &Azure) -> Result<(), Failure> {
    until("everything to be settled", PATIENCE, async || {
        let rotations = operator.rotations().await?;
        let known = check::in_the_books(&rotations);
        let there = azure.issued("payroll")?.len();
        Ok((known.len() == there && check::is_idle(&rotations)).then_some(()))
    })
    .await
}

/// Cuts the power before each sync and at the end: nothing that was not synced is there, and in another disk an
/// arbitrary part of it.
async fn cut(
    top: &Path,
    entries: &[Entry],
    labelled: &[(Label, SecretView)],
    seed: u64,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let mut rng = Rng::with_seed(seed);
    let mut disk = Disk::new(top);
    let end = entries.last().map(|entry| entry.at);
    let syncs = entries.iter().filter(|entry| entry.is_sync());
    let count = syncs.count();
    for entry in entries {
        if entry.is_sync() {
            outcome.boundaries += 1;
            let number = outcome.boundaries;
            let disks = [
                ("what was synced", disk.after_a_cut(|| 0.0)),
                ("a part", disk.after_a_cut(|| rng.f64())),
                ("everything but the sync", disk.after_a_cut(|| 1.0)),
            ];
            for (what, files) in disks {
                let name = format!("cut {number} of {count}, {what}");
                look(&name, &files, entry.at, labelled, outcome)?;
                let is_first_start = number <= FIRST_START;
                if is_first_start || number.is_multiple_of(START_ONE_IN) {
                    start(&name, &files, outcome).await?;
                }
            }
        }
        disk.take(entry);
    }
    if let Some(end) = end {
        let files = disk.after_a_cut(|| 0.0);
        look("the end", &files, end, labelled, outcome)?;
    }
    Ok(())
}

/// What the database says on such a disk, beside what was at the provider then.
fn look(
    name: &str,
    files: &Files,
    at: DateTime<Utc>,
    labelled: &[(Label, SecretView)],
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    outcome.disks += 1;
    let folder = quick_folder().or_fail(|| "a folder can't be made".to_owned())?;
    files.write(folder.path())?;
    let there = labelled.iter().filter(|(_, secret)| {
        secret.created <= at && secret.removed.is_none_or(|removed| removed > at)
    });
    let state = folder.path().join("state");
    let store = match Store::open(&state, &RootKeySource::Own, Options::default()) {
        Ok(store) => store,
        Err(error) => {
            let why = Failure::new("the database does not open").because(error);
            outcome.violations.push(format!("{name}: {}", why.whole()));
            return Ok(());
        }
    };
    let books = || "the books can't be read".to_owned();
    let reader = store.as_reader();
    let mut rotations = BTreeMap::new();
    for id in reader.rotation_ids(None, 100).or_fail(books)? {
        let record = reader.rotation(id).or_fail(books)?;
        if let Some(credential) = record.state.active() {
            let removed = labelled.iter().find(|(label, secret)| {
                label.nonce == credential.nonce && secret.removed.is_some_and(|gone| gone <= at)
            });
            if let Some((label, _)) = removed {
                outcome
                    .violations
                    .push(format!("{name}: {label} is published and was revoked"));
            }
        }
        rotations.insert(rotord_rotation::label::Short::from(id), record.state);
    }
    for (label, secret) in there {
        let known = rotations.get(&label.rotation);
        let in_books = known.is_some_and(|rotation| {
            let nonces = rotation.credentials.iter().map(|known| known.nonce);
            nonces
                .chain(tombstones(reader, rotation, label))
                .any(|nonce| nonce == label.nonce)
        });
        if !in_books {
            let key = secret.key_id;
            outcome
                .violations
                .push(format!("{name}: {key} ({label}) has no row"));
        }
    }
    if let Some(witness) = witness(folder.path())
        && witness > store.generation()
    {
        let counted = store.generation();
        outcome.violations.push(format!(
            "{name}: the witness says {witness}, the database {counted}: it is taken for old"
        ));
    }
    Ok(())
}

/// In memory, where there is such a place: the disks that are made here need not outlive anything.
fn quick_folder() -> std::io::Result<tempfile::TempDir> {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    }
}

fn tombstones(
    reader: &rotord_store::Reader,
    rotation: &rotord_rotation::Rotation,
    label: &Label,
) -> Vec<rotord_rotation::label::Nonce> {
    let found = reader
        .tombstones(rotation.id, &[label.nonce])
        .unwrap_or_default();
    found.into_iter().map(|known| known.nonce).collect()
}

/// How far the witness says that the database had come.
fn witness(disk: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(disk.join("witness/generation")).ok()?;
    text.trim_end().split_once(' ')?.1.parse().ok()
}

/// The daemon itself on such a disk.
async fn start(name: &str, files: &Files, outcome: &mut Outcome) -> Result<(), Failure> {
    outcome.starts += 1;
    let daemon = Daemon::new()?.with_test_build()?;
    let path = |name: &str| daemon.path(name).display().to_string();
    let (state, witness) = (path("disk/state"), path("disk/witness/generation"));
    files.write(&daemon.path("disk"))?;
    let mut daemon = daemon
        .with("state.directory", state)
        .with("state.witness", witness)
        // Whether it starts, and not how fast.
        .with("providers.directories", toml::Value::Array(Vec::new()));
    if let Err(failure) = daemon.start().await {
        outcome
            .violations
            .push(format!("{name}: {}", failure.whole()));
        return Ok(());
    }
    daemon.stop().await
}
