//! Old state: what a kill left in the state directory is put back after the daemon has gone on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use chrono::Utc;
use e2e::Failure;
use e2e::daemon::copy_files;
use e2e::failure::OrFail as _;
use e2e::operator::{live, secret_name};
use rotord_api::catalogue::STATE_IS_OLD;
use rotord_api::rotation::{CredentialStage, SecretRotation};
use rotord_crash::Point;
use rotord_store::{Options, RootKeySource, Store};

use crate::check;
use crate::plan::{End, Order, Plan};
use crate::play::{self, Outcome};
use crate::stage::{Scene, Stage, Template};

/// How many rotations later a copy is put back.
const LATER: [usize; 4] = [0, 1, 2, 10];
/// A file beside the state.
const BACKUP: &str = "backup";

/// How it is put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The files, copied.
    Copied,
    /// `rotorctl restore` of a backup of what they hold.
    Restored,
}

/// What is put back, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Old {
    /// Where the daemon was killed.
    pub point: Point,
    /// So many rotations later.
    pub later: usize,
    /// Like this.
    pub way: Way,
    /// The witness is there still.
    pub witness: bool,
}

impl fmt::Display for Old {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let witness = if self.witness { "with" } else { "without" };
        write!(
            f,
            "{}, {:?} {} later, {witness} the witness",
            self.point, self.way, self.later
        )
    }
}

impl Old {
    /// A place in every way.
    pub fn of(point: Point) -> impl Iterator<Item = Self> {
        let ways = LATER.into_iter().flat_map(|later| {
            let ways = [Way::Copied, Way::Restored].into_iter();
            ways.flat_map(move |way| [(later, way, true), (later, way, false)])
        });
        ways.map(move |(later, way, witness)| Self {
            point,
            later,
            way,
            witness,
        })
    }
}

/// Kills the daemon at the place, lets it go on, and puts back what the kill had left: nothing that lives is revoked,
/// all of it is known or in doubt, the next rotation publishes, and a person finds the way out.
///
/// # Errors
/// It could not be played to its end; that is no better than a violation.
pub async fn play(old: Old, template: &Template) -> Result<Outcome, Failure> {
    let plan = Plan::first_at(old.point);
    let mut stage = Stage::set(&plan, template).await?;
    let mut outcome = Outcome::default();
    if let Err(failure) = play_on(&mut stage, old, &plan, &mut outcome).await {
        outcome.violations.push(failure.whole());
    }
    if !outcome.violations.is_empty() {
        outcome.story = play::story(&stage, &plan).await;
    }
    Ok(outcome)
}

async fn play_on(
    stage: &mut Stage,
    old: Old,
    plan: &Plan,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let copy = stage.daemon.path("copy");
    for act in &plan.acts {
        if matches!(act.end, End::At(..)) {
            stage.keep = Some(copy.clone());
        }
        play::play_act(stage, plan, act, outcome).await?;
    }
    if stage.keep.is_some() {
        // Told as a place that was missed.
        return Ok(());
    }
    play::start(stage).await?;
    play::prepare(&stage.scene).await?;
    play::at_rest(&stage.scene).await?;
    for _ in 0..old.later {
        play::give(&stage.scene, Order::Rotate(0)).await?;
        play::at_rest(&stage.scene).await?;
    }
    play::everyone_has_the_newest(&stage.scene).await?;
    for number in 0..stage.scene.parts.len() {
        stage.scene.stop_consumer(number).await?;
    }
    outcome
        .violations
        .extend(check::refused(&stage.scene).await);
    let published = published(&stage.scene).await?;
    play::stop(stage, outcome).await?;
    let alive = check::at_the_provider(&stage.scene)?;
    // From before there was a database, there is no backup.
    let way = if old.way == Way::Restored && !back_up(stage, &copy)? {
        Way::Copied
    } else {
        old.way
    };

    if !old.witness {
        stage.daemon.set("state.witness", "");
    }
    match way {
        Way::Copied => stage.daemon.put_state_back(&copy)?,
        Way::Restored => restore(stage).await?,
    }
    play::start(stage).await?;
    let restored = seen_to_be_old(&stage.scene, &alive).await?;
    outcome.violations.extend(revoked(&stage.scene, &alive)?);
    if restored {
        play::give(&stage.scene, Order::Rotate(0)).await?;
        idle(&stage.scene).await?;
        let before: BTreeSet<String> = published.keys().cloned().collect();
        outcome.violations.extend(revoked(&stage.scene, &before)?);
        find_the_way_out(stage, &published).await?;
        let violations = play::answered("the books", async || {
            check::violations(&stage.scene).await.map(Some)
        });
        outcome.violations.extend(violations.await?);
    }
    play::stop(stage, outcome).await
}

