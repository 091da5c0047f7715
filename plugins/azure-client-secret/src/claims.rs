//! What an access token says of its bearer.
//!
//! A token is Graph's to read, not its bearer's, so nothing is decided by these claims alone: they make
//! findings exact, and where they can't be read, a finding says so.

use base64ct::{Base64UrlUnpadded, Encoding};
use rotor_provider_sdk::Secret;
use serde::Deserialize;

/// The permission to change every application.
pub(crate) const WRITE_ALL: &str = "Application.ReadWrite.All";
/// The permission to change the applications that one owns.
pub(crate) const WRITE_OWNED: &str = "Application.ReadWrite.OwnedBy";

/// The permission to read every policy of the tenant.
pub(crate) const READ_POLICIES: &str = "Policy.Read.All";

/// Each of these lets its bearer read the policies for applications.
const POLICY_READERS: [&str; 3] = [
    "Policy.Read.ApplicationConfiguration",
    "Policy.ReadWrite.ApplicationConfiguration",
    READ_POLICIES,
];

/// Directory roles whose bearers may change every application without an application permission:
/// Application Administrator, Cloud Application Administrator, Global Administrator.
const ADMINISTRATORS: [&str; 3] = [
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
    "158c047a-c907-4556-b7ef-446551a6b5f7",
    "62e90394-69f5-4237-9190-012177145e10",
];

/// The claims that matter here.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Claims {
    /// Application permissions that an administrator granted.
    #[serde(default)]
    pub(crate) roles: Vec<String>,
    /// Directory roles, by their templates' ids.
    #[serde(default)]
    wids: Vec<String>,
    /// The object id of the bearer's service principal.
    pub(crate) oid: Option<String>,
    /// The tenant's id.
    pub(crate) tid: Option<String>,
}

impl Claims {
    /// Reads a token's claims without checking its signature: nobody but Entra's own answer gave it to us.
    pub(crate) fn read(token: &Secret) -> Option<Self> {
        let payload = token.expose_text()?.split('.').nth(1)?;
        let json = Base64UrlUnpadded::decode_vec(payload.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&json).ok()
    }

    pub(crate) fn has(&self, role: &str) -> bool {
        self.roles.iter().any(|granted| granted == role)
    }

    /// Whether the bearer may read the policies for applications.
    pub(crate) fn may_read_policies(&self) -> bool {
        POLICY_READERS.iter().any(|reader| self.has(reader))
    }

    /// What lets the bearer change every application, if anything does.
    pub(crate) fn may_write_all(&self) -> Option<&'static str> {
        if self.has(WRITE_ALL) {
            return Some(WRITE_ALL);
        }
        let administers = |id: &String| ADMINISTRATORS.contains(&id.as_str());
        self.wids
            .iter()
            .any(administers)
            .then_some("a directory role of an application administrator")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_and_unknown_claims_ignored() {
        let payload = Base64UrlUnpadded::encode_string(
            br#"{"aud":"x","roles":["Application.ReadWrite.OwnedBy"],"oid":"o","xms":[{}]}"#,
        );
        let claims = Claims::read(&format!("e30.{payload}.sig").into()).unwrap();
        assert!(claims.has(WRITE_OWNED));
        assert!(!claims.has(WRITE_ALL));
        assert_eq!(claims.oid.as_deref(), Some("o"));
    }

    #[test]
    fn a_directory_role_grants_as_much_as_the_permission() {
        for (claims, expected) in [
            (r#"{"roles":["Application.ReadWrite.All"]}"#, true),
            (r#"{"wids":["158c047a-c907-4556-b7ef-446551a6b5f7"]}"#, true),
            (r#"{"roles":["Application.ReadWrite.OwnedBy"]}"#, false),
            // What every application's token has.
            (
                r#"{"wids":["0997a1d0-0d1d-4acb-b408-d5ca73121e90"]}"#,
                false,
            ),
            ("{}", false),
        ] {
            let claims: Claims = serde_json::from_str(claims).unwrap();
            assert_eq!(claims.may_write_all().is_some(), expected, "{claims:?}");
        }
    }

    #[test]
    fn policies_are_read_with_any_of_three_permissions() {
        for (role, expected) in [
            ("Policy.Read.All", true),
            ("Policy.Read.ApplicationConfiguration", true),
            ("Policy.ReadWrite.ApplicationConfiguration", true),
            ("Policy.Read.ConditionalAccess", false),
            ("Application.ReadWrite.All", false),
        ] {
            let claims = Claims {
                roles: vec![role.to_owned()],
                ..Claims::default()
            };
            assert_eq!(claims.may_read_policies(), expected, "{role}");
        }
    }

    #[test]
    fn a_token_that_is_no_jwt_has_no_claims() {
        for opaque in ["", "TEST_ACCESS_TOKEN", "a.b", "a.!!!.c", "a.e30=x.c"] {
            assert!(Claims::read(&opaque.into()).is_none(), "{opaque}");
        }
    }
}
