//! What a scope asks for: one resource and `/.default`.

use super::error::EntraError;
use crate::exchange::Exchange;

/// A resource that a token can be made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resource {
    /// The token's audience: the resource as the scope names it.
    pub audience: String,
    /// Whether it is Graph, whose roles the token then carries.
    pub is_graph: bool,
}

/// Scopes of `OpenID` Connect, which add nothing to a login without a user.
const IGNORED: [&str; 4] = ["openid", "offline_access", "profile", "email"];

/// Azure Resource Manager, which every tenant knows.
const MANAGEMENT: [&str; 3] = [
    "https://management.azure.com",
    "https://management.core.windows.net",
    "797f4846-ba00-4fd7-ba43-dac1f8f63013",
];

/// Finds the resource of a scope.
pub(super) fn resource(exchange: &Exchange<'_>, scope: &str) -> Result<Resource, EntraError> {
    let wanted: Vec<&str> = scope
        .split_whitespace()
        .filter(|part| !IGNORED.contains(part))
        .collect();
    let audience = match wanted.as_slice() {
        [] => return Err(EntraError::scope_without_default(scope)),
        [one] => one
            .strip_suffix("/.default")
            .ok_or_else(|| EntraError::scope_without_default(scope))?,
        _ => return Err(EntraError::by_code(700_022)),
    };
    if audience.is_empty() {
        return Err(EntraError::by_code(70_011));
    }
    let name = audience.trim_end_matches('/');
    let world = &exchange.world;
    let is_graph = is_graph(exchange, audience);
    let is_known = is_graph
        || MANAGEMENT.contains(&name)
        || world.tenant.applications.iter().any(|app| {
            let app_id = app.app_id.to_string();
            name.eq_ignore_ascii_case(&app_id)
                || name
                    .strip_prefix("api://")
                    .is_some_and(|id| id.eq_ignore_ascii_case(&app_id))
                || app.identifier_uris.iter().any(|uri| uri == name)
        });
    if is_known {
        Ok(Resource {
            audience: audience.to_owned(),
            is_graph,
        })
    } else {
        Err(EntraError::unknown_resource(
            audience,
            &world.tenant.display_name,
        ))
    }
}

/// Whether an audience is this stand-in's Graph: by its cloud's address, by its client id, or by the
/// address that the client uses for the stand-in.
pub(crate) fn is_graph(exchange: &Exchange<'_>, audience: &str) -> bool {
    let name = audience.trim_end_matches('/');
    name == exchange.world.cloud.graph_resource()
        || name.eq_ignore_ascii_case("00000003-0000-0000-c000-000000000000")
        || name == exchange.request.base()
}
