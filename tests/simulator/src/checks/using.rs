//! What is published works, whichever replica answers.

use crate::world::{Checked, World};

impl World {
    /// The consumer logs in with what is published.
    pub(crate) fn check_consumer(&self) -> Checked<()> {
        let Some(handle) = &self.books.published else {
            return Ok(());
        };
        let now = self.clock.now;
        let Some(real) = self.provider.real(handle) else {
            return Err(format!("published what never was: {handle}"));
        };
        if real.works_everywhere(now) || !self.is_soak_enough(self.published_by) {
            return Ok(());
        }
        // What no daemon on this host could do anything about: off or hindered for longer than it lives, removed by
        // somebody else, given up by a person.
        let hindered = real.expires_at <= now && !self.is_calm_story();
        if hindered || real.removed_outside || real.word || self.provider.disabled {
            return Ok(());
        }
        Err(format!("the consumer's login with {handle} failed"))
    }

    /// After each commit.
    pub(crate) fn check_committed(&self) -> Checked<()> {
        self.check_books()?;
        self.check_view()?;
        self.check_consumer()
    }

    /// Promise 4, in the books: the secret holds what is active.
    fn check_view(&self) -> Checked<()> {
        if self.books.removed {
            return Ok(());
        }
        let active = self.books.rotation.active().and_then(|c| c.handle.as_ref());
        match (active, &self.books.published) {
            (Some(active), published) if published.as_ref() != Some(active) => Err(format!(
                "promise 4: {active} is active and {published:?} is published"
            )),
            _ => Ok(()),
        }
    }

    fn is_calm_story(&self) -> bool {
        self.scenario.faults == crate::fault::Strengths::CALM && self.disturbed_at.is_none()
    }

    /// What is published works.
    pub(crate) fn is_in_use(&self) -> bool {
        self.books
            .published
            .as_ref()
            .and_then(|handle| self.provider.real(handle))
            .is_some_and(|real| real.works_everywhere(self.clock.now))
    }
}
