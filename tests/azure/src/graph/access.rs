//! Who calls, and what they may.

use crate::entra::AccessClaims;
use crate::exchange::Exchange;
use crate::jwt::{Malformed, Token};
use crate::model::{AppId, AppRole, Application, ObjectId};
use crate::route::Key;

use super::error::GraphError;

/// A caller whose token was believed.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// Its client id.
    pub app_id: AppId,
    principal: Option<ObjectId>,
    roles: Vec<AppRole>,
}

/// Believes a bearer token, or not.
pub(super) fn authenticate(exchange: &Exchange<'_>) -> Result<Caller, GraphError> {
    let text = exchange
        .request
        .header("authorization")
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty())
        .ok_or_else(|| GraphError::unauthenticated("Access token is empty."))?;
    let token = Token::<AccessClaims>::parse(text).map_err(|malformed| {
        GraphError::unauthenticated(match malformed {
            Malformed::Parts => "IDX14100: JWT is not well formed, there are no dots (.).",
            Malformed::Content => "CompactToken parsing failed with error code: 80049217",
        })
    })?;
    if !token.is_signed_by(exchange.world.key.public_key()) {
        return Err(GraphError::unauthenticated(
            "Access token validation failure. Invalid signature.",
        ));
    }
    let claims = token.claims;
    if !crate::entra::is_graph(exchange, &claims.aud) {
        return Err(GraphError::unauthenticated(
            "Access token validation failure. Invalid audience.",
        ));
    }
    let now = exchange.now.timestamp();
    if now >= claims.exp || now < claims.nbf {
        return Err(GraphError::unauthenticated(
            "Access token has expired or is not yet valid.",
        ));
    }
    Ok(Caller {
        app_id: claims.appid,
        principal: claims.oid,
        roles: claims.roles,
    })
}

impl Caller {
    /// Reading applications and service principals.
    pub(super) fn may_read(&self) -> Result<(), GraphError> {
        self.has_one_of(&[
            AppRole::ApplicationReadAll,
            AppRole::ApplicationReadWriteOwnedBy,
            AppRole::ApplicationReadWriteAll,
            AppRole::DirectoryReadAll,
            AppRole::DirectoryReadWriteAll,
        ])
    }

    /// Reading the tenant itself.
    pub(super) fn may_read_organization(&self) -> Result<(), GraphError> {
        self.has_one_of(&[
            AppRole::OrganizationReadAll,
            AppRole::DirectoryReadAll,
            AppRole::DirectoryReadWriteAll,
        ])
    }

    /// Reading the policies for applications.
    pub(super) fn may_read_policies(&self) -> Result<(), GraphError> {
        self.has_one_of(&[
            AppRole::PolicyReadAll,
            AppRole::PolicyReadWriteApplicationConfiguration,
        ])
    }

    /// Changing some application's secrets, whichever it is.
    pub(super) fn may_write(&self) -> Result<(), GraphError> {
        self.has_one_of(&[
            AppRole::ApplicationReadWriteOwnedBy,
            AppRole::ApplicationReadWriteAll,
        ])
    }

    /// Changing this application's secrets: by the wide role, or the narrow one and ownership.
    pub(super) fn may_write_to(&self, app: &Application) -> Result<(), GraphError> {
        let owns = self
            .principal
            .is_some_and(|principal| app.owners.contains(&principal));
        if self.roles.contains(&AppRole::ApplicationReadWriteAll) || owns {
            Ok(())
        } else {
            Err(GraphError::denied())
        }
    }

    fn has_one_of(&self, roles: &[AppRole]) -> Result<(), GraphError> {
        if self.roles.iter().any(|role| roles.contains(role)) {
            Ok(())
        } else {
            Err(GraphError::denied())
        }
    }
}

/// The application that a path names.
pub(super) fn application<'w>(
    exchange: &'w Exchange<'_>,
    key: &Key,
) -> Result<&'w Application, GraphError> {
    let tenant = &exchange.world.tenant;
    match key {
        Key::Id(text) => {
            let id = text.parse().map_err(|_| GraphError::malformed_id(text))?;
            tenant.by_object_id(id)
        }
        Key::AppId(text) => {
            let id = text.parse().map_err(|_| GraphError::malformed_id(text))?;
            tenant.by_app_id(id)
        }
    }
    .ok_or_else(|| GraphError::not_found(key.text()))
}
