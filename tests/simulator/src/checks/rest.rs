//! What must hold when a story has come to rest.

use rotord_rotation::{Life, Outcome};

use crate::provider::Owner;
use crate::world::{Checked, World};

impl World {
    /// Nothing is left over, nothing is in doubt, and what is published works.
    pub(crate) fn check_rest(&mut self) -> Checked<()> {
        let now = self.clock.now;
        for real in self.provider.living(Owner::Us, now) {
            let Some(label) = real.label else { continue };
            if !self.is_kept(&label, &real.handle) {
                return Err(format!(
                    "at rest, {} is alive and not in the books",
                    real.handle
                ));
            }
        }
        for real in self
            .provider
            .credentials
            .iter()
            .chain(&self.provider.history)
        {
            let others = real.owner != Owner::Us && !real.adopted;
            if others && real.removed.is_some() && !real.removed_outside {
                return Err(format!("promise 2: {} was another's", real.handle));
            }
        }
        if self.books.removed {
            return Ok(());
        }
        let rotation = &self.books.rotation;
        if rotation.needs_attention() {
            return Err(format!("at rest in doubt: {:?}", rotation.doubts));
        }
        if let Some(trouble) = &rotation.contact.trouble {
            return Err(format!("at rest with trouble: {trouble}"));
        }
        if rotation.life == Life::Live && rotation.plan.auto {
            if !self.is_in_use() && self.is_soak_enough(self.published_by) {
                return Err("at rest and the consumer can't log in".to_owned());
            }
            let quiet = rotation.outcome != Outcome::Failed || rotation.message.is_some();
            if !quiet {
                return Err("at rest, failed without a word".to_owned());
            }
        }
        self.check_consumer()
    }
}
