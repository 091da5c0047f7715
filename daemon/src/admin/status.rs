//! How the daemon is doing, and what became of the providers.

use chrono::{DateTime, Utc};
use rotord_api::doctor::DoctorFinding;
use rotord_api::issue::{Finding, Severity};
use rotord_api::provider::{ProviderReport, ProviderState, ProvidersAnswer};
use rotord_api::rotation::{RotationStatus, SecretRotation};
use rotord_api::status::{DaemonStatus, PeriodicWork, RotationCounts, StatusItem};
use rotord_api::{Timestamp, catalogue, routes};
use rotord_rotation::summary::{NoticeCode, Urgency};
use rotord_store::{RotationRecord, Store};

use super::doctor::providers::Needed;
use super::error::{ApiError, shortened};
use super::request::ok;
use super::rotations::view::{Viewer, state};
use super::{Daemon, Reply, Shared, describe, doctor, lookup, projects};
use crate::actors::scheduler::{GetOutlook, Outlook};
use crate::codes;
use crate::health::Trouble;

/// How the daemon and its rotations are doing.
#[utoipa::path(get, path = routes::STATUS, tag = "rotord",
    responses((status = 200, body = DaemonStatus)))]
pub(super) async fn daemon_status(daemon: Daemon) -> Reply {
    if daemon.store.health().writing().is_some() {
        // Whether it still can't is found out by trying. How that ends is told below.
        let _ = daemon.store.write(Store::probe).await;
    }
    let (records, unreadable) = every_readable_rotation(&daemon).await;
    let viewer = Viewer::new(&daemon).await?;
    let (deleted, kept): (Vec<_>, Vec<_>) = records
        .iter()
        .partition(|record| record.state.life.is_deleting());
    let show = |records: Vec<&RotationRecord>| -> Vec<_> {
        let shown = records.into_iter().map(|record| viewer.show(record));
        shown.collect()
    };
    let (deleted, rotations) = (show(deleted), show(kept.clone()));
    let warned: Vec<_> = kept
        .into_iter()
        .flat_map(|record| warnings(&viewer, record))
        .collect();
    let outlook = daemon.scheduler.send(GetOutlook).await?;
    let now = daemon.clock.now().wall;
    let uptime = (now - daemon.started_at).num_seconds();
    Ok(ok(&DaemonStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: Timestamp(daemon.started_at),
        uptime_seconds: u64::try_from(uptime).unwrap_or(0),
        default_project_id: projects::default_id(&daemon).await?,
        providers: reports(&daemon).await?,
        rotations: counted(&rotations),
        overdue: items(&rotations, |rotation| {
            let state = rotation.state.as_ref()?;
            let due = state.overdue.then_some(rotation.next_rotation_at)?;
            Some((state.summary.clone(), state.due_at.or(due)))
        }),
        failing: items(&rotations, |rotation| {
            let message = rotation.last_rotation_message.clone().unwrap_or_default();
            is_failing(rotation).then_some((message, rotation.last_rotation_attempted_at))
        }),
        waiting: [
            items(&rotations, waiting),
            items(&deleted, |rotation| {
                Some((state::settling(rotation.state.as_ref()?), None))
            }),
        ]
        .concat(),
        attention: [unreadable, attention(&rotations), attention(&deleted)].concat(),
        next_due: next_due(&rotations),
        findings: [findings(&daemon, &outlook), gone(&daemon).await, warned].concat(),
        work: vec![work(&outlook)],
    }))
}

/// What the providers say of themselves, and why some could not be loaded.
#[utoipa::path(get, path = routes::PROVIDERS, tag = "rotord",
    responses((status = 200, body = ProvidersAnswer)))]
pub(super) async fn list_providers(daemon: Daemon) -> Reply {
    let providers = reports(&daemon).await?;
    Ok(ok(&ProvidersAnswer { providers }))
}

/// Every file, and every provider that rotations need and no file has.
async fn reports(daemon: &Shared) -> Result<Vec<ProviderReport>, ApiError> {
    let host = daemon.providers.host();
    let needed = Needed::of(daemon).await;
    let mut reports: Vec<ProviderReport> = daemon
        .providers
        .reports()
        .into_iter()
        .map(|report| {
            let loaded = match &report.result {
                Ok((slug, _)) => host.provider(slug),
                // An older content of the file may still be at work.
                Err(_) => host
                    .providers()
                    .into_iter()
                    .find(|provider| provider.file() == report.file),
            };
            let severity = needed.severity(host, &report);
            ProviderReport {
                severity: report.result.is_err().then_some(severity),
                file: report.file.display().to_string(),
                state: match report.result {
                    Ok(_) => ProviderState::Loaded,
                    Err(_) => ProviderState::Failed,
                },
                message: report.result.err().map(|why| match &loaded {
                    Some(before) => format!(
                        "{}; {} as it was loaded before still serves",
                        why.message,
                        before.slug()
                    ),
                    None => why.message,
                }),
                reaches: loaded
                    .as_ref()
                    .map_or_else(Vec::new, |provider| provider.reaches()),
                description: loaded.map(|provider| describe::provider(provider.description())),
            }
        })
        .collect();
    let missing = lookup::providers(daemon)
        .await?
        .into_iter()
        .filter(|known| {
            let slug = known.description.slug.as_str();
            !known.is_loaded && needed.has(slug)
        });
    reports.extend(missing.map(|known| ProviderReport {
        file: String::new(),
        state: ProviderState::Missing,
        severity: Some(Severity::Problem),
        message: Some(format!(
            "rotations need {} and no file in the providers' directories has it",
            known.description.slug
        )),
        reaches: Vec::new(),
        description: Some(describe::provider(&known.description)),
    }));
    Ok(reports)
}

