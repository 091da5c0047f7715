//! Which providers are loaded, and whether they behave.

use std::collections::HashSet;

use rotord_api::catalogue::{
    NO_PROVIDERS, PROVIDER_FILE_CHANGED, PROVIDER_LOADED, PROVIDER_MISBEHAVES,
};
use rotord_api::doctor::DoctorFinding;
use rotord_api::issue::Severity;
use rotord_provider::{Health, Host, Provider};

use super::{Looking, off_thread};
use crate::admin::Shared;
use crate::admin::status::every_readable_rotation;
use crate::providers::FileReport;

const ABOUT: &str = "providers";
/// So many in a row are no accident.
const OFTEN: u32 = 3;

pub(super) fn look(daemon: &Shared) -> Looking<'_> {
    Box::pin(async move {
        let needed = Needed::of(daemon).await;
        let mut found = seen(daemon, &needed);
        let loaded = daemon.providers.host().providers();
        let changed = off_thread(ABOUT, move || {
            let changed = loaded.iter().filter_map(|provider| changed(provider));
            changed.collect()
        });
        found.extend(changed.await);
        found
    })
}

/// What the next start would make of a provider's file, where that is another thing.
fn changed(provider: &Provider) -> Option<DoctorFinding> {
    let about = format!("provider {}", provider.slug());
    let file = provider.file().display();
    let (severity, message) = match provider.is_in_its_file() {
        Ok(true) => return None,
        Ok(false) => (
            Severity::Warning,
            format!("{file} holds something else than what was loaded from it"),
        ),
        Err(error) => (
            Severity::Problem,
            format!(
                "{file} can't be read: {error}; what was loaded from it serves until the daemon stops"
            ),
        ),
    };
    Some(DoctorFinding::new(
        &PROVIDER_FILE_CHANGED,
        severity,
        about,
        message,
    ))
}

/// What rotations and connections need.
pub(in crate::admin) struct Needed {
    providers: HashSet<String>,
    connection_kinds: HashSet<String>,
    /// Not all could be read: any may be needed.
    any: bool,
}

impl Needed {
    pub(in crate::admin) async fn of(daemon: &Shared) -> Self {
        let (records, unreadable) = every_readable_rotation(daemon).await;
        let connections = daemon.store.read(|reader| reader.connections(None)).await;
        let providers = records.into_iter().map(|record| record.details.provider);
        Self {
            providers: providers.collect(),
            any: connections.is_err() || !unreadable.is_empty(),
            connection_kinds: connections
                .unwrap_or_default()
                .into_iter()
                .map(|connection| connection.kind)
                .collect(),
        }
    }

    /// Rotations need the provider with this slug.
    pub(in crate::admin) fn has(&self, slug: &str) -> bool {
        self.providers.contains(slug)
    }

    /// How bad it is that a file can't be used. What serves in its place is enough only where nobody needs it: whoever
    /// put the file there meant to have it used.
    pub(in crate::admin) fn severity(&self, host: &Host, file: &FileReport) -> Severity {
        let serves = file.serves.as_deref().and_then(|slug| host.provider(slug));
        let is_needed = serves.is_none_or(|provider| {
            let kind = provider.description().connection.slug.as_str();
            self.any || self.has(provider.slug().as_str()) || self.connection_kinds.contains(kind)
        });
        if is_needed {
            Severity::Problem
        } else {
            Severity::Warning
        }
    }
}

fn seen(daemon: &Shared, needed: &Needed) -> Vec<DoctorFinding> {
    let host = daemon.providers.host();
    let mut found = Vec::new();
    for report in daemon.providers.reports() {
        let severity = needed.severity(host, &report);
        if let Err(why) = report.result {
            let about = format!("provider file {}", report.file.display());
            found.push(DoctorFinding::new(why.code, severity, about, why.message));
        }
    }
    let loaded = host.providers();
    for provider in &loaded {
        let about = format!("provider {}", provider.slug());
        let version = &provider.description().version;
        found.push(judge(&about, version, &provider.health()));
    }
    if let Some(message) = none_loaded(host) {
        found.push(DoctorFinding::problem(&NO_PROVIDERS, ABOUT, message));
    }
    found
}

/// Where nothing could be loaded from, if nothing was.
pub(in crate::admin) fn none_loaded(host: &Host) -> Option<String> {
    if !host.providers().is_empty() {
        return None;
    }
    let directories = host.directories().into_iter();
    let directories: Vec<_> = directories.map(|at| at.display().to_string()).collect();
    Some(format!(
        "no provider is loaded from {}",
        directories.join(", ")
    ))
}

fn judge(about: &str, version: &str, health: &Health) -> DoctorFinding {
    let Health {
        calls,
        faults,
        misbehaviours,
        misbehaviours_in_a_row,
        last_misbehaviour,
    } = health;
    if *misbehaviours == 0 {
        let message = format!("version {version}; {calls} calls, {faults} of them refused");
        return DoctorFinding::fine(&PROVIDER_LOADED, about, message);
    }
    let severity = if *misbehaviours_in_a_row >= OFTEN {
        Severity::Problem
    } else {
        Severity::Warning
    };
    let last = last_misbehaviour.as_deref().unwrap_or("no reason was kept");
    let in_a_row = match *misbehaviours_in_a_row {
        0 => "and none since".to_owned(),
        1 => "the last one too".to_owned(),
        several => format!("the last {several} in a row"),
    };
    let message = format!("{misbehaviours} of {calls} calls went wrong, {in_a_row}: {last}");
    DoctorFinding::new(&PROVIDER_MISBEHAVES, severity, about, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn going_wrong_in_a_row_is_worse_than_once() {
        let health = |misbehaviours, in_a_row| Health {
            calls: 9,
            faults: 1,
            misbehaviours,
            misbehaviours_in_a_row: in_a_row,
            last_misbehaviour: Some("it panicked".to_owned()),
        };
        let severity = |health| judge("provider a", "1", &health).severity;
        assert_eq!(severity(health(0, 0)), Severity::Fine);
        assert_eq!(severity(health(5, 0)), Severity::Warning);
        assert_eq!(severity(health(5, 3)), Severity::Problem);
        let found = judge("provider a", "1", &health(5, 3));
        assert!(found.message.contains("it panicked"), "{}", found.message);
    }
}
