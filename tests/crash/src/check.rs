//! The promises, held against the stand-in's own record.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use azure_standin::Operation;
use e2e::Failure;
use e2e::consumer::USER_AGENT;
use e2e::failure::OrFail as _;
use e2e::operator::{live, secret_name};
use rotord_api::catalogue::{STATE_IS_OLD, UNKNOWN_LABEL};
use rotord_api::root_key::RootKeyStatus;
use rotord_api::rotation::{CredentialStage, RotationStatus, SecretRotation};
use rotord_api::routes;
use rotord_rotation::label::Label;

use crate::stage::Scene;

/// What is still under way; none where everything is at rest.
///
/// # Errors
/// The daemon does not answer.
pub async fn unrest(scene: &Scene) -> Result<Option<String>, Failure> {
    let rotations = scene.operator.rotations().await?;
    for rotation in &rotations {
        let Some(state) = &rotation.state else {
            return Ok(Some(format!("{} shows no state", rotation.name)));
        };
        // A pause keeps what a scheduled run had issued.
        let at_rest = |stage| {
            matches!(stage, CredentialStage::Active | CredentialStage::Previous)
                || (stage == CredentialStage::Pending && state.paused)
        };
        let name = &rotation.name;
        if let Some(run) = &state.run {
            return Ok(Some(format!("{name} is at work: {}", run.words)));
        }
        if let Some(credential) = live(rotation).find(|credential| !at_rest(credential.stage)) {
            let id = &credential.key_id;
            return Ok(Some(format!("{name}: {id} is {}", credential.stage)));
        }
        let due = state.due_at.filter(|_| !state.paused);
        if due.is_some_and(|due| due.0 <= scene.azure.standin.now()) {
            return Ok(Some(format!("{name} is due")));
        }
    }
    let (known, there) = (in_the_books(&rotations), at_the_provider(scene)?);
    Ok((known != there).then(|| {
        let orphans: Vec<_> = there.difference(&known).collect();
        let missing: Vec<_> = known.difference(&there).collect();
        format!(
            "at the provider and not in the books: {orphans:?}; the other way round: {missing:?}"
        )
    }))
}

/// The keys of every live credential that the rotations show.
pub fn in_the_books(rotations: &[SecretRotation]) -> BTreeSet<String> {
    let keys = rotations.iter().flat_map(live);
    keys.map(|credential| credential.key_id.clone()).collect()
}

/// No rotation has a run or a removal under way.
pub fn is_idle(rotations: &[SecretRotation]) -> bool {
    let at_rest = [CredentialStage::Active, CredentialStage::Previous];
    rotations.iter().all(|rotation| {
        let run = rotation.state.as_ref().and_then(|state| state.run.as_ref());
        run.is_none() && live(rotation).all(|credential| at_rest.contains(&credential.stage))
    })
}

/// Every live credential with a label of ours.
///
/// # Errors
/// The tenant lacks an application.
pub fn at_the_provider(scene: &Scene) -> Result<BTreeSet<String>, Failure> {
    let mut keys = BTreeSet::new();
    for (_, secret) in secrets(scene)? {
        let label = secret.display_name.as_deref().unwrap_or_default();
        if secret.live() && label.parse::<Label>().is_ok() {
            keys.insert(secret.key_id.to_string());
        }
    }
    Ok(keys)
}

fn secrets(scene: &Scene) -> Result<Vec<(String, azure_standin::SecretView)>, Failure> {
    let apps: BTreeSet<&String> = scene.parts.iter().map(|part| &part.app).collect();
    let mut all = Vec::new();
    for app in apps {
        let secrets = scene.azure.standin.secrets(app);
        let secrets = secrets.or_fail(|| "the tenant lacks an application".to_owned())?;
        all.extend(secrets.into_iter().map(|secret| (app.clone(), secret)));
    }
    Ok(all)
}

/// Everything that is not as it was promised, once everything is at rest and the consumers have stopped.
///
/// # Errors
/// The daemon does not answer.
pub async fn violations(scene: &Scene) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    for app in scene.azure.standin.checks().applications {
        if app.foreign_removed > 0 {
            let (name, count) = (&app.name, app.foreign_removed);
            found.push(format!("{count} of somebody else's removed on {name}"));
        }
    }
    found.extend(refused(scene).await);
    found.extend(used_after_removal(scene)?);
    for rotation in scene.operator.rotations().await? {
        found.extend(of_rotation(scene, &rotation).await?);
    }
    let keys: RootKeyStatus = scene.operator.http.get(routes::ROOT_KEY).await?.parse()?;
    if keys.opening.as_slice() != [keys.in_use.as_str()] {
        found.push(format!("the root key was replaced by half: {keys:?}"));
    }
    Ok(found)
}