fn counted(rotations: &[SecretRotation]) -> RotationCounts {
    let count = |is: &dyn Fn(&SecretRotation) -> bool| {
        u32::try_from(rotations.iter().filter(|rotation| is(rotation)).count()).unwrap_or(u32::MAX)
    };
    RotationCounts {
        total: count(&|_| true),
        automatic: count(&|rotation| rotation.is_auto_rotation_enabled),
        paused: count(&|rotation| !rotation.is_auto_rotation_enabled),
        running: count(&|rotation| {
            rotation
                .state
                .as_ref()
                .is_some_and(|state| state.run.is_some())
        }),
        failed: count(&|rotation| rotation.rotation_status == RotationStatus::Failed),
    }
}

/// Its last run failed, and another follows. While that is under way nothing is better yet.
fn is_failing(rotation: &SecretRotation) -> bool {
    rotation.rotation_status == RotationStatus::Failed && !has_failed_by_hand(rotation)
}

fn has_failed_by_hand(rotation: &SecretRotation) -> bool {
    let state = rotation.state.as_ref();
    state.is_some_and(|state| state.manual_failed)
}

/// What nobody has to be called for, and what a person who looks should see: nothing else here tells it.
fn warnings(viewer: &Viewer, record: &RotationRecord) -> Vec<Finding> {
    let (name, id) = (&record.details.name, record.details.id);
    let remedy = |code| match code {
        // He was told when it failed, and nothing follows that a monitor should wait for.
        NoticeCode::ManualFailed => Some(format!("mend it, then: rotorctl rotate {id}")),
        NoticeCode::LoginRefused => Some(format!("rotorctl doctor --rotation {id}")),
        NoticeCode::Expiring | NoticeCode::Urgent => Some(format!("rotorctl show {id}")),
        _ => None,
    };
    let notices = viewer.notices(record).into_iter();
    let told = notices.filter_map(|notice| {
        let remedy = remedy(notice.code).filter(|_| notice.urgency == Urgency::Warning)?;
        Some(Finding {
            code: codes::of_notice(notice.code).code.to_owned(),
            severity: codes::severity_of(&notice),
            message: shortened(format!("{name}: {}", notice.text)),
            remedy: Some(remedy),
        })
    });
    told.collect()
}

/// Files that the next start needs and that can't be looked at: as a rule they are not there any more.
async fn gone(daemon: &Shared) -> Vec<Finding> {
    let missing = doctor::files::missing(daemon).await.into_iter();
    let finding = |missing: DoctorFinding| Finding {
        code: missing.code,
        severity: missing.severity,
        message: format!("{}: {}", missing.about, missing.message),
        remedy: missing
            .remedy
            .or_else(|| Some(catalogue::FILE_MISSING.person.to_owned())),
    };
    missing.map(finding).collect()
}

fn items(
    rotations: &[SecretRotation],
    tell: impl Fn(&SecretRotation) -> Option<(String, Option<Timestamp>)>,
) -> Vec<StatusItem> {
    let told = rotations.iter().filter_map(|rotation| {
        let (message, at) = tell(rotation)?;
        Some(item(rotation, message, at))
    });
    told.collect()
}

fn item(rotation: &SecretRotation, message: String, at: Option<Timestamp>) -> StatusItem {
    StatusItem {
        rotation_id: rotation.id,
        name: rotation.name.clone(),
        message,
        code: None,
        at,
    }
}

/// A run, or what is not settled at the provider.
fn waiting(rotation: &SecretRotation) -> Option<(String, Option<Timestamp>)> {
    let state = rotation.state.as_ref()?;
    if let Some(run) = &state.run {
        // Its words say until when it waits, where that is known; when it began is no time to wait for.
        return Some((run.words.clone(), None));
    }
    state::unsettled(state).map(|what| (what, None))
}

fn next_due(rotations: &[SecretRotation]) -> Option<StatusItem> {
    let due = rotations
        .iter()
        .filter_map(|rotation| Some((rotation.next_rotation_at?, rotation)));
    let (at, rotation) = due.min_by_key(|(at, _)| *at)?;
    Some(item(rotation, "rotates next".to_owned(), Some(at)))
}