/// What a person does, as `show` says: what was published is adopted by its value, the rest of what is in doubt is
/// removed. Then the books are trusted again, and rotate.
async fn find_the_way_out(
    stage: &Stage,
    published: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let rotorctl = async |arguments: &[&str]| {
        let line = stage.daemon.rotorctl()?.args(arguments);
        let ended = line.args(["--env", "dev"]).run().await?;
        ended.well()
    };
    let file = stage.daemon.path("value").display().to_string();
    let with_value = format!("clientSecret={file}");
    for rotation in stage.scene.operator.rotations().await? {
        let name = rotation.name.as_str();
        for key in doubtful(&rotation) {
            match published.get(key) {
                Some(value) => {
                    std::fs::write(&file, value).or_fail(|| "a value can't be kept".to_owned())?;
                    rotorctl(&["adopt", name, key, "--value", &with_value]).await?;
                }
                None => drop(rotorctl(&["remove", name, key, "--yes"]).await?),
            }
            idle(&stage.scene).await?;
        }
        rotorctl(&["unblock", name]).await?;
        idle(&stage.scene).await?;
    }
    for number in 0..stage.scene.parts.len() {
        play::give(&stage.scene, Order::Rotate(number)).await?;
    }
    play::at_rest(&stage.scene).await
}

async fn idle(scene: &Scene) -> Result<(), Failure> {
    play::answered("the end of what was ordered", async || {
        let rotations = scene.operator.rotations().await?;
        Ok(rotations.iter().all(has_no_run).then_some(()))
    })
    .await
}

/// The keys of what a person is to decide about.
fn doubtful(rotation: &SecretRotation) -> impl Iterator<Item = &str> {
    let attention = rotation.state.iter().flat_map(|state| &state.attention);
    attention.filter_map(|item| item.key_id.as_deref())
}

/// A backup of what a copy holds. False where that is no database yet.
fn back_up(stage: &Stage, copy: &Path) -> Result<bool, Failure> {
    // Opening it changes it.
    let opened = stage.daemon.path("opened");
    copy_files(copy, &opened).or_fail(|| "the copy can't be copied".to_owned())?;
    let database = opened.join("rotord.db");
    if !std::fs::metadata(&database).is_ok_and(|found| found.len() > 0) {
        return Ok(false);
    }
    let no_backup = || "no backup can be taken of the copy".to_owned();
    let store = Store::open(&opened, &RootKeySource::Own, Options::default()).or_fail(no_backup)?;
    let reader = store.reader().or_fail(no_backup)?;
    let sealed = reader.snapshot(Utc::now()).and_then(|at| at.seal(None));
    let written = std::fs::write(stage.daemon.path(BACKUP), sealed.or_fail(no_backup)?);
    written.or_fail(no_backup).map(|()| true)
}

async fn restore(stage: &Stage) -> Result<(), Failure> {
    stage.daemon.write_settings()?;
    let line = stage.daemon.rotorctl()?;
    let line = line.args(["restore", "--replace", "--yes", "--config"]);
    let files = [stage.daemon.settings_file(), stage.daemon.path(BACKUP)];
    line.args(&files).run().await?.well().map(drop)
}

/// What is published: each key with its secret.
async fn published(scene: &Scene) -> Result<BTreeMap<String, String>, Failure> {
    let mut published = BTreeMap::new();
    for rotation in scene.operator.rotations().await? {
        let active = live(&rotation).find(|known| known.stage == CredentialStage::Active);
        if let Some(active) = active {
            let name = secret_name(&rotation.name, "SECRET");
            let value = scene.operator.secret(&name).await?;
            published.insert(active.key_id.clone(), value);
        }
    }
    Ok(published)
}

/// Those of them that live no more.
fn revoked(scene: &Scene, of: &BTreeSet<String>) -> Result<Option<String>, Failure> {
    let now = check::at_the_provider(scene)?;
    let gone: Vec<_> = of.difference(&now).collect();
    Ok((!gone.is_empty()).then(|| format!("revoked by old books: {gone:?}")))
}

/// Waits until each rotation of the old books takes them for old, and all that lives is known or in doubt. False where
/// they are from before any rotation: nothing is known of any, and nothing is touched.
async fn seen_to_be_old(scene: &Scene, alive: &BTreeSet<String>) -> Result<bool, Failure> {
    play::answered("what lives to be known or in doubt", async || {
        let rotations = scene.operator.rotations().await?;
        let mut known = check::in_the_books(&rotations);
        known.extend(rotations.iter().flat_map(doubtful).map(str::to_owned));
        let attention = rotations
            .iter()
            .filter_map(|rotation| rotation.state.as_ref())
            .flat_map(|state| &state.attention);
        let told = attention.filter(|item| item.code == STATE_IS_OLD.code);
        if rotations.is_empty() {
            return Ok(Some(false));
        }
        let seen = told.count() == rotations.len() && alive.is_subset(&known);
        Ok((seen && rotations.iter().all(has_no_run)).then_some(true))
    })
    .await
}

fn has_no_run(rotation: &SecretRotation) -> bool {
    rotation
        .state
        .as_ref()
        .is_some_and(|state| state.run.is_none())
}
