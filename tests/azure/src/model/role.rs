//! Application permissions of Microsoft Graph, with the ids that the real service gives them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::{Uuid, uuid};

/// A permission that a service principal can be granted on Graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[allow(missing_docs, reason = "the variants are Microsoft's names")]
pub enum AppRole {
    ApplicationReadAll,
    ApplicationReadWriteAll,
    ApplicationReadWriteOwnedBy,
    DirectoryReadAll,
    DirectoryReadWriteAll,
    OrganizationReadAll,
    AuditLogReadAll,
    UserReadAll,
    PolicyReadAll,
    PolicyReadWriteApplicationConfiguration,
}

/// A role name that this stand-in has no id for.
#[derive(Debug, thiserror::Error)]
#[error("unknown application role {0:?}")]
pub struct UnknownRole(String);

impl AppRole {
    /// Every role there is here.
    pub const ALL: [Self; 10] = [
        Self::ApplicationReadAll,
        Self::ApplicationReadWriteAll,
        Self::ApplicationReadWriteOwnedBy,
        Self::DirectoryReadAll,
        Self::DirectoryReadWriteAll,
        Self::OrganizationReadAll,
        Self::AuditLogReadAll,
        Self::UserReadAll,
        Self::PolicyReadAll,
        Self::PolicyReadWriteApplicationConfiguration,
    ];

    /// The value in a token's `roles`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ApplicationReadAll => "Application.Read.All",
            Self::ApplicationReadWriteAll => "Application.ReadWrite.All",
            Self::ApplicationReadWriteOwnedBy => "Application.ReadWrite.OwnedBy",
            Self::DirectoryReadAll => "Directory.Read.All",
            Self::DirectoryReadWriteAll => "Directory.ReadWrite.All",
            Self::OrganizationReadAll => "Organization.Read.All",
            Self::AuditLogReadAll => "AuditLog.Read.All",
            Self::UserReadAll => "User.Read.All",
            Self::PolicyReadAll => "Policy.Read.All",
            Self::PolicyReadWriteApplicationConfiguration => {
                "Policy.ReadWrite.ApplicationConfiguration"
            }
        }
    }

    /// The `appRoleId` of an assignment.
    pub fn id(self) -> Uuid {
        match self {
            Self::ApplicationReadAll => uuid!("9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30"),
            Self::ApplicationReadWriteAll => uuid!("1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9"),
            Self::ApplicationReadWriteOwnedBy => uuid!("18a4783c-866b-4cc7-a460-3d5e5662c884"),
            Self::DirectoryReadAll => uuid!("7ab1d382-f21e-4acd-a863-ba3e13f7da61"),
            Self::DirectoryReadWriteAll => uuid!("19dbc75e-c2e2-444c-a770-ec69d8559fc7"),
            Self::OrganizationReadAll => uuid!("498476ce-e0fe-48b0-b801-37ba7e2685c6"),
            Self::AuditLogReadAll => uuid!("b0afded3-3588-46d8-8b3d-9842eff778da"),
            Self::UserReadAll => uuid!("df021288-bdef-4463-88db-98f22de89214"),
            Self::PolicyReadAll => uuid!("246dd0d5-5bd0-4def-940b-0421030a5b68"),
            Self::PolicyReadWriteApplicationConfiguration => {
                uuid!("be74164b-cff1-491c-8741-e671cb536e13")
            }
        }
    }
}

impl fmt::Display for AppRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for AppRole {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

impl TryFrom<String> for AppRole {
    type Error = UnknownRole;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<AppRole> for String {
    fn from(role: AppRole) -> Self {
        role.name().to_owned()
    }
}
