//! The steps of a run: prepare, issue, verify, publish; and how it fails.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Machine;
use crate::clock::later;
use crate::credential::{Credential, Gate, Reason, Stage};
use crate::effect::{Call, Write};
use crate::event::{Answer, Inspection, Issued, Verdict};
use crate::fault::{Fault, FaultKind};
use crate::id::CredentialId;
use crate::proof::Proof;
use crate::rotation::{Doubt, Life, Outcome};
use crate::run::{Phase, Run, RunEnd, RunKind, Unpublished};
use crate::schedule::Base;

impl Machine<'_> {
    /// The run's next call, if it has one to make now.
    pub(super) fn next_of_run(&mut self) -> Option<Call> {
        let now = self.ctx.now.boot;
        if let Phase::Waiting { until, .. } = &self.rotation.run.as_ref()?.phase {
            if *until > now {
                return None;
            }
            self.set_phase(Phase::Preparing);
        }
        match &self.rotation.run.as_ref()?.phase {
            Phase::Preparing => self.prepare(),
            Phase::Verifying {
                credential, proof, ..
            } => (proof.next_login() <= now).then_some(Call::Verify {
                credential: *credential,
            }),
            Phase::MakingRoom { since } => {
                let since = *since;
                self.next_of_room(since)
            }
            Phase::Issuing { .. } | Phase::Waiting { .. } => None,
        }
    }

    /// Everything that must be known before the intent is written.
    fn prepare(&mut self) -> Option<Call> {
        let timing = self.ctx.timing;
        if let Some(left) = self
            .rotation
            .credentials
            .iter()
            .find(|c| c.stage == Stage::Pending && c.has_outputs)
        {
            // What an earlier try left is looked at before anything new is issued.
            let credential = left.id;
            let proof = Proof::new(self.ctx.now.boot);
            self.set_phase(Phase::Verifying {
                credential,
                proof,
                probation: true,
            });
            return Some(Call::Verify { credential });
        }
        if self.rotation.facts.survey.is_none() {
            // Every start surveys before its first write.
            return Some(Call::Survey);
        }
        if self.rotation.lost() >= timing.lost_most as usize && !self.may_lose_more() {
            let until = self.ctx.now.boot + timing.retry_first;
            let why = "answers to earlier attempts were lost: nothing more is issued until they are settled";
            let run = self.rotation.run.as_ref();
            let why = match run.and_then(|run| run.trouble.as_deref()) {
                Some(trouble) => format!("{why}; the last attempt: {trouble}"),
                None => why.to_owned(),
            };
            self.wait(until, why);
            return None;
        }
        let (at, inspection) = match &self.rotation.facts.inspection {
            Some(known) => known.clone(),
            None => return Some(Call::Inspect),
        };
        if self.ctx.now.boot - at > timing.gate_fresh {
            return Some(Call::Inspect);
        }
        if let Some(message) = self.cap_refusal(&inspection) {
            self.fail_run(message, None);
            return None;
        }
        match self.ctx.rules.lifetime(
            self.rotation.plan.interval,
            inspection.lifetime_most,
            timing,
        ) {
            Err(short) => {
                self.fail_run(short.to_string(), None);
                None
            }
            Ok(lifetime) => {
                let call = self.intend(lifetime);
                if let Call::Issue { credential, .. } = &call {
                    self.set_phase(Phase::Issuing {
                        credential: *credential,
                    });
                }
                Some(call)
            }
        }
    }

    /// What is needed at once does not wait for lost answers, which may take days to settle: it is tried beside them, once
    /// a list would have shown what the last one made.
    fn may_lose_more(&self) -> bool {
        let kind = self.rotation.run.as_ref().map(|run| run.kind);
        let since = |c: &Credential| c.watch().map(|watch| watch.since);
        let last = self.rotation.credentials.iter().filter_map(since).max();
        let again = last.map(|at| later(at, self.ctx.rules.propagation_bound));
        (self.rotation.wants_urgent() || kind == Some(RunKind::Urgent))
            && again.is_none_or(|at| at <= self.ctx.now.wall)
    }

    /// Creation on a target that can't hold two of ours is refused unless a person insists.
    fn cap_refusal(&self, inspection: &Inspection) -> Option<String> {
        let run = self.rotation.run.as_ref()?;
        let cap = inspection
            .credential_cap
            .or(self.ctx.rules.credential_cap)?;
        let others = &self.rotation.facts.survey.as_ref()?.others;
        let refused = run.kind == RunKind::Creation
            && !self.rotation.force
            && cap.saturating_sub(others.count()) < 2;
        refused.then(|| {
            format!(
                "this target holds at most {cap} credentials, and {}: two must be free for a rotation without a gap; {}, \
                 or create with force",
                others.in_words(),
                others.remedy()
            )
        })
    }

    pub(super) fn on_inspected(&mut self, result: Result<Inspection, Fault>) {
        match result {
            Ok(inspection) => {
                self.compare_clocks(inspection.provider_time);
                self.rotation.contact.credential_cap = inspection.credential_cap;
                self.rotation.facts.inspection = Some((self.ctx.now.boot, inspection));
            }
            Err(fault) => self.run_fault(&fault),
        }
    }

    pub(super) fn on_issued(&mut self, call: Option<&Call>, result: Result<Issued, Fault>) {
        let Some(&Call::Issue { credential: id, .. }) = call else {
            return;
        };
        match result {
            Ok(issued) => {
                self.compare_clocks(issued.provider_time);
                self.on_created(id, issued);
            }
            Err(fault) => {
                self.compare_clocks(fault.provider_time);
                self.on_not_created(id, &fault);
            }
        }
    }

    fn on_created(&mut self, id: CredentialId, issued: Issued) {
        let wanted = self.rotation.run_credential() == Some(id);
        let keep = wanted || self.rotation.life == Life::Live;
        if let Some(credential) = self.rotation.credential_mut(id) {
            credential.handle = Some(issued.handle);
            credential.expires_at = issued.expires_at.or(credential.expires_at);
            if keep {
                credential.stage = Stage::Pending;
                credential.has_outputs = true;
            } else {
                credential.retire(Reason::Failed, Gate::Open);
            }
        }
        if keep {
            self.writes.push(Write::KeepOutputs { credential: id });
        }
        if wanted {
            let proof = Proof::new(self.ctx.now.boot);
            self.set_phase(Phase::Verifying {
                credential: id,
                proof,
                probation: false,
            });
            if let Some(run) = &mut self.rotation.run {
                run.retries = 0;
                run.lost = 0;
                run.trouble = None;
            }
        }
    }

    fn on_not_created(&mut self, id: CredentialId, fault: &Fault) {
        let wanted = self.rotation.run_credential() == Some(id);
        if fault.kind.is_ambiguous() {
            self.lose(id);
            let lost = self.rotation.run.as_ref().map_or(0, |run| run.lost);
            let wait = self.attempt_wait(self.ctx.timing.retry_most, lost, fault);
            if wanted && let Some(run) = &mut self.rotation.run {
                // The run goes on under a new nonce; the old one is looked for beside it. Where every answer is lost,
                // less and less often, however soon what they made is found and removed.
                run.lost = run.lost.saturating_add(1);
                run.trouble = Some(fault.to_string());
                self.wait(
                    self.ctx.now.boot + wait,
                    format!("the answer to the last attempt was lost ({fault}): trying again"),
                );
            }
            return;
        }
        if let Some(credential) = self.rotation.credential_mut(id) {
            credential.stage = Stage::Refused;
        }
        if wanted {
            if fault.kind == FaultKind::Full {
                self.on_full(fault);
            } else {
                self.run_fault(fault);
            }
        }
    }

    /// What a call brought can't be written. Nothing that is tried at once would end in another way: the run has failed,
    /// and says why.
    pub(super) fn on_not_kept(&mut self, call: Option<&Call>, why: String) {
        if let Some(&Call::Issue { credential, .. }) = call {
            // It exists, and its answer is as good as lost.
            self.lose(credential);
        }
        if self.rotation.run.is_some() {
            self.fail_run(why, None);
        } else {
            self.background_failed(&Fault::new(FaultKind::Refused, why));
        }
    }

    /// A refusal during a run: wait and try again where that may help, else the run fails.
    pub(super) fn run_fault(&mut self, fault: &Fault) {
        let timing = self.ctx.timing;
        let retries = self.rotation.run.as_ref().map_or(0, |run| run.retries);
        let wait = self.attempt_wait(timing.retry_first, retries, fault);
        let Some(run) = &mut self.rotation.run else {
            return;
        };
        if fault.kind.is_passing()
            && run.retries < timing.retries_in_run
            && wait <= timing.retry_first
        {
            run.retries += 1;
            self.wait(self.ctx.now.boot + wait, fault.to_string());
        } else {
            let not_before = fault
                .retry_after
                .map(|after| later(self.ctx.now.wall, after));
            self.fail_run(fault.to_string(), not_before);
        }
    }

    pub(super) fn on_verified(&mut self, call: Option<&Call>, verdict: Verdict) {
        let Some(&Call::Verify { credential: id }) = call else {
            return;
        };
        self.compare_clocks(verdict.provider_time);
        match self.rotation.run.as_ref().map(|run| &run.phase) {
            Some(Phase::Verifying { credential, .. }) if *credential == id => {
                self.judge(id, verdict.answer);
            }
            _ => self.on_active_login(id, verdict.answer),
        }
    }

    /// One login with the run's credential.
    fn judge(&mut self, id: CredentialId, answer: Answer) {
        let (boot, rules, timing) = (self.ctx.now.boot, self.ctx.rules, self.ctx.timing);
        let soak = self.soak();
        let Some(Run {
            phase: Phase::Verifying {
                proof, probation, ..
            },
            trouble,
            ..
        }) = &mut self.rotation.run
        else {
            return;
        };
        *trouble = match &answer {
            Answer::Works => None,
            Answer::NotYet(why) | Answer::CannotTell(why) | Answer::Never(why) => Some(why.clone()),
        };
        match answer {
            Answer::Works => {
                *probation = false;
                proof.works(boot, soak, rules);
                if proof.is_complete(soak, rules) {
                    self.publish_unless_skewed(id);
                }
            }
            Answer::NotYet(_) if *probation => {
                self.give_up(id);
                self.set_phase(Phase::Preparing);
            }
            Answer::NotYet(why) => {
                proof.not_yet(boot, rules);
                if proof.refused_for() > timing.verify_cap {
                    let message = format!(
                        "the new credential was still refused at the end of the wait: {why}"
                    );
                    self.fail_run(message, None);
                }
            }
            Answer::CannotTell(why) => {
                proof.cannot_tell(boot, rules);
                if proof.silent_for() > timing.cannot_tell_cap {
                    self.fail_run(format!("no answer about the new credential: {why}"), None);
                }
            }
            Answer::Never(why) => {
                let message = format!(
                    "the new credential can't work until something is changed at the provider: {why}"
                );
                self.rotation.blocked = Some(why);
                self.fail_run(message, None);
            }
        }
    }

    /// How long this run's credential soaks.
    pub(super) fn soak(&self) -> Duration {
        match self.rotation.run.as_ref().map(|run| run.kind) {
            Some(RunKind::Scheduled) => self.ctx.rules.propagation_bound,
            _ => self
                .ctx
                .timing
                .soak_short
                .min(self.ctx.rules.propagation_bound),
        }
    }

    fn publish_unless_skewed(&mut self, id: CredentialId) {
        if !self.is_skewed() {
            return self.publish(id);
        }
        let skew = self.rotation.skew().unwrap_or_default().as_secs();
        self.rotation.message = Some(format!(
            "the new credential works and waits: this host's clock is {skew} s from the provider's; \
             set it right"
        ));
        // Proved as it is: what is waited for now is the clock, and a person.
        let next = self.ctx.now.boot + self.ctx.timing.retry_first;
        if let Some(Run {
            phase: Phase::Verifying { proof, .. },
            ..
        }) = &mut self.rotation.run
        {
            proof.rest_until(next);
        }
    }

    /// The flip: everything that follows from it is in this one step.
    fn publish(&mut self, id: CredentialId) {
        let Some(run) = self.rotation.run.take() else {
            return;
        };
        let (now, provider_now) = (self.ctx.now.wall, self.provider_now());
        let r = &mut *self.rotation;
        // A scheduled run that publishes on its due date counts from it; everything else from its start.
        let from = match run.due {
            Some(due) if r.plan.daily.same_date(due, now) => due,
            _ => run.started_at,
        };
        r.base = Some(Base {
            from,
            manual: run.kind.is_manual(),
        });
        r.due_at = r.compute_due(now);
        let revoke_not_before = self.revoke_not_before(&run, provider_now);
        let r = &mut *self.rotation;
        let slot = r
            .active()
            .and_then(|c| c.slot)
            .map_or(0, |slot| 1 - slot.min(1));
        let mut displaced = Vec::new();
        for credential in &mut r.credentials {
            if credential.slot == Some(slot) {
                credential.slot = None;
                if credential.stage.is_settled() && credential.has_outputs {
                    credential.has_outputs = false;
                    displaced.push(credential.id);
                }
            }
            match credential.stage {
                Stage::Active => {
                    credential.stage = Stage::Previous;
                    credential.revoke_not_before = Some(revoke_not_before);
                    if run.retire_at_once {
                        credential.revoke_not_before = Some(provider_now);
                        credential.retire(Reason::Ordered, Gate::Published);
                    }
                }
                // Adopted without a value: timed from this publication.
                Stage::Previous if credential.revoke_not_before.is_none() => {
                    credential.revoke_not_before = Some(revoke_not_before);
                }
                _ => {}
            }
            if credential.id == id {
                credential.stage = Stage::Active;
                credential.slot = Some(slot);
                credential.published_at = Some(now);
            }
        }
        // What an earlier try left for a next one has none any more.
        self.drop_pending();
        let r = &mut *self.rotation;
        r.life = Life::Live;
        r.outcome = Outcome::Success;
        r.message = None;
        r.blocked = None;
        r.urgent = None;
        r.failures = 0;
        r.next_try_at = None;
        r.drift_absences = 0;
        r.last_rotated_at = Some(now);
        r.last_attempted_at = Some(now);
        r.last_manual = run.kind.is_manual();
        r.facts.login = Some((self.ctx.now.boot, id));
        r.contact.accept_login();
        self.writes.push(Write::Publish { credential: id });
        self.writes.extend(
            displaced
                .into_iter()
                .map(|credential| Write::DropOutputs { credential }),
        );
        self.ended = Some(RunEnd {
            run: run.id,
            kind: run.kind,
            result: Ok(id),
        });
    }

    /// The instant before which the replaced credential is not revoked.
    fn revoke_not_before(&self, run: &Run, provider_now: DateTime<Utc>) -> DateTime<Utc> {
        let (r, rules) = (&self.rotation, self.ctx.rules);
        let least = later(provider_now, rules.minimum_overlap);
        // An adoption does not look at the target: what it was like before still says most.
        let known_cap = r.contact.credential_cap.or(rules.credential_cap);
        if known_cap.is_some_and(|cap| cap <= SMALL_CAP) {
            return least;
        }
        let wanted = match (run.retire_after.or(r.plan.overlap), r.due_at) {
            (Some(overlap), _) => later(provider_now, overlap),
            (None, Some(due)) => due,
            (None, None) => later(provider_now, r.plan.interval.duration()),
        };
        wanted.max(least)
    }

    /// The run is given up. What it leaves is kept where another try follows, else removed.
    pub(super) fn fail_run(&mut self, message: String, not_before: Option<DateTime<Utc>>) {
        let Some(run) = self.rotation.run.take() else {
            return;
        };
        let now = self.ctx.now.wall;
        let r = &self.rotation;
        let due = r.due_at.is_some_and(|due| due <= now);
        let planned = matches!(run.kind, RunKind::Scheduled | RunKind::Urgent) || due;
        let follows = r.life == Life::Live && (r.wants_urgent() || (r.plan.auto && planned));
        if run.kind == RunKind::Adoption {
            // What others made and we only tried to take over is theirs still.
            self.give_back(&run);
        }
        if follows {
            let wait = self.retry_wait(self.rotation.failures, None);
            let next_try = later(now, wait).max(not_before.unwrap_or(now));
            self.rotation.failures = self.rotation.failures.saturating_add(1);
            self.rotation.next_try_at = Some(next_try);
        } else {
            self.drop_pending();
        }
        match self.rotation.life {
            Life::Creating { answered: true } => self.rotation.life = Life::Failed,
            // Nobody was told of it: names are free again, and what it left is settled behind the scenes.
            Life::Creating { answered: false } => {
                self.rotation.life = Life::Deleting { revoke: false };
                self.let_go(false);
            }
            Life::Live | Life::Failed | Life::Deleting { .. } => {}
        }
        let r = &mut *self.rotation;
        r.outcome = Outcome::Failed;
        r.message = Some(message.clone());
        r.last_attempted_at = Some(now);
        self.ended = Some(RunEnd {
            run: run.id,
            kind: run.kind,
            result: Err(Unpublished::Failed(message)),
        });
        self.settle_deletion();
    }

    /// An adoption that came to nothing leaves the credential as it was found.
    pub(super) fn give_back(&mut self, run: &Run) {
        let Phase::Verifying { credential: id, .. } = run.phase else {
            return;
        };
        let now = self.ctx.now.wall;
        let Some(credential) = self
            .rotation
            .credential_mut(id)
            .filter(|c| c.stage == Stage::Pending)
        else {
            return;
        };
        credential.stage = Stage::Released;
        credential.has_outputs = false;
        let doubt = credential
            .handle
            .clone()
            .filter(|_| !credential.is_adopted())
            .map(|handle| Doubt {
                handle,
                sequence: credential.sequence,
                nonce: credential.nonce,
                expires_at: credential.expires_at,
                seen_at: now,
                absences: 0,
            });
        // What is under our label was in doubt, and is so again.
        self.rotation.doubts.extend(doubt);
        self.writes.push(Write::DropOutputs { credential: id });
    }

    /// What was issued and not published is removed: no try follows.
    pub(super) fn drop_pending(&mut self) {
        let credentials = self.rotation.credentials.iter();
        let pending: Vec<CredentialId> = credentials
            .filter(|c| c.stage == Stage::Pending)
            .map(|c| c.id)
            .collect();
        for id in pending {
            self.give_up(id);
        }
    }

    pub(super) fn set_phase(&mut self, phase: Phase) {
        if let Some(run) = &mut self.rotation.run {
            run.phase = phase;
        }
    }

    pub(super) fn wait(&mut self, until: crate::clock::Boot, why: String) {
        self.rotation.message = Some(why.clone());
        self.set_phase(Phase::Waiting { until, why });
    }
}

/// At or below this many credentials a target is full as soon as two rotations overlap.
const SMALL_CAP: u32 = 2;
