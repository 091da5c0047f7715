//! A key from a passphrase.

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::rand;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::container::base64_bytes;
use crate::seal::{KEY_LEN, SealError};
use crate::secret::Secret;

/// What RFC 9106 recommends where 2 GiB are too much: 64 MiB, three passes, four lanes.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;
const SALT_LEN: usize = 16;

/// A file that asks for more is not one of ours: it would only fill the memory.
const MOST_MEMORY_KIB: u32 = 1024 * 1024;
const MOST_PASSES: u32 = 64;
const MOST_LANES: u32 = 64;

/// How a key is derived from a passphrase: argon2id, version 19. Kept in the file, so that later versions may ask
/// for more.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Derivation {
    algorithm: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    #[serde(with = "base64_bytes")]
    salt: Vec<u8>,
}

const ALGORITHM: &str = "argon2id-19";

impl Derivation {
    /// With a new salt.
    pub(super) fn new() -> Result<Self, SealError> {
        let mut salt = vec![0; SALT_LEN];
        rand::fill(&mut salt).map_err(|_| SealError::Cipher)?;
        Ok(Self {
            algorithm: ALGORITHM.to_owned(),
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            lanes: LANES,
            salt,
        })
    }

    pub(super) fn derive(
        &self,
        passphrase: &Secret,
    ) -> Result<Zeroizing<[u8; KEY_LEN]>, SealError> {
        let too_much = self.memory_kib > MOST_MEMORY_KIB
            || self.passes > MOST_PASSES
            || self.lanes > MOST_LANES;
        if self.algorithm != ALGORITHM || too_much {
            return Err(SealError::Cipher);
        }
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(KEY_LEN))
            .map_err(|_| SealError::Cipher)?;
        let mut key = Zeroizing::new([0; KEY_LEN]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose(), &self.salt, &mut *key)
            .map_err(|_| SealError::Cipher)?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quick() -> Derivation {
        Derivation {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
            ..Derivation::new().unwrap()
        }
    }

    #[test]
    fn a_key_follows_from_passphrase_and_salt_alone() {
        let (one, other) = (quick(), quick());
        let (right, wrong) = (Secret::new("correct horse"), Secret::new("correct hors"));
        assert_eq!(one.derive(&right).unwrap(), one.derive(&right).unwrap());
        assert_ne!(one.derive(&right).unwrap(), one.derive(&wrong).unwrap());
        assert_ne!(one.derive(&right).unwrap(), other.derive(&right).unwrap());
    }

    #[test]
    fn a_file_cannot_ask_for_all_memory_or_for_another_algorithm() {
        for greedy in [
            Derivation {
                memory_kib: u32::MAX,
                ..quick()
            },
            Derivation {
                passes: u32::MAX,
                ..quick()
            },
            Derivation {
                algorithm: "md5".to_owned(),
                ..quick()
            },
        ] {
            assert!(greedy.derive(&Secret::new("x")).is_err(), "{greedy:?}");
        }
    }
}
