//! A rotation played by hand: each test is a short script of events and answers.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rotord_rotation::event::{Answer, Revocation, Survey};
use rotord_rotation::schedule::DailyTime;
use rotord_rotation::summary::{NoticeCode, Urgency};
use rotord_rotation::{
    Boot, Call, Command, Context, Credential, CredentialId, Event, Fault, FaultKind, Handle,
    Inspection, InstallationId, Interval, Issued, Label, Listed, Now, Plan, Refusal, RotateAt,
    Rotation, RotationId, Rules, Stage, Step, Timing, Verdict, Write,
};
use uuid::Uuid;

pub(crate) const INSTALLATION: InstallationId = InstallationId(Uuid::from_u128(7 << 100));
pub(crate) const ROTATION: RotationId = RotationId(Uuid::from_u128(9 << 100));

/// A provider without lag that answers well unless told otherwise, and the rotation's committed state.
pub(crate) struct Play {
    pub(crate) now: DateTime<Utc>,
    pub(crate) timing: Timing,
    pub(crate) rules: Rules,
    pub(crate) rotation: Rotation,
    pub(crate) call: Option<Call>,
    pub(crate) listed: Vec<Listed>,
    /// What the store remembers of settled credentials.
    pub(crate) tombstones: Vec<Credential>,
    pub(crate) inspection: Inspection,
    /// Fault of the next creating calls.
    pub(crate) issue_faults: Vec<Fault>,
    /// Fault of every survey.
    pub(crate) survey_fault: Option<Fault>,
    /// What logins show.
    pub(crate) login: Answer,
    /// How far the provider's clock is ahead of ours.
    pub(crate) provider_ahead: TimeDelta,
    pub(crate) removed: bool,
    pub(crate) published: Vec<CredentialId>,
    pub(crate) revoked: Vec<Handle>,
    pub(crate) last_end: Option<Result<CredentialId, String>>,
    /// Calls before which nothing had to be written.
    pub(crate) unwritten: Vec<Call>,
    issued: u32,
    entropy: u128,
}

pub(crate) fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn plan(days: u32) -> Plan {
    Plan {
        auto: true,
        interval: Interval::days(days).unwrap(),
        daily: DailyTime {
            at: RotateAt::new(0, 0).unwrap(),
            zone: None,
        },
        overlap: None,
    }
}

pub(crate) fn rules() -> Rules {
    Rules {
        write_spacing: Duration::from_secs(5),
        propagation_bound: Duration::from_mins(20),
        minimum_overlap: Duration::from_mins(110),
        credential_cap: None,
        longest_interval: Interval::days(909).unwrap(),
        verify_successes: 8,
        verify_spacing: Duration::from_secs(7),
        lifetime_intervals: 2,
        lifetime_extra: Duration::from_hours(72),
        lifetime_most: None,
    }
}

impl Play {
    /// A creation that was begun and answered 202.
    pub(crate) fn begin(its: Plan) -> Self {
        Self::begin_with(its, |_| {})
    }

    pub(crate) fn begin_with(its: Plan, prepare: impl FnOnce(&mut Self)) -> Self {
        Self::begin_forced(its, false, prepare)
    }

    pub(crate) fn begin_forced(its: Plan, force: bool, prepare: impl FnOnce(&mut Self)) -> Self {
        let now = utc("2026-03-01T10:00:00Z");
        let (timing, rules) = (Timing::default(), rules());
        let ctx = Context {
            now: Now {
                wall: now,
                boot: Boot(Duration::from_hours(9)),
            },
            timing: &timing,
            rules: &rules,
            installation: INSTALLATION,
            entropy: 1,
            provider_ready: true,
        };
        let step = Rotation::create(ROTATION, its, force, &ctx);
        let mut play = Self {
            now,
            timing,
            rules,
            rotation: step.rotation.clone(),
            call: None,
            listed: Vec::new(),
            tombstones: Vec::new(),
            inspection: Inspection::default(),
            issue_faults: Vec::new(),
            survey_fault: None,
            login: Answer::Works,
            provider_ahead: TimeDelta::zero(),
            removed: false,
            published: Vec::new(),
            revoked: Vec::new(),
            last_end: None,
            issued: 0,
            unwritten: Vec::new(),
            entropy: 1,
        };
        prepare(&mut play);
        play.commit(step);
        play
    }

    /// A rotation whose first credential is published.
    pub(crate) fn live(days: u32) -> Self {
        let mut play = Self::begin(plan(days));
        play.event(Event::Answered).unwrap();
        play.until(|play| !play.published.is_empty());
        play
    }

    pub(crate) fn event(&mut self, event: Event) -> Result<(), Refusal> {
        self.entropy += 1;
        let step = self.rotation.step(event, &self.context())?;
        self.commit(step);
        Ok(())
    }

