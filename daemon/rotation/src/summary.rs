//! What a person should be told of a rotation: promise 5, never silent.

use std::time::Duration;

use crate::clock::{Context, later};
use crate::credential::Stage;
use crate::rotation::{Life, Outcome, Rotation, Urgent};
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
    /// What kind of thing it is.
    pub code: NoticeCode,
    /// In words: what is, what the daemon will do, what the person can do.
    pub text: String,
}

/// The kinds of things to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeCode {
    /// The books may be older than what was done with them.
    StateIsOld,
    /// The provider lists a credential of this rotation that the books do not know.
    UnknownLabel,
    /// Nothing works until a person changes something.
    Blocked,
    /// A deletion can't go on by itself.
    DeletionWaits,
    /// Nothing was ever published.
    CreationFailed,
    /// The published credential was removed outside.
    Drifted,
    /// The old credential will not stay for as long as was asked for.
    OverlapCut,
    /// The published credential is past its end.
    Expired,
    /// The published credential ends soon.
    Expiring,
    /// The due time has passed by long.
    Overdue,
    /// The last run came to nothing, and another follows.
    Failing,
    /// The last run came to nothing, and a person had asked for it: none follows, and the schedule is as it was.
    ManualFailed,
    /// A run before its due time.
    Urgent,
    /// The clocks are too far apart.
    ClockSkew,
    /// The provider is not loaded.
    ProviderMissing,
    /// A look at the target failed.
    ProviderTrouble,
    /// The published credential did not log in when that was last tried.
    LoginRefused,
    /// A lost answer is looked for.
    Unreconciled,
    /// A removal's gates are closed.
    RemovalWaits,
}

