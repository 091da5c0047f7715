//! A plan, played with the real daemon.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use azure_standin::Operation;
use e2e::consumer::USER_AGENT;
use e2e::daemon::Start;
use e2e::operator::{KIND, live};
use e2e::{Failure, until};
use rotord_api::query::{DeleteRotationQuery, Flag};
use rotord_api::rotation::{CredentialStage, SecretRotation};
use rotord_api::routes;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::check;
use crate::plan::{Act, End, Order, Plan};
use crate::stage::{Scene, Stage, Template};

/// The longest that things take to come to rest on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
/// What a stop may take: the service manager's patience with us.
const STOP: Duration = Duration::from_secs(10);
/// Longer than any interval between two rotations here, by schedule.
const UNTIL_DUE: Duration = Duration::from_hours(49);
/// Lines of the daemon's log in a story.
const LOG_LINES: usize = 120;

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The places at which the daemon was killed.
    pub reached: Vec<String>,
    /// The places that were asked for and not reached.
    pub missed: Vec<String>,
    /// How often it was killed at all.
    pub kills: u32,
    /// How often it was stopped in order.
    pub stops: u32,
    /// How many attempts each publication took.
    pub attempts: Vec<u64>,
    /// Logins of consumers.
    pub logins: u64,
    /// Replies to writes that were lost after their effect.
    pub lost_replies: usize,
    /// What was not as it was promised.
    pub violations: Vec<String>,
    /// Told only where something was not: what happened, for a person.
    pub story: String,
}

/// Plays a plan.
///
/// # Errors
/// It could not be played to its end; that is no better than a violation.
pub async fn play(plan: &Plan, template: &Template) -> Result<Outcome, Failure> {
    let mut stage = Stage::set(plan, template).await?;
    let mut outcome = Outcome::default();
    let played = play_on(&mut stage, plan, &mut outcome).await;
    if let Err(failure) = played {
        outcome.violations.push(failure.whole());
    }
    if !outcome.violations.is_empty() {
        outcome.story = story(&stage, plan).await;
    }
    Ok(outcome)
}

async fn play_on(stage: &mut Stage, plan: &Plan, outcome: &mut Outcome) -> Result<(), Failure> {
    for act in &plan.acts {
        if act.off_until_due {
            wait_until_due(stage, outcome).await?;
        }
        play_act(stage, plan, act, outcome).await?;
    }
    // And now it is left alone.
    start(stage).await?;
    prepare(&stage.scene).await?;
    at_rest(&stage.scene).await?;
    everyone_has_the_newest(&stage.scene).await?;
    let names = stage.scene.parts.len();
    for number in 0..names {
        stage.scene.stop_consumer(number).await?;
    }
    let violations = answered("the books", async || {
        check::violations(&stage.scene).await.map(Some)
    });
    outcome.violations.extend(violations.await?);
    stop(stage, outcome).await?;
    if stage.daemon.log()?.contains("panicked") {
        outcome.violations.push("the daemon panicked".to_owned());
    }
    outcome.attempts = check::attempts(&stage.scene)?;
    for (_, tally) in stage.scene.stopped.lock().await.iter() {
        outcome.logins += tally.logins;
    }
    let record = stage.scene.azure.standin.record(0);
    let lost = record.iter().filter(|entry| {
        entry.changed && entry.status.is_none() && entry.operation != Operation::Token
    });
    outcome.lost_replies = lost.count();
    Ok(())
}

/// A start that nothing keeps from being one.
pub(crate) async fn start(stage: &mut Stage) -> Result<(), Failure> {
    match stage.launch(None).await? {
        Start::Ready => Ok(()),
        Start::Ended { code, said } => Err(Failure::new(format!(
            "the daemon does not start after what was done to it: it ended with {code:?}\n{said}"
        ))),
    }
}

/// Comes to rest, stops, and lets so much time pass that everything is due.
async fn wait_until_due(stage: &mut Stage, outcome: &mut Outcome) -> Result<(), Failure> {
    start(stage).await?;
    prepare(&stage.scene).await?;
    at_rest(&stage.scene).await?;
    everyone_has_the_newest(&stage.scene).await?;
    stop(stage, outcome).await?;
    stage.let_pass(UNTIL_DUE);
    Ok(())
}