    fn context(&self) -> Context<'_> {
        Context {
            now: Now {
                wall: self.now,
                boot: Boot((self.now - utc("2026-03-01T01:00:00Z")).to_std().unwrap()),
            },
            timing: &self.timing,
            rules: &self.rules,
            installation: INSTALLATION,
            entropy: self.entropy * 0x9e37_79b9_7f4a_7c15_f39c,
            provider_ready: true,
        }
    }

    /// The codes of what a person is told.
    pub(crate) fn notices(&self) -> Vec<NoticeCode> {
        let notices = self.rotation.notices(&self.context());
        notices.into_iter().map(|notice| notice.code).collect()
    }

    /// What a person is told under this code.
    pub(crate) fn told(&self, code: NoticeCode) -> Option<String> {
        let notices = self.rotation.notices(&self.context());
        let told = notices.into_iter().find(|notice| notice.code == code);
        told.map(|notice| notice.text)
    }

    /// How urgently a person is told of it, where it is told.
    pub(crate) fn urgency(&self, code: NoticeCode) -> Option<Urgency> {
        let notices = self.rotation.notices(&self.context());
        let told = notices.iter().find(|notice| notice.code == code);
        told.map(|notice| notice.urgency)
    }

    pub(crate) fn command(&mut self, command: Command) -> Result<(), Refusal> {
        self.event(Event::Command(command))
    }

    fn commit(&mut self, step: Step) {
        for write in &step.writes {
            match write {
                Write::Publish { credential } => self.published.push(*credential),
                Write::RemoveRotation => self.removed = true,
                Write::KeepOutputs { .. } | Write::DropOutputs { .. } => {}
            }
        }
        if let Some(end) = step.ended {
            self.last_end = Some(end.result.map_err(|why| why.to_string()));
        }
        assert!(
            step.call.is_none() || self.call.is_none(),
            "two calls under way"
        );
        self.call = step.call.or(self.call.take());
        self.rotation = step.rotation;
        self.rotation
            .credentials
            .retain(|c| !c.stage.is_settled() || c.slot.is_some());
    }

    /// Plays until something holds: calls are answered, time passes to the next wake-up.
    pub(crate) fn until(&mut self, holds: impl Fn(&Self) -> bool) {
        for _ in 0..5000 {
            if holds(self) {
                return;
            }
            self.once();
        }
        panic!("it never came: {:#?}", self.rotation);
    }

    /// Plays for a length of time.
    pub(crate) fn pass(&mut self, time: TimeDelta) {
        let end = self.now + time;
        self.until(|play| play.now >= end);
    }

    fn once(&mut self) {
        if let Some(call) = self.call.take() {
            let answer = self.answer(&call);
            return self.event(answer).unwrap();
        }
        let wake = self.wake();
        if self.call.is_none() {
            // Nothing to wake for: a person will come, some day.
            let next = wake.unwrap_or(self.now + TimeDelta::days(1));
            self.now = next.max(self.now + TimeDelta::milliseconds(1));
        }
    }

    fn wake(&mut self) -> Option<DateTime<Utc>> {
        self.entropy += 1;
        let step = self.rotation.step(Event::Woke, &self.context()).unwrap();
        let wake = step.wake_at;
        if step.changes_nothing(&self.rotation) {
            self.unwritten.extend(step.call.clone());
        }
        self.commit(step);
        wake
    }

    fn answer(&mut self, call: &Call) -> Event {
        let provider_time = Some(self.now + self.provider_ahead);
        match call {
            Call::Inspect => Event::Inspected(Ok(Inspection {
                provider_time,
                ..self.inspection.clone()
            })),
            Call::Survey => Event::Surveyed(match &self.survey_fault {
                Some(fault) => Err(fault.clone()),
                None => Ok(Survey {
                    listed: self.listed.clone(),
                    tombstones: self.tombstones.clone(),
                    provider_time,
                }),
            }),
            Call::Verify { .. } => Event::Verified(Verdict {
                answer: self.login.clone(),
                provider_time,
            }),
            Call::Issue {
                label, lifetime, ..
            } => {
                if let Some(fault) = self.issue_faults.pop() {
                    if fault.kind == FaultKind::Ambiguous {
                        self.list(*label, *lifetime);
                    }
                    return Event::Issued(Err(fault));
                }
                let (handle, expires_at) = self.list(*label, *lifetime);
                Event::Issued(Ok(Issued {
                    handle,
                    expires_at,
                    provider_time,
                }))
            }
            Call::Revoke { handle, .. } => {
                self.revoked.push(handle.clone());
                let before = self.listed.len();
                self.listed.retain(|listed| listed.handle != *handle);
                let found = self.listed.len() < before;
                Event::Revoked(Ok(Revocation {
                    found,
                    provider_time,
                }))
            }
        }
    }

    fn list(&mut self, label: Label, lifetime: Duration) -> (Handle, Option<DateTime<Utc>>) {
        self.issued += 1;
        let handle = Handle(format!("key-{}", self.issued));
        let expires_at = Some(self.now + self.provider_ahead + lifetime);
        self.listed.push(Listed {
            handle: handle.clone(),
            label: Some(label),
            expires_at,
        });
        (handle, expires_at)
    }

    pub(crate) fn active(&self) -> &Credential {
        self.rotation.active().unwrap()
    }

    pub(crate) fn by_handle(&self, handle: &str) -> Option<&Credential> {
        let named = |c: &&Credential| c.handle.as_ref().is_some_and(|h| h.0 == handle);
        self.rotation.credentials.iter().find(named)
    }

    pub(crate) fn stage(&self, handle: &str) -> Option<Stage> {
        self.by_handle(handle).map(|c| c.stage.clone())
    }
}
