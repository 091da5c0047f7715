//! Promise 3, at any instant: every live credential of ours is in the books.

use rotord_rotation::{Credential, CredentialId, Label, Stage};

use crate::provider::Owner;
use crate::world::{Checked, World};

impl World {
    /// Everything that lives is known as something that may live.
    pub(crate) fn check_books(&self) -> Checked<()> {
        let now = self.clock.now;
        for real in self.provider.living(Owner::Us, now) {
            let Some(label) = real.label else { continue };
            if !self.is_kept(&label, &real.handle) && !self.is_unknown(label.nonce) {
                return Err(format!(
                    "promise 3: {} is alive and not in the books",
                    real.handle
                ));
            }
        }
        Ok(())
    }

    /// In the books, as something that may live; in doubt; or left alive on purpose.
    pub(crate) fn is_kept(&self, label: &Label, handle: &rotord_rotation::Handle) -> bool {
        let rotation = &self.books.rotation;
        let may_live =
            |c: &Credential| !matches!(c.stage, Stage::Gone | Stage::Refused | Stage::Released);
        let known = rotation
            .credentials
            .iter()
            .any(|c| c.nonce == label.nonce && may_live(c));
        if known && !self.books.removed {
            return true;
        }
        let real = self.provider.real(handle);
        let published = real.is_some_and(|real| real.published || real.adopted);
        let released =
            |c: &Credential| c.nonce == label.nonce && c.stage == Stage::Released && published;
        self.books.settled().any(released) || rotation.doubts.iter().any(|d| d.handle == *handle)
    }

    /// Before anything is created: its intent is committed.
    pub(crate) fn check_issue(&self, id: CredentialId, label: &Label) -> Checked<()> {
        let intent = self.books.rotation.credential(id);
        let written = intent.is_some_and(|c| c.stage == Stage::Intended && c.nonce == label.nonce);
        if !written {
            return Err("promise 3: something is created whose intent is not committed".to_owned());
        }
        let again = self
            .provider
            .credentials
            .iter()
            .chain(&self.provider.history);
        let mut again = again.filter(|real| real.label.is_some_and(|l| l.nonce == label.nonce));
        match again.next() {
            Some(real) => Err(format!("{} is created again under its label", real.handle)),
            None => Ok(()),
        }
    }
}
