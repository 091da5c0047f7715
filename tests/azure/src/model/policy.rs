//! What a tenant's app management policy says of passwords.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::PasswordRefusal;

/// Limits on the secrets of an application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PasswordPolicy {
    /// The policy's id, as refusals name it.
    pub id: Uuid,
    /// The longest lifetime, in seconds from now; unlimited if absent.
    pub max_lifetime_seconds: Option<u64>,
    /// Whether passwords may not be added at all.
    pub passwords_forbidden: bool,
}

impl PasswordPolicy {
    pub(super) fn permits(
        &self,
        now: DateTime<Utc>,
        end: DateTime<Utc>,
    ) -> Result<(), PasswordRefusal> {
        if self.passwords_forbidden {
            return Err(PasswordRefusal::TypeForbidden { policy: self.id });
        }
        let longest = self
            .max_lifetime_seconds
            .and_then(|seconds| i64::try_from(seconds).ok())
            .and_then(TimeDelta::try_seconds);
        match longest {
            Some(longest) if end - now > longest => {
                Err(PasswordRefusal::LifetimeTooLong { policy: self.id })
            }
            _ => Ok(()),
        }
    }
}
