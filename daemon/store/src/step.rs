//! A step of a rotation, committed: whole or not at all.

use chrono::{DateTime, Utc};
use rotord_rotation::{Rotation, Step, Write};

use crate::audit::AuditEntry;
use crate::columns::Text;
use crate::error::StoreError;
use crate::id::SecretId;
use crate::reader::Books;
use crate::rotations::RotationChange;
use crate::secret::SecretMap;
use crate::store::Store;

/// What belongs into one transaction.
#[derive(Debug, Clone, Copy)]
pub struct Commit<'a> {
    /// The time, by the wall clock.
    pub at: DateTime<Utc>,
    /// What the step was decided on: only what differs from it is written. None writes everything.
    pub old: Option<&'a Rotation>,
    /// What was decided.
    pub step: &'a Step,
    /// The outputs that came with the event, for a [`Write::KeepOutputs`].
    pub outputs: Option<&'a SecretMap>,
    /// What a person changed with it.
    pub change: Option<&'a RotationChange>,
    /// What becomes of the secrets: with a delete command, and only then.
    pub secrets: Option<SecretsFate>,
    /// What is noted with it.
    pub audit: &'a [AuditEntry],
}

impl<'a> Commit<'a> {
    /// A step with nothing beside it.
    pub fn new(at: DateTime<Utc>, old: &'a Rotation, step: &'a Step) -> Self {
        Self {
            old: Some(old),
            ..Self::first(at, step)
        }
    }

    /// The first step of a rotation.
    pub fn first(at: DateTime<Utc>, step: &'a Step) -> Self {
        Self {
            at,
            old: None,
            step,
            outputs: None,
            change: None,
            secrets: None,
            audit: &[],
        }
    }
}

/// What becomes of the secrets of a rotation that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretsFate {
    /// They stay with their newest values, as ordinary secrets that nothing feeds.
    Keep,
    /// They are removed with their histories.
    Remove,
}

/// What a commit did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The installation's generation with it.
    pub generation: u64,
    /// The secrets that got a new version.
    pub published: Vec<PublishedSecret>,
}

/// A secret that got a new version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedSecret {
    /// Its id.
    pub id: SecretId,
    /// Its name.
    pub name: String,
    /// The output that feeds it.
    pub output: String,
    /// Its newest version.
    pub version: u32,
}

impl Store {
    /// Commits a step: the state, its credentials, all its writes, and what goes with it, in one transaction. Only
    /// after it has succeeded the step's call may be made.
    ///
    /// # Errors
    /// Whatever it is, the state is to be read again before anything else is decided.
    pub fn commit_step(&mut self, commit: &Commit<'_>) -> Result<Committed, StoreError> {
        let kept = self.kept_versions;
        let published = self.write(|books| books.apply(commit, kept))?;
        Ok(Committed {
            generation: self.generation,
            published,
        })
    }
}

impl Books<'_> {
    pub(crate) fn apply(
        &self,
        commit: &Commit<'_>,
        kept: u32,
    ) -> Result<Vec<PublishedSecret>, StoreError> {
        let rotation = &commit.step.rotation;
        // Before the state, which may say that it is being deleted.
        if let Some(change) = commit.change {
            self.change_rotation(rotation.id, change, commit.at)?;
        }
        self.save_state(rotation, commit.step.wake_at)?;
        if is_news(commit) {
            self.touch(rotation.id, commit.at)?;
        }
        let known = commit.old.map_or(&[][..], |old| &old.credentials);
        let changed = self.save_credentials(rotation.id, known, &rotation.credentials)?;
        self.end_former_names(&changed)?;
        if let Some(fate) = commit.secrets {
            self.give_up_secrets(rotation.id, fate)?;
        }
        let mut published = Vec::new();
        for write in &commit.step.writes {
            match *write {
                Write::KeepOutputs { credential } => {
                    let outputs = commit.outputs.ok_or_else(|| StoreError::NoSuchOutput {
                        credential: credential.to_string(),
                        output: "(any)".to_owned(),
                    })?;
                    self.keep_outputs(credential, outputs)?;
                }
                Write::Publish { credential } => {
                    published.extend(self.publish(rotation.id, credential, kept, commit.at)?);
                }
                Write::DropOutputs { credential } => self.drop_outputs(credential)?,
                Write::RemoveRotation => self.remove_rotation(rotation)?,
            }
        }
        self.note(commit.at, commit.audit)?;
        Ok(published)
    }

    /// What it fed stays, unless a delete command said otherwise before.
    fn remove_rotation(&self, rotation: &Rotation) -> Result<(), StoreError> {
        self.give_up_secrets(rotation.id, SecretsFate::Keep)?;
        self.bury_credentials(rotation.id)?;
        self.sql
            .prepare_cached("DELETE FROM rotations WHERE id = ?1")?
            .execute([Text(rotation.id)])?;
        Ok(())
    }
}

/// A person would say that the rotation was updated: not at each login of a proof.
fn is_news(commit: &Commit<'_>) -> bool {
    let new = &commit.step.rotation;
    commit.step.ended.is_some()
        || commit
            .old
            .is_none_or(|old| old.plan != new.plan || old.life != new.life)
}
