//! The documents that clients read before they log in. Every address in them is on the host that the
//! client asked, since clients refuse an issuer elsewhere.

use serde_json::{Value, json};

use super::error::EntraError;
use super::token::check_tenant;
use super::{JSON, POLICY, SERVER, refuse};
use crate::answer::Answer;
use crate::exchange::Exchange;

/// `GET /{tenant}/v2.0/.well-known/openid-configuration`
pub(crate) fn openid_configuration(exchange: &mut Exchange<'_>, tenant: &str) -> Answer {
    if let Err(error) = check_tenant(exchange, tenant) {
        let error = match error.code {
            90_002 => error.classed("invalid_tenant"),
            _ => error,
        };
        return refuse(exchange, &error);
    }
    let base = exchange.request.base();
    let root = format!("{base}/{tenant}");
    let id = exchange.world.tenant.id;
    let host = base.trim_start_matches("https://").to_owned();
    dress(
        exchange,
        &json!({
            "token_endpoint": format!("{root}/oauth2/v2.0/token"),
            "token_endpoint_auth_methods_supported":
                ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": format!("{root}/discovery/v2.0/keys"),
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": format!("{base}/{id}/v2.0"),
            "request_uri_parameter_supported": false,
            "userinfo_endpoint": format!("{base}/oidc/userinfo"),
            "authorization_endpoint": format!("{root}/oauth2/v2.0/authorize"),
            "device_authorization_endpoint": format!("{root}/oauth2/v2.0/devicecode"),
            "http_logout_supported": true,
            "frontchannel_logout_supported": true,
            "end_session_endpoint": format!("{root}/oauth2/v2.0/logout"),
            "claims_supported": [
                "sub", "iss", "cloud_instance_name", "cloud_instance_host_name",
                "cloud_graph_host_name", "msgraph_host", "aud", "exp", "iat", "auth_time", "acr",
                "nonce", "preferred_username", "name", "tid", "ver", "at_hash", "c_hash", "email"
            ],
            "kerberos_endpoint": format!("{root}/kerberos"),
            "tenant_region_scope": "NA",
            "cloud_instance_name": host,
            "cloud_graph_host_name": host,
            "msgraph_host": host,
            "rbac_url": base,
        }),
    )
}

/// `GET /{tenant}/discovery/v2.0/keys`
pub(crate) fn keys(exchange: &mut Exchange<'_>, tenant: &str) -> Answer {
    if let Err(error) = check_tenant(exchange, tenant) {
        return refuse(exchange, &error);
    }
    match exchange.world.key.jwk() {
        Ok(key) => dress(exchange, &json!({ "keys": [key] })),
        Err(_) => refuse(exchange, &EntraError::by_code(90_006)),
    }
}

/// `GET /common/discovery/instance`: this host is an authority, under the one name that it was asked by.
pub(crate) fn instance_discovery(exchange: &mut Exchange<'_>) -> Answer {
    let endpoint = exchange
        .request
        .query_pairs()
        .find(|(name, _)| name == "authorization_endpoint")
        .and_then(|(_, value)| url::Url::parse(&value).ok());
    let Some(endpoint) = endpoint else {
        return refuse(exchange, &EntraError::missing("authorization_endpoint"));
    };
    let base = exchange.request.base();
    let host = base.trim_start_matches("https://").to_owned();
    let tenant = endpoint
        .path_segments()
        .and_then(|mut segments| segments.next().map(str::to_owned))
        .unwrap_or_default();
    dress(
        exchange,
        &json!({
            "tenant_discovery_endpoint":
                format!("{base}/{tenant}/v2.0/.well-known/openid-configuration"),
            "api-version": "1.1",
            "metadata": [
                { "preferred_network": host, "preferred_cache": host, "aliases": [host] }
            ],
        }),
    )
}

fn dress(exchange: &Exchange<'_>, body: &Value) -> Answer {
    let answer = Answer::json(200, JSON, body)
        .with("Access-Control-Allow-Methods", "GET, OPTIONS")
        .with("Access-Control-Allow-Origin", "*")
        .with("Cache-Control", "max-age=86400, private")
        .with("P3P", POLICY)
        .with(
            "Strict-Transport-Security",
            "max-age=31536000; includeSubDomains",
        )
        .with("X-Content-Type-Options", "nosniff")
        .with("x-ms-request-id", exchange.request_id.to_string())
        .with("x-ms-ests-server", SERVER)
        .with("x-ms-srs", "1.P")
        .with("X-XSS-Protection", "0");
    match exchange.request.client_request_id() {
        Some(id) => answer.with("client-request-id", id.to_string()),
        None => answer,
    }
}