pub(crate) async fn play_act(
    stage: &mut Stage,
    plan: &Plan,
    act: &Act,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let place = match act.end {
        End::At(point, nth) => Some((point.to_string(), format!("{point}:{nth}"))),
        End::Kill(_) | End::Stop(_) => None,
    };
    let order = place.as_ref().map(|(_, order)| order.clone());
    let mut end = act.end;
    match stage.launch(order).await? {
        Start::Ready => {}
        Start::Ended { code: None, .. } => {
            outcome.kills += 1;
            outcome.reached.extend(place.clone().map(|(name, _)| name));
            stage.killed()?;
            start(stage).await?;
            end = End::Stop(Duration::ZERO);
        }
        Start::Ended { code, said } => {
            let what = format!("the daemon ended with {code:?} instead of starting:\n{said}");
            return Err(Failure::new(what));
        }
    }
    prepare(&stage.scene).await?;
    stage.scene.set_weather(&plan.weather);
    let mut orders = JoinSet::new();
    for (after, order) in &act.orders {
        let (scene, after, order) = (Arc::clone(&stage.scene), *after, *order);
        orders.spawn(async move {
            // When people happen to order it.
            sleep(Duration::from_millis(after)).await;
            // The daemon dies on some of them, and refuses others.
            let _ = give(&scene, order).await;
        });
    }
    let gone = match end {
        End::Kill(after) => {
            // When it happens to be killed.
            sleep(after).await;
            None
        }
        End::Stop(after) => {
            if after.is_zero() {
                while orders.join_next().await.is_some() {}
                at_rest(&stage.scene).await?;
                everyone_has_the_newest(&stage.scene).await?;
            } else {
                // When it happens to be stopped.
                sleep(after).await;
            }
            stop(stage, outcome).await?;
            orders.shutdown().await;
            return Ok(());
        }
        End::At(point, _) => {
            let Stage { scene, daemon, .. } = stage;
            let until_rest = async {
                while orders.join_next().await.is_some() {}
                at_rest(scene).await
            };
            let gone = tokio::select! {
                code = daemon.end() => Some(code?),
                // Nothing more will happen, or the daemon is gone, which the other branch tells.
                rest = until_rest => {
                    if rest.is_err() { timeout(STOP, daemon.end()).await.ok().transpose()? } else { None }
                }
            };
            if gone.is_none() && point.step == rotord_crash::Step::Drain {
                stage.daemon.ask_to_stop()?;
                let ended = timeout(STOP, stage.daemon.end()).await;
                let late = |_| Failure::new("the daemon takes more than 10 s to stop");
                Some(ended.map_err(late)??)
            } else {
                gone
            }
        }
    };
    orders.shutdown().await;
    match gone {
        None => {
            stage.daemon.kill().await?;
            outcome.missed.extend(place.map(|(name, _)| name));
        }
        Some(None) => {
            outcome.reached.extend(place.map(|(name, _)| name));
            stage.killed()?;
        }
        Some(code) => {
            let what = format!("the daemon ended by itself with {code:?}");
            return Err(Failure::new(what));
        }
    }
    outcome.kills += 1;
    Ok(())
}

/// Stops it in order: within ten seconds, whatever it is in the middle of.
pub(crate) async fn stop(stage: &mut Stage, outcome: &mut Outcome) -> Result<(), Failure> {
    let asked = Instant::now();
    stage.daemon.stop().await?;
    if asked.elapsed() > STOP {
        outcome.violations.push(format!(
            "the daemon took {:.1} s to stop",
            asked.elapsed().as_secs_f64()
        ));
    }
    outcome.stops += 1;
    Ok(())
}

/// Asks until it is answered. A socket that closes because the machine was too busy to write a request to it in
/// time is no answer, and says nothing of what is promised.
pub(crate) async fn answered<T>(
    what: &str,
    mut ask: impl AsyncFnMut() -> Result<Option<T>, Failure>,
) -> Result<T, Failure> {
    let mut last = None;
    let answer = until(what, PATIENCE, async || match ask().await {
        Ok(answer) => Ok(answer),
        Err(failure) => {
            last = Some(failure);
            Ok(None)
        }
    });
    match (answer.await, last) {
        (Err(failure), Some(last)) => Err(failure.because(last)),
        (answer, _) => answer,
    }
}

pub(crate) async fn prepare(scene: &Scene) -> Result<(), Failure> {
    answered("the connection", async || scene.prepare().await.map(Some)).await
}

pub(crate) async fn at_rest(scene: &Scene) -> Result<(), Failure> {
    let mut last = None;
    let rest = answered("everything to come to rest", async || {
        last = check::unrest(scene).await?;
        Ok(last.is_none().then_some(()))
    });
    let rest = rest.await;
    rest.map_err(|failure| match last {
        Some(last) => failure.because(last),
        None => failure,
    })
}

/// Waits until each consumer has logged in with what is published.
pub(crate) async fn everyone_has_the_newest(scene: &Scene) -> Result<(), Failure> {
    answered("the consumers to read what is published", async || {
        let consumers: BTreeSet<usize> = scene.consumers.lock().await.keys().copied().collect();
        for number in consumers {
            if let Some(rotation) = scene.rotation(&scene.parts[number]).await?
                && !is_used(scene, &rotation)
            {
                return Ok(None);
            }
        }
        Ok(Some(()))
    })
    .await
}

