//! The backup file's form.
//!
//! A line that says what it is and in which version, the header's length (4 bytes, the highest first), the header as
//! JSON, the database sealed under the newest data key, and a SHA-256 of all before it. The seal is bound to the
//! header, so neither opens with another's. The checksum tells a damaged file from a wrong passphrase, and lets a
//! file be checked without any key.

use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::passphrase::Derivation;
use crate::seal::{DataKeyId, KeyRing, Location, SealError};

const MAGIC: &[u8] = b"rotord backup 1\n";
/// What every version begins with.
const MAGIC_OF_ALL: &[u8] = b"rotord backup ";

/// What a backup says of itself before it is opened.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Header {
    pub(super) installation: String,
    pub(super) generation: u64,
    pub(super) taken_at: DateTime<Utc>,
    /// The version that wrote it.
    pub(super) rotord: String,
    /// How the key is derived that wraps those data keys which name no root key.
    pub(super) passphrase: Option<Derivation>,
    pub(super) data_keys: Vec<WrappedKey>,
}

/// A data key, wrapped.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WrappedKey {
    pub(crate) key: DataKeyId,
    /// The label of the root key; none is the passphrase.
    pub(crate) root_key: Option<String>,
    #[serde(with = "base64_bytes")]
    pub(crate) wrapped: Vec<u8>,
}

/// What a backup is of, for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The installation's id.
    pub installation: String,
    /// How many transactions it had committed.
    pub generation: u64,
    /// When it was taken.
    pub taken_at: DateTime<Utc>,
    /// The version of rotord that took it.
    pub rotord: String,
    /// The labels of the root keys that open it.
    pub root_keys: Vec<String>,
    /// A passphrase opens it, too.
    pub passphrase: bool,
}

/// A backup file that was read and is whole, and is not opened yet.
pub struct BackupFile {
    path: PathBuf,
    header: Header,
    /// Without the checksum.
    bytes: Vec<u8>,
    /// Where the sealed database begins.
    body: usize,
}

/// Why a backup can't be used. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It can't be read.
    #[error("can't read the backup {}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It begins otherwise.
    #[error("{} is not a backup of rotord", .path.display())]
    NotABackup {
        /// The file.
        path: PathBuf,
    },
    /// Another version of the form.
    #[error("the backup {} has the form {found}, which this rotord does not know: restore it with the version of rotord that made it, or a newer one", .path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: String,
    },
    /// It is not as it was written.
    #[error("the backup {} is damaged: {what}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// The passphrase is not the one that it was made with.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// It was made without a passphrase.
    #[error("the backup {} was made without a passphrase: only the root key of its host opens it", .path.display())]
    NoPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// The host's root key does not open it, and no passphrase was given.
    #[error(
        "the backup {} was sealed under the root key {}, which is not this host's{}",
        .path.display(), .known.join(", "),
        if *.passphrase { ": its passphrase is needed" } else { ", and it was made without a passphrase: that root key is needed" }
    )]
    OtherRootKey {
        /// The file.
        path: PathBuf,
        /// The labels of the keys that open it.
        known: Vec<String>,
        /// Whether a passphrase opens it, too.
        passphrase: bool,
    },
    /// The cryptographic library could not do its work, or the file asks for too much.
    #[error("the backup {} can't be opened", .path.display())]
    Cipher {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SealError,
    },
}

impl BackupFile {
    /// What it is of.
    pub fn about(&self) -> About {
        let header = self.header.clone();
        let mut root_keys: Vec<String> = header
            .data_keys
            .into_iter()
            .filter_map(|key| key.root_key)
            .collect();
        root_keys.sort();
        root_keys.dedup();
        About {
            installation: header.installation,
            generation: header.generation,
            taken_at: header.taken_at,
            rotord: header.rotord,
            root_keys,
            passphrase: header.passphrase.is_some(),
        }
    }