/// So many looks in a row that fail for what passes by itself, with growing waits, are an outage of about an hour.
const OUTAGE_AFTER: u32 = 6;

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

    /// The last run failed, and no other follows for that: a person had asked for it. What is published works as before,
    /// and the schedule is as it was.
    pub fn has_failed_by_hand(&self, ctx: &Context<'_>) -> bool {
        self.outcome == Outcome::Failed
            && self.life == Life::Live
            && self.run.is_none()
            && self.next_try_at.is_none()
            && self.urgent.is_none()
            && self.due_at.is_none_or(|due| due > ctx.now.wall)
    }

    /// Everything that a person should know, the most urgent first.
    pub fn notices(&self, ctx: &Context<'_>) -> Vec<Notice> {
        let mut notices = Notices(Vec::new());
        self.tell_doubts(&mut notices);
        self.tell_life(ctx, &mut notices);
        self.tell_schedule(ctx, &mut notices);
        self.tell_provider(ctx, &mut notices);
        self.tell_credentials(&mut notices);
        let mut notices = notices.0;
        notices.sort_by_key(|notice| std::cmp::Reverse(notice.urgency));
        notices
    }

    fn tell_doubts(&self, notices: &mut Notices) {
        if let Some(why) = &self.stale {
            let text = format!("the database may be older than what was done with it: {why}");
            notices.attention(NoticeCode::StateIsOld, text);
        }
        // A deleted rotation takes nothing over any more: its way out is told once, for all of them.
        let way_out = if self.life.is_deleting() {
            ""
        } else {
            ": adopt it or remove it"
        };
        for doubt in &self.doubts {
            let text = format!(
                "the provider lists {} under this rotation's label, number {}, and it is not in the database{way_out}",
                doubt.handle, doubt.sequence
            );
            notices.attention(NoticeCode::UnknownLabel, text);
        }
    }

    fn tell_life(&self, ctx: &Context<'_>, notices: &mut Notices) {
        if let Some(why) = &self.blocked {
            let text = format!(
                "nothing is issued until this is mended and the rotation is rotated: {why}"
            );
            notices.attention(NoticeCode::Blocked, text);
        }
        if self.life.is_deleting() && self.needs_attention() {
            let text = "it is deleted, and what is in doubt is left to a person: delete it again, with revoking to \
                        remove it, or without to leave it alive";
            notices.attention(NoticeCode::DeletionWaits, text.to_owned());
        }
        if self.life == Life::Failed {
            let why = self.message.as_deref().unwrap_or("no reason was kept");
            let text = format!("its creation failed: rotate it to try again, or delete it ({why})");
            notices.attention(NoticeCode::CreationFailed, text);
        }
        let end = self.active().and_then(|c| c.expires_at);
        let has_ended = end.is_some_and(|end| end <= ctx.now.wall);
        // That it has ended is told below.
        if self.urgent == Some(Urgent::Drifted) && !has_ended {
            let then = if self.plan.auto {
                "another takes its place as soon as it can"
            } else {
                "the rotation is paused: rotate it by hand, or resume it"
            };
            let text = format!("the published credential was removed at the provider: {then}");
            notices.attention(NoticeCode::Drifted, text);
        }
        let Some(end) = end else {
            return;
        };
        if let (Some(overlap), Some(due)) = (self.plan.overlap, self.next_rotation_at(ctx.timing))
            && later(due, overlap) > end
        {
            let text = format!(
                "the overlap that is set reaches beyond the life of what it is for: the published credential, replaced at \
                 {due}, ends at {end}"
            );
            notices.warning(NoticeCode::OverlapCut, text);
        }
        if end <= ctx.now.wall {
            let text = self.with_next(ctx, &format!("the published credential ended at {end}"));
            notices.attention(NoticeCode::Expired, text);
        } else if self
            .guard_at(ctx.timing)
            .is_some_and(|at| at <= ctx.now.wall)
        {
            // Where a try has failed it may go on failing until the end.
            let urgency = if self.plan.auto && self.outcome != Outcome::Failed {
                Urgency::Warning
            } else {
                Urgency::Attention
            };
            let text = self.with_next(ctx, &format!("the published credential ends at {end}"));
            notices.add(urgency, NoticeCode::Expiring, text);
        }
    }

    fn tell_schedule(&self, ctx: &Context<'_>, notices: &mut Notices) {
        if self.is_overdue(ctx) {
            let due = self.due_at.map(|at| at.to_string()).unwrap_or_default();
            notices.warning(
                NoticeCode::Overdue,
                self.with_next(ctx, &format!("it was due at {due}")),
            );
        }
        if self.has_failed_by_hand(ctx) {
            let why = self.message.as_deref().unwrap_or_default();
            let why = why.trim_end_matches('.');
            let then = match self.next_rotation_at(ctx.timing) {
                _ if self.blocked.is_some() => String::new(),
                Some(at) => format!(", and it rotates by itself next at {at}"),
                None => "; it is paused, and nothing is tried by itself".to_owned(),
            };
            let text = format!(
                "the run that a person asked for failed: {why}; what is published stays{then}"
            );
            notices.warning(NoticeCode::ManualFailed, text);
        } else if self.outcome == Outcome::Failed && self.life == Life::Live && self.run.is_none() {
            let why = self.message.as_deref().unwrap_or_default();
            notices.warning(
                NoticeCode::Failing,
                self.with_next(ctx, &format!("the last run failed: {why}")),
            );
        }
        if self.urgent == Some(Urgent::Leaked) {
            let text = "the published credential has leaked, and is valid until another is published in its place: it is \
                        revoked then";
            let text = if self.run.is_some() || self.next_try_at.is_some() {
                self.with_next(ctx, text)
            } else {
                format!("{text}; it is tried as soon as it can be")
            };
            // It is taken for granted only as long as nothing has failed.
            if self.outcome == Outcome::Failed || self.contact.trouble.is_some() {
                notices.attention(NoticeCode::Urgent, text);
            } else {
                notices.warning(NoticeCode::Urgent, text);
            }
        }
        self.tell_lost_attempts(ctx, notices);
        if let Some(run) = self.run.as_ref().filter(|run| run.kind == RunKind::Urgent) {
            notices.warning(
                NoticeCode::Urgent,
                format!("an urgent rotation is {}", run.phase.name()),
            );
        }
    }

    /// Whatever goes on answering like that makes a credential at each attempt: a person should know why.
    fn tell_lost_attempts(&self, ctx: &Context<'_>, notices: &mut Notices) {
        let Some(run) = self
            .run
            .as_ref()
            .filter(|run| run.lost >= ctx.timing.lost_most)
        else {
            return;
        };
        let why = run.trouble.as_deref().unwrap_or("no reason was kept");
        let next = match run.phase.waits_until(ctx.now) {
            Some(at) => format!("the next attempt is at {at}"),
            None => "another is under way".to_owned(),
        };
        let text = format!(
            "the answers to {} attempts in a row were lost ({why}): each may have made a credential, which is looked for \
             and removed; {next}{}",
            run.lost,
            if run.kind == RunKind::Urgent {
                ""
            } else {
                "; a pause ends the run"
            }
        );
        notices.attention(NoticeCode::Unreconciled, text);
    }

    fn tell_provider(&self, ctx: &Context<'_>, notices: &mut Notices) {
        if let Some(skew) = self.skew().filter(|skew| *skew > ctx.timing.skew_most) {
            let text = format!(
                "this host's clock is {} s from the provider's: nothing is published, and nothing revoked unasked, until it is set right",
                skew.as_secs()
            );
            notices.attention(NoticeCode::ClockSkew, text);
        }
        if !ctx.provider_ready {
            let text = "its provider is not loaded: everything waits until it is";
            notices.attention(NoticeCode::ProviderMissing, text.to_owned());
        }
        if let Some(trouble) = &self.contact.trouble {
            let (contact, more) = (&self.contact, self.contact.failures > 1);
            let times = if more {
                format!(" {} times in a row", contact.failures)
            } else {
                String::new()
            };
            let again = contact.again_at.map_or_else(
                || "is tried again".to_owned(),
                |at| format!("is tried again at {at}"),
            );
            let text = format!("looking at the target failed{times} and {again}: {trouble}");
            // What does not pass by itself would fail the next rotation, too. Of a deleted one the target may be gone for
            // good, and then nobody can do anything.
            let needs_a_person = !self.life.is_deleting()
                && if contact.is_passing {
                    contact.failures >= OUTAGE_AFTER
                } else {
                    more
                };
            if needs_a_person {
                notices.attention(NoticeCode::ProviderTrouble, text);
            } else {
                notices.warning(NoticeCode::ProviderTrouble, text);
            }
        }
        if let Some(why) = &self.contact.login_refused
            && self.urgent != Some(Urgent::Drifted)
        {
            let text = format!(
                "the published credential did not log in when that was last tried ({why}); it is looked at again at {}, and \
                 replaced by itself only if the provider lists it no more: if your applications are refused too, rotate it",
                self.next_drift_check
            );
            // One refusal may be a replica's that lags.
            if self.contact.login_refusals > 1 {
                notices.attention(NoticeCode::LoginRefused, text);
            } else {
                notices.warning(NoticeCode::LoginRefused, text);
            }
        }
    }

    fn tell_credentials(&self, notices: &mut Notices) {
        for credential in &self.credentials {
            match &credential.stage {
                Stage::Lost(watch) if !watch.dormant => {
                    let text = format!(
                        "the answer to attempt {} was lost: it is looked for, next at {}",
                        credential.sequence, watch.next_look
                    );
                    notices.add(Urgency::Note, NoticeCode::Unreconciled, text);
                }
                Stage::Retiring(removal) => {
                    let Some(why) = &removal.waiting_for else {
                        continue;
                    };
                    let handle = credential.handle.as_ref().map(ToString::to_string);
                    let urgency = if removal.failures > 2 {
                        Urgency::Warning
                    } else {
                        Urgency::Note
                    };
                    let handle = handle.unwrap_or_default();
                    let text = format!("{handle} is to be removed and waits: {why}");
                    notices.add(urgency, NoticeCode::RemovalWaits, text);
                }
                _ => {}
            }
        }
    }

    fn with_next(&self, ctx: &Context<'_>, what: &str) -> String {
        let what = what.trim_end_matches('.');
        match self.next_rotation_at(ctx.timing) {
            // What blocks it says what it waits for.
            _ if self.blocked.is_some() => what.to_owned(),
            _ if self.run.is_some() => format!("{what}; a run is under way"),
            Some(at) => format!("{what}; the next try is at {at}"),
            None => {
                format!("{what}; nothing is tried by itself: rotate, resume or delete it")
            }
        }
    }
}

struct Notices(Vec<Notice>);

impl Notices {
    fn add(&mut self, urgency: Urgency, code: NoticeCode, text: String) {
        self.0.push(Notice {
            urgency,
            code,
            text,
        });
    }

    fn attention(&mut self, code: NoticeCode, text: String) {
        self.add(Urgency::Attention, code, text);
    }

    fn warning(&mut self, code: NoticeCode, text: String) {
        self.add(Urgency::Warning, code, text);
    }
}