/// Those that can be read, and of the others the reason: a damaged page is not to hide all the rest.
pub(super) async fn every_readable_rotation(
    daemon: &Shared,
) -> (Vec<RotationRecord>, Vec<StatusItem>) {
    if let Ok(records) = lookup::every_rotation(daemon).await {
        daemon.store.health().read_all();
        return (records, Vec::new());
    }
    let one_by_one = daemon.store.read(|reader| {
        let (mut records, mut unreadable, mut after) = (Vec::new(), Vec::new(), None);
        loop {
            // What can't even be listed is told as a finding.
            let Ok(page) = reader.rotation_ids(after, 64) else {
                break;
            };
            for id in &page {
                match reader.rotation(*id) {
                    Ok(record) => records.push(record),
                    Err(error) => unreadable.push(StatusItem {
                        rotation_id: id.0,
                        name: id.to_string(),
                        message: format!("it can't be read: {error}"),
                        code: Some(catalogue::DATABASE_PARTLY_DAMAGED.code.to_owned()),
                        at: None,
                    }),
                }
            }
            after = page.last().copied();
            if after.is_none() {
                break;
            }
        }
        Ok((records, unreadable))
    });
    one_by_one.await.unwrap_or_default()
}

fn attention(rotations: &[SecretRotation]) -> Vec<StatusItem> {
    let mut attention = Vec::new();
    // All of it, with the commands that end it: what is in doubt is not one thing.
    for rotation in rotations {
        let of_rotation = rotation.state.iter().flat_map(|state| &state.attention);
        attention.extend(of_rotation.map(|told| {
            let remedy = told.remedy.as_ref();
            let remedy = remedy.map_or_else(String::new, |remedy| format!(" ({remedy})"));
            StatusItem {
                code: Some(told.code.clone()),
                ..item(rotation, format!("{}{remedy}", told.message), None)
            }
        }));
    }
    attention
}

/// A daemon that can rotate nothing is not well, though nothing has failed.
fn no_providers(daemon: &Shared) -> Option<Finding> {
    let message = doctor::providers::none_loaded(daemon.providers.host())?;
    Some(Finding {
        code: catalogue::NO_PROVIDERS.code.to_owned(),
        severity: Severity::Problem,
        message,
        remedy: Some(catalogue::NO_PROVIDERS.person.to_owned()),
    })
}

fn findings(daemon: &Shared, outlook: &Outlook) -> Vec<Finding> {
    let health = daemon.store.health();
    let finding = |of: &catalogue::Entry, severity, message: String, trouble: &Trouble| Finding {
        code: of.code.to_owned(),
        severity,
        message: format!("{message} (since {})", Timestamp(trouble.since)),
        remedy: Some(trouble.remedy.to_owned()),
    };
    let mut findings: Vec<Finding> = no_providers(daemon).into_iter().collect();
    if let Some(trouble) = health.writing() {
        let message = format!(
            "nothing can be written down: {}; no rotation goes on until that is mended, and what is published is read \
             as before",
            trouble.what
        );
        findings.push(finding(
            &catalogue::DATABASE_UNWRITABLE,
            Severity::Problem,
            message,
            &trouble,
        ));
    }
    if let Some(trouble) = health.reading() {
        let message = format!("not all of the database can be read: {}", trouble.what);
        findings.push(finding(
            &catalogue::DATABASE_PARTLY_DAMAGED,
            Severity::Problem,
            message,
            &trouble,
        ));
    }
    if let Some(trouble) = health.witness() {
        findings.push(finding(
            &catalogue::WITNESS_UNWRITABLE,
            Severity::Warning,
            trouble.what.clone(),
            &trouble,
        ));
    }
    if let Some(trouble) = health.settings() {
        findings.push(finding(
            &catalogue::SETTINGS_WRONG,
            Severity::Warning,
            format!(
                "the settings could not be read anew, and a start would refuse them: {}",
                trouble.what
            ),
            &trouble,
        ));
    }
    findings.extend(scheduler_findings(outlook));
    findings
}

fn scheduler_findings(outlook: &Outlook) -> Vec<Finding> {
    let trouble = outlook.trouble.iter().map(|trouble| Finding {
        code: catalogue::SCHEDULER.code.to_owned(),
        severity: Severity::Problem,
        message: trouble.clone(),
        remedy: Some("see the daemon's log".to_owned()),
    });
    trouble.collect()
}

fn work(outlook: &Outlook) -> PeriodicWork {
    let at = |at: Option<DateTime<Utc>>| at.map(Timestamp);
    PeriodicWork {
        name: "scheduler".to_owned(),
        description: "hands over the rotations that are due".to_owned(),
        last_at: at(outlook.last_batch.map(|(at, _)| at)),
        last_outcome: outlook
            .last_batch
            .map(|(_, count)| format!("{count} were due")),
        next_at: at(outlook.next_wake),
    }
}
