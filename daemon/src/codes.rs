//! Which code of the catalogue each of the parts' own errors and notices has. Every match here is exhaustive:
//! a new kind of error does not compile before it is explained.

use rotord_api::catalogue::{self as codes, Entry};
use rotord_api::issue::Severity;
use rotord_provider::http::{Certificate, Reached};
use rotord_provider::{CallError, LoadError, contract};
use rotord_rotation::summary::{Notice, NoticeCode, Urgency};
use rotord_store::OpenError;
use rotord_store::lock::LockError;
use rotord_store::root_key::RootKeyError;

use crate::app::StartError;
use crate::listen::BindError;
use crate::settings::SettingsError;

/// What a rotation tells.
pub fn of_notice(notice: NoticeCode) -> &'static Entry {
    match notice {
        NoticeCode::StateIsOld => &codes::STATE_IS_OLD,
        NoticeCode::UnknownLabel => &codes::UNKNOWN_LABEL,
        NoticeCode::Blocked => &codes::BLOCKED,
        NoticeCode::DeletionWaits => &codes::DELETION_WAITS,
        NoticeCode::Drifted => &codes::DRIFTED,
        NoticeCode::OverlapCut => &codes::OVERLAP_CUT,
        NoticeCode::CreationFailed => &codes::CREATION_FAILED,
        NoticeCode::Expired => &codes::EXPIRED,
        NoticeCode::Expiring => &codes::EXPIRING,
        NoticeCode::Overdue => &codes::OVERDUE,
        NoticeCode::Failing => &codes::FAILING,
        NoticeCode::ManualFailed => &codes::MANUAL_FAILED,
        NoticeCode::Urgent => &codes::URGENT,
        NoticeCode::ClockSkew => &codes::CLOCK_SKEW,
        NoticeCode::ProviderMissing => &codes::PROVIDER_MISSING,
        NoticeCode::ProviderTrouble => &codes::PROVIDER_TROUBLE,
        NoticeCode::LoginRefused => &codes::LOGIN_REFUSED,
        NoticeCode::Unreconciled => &codes::UNRECONCILED,
        NoticeCode::RemovalWaits => &codes::REMOVAL_WAITS,
    }
}

/// How bad it is what a rotation tells. One answer for status, doctor and the exit codes of both.
pub fn severity_of(notice: &Notice) -> Severity {
    match (notice.code, notice.urgency) {
        // What is published works; it grows old, and that is what somebody is called for.
        (NoticeCode::Failing | NoticeCode::Overdue, _) | (_, Urgency::Attention) => {
            Severity::Problem
        }
        (_, Urgency::Warning) => Severity::Warning,
        (_, Urgency::Note) => Severity::Fine,
    }
}

/// A call that gave no answer.
pub fn of_call(error: &CallError) -> &'static Entry {
    match error {
        CallError::Fault(fault) => of_fault(&fault.kind),
        CallError::Trap { .. } => &codes::PROVIDER_TRAPPED,
        CallError::TimedOut { .. } => &codes::PROVIDER_TIMED_OUT,
        CallError::MemoryLimit { .. } | CallError::OutputLimit { .. } => &codes::PROVIDER_TOO_LARGE,
        CallError::Nonsense(_) => &codes::PROVIDER_NONSENSE,
        CallError::Instantiation(_) | CallError::Host(_) => &codes::PROVIDER_FAILED,
    }
}

/// A file that is used as no provider.
pub fn of_load(error: &LoadError) -> &'static Entry {
    match error {
        LoadError::NotExecutable(_) => &codes::ENGINE_FORBIDDEN,
        LoadError::Unreadable(_)
        | LoadError::NotAFile
        | LoadError::TooLarge { .. }
        | LoadError::NotAComponent(_)
        | LoadError::NotAProvider
        | LoadError::OtherContract { .. }
        | LoadError::ForeignImport(_)
        | LoadError::Mismatch(_)
        | LoadError::Describe(_)
        | LoadError::InvalidDescription(_)
        | LoadError::DuplicateSlug { .. }
        | LoadError::Host(_) => &codes::PROVIDER_NOT_LOADED,
    }
}

