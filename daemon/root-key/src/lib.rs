//! What is derived from a root key's bytes: a label, which tells it from other root keys and tells nothing else of it,
//! and the key that wraps the data keys.
//!
//! A crate of its own, so that whoever holds a key can name it without showing it to anyone: `rotorctl` knows by the
//! label alone whether a file holds the daemon's key.

use aws_lc_rs::hkdf;
use zeroize::Zeroizing;

/// The fewest bytes of a root key.
pub const LEAST_BYTES: usize = 32;
/// The length of the key that wraps data keys, in bytes.
pub const WRAPPING_LEN: usize = 32;

const LABEL_LEN: usize = 8;

/// Why bytes are no root key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// There are too few of them.
    #[error("the root key has fewer than {LEAST_BYTES} bytes")]
    TooShort,
    /// The cryptographic library could not do its work.
    #[error("nothing can be derived from the root key")]
    Derivation,
}

/// What a root key gives, by HKDF-SHA256 (RFC 5869).
pub struct Derived(hkdf::Prk);

impl Derived {
    /// Takes exactly 32 bytes as they are; of a longer text, white space at its end is not part of the key.
    ///
    /// # Errors
    /// There are too few of them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unusable> {
        let bytes = if bytes.len() == LEAST_BYTES {
            bytes
        } else {
            bytes.trim_ascii_end()
        };
        if bytes.len() < LEAST_BYTES {
            return Err(Unusable::TooShort);
        }
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"rotord root key");
        Ok(Self(salt.extract(bytes)))
    }

    /// Tells this root key from others, in 16 hexadecimal digits, and tells nothing else of it.
    ///
    /// # Errors
    /// The cryptographic library could not do its work.
    pub fn label(&self) -> Result<String, Unusable> {
        let mut label = [0; LABEL_LEN];
        self.fill(b"label", &mut label)?;
        Ok(format!("{:016x}", u64::from_be_bytes(label)))
    }

    /// Wraps the data keys.
    ///
    /// # Errors
    /// The cryptographic library could not do its work.
    pub fn wrapping_key(&self) -> Result<Zeroizing<[u8; WRAPPING_LEN]>, Unusable> {
        let mut wrapping = Zeroizing::new([0; WRAPPING_LEN]);
        self.fill(b"wrap data keys", &mut *wrapping)?;
        Ok(wrapping)
    }

    fn fill(&self, purpose: &[u8], out: &mut [u8]) -> Result<(), Unusable> {
        self.0
            .expand(&[purpose], Length(out.len()))
            .and_then(|derived| derived.fill(out))
            .map_err(|_| Unusable::Derivation)
    }
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(bytes: &[u8]) -> String {
        Derived::from_bytes(bytes).unwrap().label().unwrap()
    }

    #[test]
    fn a_line_end_after_a_text_is_not_part_of_the_key() {
        let text = [b'a'; 64];
        let line = [&text[..], b"\n"].concat();
        assert_eq!(label(&text), label(&line));
    }

    #[test]
    fn thirty_two_bytes_are_taken_as_they_are() {
        let binary = [[1; 31].as_slice(), b"\n"].concat();
        assert!(Derived::from_bytes(&binary).is_ok());
        let padded = [b"short".as_slice(), &[b' '; 64]].concat();
        for short in [&binary[..31], &padded] {
            assert_eq!(Derived::from_bytes(short).err(), Some(Unusable::TooShort));
        }
    }

    /// Databases and backups are found by it: what RFC 5869 gives for it, computed by other means.
    #[test]
    fn the_label_of_a_key_never_changes() {
        assert_eq!(label(&[b'k'; 64]), "82836e717754dd3b");
        assert_ne!(label(&[b'k'; 64]), label(&[b'j'; 64]));
    }
}
