//! What of a step is worth a line in the log: what was done at the provider, and what began or ceased to be wrong.

use rotord_rotation::credential::Reason;
use rotord_rotation::rotation::Urgent;
use rotord_rotation::{Credential, Rotation, RunEnd, Stage, Step, Timing, Unpublished, Write};
use rotord_store::Committed;
use tracing::field::display;

/// What fails once and works at the next look is worth no line: a service can do that for days.
const IN_A_ROW: u32 = 2;

/// A rotation's step, once it is committed.
pub(super) struct Story<'a> {
    pub(super) name: &'a str,
    pub(super) before: &'a Rotation,
    pub(super) step: &'a Step,
    pub(super) committed: &'a Committed,
    pub(super) timing: &'a Timing,
}

impl Story<'_> {
    pub(super) fn tell(&self) {
        self.tell_run();
        self.tell_writes();
        for credential in &self.step.rotation.credentials {
            self.tell_credential(credential);
        }
        self.tell_end();
        self.tell_contact();
        self.tell_doubts();
    }

    fn tell_run(&self) {
        let (rotation, name) = (&self.step.rotation, self.name);
        if let Some(run) = &rotation.run
            && self.before.run.as_ref().map(|run| run.id) != Some(run.id)
        {
            tracing::info!(rotation = %rotation.id, name, run = run.kind.name(), "a run begins");
        }
    }

    fn tell_writes(&self) {
        let (rotation, name) = (&self.step.rotation, self.name);
        for write in &self.step.writes {
            match write {
                Write::Publish { credential } => {
                    let credential = rotation.credential(*credential);
                    let handle = credential.and_then(|c| c.handle.as_ref()).map(display);
                    let attempt = credential.map(|credential| display(credential.nonce));
                    tracing::info!(
                        rotation = %rotation.id, name, handle, attempt, secrets = self.committed.published.len(),
                        next = rotation.next_rotation_at(self.timing).map(display), "published a new credential"
                    );
                }
                Write::RemoveRotation => {
                    tracing::info!(rotation = %rotation.id, name, "the rotation is settled and gone");
                }
                Write::KeepOutputs { .. } | Write::DropOutputs { .. } => {}
            }
        }
    }

    /// Where one credential stands now that did not stand there before.
    fn tell_credential(&self, now: &Credential) {
        let (id, name) = (self.step.rotation.id, self.name);
        let (handle, attempt) = (now.handle.as_ref().map(display), display(now.nonce));
        let before = self.before.credential(now.id).map(|known| &known.stage);
        match (before, &now.stage) {
            (Some(Stage::Lost(_)), Stage::Lost(_)) => {}
            (_, Stage::Lost(watch)) => {
                tracing::warn!(
                    rotation = %id, name, attempt, next = %watch.next_look,
                    "the answer to an attempt was lost: what it may have made is looked for by its label"
                );
            }
            (Some(Stage::Lost(_)), Stage::Retiring(_)) => {
                tracing::info!(
                    rotation = %id, name, handle, attempt,
                    "what a lost answer had made was found, and is being removed"
                );
            }
            (Some(Stage::Lost(_)), Stage::Gone) => {
                tracing::info!(
                    rotation = %id, name, attempt,
                    "a lost answer is settled: nothing that works came of it"
                );
            }
            (Some(Stage::Retiring(before)), Stage::Retiring(now))
                if before.accepted_at.is_none() && now.accepted_at.is_some() =>
            {
                tracing::info!(
                    rotation = %id, name, handle, attempt, why = why(now.reason),
                    "the provider accepted a revoke"
                );
            }
            (Some(Stage::Retiring(before)), Stage::Gone) => {
                tracing::info!(
                    rotation = %id, name, handle, attempt, why = why(before.reason),
                    "a credential is gone at the provider"
                );
            }
            _ => {}
        }
    }

    fn tell_end(&self) {
        let (rotation, name) = (&self.step.rotation, self.name);
        if let Some(RunEnd {
            kind,
            result: Err(Unpublished::Failed(why)),
            ..
        }) = &self.step.ended
        {
            tracing::warn!(
                rotation = %rotation.id, name, run = kind.name(), why,
                next = rotation.next_rotation_at(self.timing).map(display),
                "a run failed; what was published before stays"
            );
        }
    }

    /// What is seen of the provider, where it is another thing than before.
    fn tell_contact(&self) {
        let (before, rotation, name) = (self.before, &self.step.rotation, self.name);
        let id = rotation.id;
        let (failed, fails) = (before.contact.failures, rotation.contact.failures);
        if failed < IN_A_ROW && fails >= IN_A_ROW {
            let (why, next) = (
                &rotation.contact.trouble,
                rotation.contact.again_at.map(display),
            );
            tracing::warn!(rotation = %id, name, why, next, "looking at the target fails");
        } else if failed >= IN_A_ROW && fails == 0 {
            tracing::info!(rotation = %id, name, "the target can be looked at again");
        }
        match (
            &before.contact.login_refused,
            &rotation.contact.login_refused,
        ) {
            (None, Some(why)) => {
                tracing::warn!(
                    rotation = %id, name, why, next = %rotation.next_drift_check,
                    "the published credential did not log in"
                );
            }
            (Some(_), None) => {
                tracing::info!(rotation = %id, name, "the published credential logs in, or was replaced");
            }
            _ => {}
        }
        let skew =
            |rotation: &Rotation| rotation.skew().filter(|skew| *skew > self.timing.skew_most);
        if let (None, Some(skew)) = (skew(before), skew(rotation)) {
            tracing::error!(
                rotation = %id, name, seconds = skew.as_secs(),
                "this host's clock and the provider's are too far apart: nothing is published, and nothing revoked \
                 unasked, until they agree"
            );
        }
        if let (None, Some(why)) = (&before.blocked, &rotation.blocked) {
            tracing::error!(rotation = %id, name, why, "nothing is issued until this is mended");
        }
        let drifted = |rotation: &Rotation| rotation.urgent == Some(Urgent::Drifted);
        if drifted(rotation) && !drifted(before) {
            let what = rotation.message.as_deref();
            tracing::error!(rotation = %id, name, what, "the published credential works no more");
        }
    }

    fn tell_doubts(&self) {
        let (rotation, name) = (&self.step.rotation, self.name);
        for doubt in &rotation.doubts {
            let mut known = self.before.doubts.iter();
            if !known.any(|known| known.handle == doubt.handle) {
                tracing::error!(
                    rotation = %rotation.id, name, handle = %doubt.handle,
                    "the provider lists a credential under this rotation's label that the database does not know: \
                     adopt it or remove it"
                );
            }
        }
    }
}

/// Why a credential is removed.
fn why(reason: Reason) -> &'static str {
    match reason {
        Reason::Superseded => "it was replaced, and its time has passed",
        Reason::Failed => "its attempt failed",
        Reason::Found => "its answer had been lost",
        Reason::Ordered => "a person ordered it",
        Reason::Deleted => "its rotation was deleted",
        Reason::Room => "its place was needed",
    }
}