/// A provider's own word that a call went wrong.
pub fn of_fault(kind: &contract::FaultKind) -> &'static Entry {
    use contract::FaultKind;

    match kind {
        FaultKind::InvalidInput(_) => &codes::INVALID_INPUT,
        FaultKind::Unauthorized => &codes::UNAUTHORIZED,
        FaultKind::NotFound => &codes::NOT_FOUND,
        FaultKind::Throttled => &codes::THROTTLED,
        FaultKind::Unavailable => &codes::UNAVAILABLE,
        FaultKind::Ambiguous => &codes::AMBIGUOUS,
        FaultKind::Full => &codes::FULL,
        FaultKind::Internal => &codes::INTERNAL,
        FaultKind::Refused => &codes::REFUSED,
        FaultKind::Other(_) => &codes::OTHER_FAULT,
    }
}

/// How far a host was reached.
pub fn of_reached(reached: &Reached) -> &'static Entry {
    match reached {
        Reached::Yes { .. } => &codes::HOST_REACHED,
        Reached::NotGranted => &codes::HOST_CLOSED,
        Reached::NoName(_) => &codes::HOST_UNKNOWN,
        Reached::PrivateAddress(_) => &codes::HOST_PRIVATE,
        Reached::NoConnection(_) => &codes::HOST_UNREACHED,
        Reached::TimedOut(_) => &codes::HOST_SLOW,
        Reached::NoTls(_) => &codes::TLS_FAILED,
        Reached::NoAuthorities(_) => &codes::NO_AUTHORITIES,
        Reached::Refused(why) => match why {
            Certificate::Untrusted => &codes::CERTIFICATE_UNTRUSTED,
            Certificate::OutOfTime => &codes::CERTIFICATE_EXPIRED,
            Certificate::OtherName => &codes::CERTIFICATE_NAME,
            Certificate::Other(_) => &codes::CERTIFICATE_REFUSED,
        },
    }
}

/// Settings that can't be used.
pub fn of_settings(error: &SettingsError) -> &'static Entry {
    match error {
        SettingsError::Unreadable { .. } => &codes::SETTINGS_UNREADABLE,
        SettingsError::Wrong { .. }
        | SettingsError::Environment(_)
        | SettingsError::Senseless { .. } => &codes::SETTINGS_WRONG,
    }
}

/// A start that came to nothing.
pub fn of_start(error: &StartError) -> &'static Entry {
    match error {
        StartError::Log(_) => &codes::SETTINGS_WRONG,
        StartError::Store(error) => of_open(error),
        StartError::Reader(_) | StartError::Failed(_) => &codes::DATABASE_CLOSED,
        StartError::Host(_) => &codes::PROVIDER_HOST,
        StartError::Key { .. } => &codes::CACHE_KEY,
        StartError::Bind(BindError::InUse(_)) => &codes::SOCKET_IN_USE,
        StartError::Bind(BindError::NotASocket(_) | BindError::Group(_) | BindError::Io { .. }) => {
            &codes::SOCKET_PLACE
        }
        StartError::Signals(_) | StartError::Serve(_) => &codes::START_FAILED,
    }
}

fn of_open(error: &OpenError) -> &'static Entry {
    match error {
        OpenError::Directory { .. } | OpenError::Lock(LockError::Failed { .. }) => {
            &codes::STATE_DIRECTORY
        }
        OpenError::Lock(LockError::Held { .. }) => &codes::STATE_LOCKED,
        OpenError::RootKey(RootKeyError::Missing { .. }) => &codes::ROOT_KEY_MISSING,
        OpenError::RootKey(
            RootKeyError::Unreadable { .. }
            | RootKeyError::Exposed { .. }
            | RootKeyError::TooShort
            | RootKeyError::Cipher(_),
        ) => &codes::ROOT_KEY_UNUSABLE,
        OpenError::WrongRootKey { .. } => &codes::ROOT_KEY_WRONG,
        OpenError::Unreadable { .. } => &codes::DATABASE_CLOSED,
        OpenError::Damaged { .. } => &codes::DATABASE_DAMAGED,
        OpenError::Foreign { .. } => &codes::DATABASE_FOREIGN,
        OpenError::Newer { .. } => &codes::DATABASE_NEWER,
    }
}
