//! What a call to the books can end with.

use std::{fmt, io};

use rusqlite::ErrorCode;

use crate::seal::SealError;

/// Why a call changed nothing, or may have (see the crate's documentation on reading again). Holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What is asked for goes against what is there.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// There is no such thing.
    #[error("there is no {what} {id}")]
    NotFound {
        /// A kind of thing.
        what: What,
        /// As it was asked for.
        id: String,
    },
    /// A step wants to write or publish an output that was not handed in or is not kept.
    #[error(
        "the credential {credential} has no output {output}: map the secrets to outputs that its provider gives"
    )]
    NoSuchOutput {
        /// Whose.
        credential: String,
        /// Which; `(any)` where there are none at all.
        output: String,
    },
    /// Another process holds the database for longer than is waited for.
    #[error("the database is held by another process")]
    Busy,
    /// The disk, or the database's own limit, is full.
    #[error("there is no room left for the database")]
    Full,
    /// The file or its file system can't be written.
    #[error("the database can't be written")]
    ReadOnly,
    /// The database's file is damaged.
    #[error("the database is damaged")]
    Corrupt(#[source] rusqlite::Error),
    /// The disk failed. What was being committed may be in the database or not.
    #[error("reading or writing the database's file failed{found}")]
    Disk {
        /// What `SQLite` says.
        source: rusqlite::Error,
        /// What a look at the disk afterwards tells, as [`Store::found`](crate::Store::found) takes it.
        found: DiskState,
    },
    /// A sealed value does not open: another key, or a row that was changed or moved.
    #[error("a sealed value does not open")]
    Sealed(#[from] SealError),
    /// A row holds what this version can't read.
    #[error("a row of the database can't be read")]
    Unreadable(#[source] rusqlite::Error),
    /// Anything else that the database says.
    #[error("the database refused")]
    Sql(#[source] rusqlite::Error),
}

/// What is wrong with the disk that the database is on, as far as can be seen. `SQLite` itself tells of a failed write
/// without saying why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskState {
    /// Nothing that could be told.
    Unknown,
    /// Its file system takes no writes: that is how a kernel leaves it after an error, too.
    ReadOnly,
    /// There is no room.
    Full,
}

impl fmt::Display for DiskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "",
            Self::ReadOnly => ": its file system is read-only",
            Self::Full => ": there is no room left",
        })
    }
}

impl StoreError {
    /// A plain no, given before anything was written: what was there before is there still.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Conflict(_) | Self::NotFound { .. } | Self::NoSuchOutput { .. }
        )
    }

    pub(crate) fn not_found(what: What, id: impl fmt::Display) -> Self {
        Self::NotFound {
            what,
            id: id.to_string(),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as Sql;
        match &error {
            Sql::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
                ErrorCode::DiskFull => Self::Full,
                ErrorCode::ReadOnly => Self::ReadOnly,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Corrupt(error),
                ErrorCode::SystemIoFailure | ErrorCode::CannotOpen => Self::Disk {
                    source: error,
                    found: DiskState::Unknown,
                },
                _ => Self::Sql(error),
            },
            Sql::FromSqlConversionFailure(..)
            | Sql::InvalidColumnType(..)
            | Sql::IntegralValueOutOfRange(..)
            | Sql::Utf8Error(..) => Self::Unreadable(error),
            _ => Self::Sql(error),
        }
    }
}

/// Whether a fault of the system may be gone at the next try, without a person's doing: no room, a failing disk,
/// something that is held or used up. What is missing or forbidden stays so.
pub fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    /// `EIO`, `ENFILE` and `EMFILE`, which have no kind.
    const CODES: [i32; 3] = [5, 23, 24];
    matches!(
        error.kind(),
        Kind::StorageFull
            | Kind::QuotaExceeded
            | Kind::ResourceBusy
            | Kind::WouldBlock
            | Kind::Interrupted
            | Kind::TimedOut
            | Kind::OutOfMemory
            | Kind::StaleNetworkFileHandle
    ) || error
        .raw_os_error()
        .is_some_and(|code| CODES.contains(&code))
}

