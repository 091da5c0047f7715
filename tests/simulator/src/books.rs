//! The model of the store: all that survives a crash. One story in a hundred plays the real store beside it.

mod real;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rotord_rotation::label::Short;
use rotord_rotation::rotation::Facts;
use rotord_rotation::{
    Context, Credential, CredentialId, Decided, Event, Handle, Listed, Nonce, Refusal, Rotation,
    Step, Write,
};

use self::real::RealStore;

/// What is committed. A value is named by the handle of the credential that it is of.
#[derive(Debug)]
pub struct Books {
    /// The state; what it learned since the start is the process', and is dropped with it.
    pub rotation: Rotation,
    /// What is settled and in no slot.
    tombstones: Vec<Credential>,
    values: HashMap<CredentialId, Handle>,
    /// What the secret holds.
    pub published: Option<Handle>,
    /// The row is gone.
    pub removed: bool,
    /// While another state is decided: the committed one, where it was copied.
    before: Option<Box<Rotation>>,
    /// So many of the state's credentials are committed.
    known: usize,
    copy: Option<Box<Copy>>,
    real: Option<Box<RealStore>>,
}

/// The books as they once were.
#[derive(Debug)]
struct Copy {
    rotation: Rotation,
    tombstones: Vec<Credential>,
    values: HashMap<CredentialId, Handle>,
    published: Option<Handle>,
}

impl Books {
    /// With a rotation's first step.
    ///
    /// # Errors
    /// The real store fails, or does not hold what it was given.
    pub fn new(at: DateTime<Utc>, step: Step, real_store: bool) -> Result<Self, String> {
        let real = real_store
            .then(|| RealStore::new(at, &step).map(Box::new))
            .transpose()?;
        Ok(Self {
            rotation: step.rotation,
            tombstones: Vec::new(),
            values: HashMap::new(),
            published: None,
            removed: false,
            before: None,
            known: 0,
            copy: None,
            real,
        })
    }

    /// The real store is played beside this one.
    pub fn is_compared(&self) -> bool {
        self.real.is_some()
    }

    /// What an event means. From here on the state is what was decided, to be committed or undone. It is copied before
    /// where that is needed: where it may have to be undone, and for the real store.
    ///
    /// # Errors
    /// It is refused, and nothing has changed.
    pub fn decide(
        &mut self,
        event: Event,
        context: &Context<'_>,
        undoable: bool,
    ) -> Result<Decided, Refusal> {
        let keeps = undoable || self.is_compared() || matches!(event, Event::Command(_));
        self.before = keeps.then(|| Box::new(self.rotation.clone()));
        self.known = self.rotation.credentials.len();
        let decided = self.rotation.decide(event, context);
        if decided.is_err() {
            self.undo();
        }
        decided
    }

    /// What was decided is not committed.
    pub fn undo(&mut self) {
        if let Some(before) = self.before.take() {
            self.rotation = *before;
        }
    }

    /// What was decided can't be written down: nothing of it is. The real store is asked all the same, and refuses at
    /// the end of its transaction.
    ///
    /// # Errors
    /// The real store takes it, or keeps a part of it.
    pub fn refuse(
        &mut self,
        at: DateTime<Utc>,
        decided: &Decided,
        value: Option<&Handle>,
    ) -> Result<(), String> {
        if let (Some(real), Some(before)) = (&mut self.real, &self.before) {
            let step = Step::new(self.rotation.clone(), decided.clone());
            real.refuse(at, before, &step, value)?;
        }
        self.undo();
        match &self.real {
            Some(real) => real.compare(self),
            None => Ok(()),
        }
    }

