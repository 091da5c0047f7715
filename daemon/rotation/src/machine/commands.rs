//! What a person or a program wants.

use chrono::{DateTime, Utc};

use super::Machine;
use crate::credential::{Credential, Gate, Reason, Removal, Stage};
use crate::effect::Write;
use crate::event::{Command, Refusal};
use crate::id::{CredentialId, Handle};
use crate::label::Nonce;
use crate::proof::Proof;
use crate::rotation::{Doubt, Life, Plan, Urgent};
use crate::run::{Phase, RunEnd, RunKind, Unpublished};

impl Machine<'_> {
    pub(super) fn on_command(&mut self, command: Command) -> Result<(), Refusal> {
        if self.rotation.life.is_deleting() && !matches!(command, Command::Delete { .. }) {
            return Err(Refusal::Deleting);
        }
        let doubted = self.rotation.needs_attention();
        self.take_command(command)?;
        if doubted && !self.rotation.needs_attention() {
            // What waited for this word waits no more.
            for credential in &mut self.rotation.credentials {
                credential.look_again();
            }
        }
        Ok(())
    }

    fn take_command(&mut self, command: Command) -> Result<(), Refusal> {
        match command {
            Command::Rotate { retire_after } => self.rotate(retire_after),
            Command::Pause => {
                self.pause();
                Ok(())
            }
            Command::Resume => {
                self.edit(Plan {
                    auto: true,
                    ..self.rotation.plan
                });
                Ok(())
            }
            Command::Edit { from, to } => {
                let plan = merged(self.rotation.plan, from, to);
                if !plan.auto {
                    self.pause();
                }
                self.edit(plan);
                Ok(())
            }
            Command::Retire { credential, force } => self.retire_command(credential, force),
            Command::Delete { revoke } => self.delete(revoke),
            Command::Adopt {
                handle,
                expires_at,
                has_value,
            } => self.adopt(handle, expires_at, has_value),
            Command::Remove { handle } => self.remove(&handle),
            Command::Unblock => self.unblock(),
        }
    }

    /// A person mended what kept it, or has looked at what the books do not know.
    fn unblock(&mut self) -> Result<(), Refusal> {
        let r = &mut *self.rotation;
        if !r.doubts.is_empty() && r.blocked.is_none() {
            let handles: Vec<_> = r.doubts.iter().map(|d| d.handle.to_string()).collect();
            return Err(Refusal::Other(format!(
                "something is in doubt still: adopt or remove {} first",
                handles.join(", ")
            )));
        }
        r.blocked = None;
        if r.doubts.is_empty() {
            r.stale = None;
            // What was kept in doubt.
            r.credentials.iter_mut().for_each(Credential::look_again);
            // What came since the last look is in doubt then.
            self.look_now();
        }
        Ok(())
    }

    fn rotate(&mut self, retire_after: Option<std::time::Duration>) -> Result<(), Refusal> {
        // A person's word that it will work now.
        match &mut self.rotation.run {
            // A soak that a person does not want to wait for.
            Some(run) if run.kind == RunKind::Scheduled => run.kind = RunKind::Manual,
            Some(_) => return Err(Refusal::InProgress),
            None => {
                let first = self.rotation.life == Life::Failed;
                self.start_run(if first {
                    RunKind::Creation
                } else {
                    RunKind::Manual
                });
                if first {
                    self.rotation.life = Life::Creating { answered: true };
                }
            }
        }
        self.rotation.blocked = None;
        if let Some(run) = &mut self.rotation.run {
            run.retire_after = retire_after;
            if let Phase::Waiting { until, .. } = &mut run.phase {
                *until = self.ctx.now.boot;
            }
        }
        Ok(())
    }

    /// Effective at once: a manual run finishes, a scheduled one keeps what it has for a resume.
    fn pause(&mut self) {
        self.rotation.plan.auto = false;
        self.rotation.due_at = None;
        self.rotation.next_try_at = None;
        let Some(run) = &self.rotation.run else {
            return;
        };
        let is_between = matches!(run.phase, Phase::Preparing | Phase::Waiting { .. });
        if run.kind == RunKind::Scheduled {
            self.rotation.run = None;
        } else if run.lost > 0 && is_between && run.kind != RunKind::Urgent {
            // A run that a person asked for goes on while it is paused, but not without end: whoever pauses one whose
            // answers are lost wants nothing more issued.
            let why = run.trouble.clone().unwrap_or_default();
            let message = format!("it was paused while answers to its attempts were lost: {why}");
            self.fail_run(message, None);
        }
    }

    fn edit(&mut self, plan: Plan) {
        let now = self.ctx.now.wall;
        let was = self.rotation.plan;
        self.rotation.plan = plan;
        if was
            == (Plan {
                overlap: was.overlap,
                ..plan
            })
        {
            return;
        }
        if self.rotation.due_at.is_some_and(|due| due <= now)
            && was.auto
            && plan.auto
            && was.interval == plan.interval
        {
            // Overdue stays overdue: a new time of day is no reason to skip a rotation.
            return;
        }
        self.rotation.due_at = self.rotation.base.filter(|_| plan.auto).map(|base| {
            // A shorter interval, or a resume after a long pause, may have made it due already.
            let first = plan.daily.next_due(base, plan.interval, base.from);
            if first <= now { now } else { first }
        });
        if !was.auto {
            self.rotation.failures = 0;
            self.rotation.next_try_at = None;
        }
    }

    fn retire_command(&mut self, id: Option<CredentialId>, force: bool) -> Result<(), Refusal> {
        let gate = if force { Gate::Open } else { Gate::Published };
        let Some(id) = id else {
            return self.retire_replaced(gate);
        };
        let missing = || Refusal::NoSuchCredential(id.to_string());
        let credential = self
            .rotation
            .credential(id)
            .filter(|c| !c.stage.is_settled());
        match credential.ok_or_else(missing)?.stage {
            Stage::Active => self.replace_leaked(),
            Stage::Intended | Stage::Lost(_) => return Err(missing()),
            Stage::Pending => {
                self.retire(id, Reason::Ordered, Gate::Open);
                if self.rotation.run_credential() == Some(id) {
                    self.run_lost_its_credential();
                }
            }
            _ => self.retire(id, Reason::Ordered, gate),
        }
        Ok(())
    }

    /// A run that issues tries again; one that takes over has nothing else to take.
    fn run_lost_its_credential(&mut self) {
        if self.rotation.run.as_ref().map(|run| run.kind) == Some(RunKind::Adoption) {
            self.fail_run("a person had it removed".to_owned(), None);
        } else {
            self.set_phase(Phase::Preparing);
        }
    }

    /// Everything that was published and replaced.
    fn retire_replaced(&mut self, gate: Gate) -> Result<(), Refusal> {
        // One that was adopted without its value was never published, and may be in use all the same.
        let replaced = |c: &Credential| match &c.stage {
            Stage::Previous => true,
            Stage::Retiring(removal) => c.published_at.is_some() || removal.gate != Gate::Open,
            _ => false,
        };
        let ids: Vec<_> = self
            .rotation
            .credentials
            .iter()
            .filter(|c| replaced(c))
            .map(|c| c.id)
            .collect();
        if ids.is_empty() {
            return Err(Refusal::NoSuchCredential(
                "besides the published one: name its key id to replace and revoke it".to_owned(),
            ));
        }
        for id in ids {
            self.retire(id, Reason::Ordered, gate);
        }
        Ok(())
    }

    /// The published one leaked: another takes its place, urgently; then it goes at once.
    fn replace_leaked(&mut self) {
        // Kept until something is published: a run that fails is followed by another.
        self.rotation.urgent = Some(Urgent::Leaked);
        self.rotation.next_try_at = None;
        self.rotation.blocked = None;
        if let Some(run) = &mut self.rotation.run {
            run.retire_at_once = true;
            if run.kind == RunKind::Scheduled {
                run.kind = RunKind::Urgent;
            }
        }
    }

    /// Committed and effective at once, whatever is under way. Only what was published may be left alive.
    fn delete(&mut self, revoke: bool) -> Result<(), Refusal> {
        // Said again of a deleted rotation without revoking: what is in doubt stays alive, and is forgotten.
        let again = self.rotation.life.is_deleting();
        if !revoke && !again && self.rotation.needs_attention() {
            let handles: Vec<_> = self
                .rotation
                .doubts
                .iter()
                .map(|d| d.handle.to_string())
                .collect();
            return Err(Refusal::Other(format!(
                "the database may be older than what was done with it: adopt or remove what is in doubt ({}), and \
                 unblock the rotation, or delete it with revoking",
                handles.join(", ")
            )));
        }
        if let Some(run) = self.rotation.run.take() {
            if run.kind == RunKind::Adoption {
                self.give_back(&run);
            }
            // Whoever waits for it is told now, and not once all is settled at the provider.
            self.ended = Some(RunEnd {
                run: run.id,
                kind: run.kind,
                result: Err(Unpublished::Deleted),
            });
        }
        self.rotation.due_at = None;
        self.rotation.next_try_at = None;
        self.rotation.urgent = None;
        self.rotation.stale = None;
        self.rotation.life = Life::Deleting { revoke };
        self.let_go(revoke);
        for doubt in std::mem::take(&mut self.rotation.doubts) {
            if revoke {
                self.order_removal(doubt, Gate::Open);
                continue;
            }
            for credential in &mut self.rotation.credentials {
                if credential.nonce == doubt.nonce && matches!(credential.stage, Stage::Lost(_)) {
                    credential.stage = Stage::Released;
                }
            }
        }
        Ok(())
    }

    /// What becomes of each credential of a rotation that is no more.
    pub(super) fn let_go(&mut self, revoke: bool) {
        for credential in &mut self.rotation.credentials {
            let published = credential.published_at.is_some();
            let ordered = credential
                .removal()
                .is_some_and(|removal| removal.reason == Reason::Ordered);
            let gated = credential
                .removal()
                .is_some_and(|removal| removal.gate != Gate::Open);
            match &credential.stage {
                Stage::Pending => credential.retire(Reason::Failed, Gate::Open),
                Stage::Active | Stage::Previous if revoke => {
                    credential.retire(Reason::Deleted, Gate::Open);
                }
                Stage::Retiring(_) if ordered || (revoke && (published || gated)) => {
                    credential.retire(Reason::Deleted, Gate::Open);
                }
                Stage::Active | Stage::Previous => credential.stage = Stage::Released,
                Stage::Retiring(_) if published || gated => credential.stage = Stage::Released,
                _ => {}
            }
        }
    }

    fn adopt(
        &mut self,
        handle: Handle,
        expires_at: Option<DateTime<Utc>>,
        has_value: bool,
    ) -> Result<(), Refusal> {
        if self
            .rotation
            .credentials
            .iter()
            .any(|c| c.handle.as_ref() == Some(&handle) && !c.stage.is_settled())
        {
            return Err(Refusal::Other(format!(
                "the credential {handle} is this rotation's already"
            )));
        }
        if has_value && self.rotation.run.is_some() {
            return Err(Refusal::InProgress);
        }
        let doubt = self.take_doubt(&handle);
        let (sequence, nonce) =
            doubt.map_or_else(|| (0, Nonce(self.fresh.bits())), |d| (d.sequence, d.nonce));
        let credential = Credential {
            id: CredentialId(self.fresh.uuid()),
            sequence,
            nonce,
            handle: Some(handle),
            stage: if has_value {
                Stage::Pending
            } else {
                Stage::Previous
            },
            slot: None,
            intended_at: self.ctx.now.wall,
            expires_at,
            published_at: None,
            // Without its value it is timed from the next publication.
            revoke_not_before: None,
            has_outputs: has_value,
        };
        let id = self.enter(credential);
        if has_value {
            self.writes.push(Write::KeepOutputs { credential: id });
            self.start_run(RunKind::Adoption);
            let proof = Proof::new(self.ctx.now.boot);
            self.set_phase(Phase::Verifying {
                credential: id,
                proof,
                probation: false,
            });
        }
        Ok(())
    }

    /// A person says that a doubtful credential is to go: it keeps the check that the published one works.
    fn remove(&mut self, handle: &Handle) -> Result<(), Refusal> {
        let doubt = self
            .take_doubt(handle)
            .ok_or_else(|| Refusal::NoSuchCredential(handle.to_string()))?;
        self.order_removal(doubt, Gate::Published);
        Ok(())
    }

    /// What was in doubt is removed because a person said so.
    pub(super) fn order_removal(&mut self, doubt: Doubt, gate: Gate) {
        let credential = Credential {
            id: CredentialId(self.fresh.uuid()),
            sequence: doubt.sequence,
            nonce: doubt.nonce,
            handle: Some(doubt.handle),
            stage: Stage::Retiring(Removal::new(Reason::Ordered, gate)),
            slot: None,
            intended_at: doubt.seen_at,
            expires_at: doubt.expires_at,
            published_at: None,
            revoke_not_before: None,
            has_outputs: false,
        };
        self.enter(credential);
    }

    /// Into the books: in the place of the lost answer that it turns out to be, where there is one, or that would go on
    /// being looked for, and removed when it is seen.
    fn enter(&mut self, credential: Credential) -> CredentialId {
        let is_it = |c: &&mut Credential| {
            c.nonce == credential.nonce && c.handle.is_none() && matches!(c.stage, Stage::Lost(_))
        };
        let Some(lost) = self.rotation.credentials.iter_mut().find(is_it) else {
            let id = credential.id;
            self.rotation.credentials.push(credential);
            return id;
        };
        *lost = Credential {
            id: lost.id,
            intended_at: lost.intended_at,
            ..credential
        };
        lost.id
    }

    fn take_doubt(&mut self, handle: &Handle) -> Option<Doubt> {
        let at = self
            .rotation
            .doubts
            .iter()
            .position(|doubt| doubt.handle == *handle)?;
        let doubt = self.rotation.doubts.remove(at);
        // The lost answer that had made it is found with it.
        let lost = self.rotation.credentials.iter();
        let lost: Vec<CredentialId> = lost
            .filter(|c| c.nonce == doubt.nonce && matches!(c.stage, Stage::Lost(_)))
            .map(|c| c.id)
            .collect();
        for id in lost {
            self.gone(id);
        }
        Some(doubt)
    }
}

/// What differs between the two, and else what is.
fn merged(is: Plan, from: Plan, to: Plan) -> Plan {
    Plan {
        auto: if from.auto == to.auto {
            is.auto
        } else {
            to.auto
        },
        interval: if from.interval == to.interval {
            is.interval
        } else {
            to.interval
        },
        daily: if from.daily == to.daily {
            is.daily
        } else {
            to.daily
        },
        overlap: if from.overlap == to.overlap {
            is.overlap
        } else {
            to.overlap
        },
    }
}
