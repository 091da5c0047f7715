//! `POST /{tenant}/oauth2/v2.0/token` for clients without a user.
//!
//! Checks come in the service's order: form and presence of a credential, tenant, client, scope, and
//! the credential at last.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::error::EntraError;
use super::scope::{self, Resource};
use super::{JSON, assertion, dress, refuse};
use crate::answer::Answer;
use crate::exchange::Exchange;
use crate::model::{
    AppId, AppRole, KeyId, LoginRefusal, ObjectId, SecretText, Surface, TenantId, TenantName,
};
use crate::request::Request;

/// What an access token says. Clients must not read it; the stand-in's Graph does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AccessClaims {
    /// The resource.
    pub aud: String,
    /// Who issued it.
    pub iss: String,
    /// When, in seconds.
    pub iat: i64,
    /// Valid from, in seconds.
    pub nbf: i64,
    /// Valid until, in seconds.
    pub exp: i64,
    /// The client.
    pub appid: AppId,
    /// How it logged in: "1" by secret, "2" by certificate.
    pub appidacr: String,
    /// The client's name.
    pub app_displayname: String,
    /// Always "app".
    pub idtyp: String,
    /// The service principal.
    pub oid: Option<ObjectId>,
    /// The same.
    pub sub: Option<ObjectId>,
    /// What it may do at Graph.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<AppRole>,
    /// The tenant.
    pub tid: TenantId,
    /// The token's id.
    pub uti: String,
    /// Always "1.0".
    pub ver: String,
}

/// What a client shows for itself.
enum Credential {
    Secret(SecretText),
    Assertion(String),
}

/// The request, read from form and headers.
struct Login {
    grant: Option<String>,
    client: Option<String>,
    scope: Option<String>,
    credential: Option<Credential>,
}

/// Answers a login.
pub(crate) fn token(exchange: &mut Exchange<'_>, tenant: &str) -> Answer {
    match log_in(exchange, tenant) {
        Ok(answer) => answer,
        Err(error) => refuse(exchange, &error),
    }
}

/// The client that a request says it is, unproved.
pub(crate) fn claimed_client(request: &Request) -> Option<String> {
    Login::read(request).client
}

/// The id under which the client will look for this request: its own, wherever it put it.
pub(super) fn correlation_id(exchange: &Exchange<'_>) -> Uuid {
    let in_form = || {
        exchange
            .request
            .form()
            .into_iter()
            .find(|(name, _)| name == "client-request-id")
            .and_then(|(_, value)| value.parse().ok())
    };
    exchange
        .request
        .client_request_id()
        .or_else(in_form)
        .unwrap_or(exchange.request_id)
}

fn log_in(exchange: &mut Exchange<'_>, tenant: &str) -> Result<Answer, EntraError> {
    if exchange.request.method != hyper::Method::POST {
        return Err(EntraError::assertion(
            900_561,
            format!(
                "The endpoint only accepts POST requests. Received a {} request.",
                exchange.request.method
            ),
        ));
    }
    let login = Login::read(exchange.request);
    let grant = login
        .grant
        .ok_or_else(|| EntraError::missing("grant_type"))?;
    if grant != "client_credentials" {
        return Err(EntraError::unsupported_grant(&grant));
    }
    let credential = login.credential.ok_or_else(EntraError::no_credential)?;
    let client = login
        .client
        .ok_or_else(|| EntraError::missing("client_id"))?;
    let scope = login.scope.ok_or_else(|| EntraError::missing("scope"))?;

    check_tenant(exchange, tenant)?;
    let app_id = check_client(exchange, &client)?;
    let resource = scope::resource(exchange, &scope)?;
    let (key_id, method) = check_credential(exchange, app_id, &credential)?;
    exchange.note.caller = Some(app_id);
    exchange.note.key_id = Some(key_id);
    issue(exchange, app_id, resource, method)
}

/// The tenant of a path must be this one.
pub(super) fn check_tenant(exchange: &Exchange<'_>, tenant: &str) -> Result<(), EntraError> {
    let name: TenantName = tenant
        .parse()
        .map_err(|_| EntraError::malformed_tenant(tenant))?;
    if exchange.world.tenant.is_named(&name) {
        Ok(())
    } else {
        Err(EntraError::unknown_tenant(tenant))
    }
}

fn check_client(exchange: &Exchange<'_>, client: &str) -> Result<AppId, EntraError> {
    let tenant = &exchange.world.tenant;
    let app = client
        .parse()
        .ok()
        .and_then(|id| tenant.by_app_id(id))
        .ok_or_else(|| EntraError::unknown_client(client, &tenant.display_name))?;
    if app.disabled {
        return Err(EntraError::disabled(app.app_id, &app.display_name));
    }
    Ok(app.app_id)
}

