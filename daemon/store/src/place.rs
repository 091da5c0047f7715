//! What a commit is called where a test build can be killed in it.

use rotord_crash::Step as Place;
use rotord_rotation::{Call, Phase, Rotation, Write};

use crate::step::Commit;

impl Commit<'_> {
    /// The most telling of what it does.
    pub fn place(&self) -> Place {
        let (new, writes) = (&self.step.rotation, &self.step.writes);
        let Some(old) = self.old else {
            return Place::Create;
        };
        if writes.iter().any(|w| matches!(w, Write::Publish { .. })) {
            return Place::Publish;
        }
        if writes
            .iter()
            .any(|w| matches!(w, Write::KeepOutputs { .. }))
        {
            return Place::Keep;
        }
        if new.life.is_deleting() && !old.life.is_deleting() {
            return Place::Delete;
        }
        if old.plan.auto && !new.plan.auto {
            return Place::Pause;
        }
        match &self.step.call {
            Some(Call::Survey) => Place::Survey,
            Some(Call::Inspect) => Place::Inspect,
            Some(Call::Issue { .. }) => Place::Issue,
            Some(Call::Verify { .. }) => Place::Verify,
            Some(Call::Revoke { .. }) => Place::Revoke,
            None if adds_to_proof(old, new) => Place::Verify,
            None => Place::Other,
        }
    }
}

/// What one login showed of the run's credential is kept; the next one is made without a commit.
fn adds_to_proof(old: &Rotation, new: &Rotation) -> bool {
    match (&old.run, &new.run) {
        (Some(then), Some(now)) => {
            matches!(
                (&then.phase, &now.phase),
                (Phase::Verifying { proof: then, .. }, Phase::Verifying { proof: now, .. })
                    if then != now
            )
        }
        _ => false,
    }
}
