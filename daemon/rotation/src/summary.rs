//! What a person should be told of a rotation: promise 5, never silent.

use std::time::Duration;

use crate::clock::{Context, later};
use crate::credential::Stage;
use crate::rotation::{Life, Outcome, Rotation};
use crate::run::RunKind;

/// How urgent a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Good to know.
    Note,
    /// Should be looked at.
    Warning,
    /// Needs a person.
    Attention,
}

/// One thing to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// How urgent.
    pub urgency: Urgency,
    /// A short, stable name, such as `overdue`.
    pub code: &'static str,
    /// In words: what is, what the daemon will do, what the person can do.
    pub text: String,
}

/// How long after its due time a rotation without a run is overdue.
const OVERDUE_AFTER: Duration = Duration::from_hours(1);

impl Rotation {
    /// The due time has passed by more than an hour and nothing was published since.
    pub fn is_overdue(&self, ctx: &Context<'_>) -> bool {
        self.life == Life::Live
            && self
                .due_at
                .is_some_and(|due| later(due, OVERDUE_AFTER) <= ctx.now.wall)
    }

    /// Everything that a person should know, the most urgent first.
    pub fn notices(&self, ctx: &Context<'_>) -> Vec<Notice> {
        let mut notices = Vec::new();
        let mut add = |urgency, code, text| {
            notices.push(Notice {
                urgency,
                code,
                text,
            });
        };
        let next = |what: &str| match self.next_rotation_at() {
            Some(at) => format!("{what}; the next try is at {at}"),
            None => format!("{what}; nothing is tried by itself: rotate, resume or delete it"),
        };
        if let Some(why) = &self.stale {
            add(
                Urgency::Attention,
                "state-is-old",
                format!("the database may be older than what was done with it: {why}"),
            );
        }
        for doubt in &self.doubts {
            let text = format!(
                "the provider lists {} under this rotation's label, number {}, and it is not in the database: \
                 adopt it or remove it",
                doubt.handle, doubt.sequence
            );
            add(Urgency::Attention, "unknown-label", text);
        }
        if let Some(why) = &self.blocked {
            add(
                Urgency::Attention,
                "blocked",
                format!(
                    "nothing is issued until this is mended and the rotation is rotated: {why}"
                ),
            );
        }
        if self.life == Life::Failed {
            add(
                Urgency::Attention,
                "creation-failed",
                "its creation failed: rotate it to try again, or delete it".to_owned(),
            );
        }
        if let Some(end) = self.active().and_then(|c| c.expires_at) {
            if end <= ctx.now.wall {
                add(
                    Urgency::Attention,
                    "expired",
                    next(&format!("the published credential ended at {end}")),
                );
            } else if self
                .guard_at(ctx.timing)
                .is_some_and(|at| at <= ctx.now.wall)
            {
                let urgency = if self.plan.auto {
                    Urgency::Warning
                } else {
                    Urgency::Attention
                };
                add(
                    urgency,
                    "expiring",
                    next(&format!("the published credential ends at {end}")),
                );
            }
        }
        if self.is_overdue(ctx) {
            let due = self.due_at.map(|at| at.to_string()).unwrap_or_default();
            add(
                Urgency::Warning,
                "overdue",
                next(&format!("it was due at {due}")),
            );
        }
        if self.outcome == Outcome::Failed && self.life == Life::Live {
            let why = self.message.clone().unwrap_or_default();
            add(
                Urgency::Warning,
                "failing",
                next(&format!("the last run failed: {why}")),
            );
        }
        if let Some(skew) = self.skew().filter(|skew| *skew > ctx.timing.skew_most) {
            let text = format!(
                "this host's clock is {} s from the provider's: nothing is published until it is set right",
                skew.as_secs()
            );
            add(Urgency::Attention, "clock-skew", text);
        }
        if !ctx.provider_ready {
            add(
                Urgency::Attention,
                "provider-missing",
                "its provider is not loaded: everything waits until it is".to_owned(),
            );
        }
        if let Some(trouble) = &self.facts.background_trouble {
            add(
                Urgency::Warning,
                "provider-trouble",
                format!("looking at the target failed and is tried again: {trouble}"),
            );
        }
        for credential in &self.credentials {
            match &credential.stage {
                Stage::Lost(watch) if !watch.dormant => {
                    let text = format!(
                        "the answer to attempt {} was lost: it is looked for, next at {}",
                        credential.sequence, watch.next_look
                    );
                    add(Urgency::Note, "unreconciled", text);
                }
                Stage::Retiring(removal) => {
                    if let Some(why) = &removal.waiting_for {
                        let handle = credential
                            .handle
                            .as_ref()
                            .map(ToString::to_string)
                            .unwrap_or_default();
                        let urgency = if removal.failures > 2 {
                            Urgency::Warning
                        } else {
                            Urgency::Note
                        };
                        add(
                            urgency,
                            "removal-waits",
                            format!("{handle} is to be removed and waits: {why}"),
                        );
                    }
                }
                _ => {}
            }
        }
        if let Some(run) = self.run.as_ref().filter(|run| run.kind == RunKind::Urgent) {
            add(
                Urgency::Warning,
                "urgent",
                format!("an urgent rotation is {}", run.phase.name()),
            );
        }
        notices.sort_by_key(|notice| std::cmp::Reverse(notice.urgency));
        notices
    }
}