/// Which credential it was, and how a token names its kind.
fn check_credential(
    exchange: &mut Exchange<'_>,
    app_id: AppId,
    credential: &Credential,
) -> Result<(KeyId, &'static str), EntraError> {
    let view = exchange.world.view(Surface::Token);
    let now = exchange.now;
    let base = exchange.request.base();
    let world = &mut *exchange.world;
    let unknown = || EntraError::invalid_secret(app_id);
    let app = world.tenant.by_app_id(app_id).ok_or_else(unknown)?;
    // What people saw who had registered an application and not its service principal.
    if app.service_principal.is_none() {
        return Err(unknown());
    }
    match credential {
        Credential::Secret(text) => match app.log_in(text.expose(), view, now) {
            Ok(password) => Ok((password.key_id, "1")),
            Err(LoginRefusal::Expired) => Err(EntraError::expired_secret(app_id)),
            Err(LoginRefusal::Unknown) => {
                let any_expired = app
                    .visible_passwords(view, now)
                    .any(|password| password.expired(now));
                if world.behaviour.expired_hides_unknown && any_expired {
                    Err(EntraError::expired_secret(app_id))
                } else {
                    Err(unknown())
                }
            }
        },
        Credential::Assertion(text) => {
            let believed = assertion::believe(text, app, &base, world.tenant.id, now)?;
            let is_new = world.used_assertions.insert(believed.id);
            if world.behaviour.assertions_once && !is_new {
                return Err(EntraError::assertion(
                    700_027,
                    "Client assertion was used before.",
                ));
            }
            Ok((believed.key_id, "2"))
        }
    }
}

fn issue(
    exchange: &mut Exchange<'_>,
    app_id: AppId,
    resource: Resource,
    method: &str,
) -> Result<Answer, EntraError> {
    let world = &mut *exchange.world;
    let internal = || EntraError::by_code(90_006);
    let app = world.tenant.by_app_id(app_id).ok_or_else(internal)?;
    let principal = app.service_principal.as_ref();
    let roles = match principal {
        Some(principal) if resource.is_graph => principal.roles.iter().copied().collect(),
        _ => Vec::new(),
    };
    let lifetime = world.behaviour.token_lifetime_seconds;
    // Issued five minutes ago, as the service says, for clocks that are late.
    let issued = exchange.now - TimeDelta::minutes(5);
    let oid = principal.map(|principal| principal.object_id);
    let claims = AccessClaims {
        aud: resource.audience,
        iss: format!("https://sts.windows.net/{}/", world.tenant.id),
        iat: issued.timestamp(),
        nbf: issued.timestamp(),
        exp: exchange.now.timestamp() + i64::from(lifetime),
        appid: app_id,
        appidacr: method.to_owned(),
        app_displayname: app.display_name.clone(),
        idtyp: "app".to_owned(),
        oid,
        sub: oid,
        roles,
        tid: world.tenant.id,
        uti: exchange.request_id.simple().to_string(),
        ver: "1.0".to_owned(),
    };
    let token = world.key.sign(&claims).map_err(|_| internal())?;
    let body = json!({
        "token_type": "Bearer",
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": token,
    });
    Ok(dress(exchange, Answer::json(200, JSON, &body), 0))
}

impl Login {
    fn read(request: &Request) -> Self {
        let form = request.form();
        let field = |name: &str| {
            form.iter()
                .find(|(field, value)| field == name && !value.is_empty())
                .map(|(_, value)| value.clone())
        };
        let mut login = Self {
            grant: field("grant_type"),
            client: field("client_id"),
            scope: field("scope"),
            credential: field("client_secret").map(|text| Credential::Secret(text.into())),
        };
        if let Some(text) = field("client_assertion")
            && field("client_assertion_type").as_deref() == Some(assertion::TYPE)
        {
            login.client = login.client.or_else(|| assertion::claimed_client(&text));
            login.credential = Some(Credential::Assertion(text));
        }
        if login.credential.is_none()
            && let Some((client, secret)) = basic(request)
        {
            login.client = login.client.or(Some(client));
            login.credential = Some(Credential::Secret(secret));
        }
        login
    }
}

/// User name and password of HTTP Basic, each of which OAuth encodes as a form field is.
fn basic(request: &Request) -> Option<(String, SecretText)> {
    let (scheme, encoded) = request.header("authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (client, secret) = decoded.split_once(':')?;
    let plain = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8()
            .ok()
            .map(std::borrow::Cow::into_owned)
    };
    Some((plain(client)?, plain(secret)?.into()))
}
