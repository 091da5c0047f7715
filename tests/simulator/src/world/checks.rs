//! The five promises, held against what the provider really has.

use rotord_rotation::{CredentialId, Gate, Handle, Stage, Step, Write};

use super::{Checked, World};

impl World {
    /// Promises 1 and 4, at the flip.
    pub(super) fn check_step(&self, step: &Step) -> Checked<()> {
        let was = self
            .rotation
            .as_ref()
            .and_then(|r| r.active())
            .map(|c| c.id);
        let is = step.rotation.active().map(|c| c.id);
        let published = step.writes.iter().find_map(|write| match write {
            Write::Publish { credential } => Some(*credential),
            _ => None,
        });
        if was != is && is.is_some() && published != is {
            return Err(
                "promise 4: the active one changed without a publication in the same step"
                    .to_owned(),
            );
        }
        if let Some(id) = published {
            if is != Some(id) {
                return Err("promise 4: published and not active".to_owned());
            }
            let handle = step.rotation.credential(id).and_then(|c| c.handle.clone());
            let real = self
                .provider
                .credentials
                .iter()
                .find(|real| Some(&real.handle) == handle.as_ref());
            if !real.is_some_and(|real| real.works_everywhere(self.now)) {
                return Err("promise 1: published before it works everywhere".to_owned());
            }
        }
        let slots: Vec<_> = step
            .rotation
            .credentials
            .iter()
            .filter_map(|c| c.slot)
            .collect();
        if slots.len() > 2 || (slots.len() == 2 && slots[0] == slots[1]) {
            return Err(format!("the slots hold {slots:?}"));
        }
        Ok(())
    }

    /// Promise 2, at each revoke.
    pub(super) fn check_revoke(&self, id: CredentialId, handle: &Handle) -> Checked<()> {
        let rotation = self.rotation.as_ref().ok_or("the rotation is gone")?;
        let credential = rotation
            .credential(id)
            .ok_or("promise 2: revokes what is not in the books")?;
        let real = self
            .provider
            .credentials
            .iter()
            .find(|real| real.handle == *handle);
        let real = real.ok_or("promise 2: revokes what never was")?;
        if real.label.is_none() {
            return Err("promise 2: revokes another's credential".to_owned());
        }
        if rotation.active().and_then(|c| c.handle.as_ref()) == Some(handle) {
            return Err("promise 2: revokes the published credential".to_owned());
        }
        let published = credential.published_at.is_some();
        let in_time = credential
            .revoke_not_before
            .is_some_and(|at| at <= self.now);
        let expired = real.expires_at <= self.now;
        if published && !in_time && !expired && !self.revoked_early_by_word.contains(handle) {
            return Err(format!(
                "promise 2: revokes before its time: {credential:?}"
            ));
        }
        let gate = credential.removal().map(|removal| removal.gate);
        if published
            && gate == Some(Gate::Open)
            && !credential.has_expired(self.now)
            && credential.stage == Stage::Active
        {
            return Err("promise 2: no gate before a published one".to_owned());
        }
        Ok(())
    }

    /// Promise 3, at any instant.
    pub(super) fn check_books(&self) -> Checked<()> {
        let Some(rotation) = &self.rotation else {
            return Ok(());
        };
        for real in self
            .provider
            .credentials
            .iter()
            .filter(|real| real.lives(self.now))
        {
            let Some(label) = real.label else { continue };
            let known = rotation.credentials.iter().any(|c| {
                c.nonce == label.nonce && !matches!(c.stage, Stage::Gone | Stage::Refused)
            });
            if !known {
                return Err(format!(
                    "promise 3: {} is alive and not in the books",
                    real.handle
                ));
            }
        }
        for foreign in self
            .provider
            .credentials
            .iter()
            .filter(|real| real.label.is_none())
        {
            if foreign.removed.is_some() {
                return Err("promise 2: another's credential was removed".to_owned());
            }
        }
        Ok(())
    }

    /// The consumer logs in with what is published, whichever replica answers.
    pub(super) fn check_consumer(&self) -> Checked<()> {
        let Some(active) = self.rotation.as_ref().and_then(|r| r.active()) else {
            return Ok(());
        };
        let Some(handle) = self.published.get(&active.id) else {
            return Err("promise 4: active and never published".to_owned());
        };
        let real = self
            .provider
            .credentials
            .iter()
            .find(|real| real.handle == *handle);
        // Off for longer than a credential lives: nothing that a daemon on this host could do.
        let Some(real) = real.filter(|real| real.expires_at > self.now) else {
            return Ok(());
        };
        if real.works_everywhere(self.now) {
            Ok(())
        } else {
            Err(format!("the consumer's login with {handle} failed"))
        }
    }
}