/// What is asked for goes against what is there; nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Another rotation in this folder has the name.
    #[error("a rotation with the name \"{name}\" already exists at the path \"{path}\"")]
    RotationName {
        /// The name.
        name: String,
        /// The folder.
        path: String,
    },
    /// Secrets in this folder have names that are to be mapped. Former names that are still readable count.
    #[error(
        "these secrets already exist at the path \"{path}\" in \"{environment}\": {}",
        TakenName::listed(names)
    )]
    SecretNames {
        /// The names, and who has them.
        names: Vec<TakenName>,
        /// The environment's slug.
        environment: String,
        /// The folder.
        path: String,
    },
    /// Two outputs are to feed one secret.
    #[error("two outputs are mapped to the secret \"{name}\"")]
    MappedTwice {
        /// The secret's name.
        name: String,
    },
    /// Another connection has the name.
    #[error("a connection with the name \"{name}\" already exists")]
    ConnectionName {
        /// The name.
        name: String,
    },
    /// Rotations, or credentials of deleted ones that are still to be removed, need the connection.
    #[error("the connection is needed by: {}", rotations.join(", "))]
    ConnectionInUse {
        /// The rotations' names.
        rotations: Vec<String>,
    },
    /// The target can't be changed while credentials on it are unsettled.
    #[error(
        "the target can't be changed while it holds live credentials of this rotation: create another rotation for the other \
             target, and delete this one once nothing reads its secrets"
    )]
    TargetInUse,
    /// Another rotation holds the credential that is to be taken over.
    #[error("\"{handle}\" is a credential of the rotation \"{rotation}\"")]
    CredentialHeld {
        /// The provider's name for it.
        handle: String,
        /// Who holds it.
        rotation: String,
    },
    /// The rotation is being deleted.
    #[error("the rotation is being deleted")]
    Deleting,
    /// A rotation feeds the secret.
    #[error("the secret \"{name}\" is fed by a rotation")]
    RotatedSecret {
        /// The secret's name.
        name: String,
    },
    /// The folder is not empty.
    #[error("the folder \"{path}\" holds {holds}")]
    FolderInUse {
        /// The folder.
        path: String,
        /// In words.
        holds: String,
    },
    /// A project has the slug.
    #[error("a project with the slug \"{slug}\" already exists")]
    ProjectSlug {
        /// The slug.
        slug: String,
    },
    /// An environment of the project has the slug.
    #[error("an environment with the slug \"{slug}\" already exists")]
    EnvironmentSlug {
        /// The slug.
        slug: String,
    },
    /// The environment has the folder.
    #[error("the folder \"{path}\" already exists")]
    FolderPath {
        /// The folder.
        path: String,
    },
    /// There is already a rotation with this id.
    #[error("the rotation {id} already exists")]
    RotationId {
        /// The id.
        id: String,
    },
}

/// A kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A project.
    Project,
    /// An environment.
    Environment,
    /// A folder.
    Folder,
    /// A connection.
    Connection,
    /// A rotation.
    Rotation,
    /// A credential.
    Credential,
    /// A secret, or a version of it that is kept.
    Secret,
}

/// A secret's name that is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenName {
    /// It.
    pub name: String,
    /// The name of the rotation that feeds the secret; none feeds an ordinary one.
    pub rotation: Option<String>,
}

impl fmt::Display for TakenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rotation {
            Some(rotation) => write!(f, "{} (fed by the rotation {rotation})", self.name),
            None => write!(f, "{} (fed by no rotation)", self.name),
        }
    }
}

impl TakenName {
    /// Several, in one line.
    pub fn listed(names: &[Self]) -> String {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        names.join(", ")
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Project => "project",
            Self::Environment => "environment",
            Self::Folder => "folder",
            Self::Connection => "connection",
            Self::Rotation => "rotation",
            Self::Credential => "credential",
            Self::Secret => "secret",
        })
    }
}
