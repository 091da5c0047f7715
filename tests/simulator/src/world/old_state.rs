//! The books are copied, and the copy is put in their place some rotations later.

use std::time::Duration;

use rotord_rotation::{Handle, Nonce};

use super::{Checked, World};
use crate::fault::Fault;
use crate::provider::Owner;

/// What is known of copies and restores.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "marks that the checks read, each on its own"
)]
pub(crate) struct OldState {
    /// A copy is there; it is put back after so many more publications.
    copied: Option<u64>,
    published: u64,
    /// The books were restored.
    pub(crate) restored: bool,
    /// Nothing at the provider can tell that they are old: no label that they do not know is listed by every
    /// replica. Only the witness could, and it was lost, too.
    pub(crate) blind: bool,
    /// `StateIsOld` is committed.
    pub(crate) is_told: bool,
    /// A person has resolved what was in doubt.
    pub(crate) resolved: bool,
    /// What was issued and is not in the restored books: they can't know it until a list shows it.
    pub(crate) unknown: Vec<Nonce>,
}

impl OldState {
    pub(crate) fn published(&mut self) {
        self.published += 1;
    }
}

impl World {
    /// A copy is made, or the one that there is takes the place of the books.
    pub(crate) fn copies(&mut self) -> Checked<()> {
        match self.old.copied {
            None if !self.old.restored => {
                let later = *self
                    .rng
                    .of(Fault::OldState)
                    .pick(&[0, 0, 1, 2, 10])
                    .unwrap_or(&0);
                self.take_copy(later)
            }
            None => Ok(()),
            Some(at) if at > self.old.published => Ok(()),
            Some(_) => self.restore(),
        }
    }

    /// A copy is made while a call is under way: it holds an open nonce, or a credential that is being proved.
    pub(crate) fn copies_in_a_call(&mut self) -> Checked<()> {
        if self.old.copied.is_some() || self.old.restored {
            return Ok(());
        }
        let later = *self
            .rng
            .of(Fault::OldState)
            .pick(&[0, 1, 2, 10])
            .unwrap_or(&0);
        self.take_copy(later)
    }

    fn take_copy(&mut self, later: u64) -> Checked<()> {
        self.note(|| format!("the books are copied, to come back {later} publications later"));
        self.old.copied = Some(self.old.published + later);
        self.books.make_copy()
    }

    fn restore(&mut self) -> Checked<()> {
        let now = self.clock.now;
        let witness = self.rng.of(Fault::OldState).per_mille(500);
        self.old.copied = None;
        if !self.books.restore()? {
            return Ok(());
        }
        self.report.restores += 1;
        self.old.restored = true;
        self.old.is_told = false;
        self.note(|| format!("the books are restored from the copy; the witness tells: {witness}"));
        self.shell.stale = witness.then(|| "the witness is ahead of the database".to_owned());
        let ours = |real: &&crate::provider::Real| real.owner == Owner::Us;
        let mut unknown = Vec::new();
        let mut seen = false;
        for real in self
            .provider
            .credentials
            .iter()
            .chain(&self.provider.history)
            .filter(ours)
        {
            let Some(label) = real.label else { continue };
            if !self.books.knows(label.nonce) {
                unknown.push(label.nonce);
                seen |= real.made.lists.is_settled(now) && real.removed.is_none();
            }
        }
        let expected = self.provider.expected().map(|label| label.nonce);
        unknown.extend(expected.filter(|nonce| !self.books.knows(*nonce)));
        self.old.unknown = unknown;
        self.old.blind = !witness && !seen;
        self.forgive();
        self.consumers_come_again();
        self.check_books()?;
        self.shell.call = None;
        let off = self
            .rng
            .of(Fault::OldState)
            .duration(Duration::from_mins(30));
        let stale = self.shell.stale.clone();
        self.books.forget_facts();
        self.shell.stale = stale;
        self.be_off(off, true)
    }

    /// What was removed or is being removed in the time that the books do not know of is nobody's fault.
    fn forgive(&mut self) {
        let books = &self.books;
        let holds: Vec<Handle> = books
            .rotation
            .credentials
            .iter()
            .filter_map(|c| c.handle.clone())
            .chain(books.published.clone())
            .collect();
        for real in &mut self.provider.credentials {
            real.not_before = None;
        }
        for handle in holds {
            let expected = self.provider.expects_removal(&handle);
            if let Some(real) = self.provider.real_mut(&handle) {
                real.removed_outside |= expected || real.removed.is_some();
            }
        }
    }

    /// A label that the restored books could not know.
    pub(crate) fn is_unknown(&self, nonce: Nonce) -> bool {
        self.old.unknown.contains(&nonce)
    }
}