    /// One transaction: all that was decided.
    ///
    /// # Errors
    /// It can't be written: what it publishes was never kept; or the real store does not agree.
    pub fn commit(
        &mut self,
        at: DateTime<Utc>,
        decided: &Decided,
        value: Option<&Handle>,
    ) -> Result<(), String> {
        let before = self.before.take();
        if let Some(real) = &mut self.real {
            let before = before.ok_or("the state before was not kept")?;
            let step = Step::new(self.rotation.clone(), decided.clone());
            real.commit(at, &before, &step, value)?;
        }
        for write in &decided.writes {
            match write {
                Write::KeepOutputs { credential } => {
                    let value = value.ok_or("outputs are to be kept, and none came")?;
                    self.values.insert(*credential, value.clone());
                }
                Write::Publish { credential } => {
                    let value = self.values.get(credential);
                    let value = value.ok_or("promise 4: published without its outputs")?;
                    self.published = Some(value.clone());
                }
                Write::DropOutputs { credential } => {
                    self.values.remove(credential);
                }
                Write::RemoveRotation => self.removed = true,
            }
        }
        let credentials = &mut self.rotation.credentials;
        // What comes back is settled no more.
        for back in credentials.iter().skip(self.known) {
            self.tombstones.retain(|t| t.id != back.id);
        }
        // What a store leaves out when it loads.
        let is_history = |c: &mut Credential| c.stage.is_settled() && c.slot.is_none();
        for settled in credentials.extract_if(.., is_history) {
            self.tombstones.retain(|t| t.id != settled.id);
            self.tombstones.push(settled);
        }
        match &self.real {
            Some(real) => real.compare(self),
            None => Ok(()),
        }
    }

    /// The process ended, or reads the state again: what it had learned is gone.
    pub fn forget_facts(&mut self) {
        self.rotation.facts = Facts::default();
    }

    /// The process ended.
    ///
    /// # Errors
    /// The real store can't be opened again, or holds something else.
    pub fn reopen(&mut self) -> Result<(), String> {
        self.forget_facts();
        match &mut self.real {
            Some(real) => real.reopen()?,
            None => return Ok(()),
        }
        self.real.as_ref().map_or(Ok(()), |real| real.compare(self))
    }

    /// Settled credentials, those in slots with them.
    pub fn settled(&self) -> impl Iterator<Item = &Credential> {
        let in_slots = self.rotation.credentials.iter();
        self.tombstones
            .iter()
            .chain(in_slots.filter(|c| c.stage.is_settled()))
    }

    /// What a survey's answer is completed with.
    pub fn tombstones(&self, listed: &[Listed]) -> Vec<Credential> {
        let ours = Short::from(self.rotation.id);
        let asked = |c: &&Credential| {
            let mut labels = listed.iter().filter_map(|listed| listed.label);
            labels.any(|label| label.nonce == c.nonce && label.rotation == ours)
        };
        self.settled().filter(asked).cloned().collect()
    }

    /// Every nonce that the books know.
    pub fn knows(&self, nonce: Nonce) -> bool {
        self.rotation.credentials.iter().any(|c| c.nonce == nonce)
            || self.tombstones.iter().any(|c| c.nonce == nonce)
    }

    /// A copy of the state directory is made.
    ///
    /// # Errors
    /// The real one can't be copied.
    pub fn make_copy(&mut self) -> Result<(), String> {
        if let Some(real) = &mut self.real {
            real.make_copy()?;
        }
        let mut rotation = self.rotation.clone();
        rotation.facts = Facts::default();
        self.copy = Some(Box::new(Copy {
            rotation,
            tombstones: self.tombstones.clone(),
            values: self.values.clone(),
            published: self.published.clone(),
        }));
        Ok(())
    }

    /// The copy takes the place of what is there. False where there is none.
    ///
    /// # Errors
    /// The real store can't be opened with it.
    pub fn restore(&mut self) -> Result<bool, String> {
        let Some(copy) = self.copy.take() else {
            return Ok(false);
        };
        self.rotation = copy.rotation;
        self.tombstones = copy.tombstones;
        self.values = copy.values;
        self.published = copy.published;
        self.removed = false;
        if let Some(real) = &mut self.real {
            real.restore()?;
        }
        self.real
            .as_ref()
            .map_or(Ok(()), |real| real.compare(self))?;
        Ok(true)
    }
}
