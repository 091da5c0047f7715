//! What is decided: the only code that changes a [`Rotation`].
//!
//! Each event first changes what is known ([`commands`], [`running`], [`surveying`], [`removing`]), then
//! [`Machine::advance`] looks at the whole state and chooses at most one provider call. So there is one place
//! that decides what happens next, whatever led there: an answer, a person, a restart or the time.

mod commands;
mod removing;
mod running;
mod surveying;

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::backoff;
use crate::clock::{Boot, Context, Fresh, later};
use crate::credential::{Credential, Gate, Reason, Stage, Watch};
use crate::effect::{Call, Decided, Step, Write};
use crate::event::{Event, Refusal};
use crate::fault::Fault;
use crate::id::{CredentialId, RotationId, RunId};
use crate::label::{Label, Nonce};
use crate::rotation::{Contact, Facts, Life, Outcome, Plan, Rotation, Urgent};
use crate::run::{Phase, Run, RunEnd, RunKind};

impl Rotation {
    /// A new rotation: its first run is under way.
    pub fn create(id: RotationId, plan: Plan, force: bool, ctx: &Context<'_>) -> Step {
        let now = ctx.now.wall;
        let mut rotation = Self {
            id,
            plan,
            life: Life::Creating { answered: false },
            base: None,
            due_at: None,
            next_try_at: None,
            failures: 0,
            outcome: Outcome::Pending,
            message: None,
            last_attempted_at: None,
            last_rotated_at: None,
            last_manual: true,
            last_run: None,
            sequence: 0,
            run: None,
            credentials: Vec::new(),
            doubts: Vec::new(),
            stale: None,
            suspect_to: 0,
            blocked: None,
            force,
            deliveries_open: Vec::new(),
            drift_absences: 0,
            next_drift_check: later(now, ctx.timing.drift_check),
            urgent: None,
            contact: Contact::default(),
            facts: Facts::default(),
        };
        let mut machine = Machine::new(&mut rotation, ctx);
        machine.start_run(RunKind::Creation);
        let decided = machine.finish();
        Step::new(rotation, decided)
    }

    /// What `event` means. The new state and its writes are to be committed before the call is made.
    ///
    /// # Errors
    /// A command that can't be taken is refused; nothing has changed.
    pub fn step(&self, event: Event, ctx: &Context<'_>) -> Result<Step, Refusal> {
        let mut rotation = self.clone();
        let decided = rotation.decide(event, ctx)?;
        Ok(Step::new(rotation, decided))
    }

    /// The same in place, where nobody needs the state before it.
    ///
    /// # Errors
    /// As [`Self::step`]; but what the command changed until it was refused stays, and is to be dropped.
    pub fn decide(&mut self, event: Event, ctx: &Context<'_>) -> Result<Decided, Refusal> {
        let mut machine = Machine::new(self, ctx);
        machine.handle(event)?;
        Ok(machine.finish())
    }
}

struct Machine<'a> {
    rotation: &'a mut Rotation,
    ctx: &'a Context<'a>,
    fresh: Fresh,
    writes: Vec<Write>,
    call: Option<Call>,
    ended: Option<RunEnd>,
}

impl<'a> Machine<'a> {
    fn new(rotation: &'a mut Rotation, ctx: &'a Context<'a>) -> Self {
        Self {
            rotation,
            ctx,
            fresh: Fresh::new(ctx.entropy),
            writes: Vec::new(),
            call: None,
            ended: None,
        }
    }