    pub(super) fn parse(path: &Path, mut bytes: Vec<u8>) -> Result<Self, BackupError> {
        let path = path.to_owned();
        let damaged = |what: &str| BackupError::Damaged {
            path: path.clone(),
            what: what.to_owned(),
        };
        if !bytes.starts_with(MAGIC) {
            let Some(rest) = bytes.strip_prefix(MAGIC_OF_ALL) else {
                return Err(BackupError::NotABackup { path });
            };
            let found = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric());
            let found = found.take(16).map(|byte| char::from(*byte)).collect();
            return Err(BackupError::OtherVersion { path, found });
        }
        let cut = || damaged("it is cut off, or was changed");
        let checksum = bytes.len().checked_sub(SHA256_OUTPUT_LEN).ok_or_else(cut)?;
        let (content, said) = bytes.split_at_checked(checksum).ok_or_else(cut)?;
        if digest(&SHA256, content).as_ref() != said {
            return Err(cut());
        }
        let (length, rest) = content
            .get(MAGIC.len()..)
            .and_then(|rest| rest.split_first_chunk())
            .ok_or_else(cut)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| cut())?;
        let header = rest.get(..length).ok_or_else(cut)?;
        let header =
            serde_json::from_slice(header).map_err(|_| damaged("its header can't be read"))?;
        bytes.truncate(checksum);
        Ok(Self {
            path,
            header,
            body: MAGIC.len() + size_of::<u32>() + length,
            bytes,
        })
    }

    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn damaged(&self, what: &str) -> BackupError {
        BackupError::Damaged {
            path: self.path.clone(),
            what: what.to_owned(),
        }
    }

    /// Every data key that this root key wraps; none is the passphrase.
    pub(crate) fn wrapped_by(&self, root_key: Option<&str>) -> Vec<&WrappedKey> {
        self.header.wrapped_by(root_key).collect()
    }
}

impl Header {
    pub(super) fn wrapped_by(&self, root_key: Option<&str>) -> impl Iterator<Item = &WrappedKey> {
        let keys = self.data_keys.iter();
        keys.filter(move |key| key.root_key.as_deref() == root_key)
    }
}

/// The file's bytes.
pub(super) fn write(header: &Header, keys: &KeyRing, image: &[u8]) -> Result<Vec<u8>, SealError> {
    let text = serde_json::to_vec(header).map_err(|_| SealError::Cipher)?;
    let length = u32::try_from(text.len()).map_err(|_| SealError::Cipher)?;
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&text);
    let (_, sealed) = keys.seal(place(&hash(&bytes), header), image)?;
    bytes.extend_from_slice(&sealed);
    let checksum = digest(&SHA256, &bytes);
    bytes.extend_from_slice(checksum.as_ref());
    Ok(bytes)
}

/// The sealed database.
pub(super) fn open(file: &BackupFile, keys: &KeyRing) -> Result<Vec<u8>, BackupError> {
    let (head, sealed) = file.bytes.split_at(file.body);
    let newest = file.header.data_keys.iter().map(|key| key.key).max();
    let newest = newest.ok_or_else(|| file.damaged("it holds no data key"))?;
    keys.open(place(&hash(head), &file.header), newest, sealed)
        .map(|image| image.to_vec())
        .map_err(|_| file.damaged("its content was not sealed with its header"))
}

fn place<'a>(head: &'a str, header: &Header) -> Location<'a> {
    Location {
        table: "backup",
        row: head,
        version: header.generation.cast_signed(),
    }
}

fn hash(bytes: &[u8]) -> String {
    let hash = digest(&SHA256, bytes);
    let hex = hash.as_ref().iter().map(|byte| format!("{byte:02x}"));
    hex.collect()
}

impl std::fmt::Debug for BackupFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BackupFile")
            .field("path", &self.path)
            .field("generation", &self.header.generation)
            .finish_non_exhaustive()
    }
}

/// Bytes as base64 text.
pub(super) mod base64_bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        STANDARD.decode(text).map_err(D::Error::custom)
    }
}
