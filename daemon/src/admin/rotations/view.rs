//! A rotation as clients see it.

pub(in crate::admin) mod state;

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use rotord_api::Timestamp;
use rotord_api::rotation::{
    ConnectionSummary, EnvironmentSummary, FolderSummary, ReleasedCredential, RotationStatus,
    SecretRotation, TimeOfDay,
};
use rotord_rotation::schedule::Base;
use rotord_rotation::summary::Notice;
use rotord_rotation::{Context, InstallationId, Interval, Now, Outcome, Rotation, Rules, Timing};
use rotord_store::{Released, RotationRecord};

use crate::admin::error::{ApiError, shortened};
use crate::admin::granted::Granted;
use crate::admin::{Shared, lookup};
use crate::calls;
use crate::health::Trouble;

/// Shows rotations, all at one instant.
pub(in crate::admin) struct Viewer {
    now: Now,
    timing: Timing,
    installation: InstallationId,
    /// Who may read what over the sockets.
    granted: Vec<Granted>,
    /// Why nothing can be written down, and what helps.
    trouble: Option<Trouble>,
    /// Bounds by provider, and whether it is loaded.
    known: HashMap<String, (Rules, bool)>,
}

impl Viewer {
    pub(in crate::admin) async fn new(daemon: &Shared) -> Result<Self, ApiError> {
        let known = lookup::providers(daemon).await?.into_iter();
        let known = known.filter_map(|known| {
            // A description without bounds was refused when it was loaded.
            let rules = calls::scaled_rules(&known.description, &daemon.timing).ok()?;
            Some((known.description.slug.to_string(), (rules, known.is_loaded)))
        });
        Ok(Self {
            granted: Granted::all(&daemon.settings.now()),
            trouble: daemon.store.health().writing(),
            known: known.collect(),
            now: daemon.clock.now(),
            timing: daemon.timing.clone(),
            installation: daemon.installation,
        })
    }

    pub(in crate::admin) fn show(&self, record: &RotationRecord) -> SecretRotation {
        let (details, place, state) = (&record.details, &record.place, &record.state);
        let zone = state.plan.daily.zone;
        SecretRotation {
            id: details.id.0,
            name: details.name.clone(),
            description: details.description.clone(),
            kind: details.provider.clone(),
            parameters: details.parameters.clone().into_iter().collect(),
            secrets_mapping: details.mapping.clone(),
            is_auto_rotation_enabled: state.plan.auto,
            active_index: state.active_index().into(),
            rotation_interval: state.plan.interval.as_days(),
            rotate_at_utc: rotate_at_utc(state, self.now.wall),
            rotation_status: status(state),
            last_rotation_message: state.message.clone().map(shortened),
            last_rotation_attempted_at: state.last_attempted_at.map(Timestamp),
            last_rotated_at: state.last_rotated_at.map(Timestamp),
            last_rotation_job_id: state.last_run.map(|run| run.to_string()),
            next_rotation_at: state.next_rotation_at(&self.timing).map(Timestamp),
            is_last_rotation_manual: state.last_manual,
            connection_id: details.connection.0,
            connection: ConnectionSummary {
                app: record.connection_app.clone(),
                name: record.connection_name.clone(),
                id: details.connection.0,
            },
            folder_id: details.folder.0,
            folder: FolderSummary {
                id: place.folder.id.0,
                path: place.folder.path.clone(),
            },
            environment: EnvironmentSummary {
                slug: place.environment.slug.clone(),
                name: place.environment.name.clone(),
                id: place.environment.id.0,
            },
            project_id: place.project.id.to_string(),
            created_at: Timestamp(details.created_at),
            updated_at: Timestamp(details.updated_at),
            time_zone: zone.map(|zone| zone.name().to_owned()),
            rotate_at_local: zone.map(|_| TimeOfDay {
                hours: state.plan.daily.at.hours(),
                minutes: state.plan.daily.at.minutes(),
            }),
            overlap_hours: state
                .plan
                .overlap
                .map(|overlap| u32::try_from(overlap.as_secs() / 3600).unwrap_or(u32::MAX)),
            state: Some(state::show(self, record)),
        }
    }

    /// What a deleted rotation left alive.
    pub(in crate::admin) fn show_released(&self, released: Released) -> Option<ReleasedCredential> {
        Some(ReleasedCredential {
            credential: state::show_credential(self, released.rotation, &released.credential)?,
            rotation_id: released.rotation.0,
            rotation_name: released.name,
            kind: released.provider,
            parameters: released.parameters.into_iter().collect(),
            environment: released.environment,
            secret_path: released.path,
        })
    }

    /// What a person should know of a rotation; nothing where its provider was never described.
    pub(in crate::admin) fn notices(&self, record: &RotationRecord) -> Vec<Notice> {
        self.with_context(record, |ctx| record.state.notices(ctx))
            .unwrap_or_default()
    }

    /// The bounds of a rotation's provider, where it was ever described.
    pub(in crate::admin) fn rules(&self, record: &RotationRecord) -> Option<&Rules> {
        let (rules, _) = self.known.get(&record.details.provider)?;
        Some(rules)
    }

    /// Runs `look` with what the domain looks at, where the provider was ever described.
    fn with_context<T>(
        &self,
        record: &RotationRecord,
        look: impl FnOnce(&Context<'_>) -> T,
    ) -> Option<T> {
        let (rules, provider_ready) = self.known.get(&record.details.provider)?;
        Some(look(&Context {
            now: self.now,
            timing: &self.timing,
            rules,
            installation: self.installation,
            // Nothing is decided here.
            entropy: 0,
            provider_ready: *provider_ready,
        }))
    }
}

/// The time of day of the next run, in UTC. With a zone it is that of the day on which it is due.
pub(super) fn rotate_at_utc(state: &Rotation, now: DateTime<Utc>) -> TimeOfDay {
    let daily = state.plan.daily;
    if daily.zone.is_none() {
        return TimeOfDay {
            hours: daily.at.hours(),
            minutes: daily.at.minutes(),
        };
    }
    let on = state.due_at.unwrap_or(now).max(now);
    let base = Base {
        from: on - TimeDelta::days(1),
        manual: false,
    };
    // One day is an interval.
    let at = Interval::days(1).map_or(on, |day| {
        daily.next_due(base, day, on - TimeDelta::nanoseconds(1))
    });
    TimeOfDay {
        hours: at.hour(),
        minutes: at.minute(),
    }
}

/// Clients wait for the end of what a person asked for; a scheduled run shows when it has ended.
fn status(state: &Rotation) -> RotationStatus {
    if state.run.as_ref().is_some_and(|run| run.kind.is_manual()) {
        return RotationStatus::Pending;
    }
    match state.outcome {
        Outcome::Success => RotationStatus::Success,
        Outcome::Failed => RotationStatus::Failed,
        Outcome::Pending => RotationStatus::Pending,
    }
}
