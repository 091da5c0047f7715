//! What the tests rotate, and what Entra and Graph say of it.

use base64ct::{Base64UrlUnpadded, Encoding};
use rotor_provider_sdk::http::Response;
use rotor_provider_sdk::{Connection, NamedValue, Secret, Target};
use serde_json::json;

pub(crate) const TENANT: &str = "11112222-0000-4000-8000-00000000000f";
pub(crate) const ROTATOR: &str = "22223333-0000-4000-8000-00000000000e";
pub(crate) const ROTATOR_PRINCIPAL: &str = "33334444-0000-4000-8000-00000000000d";
pub(crate) const SECRET: &str = "rot8Q~the.connection_s-own+secret&/=~0000";
pub(crate) const OBJECT: &str = "765eb0e3-0000-4000-8000-00000000000a";
pub(crate) const CLIENT: &str = "8c3ed8d1-0000-4000-8000-00000000000b";
pub(crate) const KEY: &str = "8afd09fa-0000-4000-8000-000000000001";

/// 2026-09-04T01:51:03Z, which answers tell as [`DATE`].
pub(crate) const NOW: i64 = 1_788_486_663;
pub(crate) const DATE: &str = "Fri, 04 Sep 2026 01:51:03 GMT";

pub(crate) fn connection() -> Connection {
    Connection::new(
        "client-secret",
        [
            NamedValue::text("tenantId", TENANT),
            NamedValue::text("clientId", ROTATOR),
            NamedValue::secret("clientSecret", Secret::from(SECRET)),
        ],
    )
}

pub(crate) fn target() -> Target {
    target_with(OBJECT, CLIENT)
}

pub(crate) fn target_with(object_id: &str, client_id: &str) -> Target {
    Target::new(
        connection(),
        [
            NamedValue::text("objectId", object_id),
            NamedValue::text("clientId", client_id),
        ],
    )
}

/// A login that Entra grants, with these roles.
pub(crate) fn token(roles: &[&str]) -> Response {
    let claims = json!({
        "appid": ROTATOR, "oid": ROTATOR_PRINCIPAL, "tid": TENANT, "idtyp": "app", "roles": roles,
    });
    let claims = Base64UrlUnpadded::encode_string(claims.to_string().as_bytes());
    let body = json!({
        "token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599,
        "access_token": format!("e30.{claims}.c2ln"),
    });
    dated(200, &body)
}

/// Graph's answer for the application.
pub(crate) fn application() -> serde_json::Value {
    json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#applications/$entity",
        "id": OBJECT, "appId": CLIENT, "displayName": "billing",
        "signInAudience": "AzureADMyOrg", "passwordCredentials": [],
    })
}

pub(crate) fn not_found() -> Response {
    dated(
        404,
        &json!({"error": {"code": "Request_ResourceNotFound", "message": "Resource does not exist."}}),
    )
}

pub(crate) fn dated(status: u16, body: &serde_json::Value) -> Response {
    Response::new(status, body.to_string()).with_header("Date", DATE)
}
