//! Sealing: what is secret leaves this process only encrypted and bound to its place.
//!
//! AES-256-GCM under a data key, a random nonce each time, and as associated data the place: table, row and
//! version. A sealed value that was copied to another row or is older than its row does not open. The data
//! keys themselves are kept wrapped by the root key ([`crate::root_key`]).

use std::collections::BTreeMap;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{constant_time, rand};
use zeroize::Zeroizing;

use crate::secret::NotASecretMap;

pub(crate) const KEY_LEN: usize = 32;

/// Names a data key in the database.
pub(crate) type DataKeyId = i64;

/// Why a value was not sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The database does not hold the data key that the row names.
    #[error("the data key {key} is not there")]
    NoSuchKey {
        /// As the row names it.
        key: i64,
    },
    /// Another key sealed it, or its row was changed or moved.
    #[error("the value in {table} was not sealed there under this key")]
    NotSealedHere {
        /// Where it was found.
        table: &'static str,
    },
    /// It opened, and is not what belongs there.
    #[error("the opened value in {table} has another form")]
    WrongForm {
        /// Where it was found.
        table: &'static str,
    },
    /// The cryptographic library could not do its work.
    #[error("the random generator or the cipher failed")]
    Cipher,
}

/// Where a sealed value stands.
#[derive(Clone, Copy)]
pub(crate) struct Location<'a> {
    pub(crate) table: &'static str,
    pub(crate) row: &'a str,
    pub(crate) version: i64,
}

impl Location<'_> {
    /// No two places give the same bytes: the parts have lengths.
    fn associated_data(self) -> Vec<u8> {
        let mut bytes = b"rotord seal 1".to_vec();
        for part in [self.table, self.row] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes.extend_from_slice(&self.version.to_be_bytes());
        bytes
    }

    pub(crate) fn wrong_form(self, _: NotASecretMap) -> SealError {
        SealError::WrongForm { table: self.table }
    }
}

/// A key that seals.
pub(crate) struct SealingKey(RandomizedNonceKey);

impl SealingKey {
    pub(crate) fn new(key: &[u8]) -> Result<Self, SealError> {
        RandomizedNonceKey::new(&AES_256_GCM, key)
            .map(Self)
            .map_err(|_| SealError::Cipher)
    }

    /// Nonce, ciphertext and tag.
    pub(crate) fn seal(&self, location: Location<'_>, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let aad = Aad::from(location.associated_data());
        let mut text = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
        text.extend_from_slice(plain);
        // In place: where it fails, the plain text is wiped with this holder.
        let mut text = Zeroizing::new(text);
        let nonce = self
            .0
            .seal_in_place_append_tag(aad, &mut *text)
            .map_err(|_| SealError::Cipher)?;
        let mut sealed = Vec::with_capacity(NONCE_LEN + text.len());
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&text);
        Ok(sealed)
    }

    pub(crate) fn open(
        &self,
        location: Location<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let not_here = SealError::NotSealedHere {
            table: location.table,
        };
        let (nonce, text) = sealed
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(not_here.clone())?;
        let mut text = Zeroizing::new(text.to_vec());
        let aad = Aad::from(location.associated_data());
        let opened = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut text)
            .map_err(|_| not_here)?
            .len();
        text.truncate(opened);
        Ok(text)
    }
}

/// A data key itself.
pub(crate) type PlainKey = Zeroizing<Vec<u8>>;

/// The data keys of the database, unwrapped.
pub(crate) struct KeyRing {
    keys: BTreeMap<DataKeyId, DataKey>,
    newest: DataKeyId,
}

struct DataKey {
    seals: SealingKey,
    /// For a backup, which wraps it once more.
    plain: PlainKey,
}

impl KeyRing {
    /// None where there is no key.
    pub(crate) fn new(
        keys: impl IntoIterator<Item = (DataKeyId, PlainKey)>,
    ) -> Result<Option<Self>, SealError> {
        let keys = keys.into_iter().map(|(id, plain)| {
            let seals = SealingKey::new(&plain)?;
            Ok((id, DataKey { seals, plain }))
        });
        let keys = keys.collect::<Result<BTreeMap<_, _>, SealError>>()?;
        let newest = keys.last_key_value().map(|(id, _)| *id);
        Ok(newest.map(|newest| Self { keys, newest }))
    }

    /// The keys themselves, the oldest first.
    pub(crate) fn plain(&self) -> impl Iterator<Item = (DataKeyId, &PlainKey)> {
        self.keys.iter().map(|(id, key)| (*id, &key.plain))
    }

    /// Whether it is this data key.
    pub(crate) fn holds(&self, id: DataKeyId, plain: &[u8]) -> bool {
        self.keys
            .get(&id)
            .is_some_and(|key| constant_time::verify_slices_are_equal(&key.plain, plain).is_ok())
    }

    /// Seals under the newest key, and names it.
    pub(crate) fn seal(
        &self,
        location: Location<'_>,
        plain: &[u8],
    ) -> Result<(DataKeyId, Vec<u8>), SealError> {
        Ok((self.newest, self.key(self.newest)?.seal(location, plain)?))
    }

    pub(crate) fn open(
        &self,
        location: Location<'_>,
        key: DataKeyId,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.key(key)?.open(location, sealed)
    }

    fn key(&self, id: DataKeyId) -> Result<&SealingKey, SealError> {
        let key = self.keys.get(&id);
        key.map(|key| &key.seals)
            .ok_or(SealError::NoSuchKey { key: id })
    }
}

/// Fresh bytes for a key.
pub(crate) fn random_key() -> Result<Zeroizing<[u8; KEY_LEN]>, SealError> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    rand::fill(&mut *key).map_err(|_| SealError::Cipher)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Location<'static> = Location {
        table: "secret_versions",
        row: "a",
        version: 3,
    };

    #[test]
    fn a_value_opens_where_it_was_sealed_and_nowhere_else() {
        let key = SealingKey::new(&[7; KEY_LEN]).unwrap();
        let sealed = key.seal(HERE, b"hunter2").unwrap();
        assert_eq!(key.open(HERE, &sealed).unwrap().as_slice(), b"hunter2");
        let elsewhere = [
            Location { row: "b", ..HERE },
            Location { version: 2, ..HERE },
            Location {
                table: "credentials",
                ..HERE
            },
            Location {
                table: "secret_version",
                row: "sa",
                ..HERE
            },
        ];
        for location in elsewhere {
            assert!(key.open(location, &sealed).is_err());
        }
        let other = SealingKey::new(&[8; KEY_LEN]).unwrap();
        assert!(other.open(HERE, &sealed).is_err());
    }

    #[test]
    fn a_changed_or_cut_value_does_not_open() {
        let key = SealingKey::new(&[7; KEY_LEN]).unwrap();
        let sealed = key.seal(HERE, b"hunter2").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open(HERE, &changed).is_err(), "byte {at}");
            assert!(key.open(HERE, &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn no_two_sealings_are_the_same() {
        let key = SealingKey::new(&[7; KEY_LEN]).unwrap();
        assert_ne!(key.seal(HERE, b"x").unwrap(), key.seal(HERE, b"x").unwrap());
    }

    #[test]
    fn an_unknown_data_key_is_named() {
        let keys = [(1, Zeroizing::new(vec![7; KEY_LEN]))];
        let ring = KeyRing::new(keys).unwrap().unwrap();
        let gone = ring.open(HERE, 2, &[0; 40]).unwrap_err();
        assert_eq!(gone, SealError::NoSuchKey { key: 2 });
    }
}