    fn handle(&mut self, event: Event) -> Result<(), Refusal> {
        match event {
            Event::Started => self.on_started(),
            Event::Woke => {}
            Event::ClockStepped => self.on_clock_step(),
            Event::Command(command) => self.on_command(command)?,
            Event::Answered => {
                if let Life::Creating { answered } = &mut self.rotation.life {
                    *answered = true;
                }
            }
            Event::Inspected(result) => {
                self.landed();
                self.on_inspected(result);
            }
            Event::Issued(result) => {
                let call = self.landed();
                self.on_issued(call.as_ref(), result);
            }
            Event::Verified(verdict) => {
                let call = self.landed();
                self.on_verified(call.as_ref(), verdict);
            }
            Event::Surveyed(result) => {
                self.landed();
                self.on_surveyed(result);
            }
            Event::Revoked(result) => {
                let call = self.landed();
                self.on_revoked(call.as_ref(), result);
            }
            Event::NotKept { why } => {
                let call = self.landed();
                self.on_not_kept(call.as_ref(), why);
            }
            // What kept every credential from working keeps none any more.
            Event::LoginWorked => {
                self.rotation.blocked = None;
                self.rotation.contact.accept_login();
            }
            Event::LoginRefused { why } => {
                self.rotation.contact.refuse_login(why);
                self.look_now();
            }
            Event::ConnectionChanged => self.on_connection_changed(),
            Event::Acknowledged { delivery } => self.on_acknowledged(&delivery),
            Event::Unhealthy { delivery, why } => {
                if !self.rotation.deliveries_open.contains(&delivery) {
                    self.rotation.deliveries_open.push(delivery.clone());
                }
                self.rotation.message = Some(format!(
                    "{delivery} could not take the newest credential: {why}"
                ));
            }
            Event::StateIsOld { why } => {
                self.suspect();
                self.rotation.stale = Some(why);
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Decided {
        self.advance();
        let wake_at = self.wake_at();
        Decided {
            writes: self.writes,
            call: self.call,
            ended: self.ended,
            wake_at,
        }
    }

    /// What failed by the connection as it was is tried by the new one, and not only when its wait has passed. Why it waits is
    /// not known of each: a person's change is worth one try too many.
    fn on_connection_changed(&mut self) {
        let now = self.ctx.now.wall;
        if self.rotation.contact.trouble.is_some() {
            self.rotation.contact.again_at = Some(now);
            self.rotation.facts.background_not_before = Boot::default();
            self.look_by(now);
        }
        let r = &mut *self.rotation;
        r.next_try_at = r.next_try_at.map(|at| at.min(now));
        for credential in r.credentials.iter_mut().filter(|c| c.is_kept_by_failures()) {
            credential.look_again();
        }
    }

    /// The target is surveyed by then at the latest. Absences that prove something keep their distance, which is short.
    fn look_by(&mut self, at: DateTime<Utc>) {
        let r = &mut *self.rotation;
        if r.drift_absences == 0 {
            r.next_drift_check = r.next_drift_check.min(at);
        }
    }

    /// The target is surveyed as soon as nothing else is under way.
    fn look_now(&mut self) {
        let r = &mut *self.rotation;
        r.next_drift_check = r.next_drift_check.min(self.ctx.now.wall);
    }

    /// The call under way has ended.
    fn landed(&mut self) -> Option<Call> {
        self.rotation.facts.in_flight.take()
    }

    /// Looks at the whole state and chooses the next call, if there is one to make.
    fn advance(&mut self) {
        self.settle_deletion();
        if self.rotation.facts.in_flight.is_some() || !self.ctx.provider_ready {
            return;
        }
        self.start_removals();
        self.start_due_run();
        self.drop_leftovers();
        let call = self
            .next_of_run()
            .or_else(|| self.next_of_watch())
            .or_else(|| self.next_of_removals())
            .or_else(|| self.next_of_drift());
        self.rotation.facts.in_flight.clone_from(&call);
        self.call = call;
    }

    /// Deleted and nothing left to settle: the row goes.
    fn settle_deletion(&mut self) {
        let settled = self.rotation.life.is_deleting()
            && self.rotation.facts.in_flight.is_none()
            && self.rotation.doubts.is_empty()
            && self
                .rotation
                .credentials
                .iter()
                .all(|c| c.stage.is_settled());
        if settled && !self.writes.contains(&Write::RemoveRotation) {
            for credential in &self.rotation.credentials {
                if credential.has_outputs {
                    self.writes.push(Write::DropOutputs {
                        credential: credential.id,
                    });
                }
            }
            self.writes.push(Write::RemoveRotation);
        }
    }

    /// A run that is due, urgent, or that the guard asks for.
    fn start_due_run(&mut self) {
        let (now, r) = (self.ctx.now.wall, &self.rotation);
        if !self.may_start() || r.next_try_at.is_some_and(|at| at > now) {
            return;
        }
        if r.wants_urgent() {
            self.start_run(RunKind::Urgent);
        } else if let Some(due) = r.due_at.filter(|due| *due <= now) {
            // A long soak is for while the published one lives.
            let ended = r
                .active()
                .is_none_or(|active| active.has_expired(self.provider_now()));
            self.start_run(if ended {
                RunKind::Urgent
            } else {
                RunKind::Scheduled
            });
            if let Some(run) = &mut self.rotation.run {
                run.due = Some(due);
            }
        } else if r.plan.auto && r.guard_at(self.ctx.timing).is_some_and(|at| at <= now) {
            self.start_run(RunKind::Urgent);
        }
    }

    /// What was issued and waits for a next try has none where nothing is due any more. While paused it is kept for a
    /// resume.
    fn drop_leftovers(&mut self) {
        let (now, r) = (self.ctx.now.wall, &self.rotation);
        if !r.credentials.iter().any(|c| c.stage == Stage::Pending) {
            return;
        }
        let guard = r.guard_at(self.ctx.timing);
        let due = r.due_at.into_iter().chain(guard).any(|at| at <= now);
        let kept = r.run.is_some() || !r.plan.auto || due || r.wants_urgent();
        if r.life == Life::Live && !kept {
            self.drop_pending();
        }
    }

    /// The daemon itself may start a run.
    fn may_start(&self) -> bool {
        let r = &self.rotation;
        let by_itself = r.plan.auto || r.wants_urgent();
        r.life == Life::Live && by_itself && r.run.is_none() && r.blocked.is_none()
    }

    fn start_run(&mut self, kind: RunKind) -> RunId {
        let id = RunId(self.fresh.uuid());
        let now = self.ctx.now.wall;
        self.rotation.run = Some(Run {
            id,
            kind,
            started_at: now,
            due: None,
            phase: Phase::Preparing,
            retries: 0,
            lost: 0,
            trouble: None,
            retire_after: None,
            retire_at_once: self.rotation.urgent == Some(Urgent::Leaked),
            room_made: false,
        });
        self.rotation.last_run = Some(id);
        self.rotation.last_attempted_at = Some(now);
        id
    }

    /// The daemon started: no call is under way, and what the boot clock said before means nothing.
    fn on_started(&mut self) {
        let now = self.ctx.now;
        self.rotation.facts = Facts::default();
        // The clock may have been set while the daemon was off.
        self.on_clock_step();
        let spread = self.ctx.timing.catch_up_spread;
        let intended: Vec<CredentialId> = self
            .rotation
            .credentials
            .iter()
            .filter(|c| c.stage == Stage::Intended)
            .map(|c| c.id)
            .collect();
        for id in intended {
            // The call may have been made: its answer is lost.
            self.lose(id);
        }
        for credential in &mut self.rotation.credentials {
            if let Some(removal) = credential.removal_mut() {
                removal.next_step = Boot::default();
            }
        }
        if let Some(run) = &mut self.rotation.run {
            match &mut run.phase {
                Phase::Issuing { .. } => run.phase = Phase::Preparing,
                Phase::Verifying { proof, .. } => proof.resume(now.boot),
                Phase::Waiting { until, .. } => *until = now.boot,
                Phase::MakingRoom { since } => *since = now.boot,
                Phase::Preparing => {}
            }
        }
        let jitter = self.fresh.up_to(spread);
        self.rotation.next_drift_check =
            self.rotation.next_drift_check.min(later(now.wall, jitter));
        // Missed while off: one run, spread, where many would come at once.
        let missed = self.rotation.due_at.is_some_and(|due| due <= now.wall);
        if missed && self.rotation.run.is_none() {
            let spread_to = later(now.wall, self.fresh.up_to(spread));
            let next_try = self
                .rotation
                .next_try_at
                .map_or(spread_to, |at| at.max(spread_to));
            self.rotation.next_try_at = Some(next_try);
        }
    }

    /// The wall clock was set: stored future times are held to what they could legally be.
    fn on_clock_step(&mut self) {
        let (now, timing) = (self.ctx.now.wall, self.ctx.timing);
        let r = &mut *self.rotation;
        // What was compared with the clock as it was says nothing any more.
        r.contact.clocks = None;
        // The next due time is counted from where a run began.
        if let Some(run) = &mut r.run {
            run.started_at = run.started_at.min(now);
        }
        r.base = r.base.map(|base| crate::schedule::Base {
            from: base.from.min(now),
            ..base
        });
        if r.due_at.is_some_and(|due| due > r.latest_due(now)) {
            r.due_at = r.compute_due(now);
        }
        r.next_try_at = r
            .next_try_at
            .map(|at| at.min(later(now, timing.retry_most)));
        r.next_drift_check = r.next_drift_check.min(later(now, timing.drift_check));
        for doubt in &mut r.doubts {
            doubt.seen_at = doubt.seen_at.min(now);
            doubt.absences = 0;
        }
        for credential in &mut r.credentials {
            if let Some(watch) = credential.watch_mut() {
                watch.since = watch.since.min(now);
                watch.next_look = watch.next_look.min(later(now, timing.watch_most));
            }
            if let Some(removal) = credential.removal_mut() {
                // Absences are apart by the boot clock, and only those of one start and one clock count together.
                removal.absences = 0;
                removal.first_absence = None;
                removal.accepted_at = removal.accepted_at.map(|at| at.min(now));
            }
            // A clock that was wrong keeps it no more.
            credential.look_again();
        }
    }

    /// The credential's creating call ended without a word.
    fn lose(&mut self, id: CredentialId) {
        let now = self.ctx.now.wall;
        let next_look = later(now, self.ctx.timing.watch_first);
        if let Some(credential) = self.rotation.credential_mut(id) {
            credential.stage = Stage::Lost(Watch {
                since: now,
                absences: 0,
                next_look,
                dormant: false,
            });
        }
    }

    /// Writes down the intent to issue.
    fn intend(&mut self, lifetime: Duration) -> Call {
        let id = CredentialId(self.fresh.uuid());
        let nonce = Nonce(self.fresh.bits());
        // Its life is the provider's calendar: a local clock that is wrong must not end it here before it ends there.
        let now = self.provider_now();
        self.rotation.sequence += 1;
        let sequence = self.rotation.sequence;
        self.rotation.credentials.push(Credential {
            id,
            sequence,
            nonce,
            handle: None,
            stage: Stage::Intended,
            slot: None,
            intended_at: now,
            // Asked from the provider's now when the call arrives.
            expires_at: Some(later(later(now, lifetime), Duration::from_hours(1))),
            published_at: None,
            revoke_not_before: None,
            has_outputs: false,
        });
        let label = Label {
            installation: self.ctx.installation.into(),
            rotation: self.rotation.id.into(),
            sequence,
            nonce,
        };
        let slot = self
            .rotation
            .active()
            .and_then(|c| c.slot)
            .map_or(0, |slot| 1 - slot.min(1));
        Call::Issue {
            credential: id,
            label,
            slot,
            lifetime,
        }
    }

    /// A background call failed: the next one waits.
    fn background_failed(&mut self, fault: &Fault) {
        let failures = self.rotation.contact.failures;
        let wait = self.retry_wait(failures, fault.retry_after);
        self.rotation.contact.failures = failures.saturating_add(1);
        self.rotation.contact.trouble = Some(fault.to_string());
        self.rotation.contact.is_passing = fault.kind.is_passing() || fault.kind.is_ambiguous();
        let again_at = later(self.ctx.now.wall, wait);
        self.rotation.contact.again_at = Some(again_at);
        self.look_by(again_at);
        self.rotation.facts.background_not_before = self.ctx.now.boot + wait;
    }

    fn background_worked(&mut self) {
        self.rotation.contact.failures = 0;
        self.rotation.contact.trouble = None;
        self.rotation.contact.again_at = None;
        self.rotation.facts.background_not_before = Boot::default();
    }

    /// From one attempt to the next, after so many in a row; never below what the service asked for.
    fn attempt_wait(&self, most: Duration, tries: u32, fault: &Fault) -> Duration {
        let spacing = self
            .ctx
            .rules
            .write_spacing
            .max(self.ctx.timing.attempt_spacing);
        backoff::exponential(spacing, most, tries).max(fault.retry_after.unwrap_or_default())
    }

    /// Exponential with jitter, never below the first wait nor below what the service asked for.
    fn retry_wait(&mut self, failures: u32, retry_after: Option<Duration>) -> Duration {
        let timing = self.ctx.timing;
        let most = backoff::exponential(timing.retry_first, timing.retry_most, failures);
        let jitter = self.fresh.up_to(most.saturating_sub(timing.retry_first));
        (timing.retry_first + jitter).max(retry_after.unwrap_or_default())
    }

    fn compare_clocks(&mut self, provider_time: Option<DateTime<Utc>>) {
        if let Some(provider) = provider_time {
            self.rotation.contact.clocks = Some((provider, self.ctx.now.wall));
            self.rotation.facts.provider_clock = Some((provider, self.ctx.now.boot));
        }
    }

    /// The provider's clock now, as well as it is known.
    fn provider_now(&self) -> DateTime<Utc> {
        let now = self.ctx.now;
        match (
            self.rotation.facts.provider_clock,
            self.rotation.contact.clocks,
        ) {
            // The boot clock has no steps: it goes on from there whatever was done to the other one.
            (Some((provider, at)), _) => later(provider, now.boot - at),
            (None, Some((provider, local))) => now.wall + (provider - local),
            (None, None) => now.wall,
        }
    }

    fn is_skewed(&self) -> bool {
        let skew = (self.provider_now() - self.ctx.now.wall).abs();
        skew.to_std().unwrap_or_default() > self.ctx.timing.skew_most
    }

    /// How far apart the absences lie that prove something gone: they span the propagation bound.
    fn absence_spacing(&self) -> Duration {
        self.ctx.rules.propagation_bound / self.ctx.timing.absences.saturating_sub(1).max(1)
    }

    fn retire(&mut self, id: CredentialId, reason: Reason, gate: Gate) {
        if let Some(credential) = self.rotation.credential_mut(id) {
            credential.retire(reason, gate);
        }
    }

    /// When something is to be looked at again.
    fn wake_at(&self) -> Option<DateTime<Utc>> {
        let (now, r, facts) = (self.ctx.now, &self.rotation, &self.rotation.facts);
        if facts.in_flight.is_some() || !self.ctx.provider_ready {
            return None;
        }
        let by_boot = |at: Boot| later(now.wall, at - now.boot);
        let background = by_boot(facts.background_not_before);
        let start = self.next_start_at();
        let run = match r.run.as_ref().map(|run| &run.phase) {
            Some(Phase::Verifying { proof, .. }) => Some(by_boot(proof.next_login())),
            Some(Phase::Waiting { until, .. }) => Some(by_boot(*until)),
            Some(Phase::MakingRoom { since }) => Some(by_boot(*since + self.ctx.timing.verify_cap)),
            _ => None,
        };
        let credentials = r.credentials.iter().filter_map(|c| match &c.stage {
            Stage::Lost(watch) => Some(watch.next_look.max(background)),
            Stage::Previous => c.revoke_not_before,
            Stage::Retiring(removal) => Some(by_boot(removal.next_step).max(background)),
            _ => None,
        });
        let drift = r.next_drift_check.max(background);
        let first = credentials
            .chain(start)
            .chain(run)
            .chain(r.is_looked_after().then_some(drift))
            .min();
        // Kept to the millisecond, so never a moment too early.
        first.map(|at| whole_millisecond(at.max(now.wall)))
    }

    /// When the daemon itself starts a run.
    fn next_start_at(&self) -> Option<DateTime<Utc>> {
        let r = &self.rotation;
        if !self.may_start() {
            return None;
        }
        let first = if r.wants_urgent() {
            self.ctx.now.wall
        } else {
            // Not urgent, so it may start since it is not paused.
            r.due_at
                .into_iter()
                .chain(r.guard_at(self.ctx.timing))
                .min()?
        };
        Some(r.next_try_at.map_or(first, |next| first.max(next)))
    }
}

/// The first whole millisecond that is not before it.
fn whole_millisecond(at: DateTime<Utc>) -> DateTime<Utc> {
    let over = at.timestamp_subsec_nanos() % 1_000_000;
    if over == 0 {
        at
    } else {
        later(at, Duration::from_nanos(u64::from(1_000_000 - over)))
    }
}
