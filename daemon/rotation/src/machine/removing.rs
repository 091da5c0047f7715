//! Removals and their gates: the only way to a revoke.

use std::time::Duration;

use super::Machine;
use crate::clock::{Boot, between, later};
use crate::credential::{Credential, Gate, Reason, Stage};
use crate::effect::{Call, Write};
use crate::event::{Answer, Revocation};
use crate::fault::{Fault, FaultKind};
use crate::id::CredentialId;
use crate::rotation::{Life, SurveyFact, Urgent};
use crate::run::{Phase, RunKind};

enum Next {
    Call(Call),
    /// Not now: for how long, and why, for a person.
    Wait(Duration, Option<String>),
}

impl Machine<'_> {
    /// Replaced credentials whose instant has passed leave their stage and are to be removed.
    pub(super) fn start_removals(&mut self) {
        let now = self.ctx.now.wall;
        for credential in &mut self.rotation.credentials {
            let due = credential.revoke_not_before.is_some_and(|at| at <= now);
            if credential.stage == Stage::Previous && due {
                credential.retire(Reason::Superseded, Gate::Full);
            }
        }
    }

    /// The next call of any removal.
    pub(super) fn next_of_removals(&mut self) -> Option<Call> {
        let now = self.ctx.now.boot;
        if self.rotation.facts.background_not_before > now {
            return None;
        }
        let ready: Vec<CredentialId> = self
            .rotation
            .credentials
            .iter()
            .filter(|c| c.removal().is_some_and(|removal| removal.next_step <= now))
            .map(|c| c.id)
            .collect();
        for id in ready {
            match self.next_of_removal(id) {
                Next::Call(call) => return Some(call),
                Next::Wait(wait, why) => self.removal_waits(id, wait, why),
            }
        }
        None
    }

    fn next_of_removal(&self, id: CredentialId) -> Next {
        let fresh_since = |at| self.ctx.now.boot - at <= self.ctx.timing.gate_fresh;
        let Some((credential, removal, handle)) = self
            .rotation
            .credential(id)
            .and_then(|c| Some((c, c.removal()?, c.handle.clone()?)))
        else {
            // Not ready, or without a handle: neither comes here.
            return Next::Wait(self.ctx.timing.gate_fresh, None);
        };
        if self.is_in_doubt(credential) {
            let why = "the database may be older than what was done with it: adopt or remove what is in doubt, and \
                       unblock the rotation";
            return Next::Wait(self.ctx.timing.retry_most, Some(why.to_owned()));
        }
        if self.is_skewed() && !removal.is_ordered() {
            let why = "this host's clock and the provider's disagree";
            // A clock that is set has it looked at again at once.
            return Next::Wait(self.ctx.timing.retry_most, Some(why.to_owned()));
        }
        // Known without asking the provider; an acknowledgement looks at it again at once.
        let ended = credential.has_expired(self.provider_now());
        if removal.gate == Gate::Full
            && !ended
            && let Some(delivery) = self.rotation.deliveries_open.first()
        {
            let why = format!("{delivery} has not acknowledged the newer credential");
            return Next::Wait(self.ctx.timing.retry_most, Some(why));
        }
        let survey = match &self.rotation.facts.survey {
            // One from before its time says nothing of what it waits for.
            Some(survey) if fresh_since(survey.at) && survey.at >= removal.next_step => survey,
            _ => return Next::Call(Call::Survey),
        };
        let unseen = credential.is_never_seen(self.ctx.timing.absences);
        if removal.accepted_at.is_some() || !(unseen || survey.handles.contains(&handle)) {
            // What that survey showed was counted; the next one is for later.
            return Next::Wait(self.ctx.timing.gate_fresh, None);
        }
        if removal.gate == Gate::Full
            && let Some(wait) = self.full_gate(credential, survey)
        {
            return wait;
        }
        // What has ended helps nobody: its handle was read again, and that is enough.
        if removal.gate != Gate::Open
            && !credential.has_expired(survey.provider_time)
            && let Some(next) = self.login_gate(&fresh_since)
        {
            return next;
        }
        Next::Call(Call::Revoke {
            credential: id,
            handle,
        })
    }

    /// In attention mode only a person's word removes what may be in use.
    fn is_in_doubt(&self, credential: &Credential) -> bool {
        self.rotation.needs_attention()
            && credential.may_be_in_use(self.rotation.suspect_to, self.provider_now())
    }

    /// What keeps a once-published credential, besides the login.
    fn full_gate(&self, credential: &Credential, survey: &SurveyFact) -> Option<Next> {
        let pause = self.ctx.timing.gate_fresh;
        if credential.has_expired(survey.provider_time) {
            return None;
        }
        if let Some(at) = credential.revoke_not_before
            && at > survey.provider_time
        {
            let why = format!("its time, {at} by the provider's clock, has not come");
            return Some(Next::Wait(
                between(survey.provider_time, at).max(pause),
                Some(why),
            ));
        }
        let listed = self.rotation.active().is_some_and(|active| {
            !active.has_expired(survey.provider_time)
                && active
                    .handle
                    .as_ref()
                    .is_some_and(|handle| survey.handles.contains(handle))
        });
        (!listed).then(|| {
            Next::Wait(
                self.absence_spacing(),
                Some("the provider does not list the published credential".to_owned()),
            )
        })
    }

    /// A login with the published credential must have worked just now.
    fn login_gate(&self, fresh_since: &dyn Fn(crate::clock::Boot) -> bool) -> Option<Next> {
        let Some(active) = self.rotation.active() else {
            let why = "no credential is published that could take its place".to_owned();
            return Some(Next::Wait(self.ctx.timing.retry_first, Some(why)));
        };
        match self.rotation.facts.login {
            Some((at, id)) if id == active.id && fresh_since(at) => None,
            _ => Some(Next::Call(Call::Verify {
                credential: active.id,
            })),
        }
    }

    /// A login with the published credential: for a removal's gate, or because it drifted.
    pub(super) fn on_active_login(&mut self, id: CredentialId, answer: Answer) {
        let is_active = self.rotation.active().is_some_and(|active| active.id == id);
        match answer {
            Answer::Works => {
                self.rotation.facts.login = Some((self.ctx.now.boot, id));
                if is_active {
                    if self.rotation.contact.login_refused.is_some() {
                        self.rotation.contact.accept_login();
                        self.drift_check_is_done();
                    }
                    self.rotation.drift_absences = 0;
                    if self.rotation.urgent == Some(Urgent::Drifted) {
                        self.rotation.urgent = None;
                    }
                }
            }
            // A login that was under way when its run ended says nothing of the published one.
            _ if !is_active => {}
            Answer::NotYet(why) | Answer::Never(why) => {
                self.gates_wait(&format!("the published credential does not log in: {why}"));
                self.rotation.contact.refuse_login(why);
                if self.rotation.drift_absences >= self.ctx.timing.absences {
                    self.on_drift();
                } else {
                    let refusals = self.rotation.contact.login_refusals;
                    let wait = self.retry_wait(refusals, None);
                    self.rotation.next_drift_check = later(self.ctx.now.wall, wait);
                }
            }
            Answer::CannotTell(why) => {
                self.gates_wait(&format!(
                    "no login with the published credential could be made: {why}"
                ));
                self.background_failed(&Fault::new(FaultKind::Unavailable, why));
            }
        }
    }

    /// The published credential is gone: urgent where the rotation may, else shouted.
    fn on_drift(&mut self) {
        self.rotation.drift_absences = 0;
        self.rotation.next_drift_check = later(self.ctx.now.wall, self.ctx.timing.drift_check);
        let now = self.provider_now();
        let what = match self.rotation.active().and_then(|c| c.expires_at) {
            Some(end) if end <= now => {
                format!("the published credential ended at {end} and logs in no more")
            }
            _ => "the published credential was removed at the provider and logs in no more"
                .to_owned(),
        };
        // Never less than what a person already asked for. Kept while paused, so that it is told for as long as it is so.
        self.rotation.urgent.get_or_insert(Urgent::Drifted);
        if self.rotation.plan.auto && self.rotation.life == Life::Live {
            self.rotation.next_try_at = None;
            if let Some(run) = &mut self.rotation.run
                && run.kind == RunKind::Scheduled
            {
                // Any other soaks as short already, and how it ends depends on what it is.
                run.kind = RunKind::Urgent;
            }
            self.rotation.message = Some(format!("{what}: a new one is being issued"));
        } else {
            self.rotation.message = Some(format!(
                "{what}, and the rotation is paused: rotate it by hand"
            ));
        }
    }

    /// A consumer has the newest credential: what waited for that waits no more.
    pub(super) fn on_acknowledged(&mut self, delivery: &str) {
        let open = &mut self.rotation.deliveries_open;
        let before = open.len();
        open.retain(|d| d != delivery);
        if open.len() == before || !open.is_empty() {
            return;
        }
        for credential in &mut self.rotation.credentials {
            credential.look_again();
        }
    }

    fn gates_wait(&mut self, why: &str) {
        let gated: Vec<(CredentialId, u32)> = self
            .rotation
            .credentials
            .iter()
            .filter_map(|c| Some((c.id, c.removal()?)))
            .filter(|(_, removal)| removal.gate != Gate::Open)
            .map(|(id, removal)| (id, removal.failures))
            .collect();
        for (id, failures) in gated {
            let wait = self.retry_wait(failures, None);
            self.removal_failed(id, wait, why.to_owned());
        }
    }

    pub(super) fn on_revoked(&mut self, call: Option<&Call>, result: Result<Revocation, Fault>) {
        let Some(&Call::Revoke { credential: id, .. }) = call else {
            return;
        };
        match result {
            Ok(revocation) => {
                self.compare_clocks(revocation.provider_time);
                let (wall, next) = (
                    self.ctx.now.wall,
                    self.ctx.now.boot + self.absence_spacing(),
                );
                if let Some(removal) = self
                    .rotation
                    .credential_mut(id)
                    .and_then(Credential::removal_mut)
                {
                    // "Not found" counts as well: a survey had listed it just before.
                    removal.accepted_at = Some(wall);
                    removal.absences = 0;
                    removal.first_absence = None;
                    removal.failures = 0;
                    removal.waiting_for = None;
                    removal.next_step = next;
                }
                self.background_worked();
                self.on_room_made();
            }
            Err(fault) => {
                self.compare_clocks(fault.provider_time);
                let failures = self
                    .rotation
                    .credential(id)
                    .and_then(Credential::removal)
                    .map_or(0, |r| r.failures);
                let wait = if fault.kind.is_passing() {
                    self.attempt_wait(self.ctx.timing.retry_most, failures, &fault)
                } else {
                    self.retry_wait(failures, fault.retry_after)
                };
                self.removal_failed(id, wait, fault.to_string());
                // Whatever it did, only a new survey tells.
                self.rotation.facts.survey = None;
            }
        }
    }

    /// What a survey says of a removal that is under way.
    pub(super) fn removal_surveyed(&mut self, id: CredentialId, survey: &SurveyFact) {
        let (now, spacing) = (self.ctx.now, self.absence_spacing());
        let (bound, least) = (self.ctx.rules.propagation_bound, self.ctx.timing.absences);
        let Some(credential) = self.rotation.credential_mut(id) else {
            return;
        };
        let expired = credential.has_expired(survey.provider_time);
        let listed = credential
            .handle
            .as_ref()
            .is_some_and(|handle| survey.handles.contains(handle));
        // Published, taken over, or in doubt: all of them were listed once.
        let was_listed = credential.published_at.is_some() || credential.is_adopted();
        let Some(removal) = credential.removal_mut() else {
            return;
        };
        if listed {
            removal.absences = 0;
            removal.first_absence = None;
            if let Some(at) = removal.accepted_at {
                removal.next_step = now.boot + spacing;
                if between(at, now.wall) > bound {
                    // No lag explains it: the revoke had no effect.
                    removal.accepted_at = None;
                    removal.next_step = now.boot;
                }
            }
        } else if removal.next_step <= now.boot {
            removal.absences += 1;
            removal.next_step = now.boot + spacing;
            removal.first_absence.get_or_insert(now.wall);
            // So many, so far apart: they span the propagation bound.
            let absent = removal.absences >= least;
            let was_listed = was_listed || removal.gate != Gate::Open;
            if expired || (absent && (was_listed || removal.accepted_at.is_some())) {
                self.gone(id);
            } else if absent {
                // It may never have been listed yet: it is removed all the same, and only then counted as gone.
                removal.next_step = now.boot;
            }
        }
    }

    /// Confirmed gone: a tombstone, and its value with it unless it holds a slot.
    pub(super) fn gone(&mut self, id: CredentialId) {
        let Some(credential) = self.rotation.credential_mut(id) else {
            return;
        };
        credential.stage = Stage::Gone;
        if credential.slot.is_none() && credential.has_outputs {
            credential.has_outputs = false;
            self.writes.push(Write::DropOutputs { credential: id });
        }
        self.settle_deletion();
    }

    fn removal_waits(&mut self, id: CredentialId, wait: Duration, why: Option<String>) {
        let next = self.ctx.now.boot + wait.max(self.ctx.rules.verify_spacing);
        if let Some(removal) = self
            .rotation
            .credential_mut(id)
            .and_then(Credential::removal_mut)
        {
            removal.next_step = next;
            removal.waiting_for = why;
        }
    }

    fn removal_failed(&mut self, id: CredentialId, wait: Duration, why: String) {
        self.removal_waits(id, wait, Some(why));
        if let Some(removal) = self
            .rotation
            .credential_mut(id)
            .and_then(Credential::removal_mut)
        {
            removal.failures = removal.failures.saturating_add(1);
        }
    }

    /// The target is full: what of ours may go, goes first.
    pub(super) fn on_full(&mut self, fault: &Fault) {
        let Some(run) = &self.rotation.run else {
            return;
        };
        let (wall, boot) = (self.ctx.now.wall, self.ctx.now.boot);
        let (provider_now, rules) = (self.provider_now(), self.ctx.rules);
        if run.room_made && run.retries >= self.ctx.timing.retries_in_run {
            let next = later(wall, rules.propagation_bound);
            let message = format!(
                "room was made on the full target, and the provider does not see it yet ({fault})"
            );
            return self.fail_run(message, Some(next));
        }
        if run.room_made {
            // A replica that has not seen the removal yet.
            let wait = self.attempt_wait(rules.propagation_bound, run.retries, fault);
            if let Some(run) = &mut self.rotation.run {
                run.retries += 1;
            }
            return self.wait(
                boot + wait,
                format!("room was made on the full target, and it is not seen yet ({fault})"),
            );
        }
        let (is_kept, suspect_to) = (self.rotation.needs_attention(), self.rotation.suspect_to);
        let mut room = false;
        let mut earliest = None;
        // Why something of ours stays though it takes a place.
        let mut kept = None;
        for credential in &mut self.rotation.credentials {
            let in_doubt = is_kept && credential.may_be_in_use(suspect_to, provider_now);
            match &mut credential.stage {
                // What a lost answer made takes a place, too: it is looked for now.
                Stage::Lost(watch) if !is_kept && !watch.dormant => {
                    watch.next_look = wall;
                    room = true;
                }
                Stage::Retiring(removal) if removal.accepted_at.is_some() => continue,
                Stage::Previous | Stage::Retiring(_) if in_doubt => {
                    kept = Some(
                        "what could go may be in use, as the database may be old: look at what is in doubt, and unblock \
                         the rotation",
                    );
                    continue;
                }
                // Of no use to anybody, or ordered by a person: its time does not matter.
                Stage::Retiring(removal) if removal.gate != Gate::Full => {
                    room = true;
                    continue;
                }
                Stage::Previous | Stage::Retiring(_) => {}
                _ => continue,
            }
            let gate = if credential.has_expired(provider_now) {
                Gate::Open
            } else {
                Gate::Full
            };
            match credential.revoke_not_before {
                Some(at) if at > provider_now && gate == Gate::Full => {
                    // What has ended may go as well.
                    let free = credential.expires_at.map_or(at, |end| end.min(at));
                    earliest =
                        Some(earliest.map_or(free, |e: chrono::DateTime<chrono::Utc>| e.min(free)));
                }
                Some(_) => {
                    credential.retire(Reason::Room, gate);
                    room = true;
                }
                None => {
                    kept = Some(
                        "what was adopted without its value is there, and would stay until something newer is published: \
                         retire it once nobody uses it",
                    );
                }
            }
        }
        if room {
            self.set_phase(Phase::MakingRoom { since: boot });
        } else if let Some(at) = earliest {
            let message = format!(
                "the target is full ({fault}) and the replaced credential is needed until {at}: it can be rotated from then on"
            );
            self.fail_run(message, Some(at));
        } else if let Some(why) = kept {
            self.fail_run(format!("the target is full ({fault}), and {why}"), None);
        } else {
            let survey = self.rotation.facts.survey.as_ref();
            let others = survey.map(|survey| survey.others.clone());
            let others = others.unwrap_or_default();
            let message = format!(
                "the target is full ({fault}): {}; {}, or use an application that allows more",
                others.in_words(),
                others.remedy()
            );
            self.fail_run(message, None);
        }
    }

    /// While room is made the removals go on; where none is left that could, the run tries again.
    pub(super) fn next_of_room(&mut self, since: Boot) -> Option<Call> {
        let is_kept = self.rotation.needs_attention();
        let could = |c: &&Credential| match &c.stage {
            Stage::Lost(watch) => !is_kept && !watch.dormant,
            Stage::Retiring(removal) => removal.accepted_at.is_none() && !self.is_in_doubt(c),
            _ => false,
        };
        let Some(left) = self.rotation.credentials.iter().find(could) else {
            self.on_room_made();
            return None;
        };
        if self.ctx.now.boot - since < self.ctx.timing.verify_cap {
            return self.next_of_removals();
        }
        let why = match left.removal().and_then(|r| r.waiting_for.as_deref()) {
            Some(why) => why.to_owned(),
            None => {
                "an answer to an earlier attempt was lost, and what it made is not found".to_owned()
            }
        };
        self.fail_run(
            format!("the target is full, and no room could be made: {why}"),
            None,
        );
        None
    }

    fn on_room_made(&mut self) {
        let until = self.ctx.now.boot + self.ctx.rules.write_spacing;
        if let Some(run) = &mut self.rotation.run
            && matches!(run.phase, Phase::MakingRoom { .. })
        {
            run.room_made = true;
            run.phase = Phase::Waiting {
                until,
                why: "room was made on the full target".to_owned(),
            };
        }
    }

    /// A survey for drift, or the login that decides it.
    pub(super) fn next_of_drift(&mut self) -> Option<Call> {
        let (now, r) = (self.ctx.now, &self.rotation);
        if !r.is_looked_after()
            || r.facts.background_not_before > now.boot
            || r.next_drift_check > now.wall
        {
            return None;
        }
        match r.active() {
            Some(active)
                if r.drift_absences >= self.ctx.timing.absences || self.is_listed_and_refused() =>
            {
                Some(Call::Verify {
                    credential: active.id,
                })
            }
            _ => Some(Call::Survey),
        }
    }

    /// The last login with the published credential was refused, and a survey listed it just now: another login tells
    /// whether that has passed.
    fn is_listed_and_refused(&self) -> bool {
        let (r, fresh) = (&self.rotation, self.ctx.timing.gate_fresh);
        let is_fresh = |survey: &SurveyFact| self.ctx.now.boot - survey.at <= fresh;
        r.contact.login_refused.is_some()
            && r.drift_absences == 0
            && r.facts.survey.as_ref().is_some_and(is_fresh)
    }

    fn drift_check_is_done(&mut self) {
        let jitter = self.fresh.up_to(self.ctx.timing.drift_check / 8);
        self.rotation.next_drift_check = later(
            self.ctx.now.wall,
            self.ctx.timing.drift_check.saturating_sub(jitter),
        );
    }

    /// What a survey says of the published credential.
    pub(super) fn drift_surveyed(&mut self, survey: &SurveyFact) {
        let now = self.ctx.now.wall;
        let absent = self.rotation.active().is_some_and(|c| {
            let listed = c.handle.as_ref().is_none_or(|h| survey.handles.contains(h));
            !listed || c.has_expired(survey.provider_time)
        });
        let time_to_count =
            self.rotation.next_drift_check <= now || self.rotation.drift_absences == 0;
        if !absent {
            self.rotation.drift_absences = 0;
            // Where its login was refused, another one follows.
            if self.rotation.next_drift_check <= now
                && self.rotation.contact.login_refused.is_none()
            {
                self.drift_check_is_done();
            }
        } else if time_to_count {
            self.rotation.drift_absences += 1;
            let enough = self.rotation.drift_absences >= self.ctx.timing.absences;
            // A login decides, at once: where removals go on surveying, its time would never come.
            let wait = if enough {
                Duration::ZERO
            } else {
                self.absence_spacing()
            };
            self.rotation.next_drift_check = later(now, wait);
        }
    }
}