/// The consumers that have stopped and were refused before.
pub async fn refused(scene: &Scene) -> Vec<String> {
    let stopped = scene.stopped.lock().await;
    let refused = stopped.iter().filter(|(_, tally)| tally.failures > 0);
    refused
        .map(|(name, tally)| format!("the consumer of {name} was refused: {tally:?}"))
        .collect()
}

/// Nobody may hold what was revoked, even where a lagging replica still lets it in.
fn used_after_removal(scene: &Scene) -> Result<Vec<String>, Failure> {
    let removed: HashMap<_, _> = secrets(scene)?
        .into_iter()
        .filter_map(|(_, secret)| Some((secret.key_id, secret.removed?)))
        .collect();
    let record = scene.azure.standin.record(0);
    let used = record.iter().filter(|entry| {
        entry.operation == Operation::Token && entry.user_agent.as_deref() == Some(USER_AGENT)
    });
    let late: BTreeSet<String> = used
        .filter_map(|entry| {
            let key = entry.key_id?;
            removed
                .get(&key)
                .is_some_and(|at| entry.at > *at)
                .then(|| format!("{key} was revoked while it was in use"))
        })
        .collect();
    Ok(late.into_iter().collect())
}

async fn of_rotation(scene: &Scene, rotation: &SecretRotation) -> Result<Vec<String>, Failure> {
    let name = &rotation.name;
    let mut found = Vec::new();
    let message = rotation
        .last_rotation_message
        .as_deref()
        .unwrap_or_default();
    match rotation.rotation_status {
        RotationStatus::Success => {}
        RotationStatus::Failed if !message.is_empty() => {}
        _ => found.push(format!("{name} neither published nor failed in words")),
    }
    let state = rotation.state.as_ref();
    for attention in state.iter().flat_map(|state| &state.attention) {
        // Nothing was restored from a copy.
        if [UNKNOWN_LABEL.code, STATE_IS_OLD.code].contains(&attention.code.as_str()) {
            found.push(format!(
                "{name} takes its books for old: {}",
                attention.message
            ));
        }
    }
    let mut live = live(rotation);
    if let Some(active) = live.find(|known| known.stage == CredentialStage::Active) {
        let secret = scene.operator.secret(&secret_name(name, "SECRET")).await?;
        let app = scene.parts.iter().find(|part| part.name == *name);
        let app = app.map_or("", |part| &part.app);
        let check = scene.azure.standin.check_login(app, &secret);
        let check = check.or_fail(|| "the tenant lacks an application".to_owned())?;
        if !check.works_everywhere() {
            found.push(format!("what {name} published does not work: {check:?}"));
        }
        if check.key_id.map(|key| key.to_string()).as_ref() != Some(&active.key_id) {
            found.push(format!(
                "{name} is published by half: {} is active, and the secret is that of {check:?}",
                active.key_id
            ));
        }
    }
    Ok(found)
}

/// The keys that a part's consumer used, in order, each with its attempt's number. From the stand-in's record.
///
/// # Errors
/// The tenant lacks an application.
pub fn published(scene: &Scene) -> Result<BTreeMap<String, Vec<(String, u64)>>, Failure> {
    let labels: HashMap<String, Label> = secrets(scene)?
        .into_iter()
        .filter_map(|(_, secret)| {
            let label = secret.display_name?.parse().ok()?;
            Some((secret.key_id.to_string(), label))
        })
        .collect();
    let mut published: BTreeMap<String, Vec<(String, u64)>> = BTreeMap::new();
    for entry in scene.azure.standin.record(0) {
        if entry.user_agent.as_deref() != Some(USER_AGENT) {
            continue;
        }
        let Some(key) = entry.key_id.map(|key| key.to_string()) else {
            continue;
        };
        let Some(label) = labels.get(&key) else {
            continue;
        };
        let of_rotation = published.entry(label.rotation.to_string()).or_default();
        if of_rotation.last().is_none_or(|(last, _)| *last != key) {
            of_rotation.push((key, label.sequence));
        }
    }
    Ok(published)
}

/// How many attempts each publication took.
///
/// # Errors
/// The tenant lacks an application.
pub fn attempts(scene: &Scene) -> Result<Vec<u64>, Failure> {
    let mut attempts = Vec::new();
    for of_rotation in published(scene)?.into_values() {
        let mut before = 0;
        for (_, sequence) in of_rotation {
            attempts.push(sequence.saturating_sub(before));
            before = sequence;
        }
    }
    Ok(attempts)
}
