//! What a list of the target's credentials means: lost answers found, removals confirmed, drift, doubt.

use super::Machine;
use crate::backoff;
use crate::clock::{between, later};
use crate::credential::{Credential, Gate, Reason, Removal, Stage, Watch};
use crate::effect::{Call, Write};
use crate::event::{Listed, Survey};
use crate::fault::Fault;
use crate::id::CredentialId;
use crate::label::{Label, Short};
use crate::rotation::{Doubt, Life, Others, SurveyFact};
use crate::run::Phase;

impl Machine<'_> {
    /// A survey for a lost answer whose time has come.
    pub(super) fn next_of_watch(&mut self) -> Option<Call> {
        let now = self.ctx.now;
        if self.rotation.facts.background_not_before > now.boot {
            return None;
        }
        let due =
            |c: &Credential| matches!(&c.stage, Stage::Lost(watch) if watch.next_look <= now.wall);
        self.rotation
            .credentials
            .iter()
            .any(due)
            .then_some(Call::Survey)
    }

    pub(super) fn on_surveyed(&mut self, result: Result<Survey, Fault>) {
        let survey = match result {
            Ok(survey) => survey,
            Err(fault) => {
                self.compare_clocks(fault.provider_time);
                self.background_failed(&fault);
                if let Some(Phase::Preparing | Phase::MakingRoom { .. }) =
                    self.rotation.run.as_ref().map(|run| &run.phase)
                {
                    self.run_fault(&fault);
                }
                return;
            }
        };
        self.compare_clocks(survey.provider_time);
        self.background_worked();
        let listed = survey.listed.iter();
        let own = listed.filter_map(|listed| Some((listed, self.own_label(listed)?)));
        // First what our books never knew: it says that they are old, and that changes what the others mean.
        let (known, unknown): (Vec<_>, Vec<_>) =
            own.partition(|(listed, label)| self.has_known(listed, *label, &survey.tombstones));
        for (listed, label) in unknown {
            self.doubt(listed, label);
        }
        for (listed, label) in known {
            self.match_label(listed, label, &survey.tombstones);
        }
        self.note_ends(&survey.listed);
        let ours = |listed: &Listed| {
            self.own_label(listed).is_some()
                || self
                    .rotation
                    .credentials
                    .iter()
                    .any(|c| c.handle.as_ref() == Some(&listed.handle))
        };
        let mut others = Others::default();
        for listed in survey.listed.iter().filter(|listed| !ours(listed)) {
            let of = match listed.label {
                Some(_) => &mut others.labelled,
                None => &mut others.foreign,
            };
            of.push(listed.handle.clone());
        }
        let fact = SurveyFact {
            at: self.ctx.now.boot,
            provider_time: survey.provider_time.unwrap_or(self.provider_now()),
            handles: survey
                .listed
                .into_iter()
                .map(|listed| listed.handle)
                .collect(),
            others,
        };
        self.watch_surveyed(&fact);
        let removals: Vec<CredentialId> = self
            .rotation
            .credentials
            .iter()
            .filter(|c| c.removal().is_some())
            .map(|c| c.id)
            .collect();
        for id in removals {
            self.removal_surveyed(id, &fact);
        }
        self.drift_surveyed(&fact);
        self.doubts_surveyed(&fact);
        self.rotation.facts.survey = Some(fact);
        self.settle_deletion();
    }

    /// The provider's word on when a credential ends comes before what it said when it was issued.
    fn note_ends(&mut self, listed: &[Listed]) {
        for listed in listed.iter().filter(|listed| listed.expires_at.is_some()) {
            let mut credentials = self.rotation.credentials.iter_mut();
            if let Some(credential) =
                credentials.find(|c| c.handle.as_ref() == Some(&listed.handle))
            {
                credential.expires_at = listed.expires_at;
            }
        }
    }

    /// The label, where it is one of this rotation in this installation.
    fn own_label(&self, listed: &Listed) -> Option<Label> {
        let label = listed.label?;
        let ours = label.installation == self.ctx.installation.into()
            && label.rotation == Short::from(self.rotation.id);
        ours.then_some(label)
    }

    /// Whether our books have this name of the provider's or this nonce.
    fn has_known(&self, listed: &Listed, label: Label, tombstones: &[Credential]) -> bool {
        let credentials = self.rotation.credentials.iter().chain(tombstones);
        credentials
            .into_iter()
            .any(|c| c.handle.as_ref() == Some(&listed.handle) || c.nonce == label.nonce)
    }

    /// A listed credential under our label: the one that we know, a lost one, a stray, or one in doubt.
    fn match_label(&mut self, listed: &Listed, label: Label, tombstones: &[Credential]) {
        let known = |c: &Credential| c.handle.as_ref() == Some(&listed.handle);
        if let Some(credential) = self.rotation.credentials.iter_mut().find(|c| known(c)) {
            if credential.stage == Stage::Gone {
                credential.retire(Reason::Superseded, Gate::Open);
            }
            self.rotation.doubts.retain(|d| d.handle != listed.handle);
            return;
        }
        let in_books = self
            .rotation
            .credentials
            .iter()
            .find(|c| c.nonce == label.nonce);
        let same_nonce = |c: &&Credential| c.nonce == label.nonce;
        // The newest one: what was given back may have been removed since.
        let tombstone = tombstones
            .iter()
            .rfind(|c| known(c))
            .or_else(|| tombstones.iter().find(same_nonce));
        match (in_books, tombstone) {
            (Some(credential), _) => {
                let (id, stage) = (credential.id, credential.stage.clone());
                let suspect = self.rotation.is_suspect(credential);
                let in_doubt = suspect || self.rotation.needs_attention();
                if suspect && self.rotation.life == (Life::Deleting { revoke: false }) {
                    // What may have been published is left alone.
                    self.release(id, listed);
                } else if in_doubt && !self.nothing_is_to_stay() {
                    self.doubt(listed, label);
                } else if matches!(stage, Stage::Lost(_) | Stage::Refused)
                    && credential.handle.is_none()
                {
                    self.found(id, listed);
                } else {
                    self.stray(listed, label);
                }
            }
            (None, Some(tombstone)) if known(tombstone) && self.is_given_back(tombstone) => {
                self.doubt(listed, label);
            }
            (None, Some(tombstone)) if known(tombstone) => {
                // Still there, or there again: a lagging replica, or a revoke without effect. It may have been settled
                // while the survey before was under way, which then did not know it.
                self.rotation.doubts.retain(|d| d.handle != listed.handle);
                if tombstone.stage == Stage::Gone {
                    let mut credential = tombstone.clone();
                    credential.retire(Reason::Superseded, Gate::Open);
                    self.rotation.credentials.push(credential);
                }
            }
            (None, Some(_)) if !self.rotation.needs_attention() => self.stray(listed, label),
            _ => self.doubt(listed, label),
        }
    }

    /// It was in doubt, and taking it over came to nothing: only a person's word settles it.
    fn is_given_back(&self, tombstone: &Credential) -> bool {
        let given_back = tombstone.stage == Stage::Released && tombstone.published_at.is_none();
        given_back && !self.rotation.life.is_deleting()
    }

    /// What a lost answer had made: its value was never stored, so it can only be removed.
    fn found(&mut self, id: CredentialId, listed: &Listed) {
        if let Some(credential) = self.rotation.credential_mut(id) {
            credential.handle = Some(listed.handle.clone());
            credential.expires_at = listed.expires_at.or(credential.expires_at);
            credential.retire(Reason::Found, Gate::Open);
        }
    }

    fn release(&mut self, id: CredentialId, listed: &Listed) {
        if let Some(credential) = self.rotation.credential_mut(id) {
            credential.handle = Some(listed.handle.clone());
            credential.stage = Stage::Released;
        }
    }

    /// A second credential under a nonce that we know: removed like a lost one.
    fn stray(&mut self, listed: &Listed, label: Label) {
        let credential = self.credential_of(
            listed,
            label,
            Stage::Retiring(Removal::new(Reason::Found, Gate::Open)),
        );
        self.rotation.credentials.push(credential);
    }

    pub(super) fn credential_of(
        &mut self,
        listed: &Listed,
        label: Label,
        stage: Stage,
    ) -> Credential {
        Credential {
            id: CredentialId(self.fresh.uuid()),
            sequence: label.sequence,
            nonce: label.nonce,
            handle: Some(listed.handle.clone()),
            stage,
            slot: None,
            intended_at: self.ctx.now.wall,
            expires_at: listed.expires_at,
            published_at: None,
            revoke_not_before: None,
            has_outputs: false,
        }
    }

    /// Our label and not in our books: they may be old. Reported, never touched; issuing goes on above it.
    fn doubt(&mut self, listed: &Listed, label: Label) {
        let known = |doubt: &&mut Doubt| doubt.handle == listed.handle;
        if let Some(doubt) = self.rotation.doubts.iter_mut().find(known) {
            doubt.absences = 0;
            return;
        }
        self.suspect();
        self.rotation.sequence = self.rotation.sequence.max(label.sequence);
        let doubt = self.doubt_of(listed, label);
        if self.nothing_is_to_stay() {
            self.order_removal(doubt, Gate::Open);
        } else {
            self.rotation.doubts.push(doubt);
        }
    }

    /// Our books are old: what they call lost or unproved may be what was published since, and stays suspect for as
    /// long as it is there, whatever a person says of the rest. What was found and not removed yet is in doubt again.
    pub(super) fn suspect(&mut self) {
        if self.nothing_is_to_stay() {
            return;
        }
        let r = &mut *self.rotation;
        if !r.needs_attention() {
            r.suspect_to = r.sequence;
        }
        let now = self.ctx.now.wall;
        for credential in &mut r.credentials {
            let found = credential.removal().is_some_and(|removal| {
                removal.reason == Reason::Found && removal.accepted_at.is_none()
            });
            if !found {
                continue;
            }
            r.doubts.extend(Doubt::of(credential, now));
            // Listed again, it is matched by its nonce.
            credential.handle = None;
            credential.stage = Stage::Lost(Watch {
                since: now,
                absences: 0,
                next_look: now,
                dormant: false,
            });
        }
    }

    /// A credential that was not proved is not kept. One that may be what was published since the books were copied
    /// is left where it is, and a person decides.
    pub(super) fn give_up(&mut self, id: CredentialId) {
        let now = self.ctx.now.wall;
        let Some(credential) = self.rotation.credential(id) else {
            return;
        };
        let suspect = self.rotation.is_suspect(credential) && !self.rotation.life.is_deleting();
        let Some(doubt) = Doubt::of(credential, now).filter(|_| suspect) else {
            return self.retire(id, Reason::Failed, Gate::Open);
        };
        self.rotation.doubts.push(doubt);
        if let Some(credential) = self.rotation.credential_mut(id) {
            credential.stage = Stage::Released;
            credential.has_outputs = false;
            self.writes.push(Write::DropOutputs { credential: id });
        }
    }

    /// A person's word, which holds for what is in doubt, too.
    fn nothing_is_to_stay(&self) -> bool {
        self.rotation.life == (Life::Deleting { revoke: true })
    }

    fn doubt_of(&self, listed: &Listed, label: Label) -> Doubt {
        Doubt {
            handle: listed.handle.clone(),
            sequence: label.sequence,
            nonce: label.nonce,
            expires_at: listed.expires_at,
            seen_at: self.ctx.now.wall,
            absences: 0,
        }
    }

    /// What is in doubt and listed no more is in doubt no more, after as many absences as prove it.
    fn doubts_surveyed(&mut self, survey: &SurveyFact) {
        let (least, bound, now) = (
            self.ctx.timing.absences,
            self.ctx.rules.propagation_bound,
            self.ctx.now.wall,
        );
        for doubt in &mut self.rotation.doubts {
            if survey.handles.contains(&doubt.handle) {
                doubt.absences = 0;
            } else {
                doubt.absences = doubt.absences.saturating_add(1);
            }
        }
        self.rotation.doubts.retain(|doubt| {
            let gone = doubt.absences >= least && between(doubt.seen_at, now) > bound;
            let expired = doubt
                .expires_at
                .is_some_and(|end| end <= survey.provider_time);
            !(gone || expired)
        });
    }

    /// Lost answers that were not among the listed.
    fn watch_surveyed(&mut self, survey: &SurveyFact) {
        let (now, timing) = (self.ctx.now.wall, self.ctx.timing);
        let mut expired = Vec::new();
        for credential in &mut self.rotation.credentials {
            let (id, over) = (credential.id, credential.has_expired(survey.provider_time));
            let Some(watch) = credential.watch_mut() else {
                continue;
            };
            if over {
                expired.push(id);
                continue;
            }
            if watch.next_look <= now {
                watch.absences = watch.absences.saturating_add(1);
                watch.next_look = later(
                    now,
                    backoff::exponential(timing.watch_first, timing.watch_most, watch.absences),
                );
                watch.dormant = watch.absences >= timing.absences
                    && between(watch.since, now) >= timing.dormant_after;
            }
        }
        for id in expired {
            self.gone(id);
        }
    }
}
