//! The label under which a credential is issued.
//!
//! It is the only handle on a credential whose answer was lost, so it names everything that recovery must
//! know: whose it is (installation), what for (rotation), how new (sequence) and which attempt (nonce).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{InstallationId, RotationId};

/// What every label of rotord starts with.
pub const PREFIX: &str = "rotord";

/// Names one attempt. Drawn at random by the caller of [`crate::Rotation::step`]; 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Nonce(pub u64);

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nonce({self})")
    }
}

impl From<Nonce> for String {
    fn from(nonce: Nonce) -> Self {
        nonce.to_string()
    }
}

impl TryFrom<String> for Nonce {
    type Error = NotALabel;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        hex(&text, 16).map(Self).ok_or(NotALabel)
    }
}

/// The short form of an id: the first 48 bits. Enough to tell apart what one host or one application holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Short(u64);

impl From<InstallationId> for Short {
    fn from(id: InstallationId) -> Self {
        Self::of(id.0)
    }
}

impl From<RotationId> for Short {
    fn from(id: RotationId) -> Self {
        Self::of(id.0)
    }
}

impl Short {
    fn of(id: uuid::Uuid) -> Self {
        Self(id.as_u64_pair().0 >> 16)
    }
}

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}", self.0)
    }
}

impl fmt::Debug for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `rotord-INSTALLATION-ROTATION-SEQUENCE-NONCE`, for example
/// `rotord-5f0c3a1be2d4-9ac2b1d0e3f4-17-00c0ffee00c0ffee`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Label {
    /// Whose credential it is.
    pub installation: Short,
    /// What it is for.
    pub rotation: Short,
    /// Counts a rotation's attempts, from 1.
    pub sequence: u64,
    /// Which attempt it is.
    pub nonce: Nonce,
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            installation,
            rotation,
            sequence,
            nonce,
        } = self;
        write!(f, "{PREFIX}-{installation}-{rotation}-{sequence}-{nonce}")
    }
}

/// The text is no label of rotord.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a label of rotord")]
pub struct NotALabel;

impl FromStr for Label {
    type Err = NotALabel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('-');
        let mut next = || parts.next().ok_or(NotALabel);
        if next()? != PREFIX {
            return Err(NotALabel);
        }
        let label = Self {
            installation: Short(hex(next()?, 12).ok_or(NotALabel)?),
            rotation: Short(hex(next()?, 12).ok_or(NotALabel)?),
            sequence: next()?.parse().map_err(|_| NotALabel)?,
            nonce: Nonce(hex(next()?, 16).ok_or(NotALabel)?),
        };
        // Only the one spelling that we write: a label with leading zeros or a plus sign is somebody else's.
        if parts.next().is_some() || label.to_string() != text {
            return Err(NotALabel);
        }
        Ok(label)
    }
}

fn hex(text: &str, digits: usize) -> Option<u64> {
    (text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
        .then(|| u64::from_str_radix(text, 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label() -> Label {
        Label {
            installation: InstallationId(uuid::Uuid::from_u128(0x5f0c_3a1b_e2d4 << 80)).into(),
            rotation: RotationId(uuid::Uuid::from_u128(0x9ac2_b1d0_e3f4 << 80)).into(),
            sequence: 17,
            nonce: Nonce(0x00c0_ffee_00c0_ffee),
        }
    }

    #[test]
    fn a_label_reads_back_as_it_was_written() {
        let text = label().to_string();
        assert_eq!(text, "rotord-5f0c3a1be2d4-9ac2b1d0e3f4-17-00c0ffee00c0ffee");
        assert_eq!(text.parse(), Ok(label()));
    }

    #[test]
    fn what_only_looks_like_a_label_is_none() {
        for text in [
            "",
            "rotord",
            "rotord-5f0c3a1be2d4-9ac2b1d0e3f4-17",
            "rotord-5f0c3a1be2d4-9ac2b1d0e3f4-17-00c0ffee00c0ffee-",
            "rotord-5f0c3a1be2d4-9ac2b1d0e3f4-017-00c0ffee00c0ffee",
            "rotord-5f0c3a1be2d4-9ac2b1d0e3f4-+17-00c0ffee00c0ffee",
            "rotord-5F0C3A1BE2D4-9ac2b1d0e3f4-17-00c0ffee00c0ffee",
            "Rotord-5f0c3a1be2d4-9ac2b1d0e3f4-17-00c0ffee00c0ffee",
            "rotord-5f0c3a1be2-9ac2b1d0e3f4-17-00c0ffee00c0ffee",
        ] {
            assert_eq!(text.parse::<Label>(), Err(NotALabel), "{text}");
        }
    }
}