/// A consumer has logged in with what is published, so that it will not go back to anything older.
fn is_used(scene: &Scene, rotation: &SecretRotation) -> bool {
    let mut live = live(rotation);
    let Some(active) = live.find(|credential| credential.stage == CredentialStage::Active) else {
        return true;
    };
    let record = scene.azure.standin.record(0);
    record.iter().any(|entry| {
        entry.user_agent.as_deref() == Some(USER_AGENT)
            && entry
                .key_id
                .is_some_and(|key| key.to_string() == active.key_id)
    })
}

pub(crate) async fn give(scene: &Scene, order: Order) -> Result<(), Failure> {
    let http = &scene.operator.http;
    let part = |number: usize| &scene.parts[number % scene.parts.len()];
    match order {
        Order::Create(number) => {
            // Whose consumer has stopped was deleted for good.
            if scene.consumers.lock().await.contains_key(&number) {
                let body = scene.request(part(number)).await?;
                scene.operator.post_rotation(&body).await?;
            }
        }
        Order::Rotate(number) => {
            if let Some(rotation) = scene.rotation(part(number)).await? {
                http.post(&Scene::rotate_path(rotation.id), &json!(null))
                    .await?;
            }
        }
        Order::Pause(number) | Order::Resume(number) => {
            let pause = matches!(order, Order::Pause(_));
            let route = if pause { routes::PAUSE } else { routes::RESUME };
            if let Some(rotation) = scene.rotation(part(number)).await? {
                http.post(&routes::of_rotation(route, rotation.id), &json!(null))
                    .await?;
            }
        }
        Order::Retire(number) => {
            if let Some(rotation) = scene.rotation(part(number)).await?
                && is_used(scene, &rotation)
                && let Some(previous) =
                    live(&rotation).find(|known| known.stage == CredentialStage::Previous)
            {
                let path = routes::of_rotation(routes::RETIRE, rotation.id);
                http.post(&path, &json!({ "keyId": previous.key_id }))
                    .await?;
            }
        }
        Order::Delete(number) => {
            let number = number % scene.parts.len();
            if let Some(rotation) = scene.rotation(part(number)).await? {
                scene.stop_consumer(number).await?;
                let query = DeleteRotationQuery {
                    revoke_generated_credentials: Flag(true),
                    ..DeleteRotationQuery::default()
                };
                let path = routes::rotation(KIND, rotation.id);
                http.delete(&routes::with_query(&path, &query)).await?;
            }
        }
        Order::Rewrap => {
            http.post(routes::ROOT_KEY_REWRAP, &json!({})).await?;
        }
        Order::AddForeign(number) => {
            let app = &part(number).app;
            let foreign = azure_standin::SecretConfig {
                name: Some("somebody else's".to_owned()),
                ..azure_standin::SecretConfig::default()
            };
            // The application is there.
            let _ = scene.azure.standin.add_foreign_secret(app, &foreign);
        }
    }
    Ok(())
}

/// Everything that is known of a run, for a person.
pub(crate) async fn story(stage: &Stage, plan: &Plan) -> String {
    let mut lines = vec![format!("{plan:#?}"), "The stand-in's record:".to_owned()];
    for entry in stage.scene.azure.standin.record(0) {
        if entry.user_agent.as_deref() == Some(USER_AGENT) && entry.status == Some(200) {
            continue;
        }
        lines.push(format!(
            "{:>5} {} {} {:?} {:?} key {:?}{}{}",
            entry.sequence,
            entry.at.format("%H:%M:%S%.3f"),
            entry.method,
            entry.operation,
            entry.status,
            entry.key_id.map(|key| key.to_string()),
            entry
                .fault
                .map(|fault| format!(" [{fault}]"))
                .unwrap_or_default(),
            if entry.changed { " changed" } else { "" },
        ));
    }
    for part in &stage.scene.parts {
        lines.push(format!(
            "{}: {:?}",
            part.name,
            stage.scene.azure.standin.secrets(&part.app)
        ));
    }
    lines.push("The daemon's log:".to_owned());
    let log = stage.daemon.log().unwrap_or_default();
    let log: Vec<&str> = log.lines().collect();
    lines.extend(
        log[log.len().saturating_sub(LOG_LINES)..]
            .iter()
            .map(|line| (*line).to_owned()),
    );
    if stage.daemon.pid().is_some() {
        lines.push("The books:".to_owned());
        match stage.scene.operator.rotations().await {
            Ok(rotations) => lines.push(format!("{rotations:#?}")),
            Err(failure) => lines.push(failure.whole()),
        }
    }
    lines.join("\n")
}
