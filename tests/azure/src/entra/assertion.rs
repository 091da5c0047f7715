//! Logins by a signed assertion: a token that the client makes and signs with its certificate's key.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::error::EntraError;
use crate::jwt::Token;
use crate::model::{AppId, Application, KeyId, TenantId};

/// The only form of assertion there is.
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[derive(Debug, Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    sub: String,
    // Seconds, which Microsoft's Python library sends with fractions.
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
    jti: Option<String>,
}

/// A believed assertion.
#[derive(Debug)]
pub(super) struct Believed {
    /// Which certificate signed it.
    pub key_id: KeyId,
    /// Its own id.
    pub id: String,
}

/// Clocks may differ by so much.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// The client that an assertion speaks for, unproved.
pub(super) fn claimed_client(assertion: &str) -> Option<String> {
    Token::<Claims>::parse(assertion)
        .ok()
        .map(|token| token.claims.sub)
}

/// Judges an assertion against the application's certificates.
pub(super) fn believe(
    assertion: &str,
    app: &Application,
    base: &str,
    tenant: TenantId,
    now: DateTime<Utc>,
) -> Result<Believed, EntraError> {
    let token = Token::<Claims>::parse(assertion)
        .map_err(|_| EntraError::assertion(50_027, "JWT token is invalid or malformed."))?;
    let claims = &token.claims;
    if !is_client(&claims.iss, app.app_id) || !is_client(&claims.sub, app.app_id) {
        return Err(EntraError::assertion(
            700_021,
            "Client assertion application identifier doesn't match 'client_id' parameter.",
        ));
    }
    let header = &token.header;
    let certificate = app
        .certificates
        .iter()
        .find(|certificate| {
            certificate.is_named(
                header.x5t.as_deref(),
                header.x5t_s256.as_deref(),
                header.kid.as_deref(),
            )
        })
        .ok_or_else(|| {
            EntraError::assertion(
                700_027,
                format!(
                    "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Please visit the Azure Portal and verify the keys of app '{}'.]",
                    app.app_id
                ),
            )
        })?;
    if !token.is_signed_by(certificate.public_key()) {
        return Err(EntraError::assertion(
            700_027,
            "Client assertion contains an invalid signature. [Reason - The key was found, but its use of the signature failed.]",
        ));
    }
    if certificate.end <= now {
        return Err(EntraError::assertion(
            700_027,
            "Client assertion contains an invalid signature. [Reason - The key used is expired.]",
        ));
    }
    let in_time = seconds(now - TOLERANCE) < claims.exp
        && claims
            .nbf
            .or(claims.iat)
            .is_none_or(|begins| begins < seconds(now + TOLERANCE));
    if !in_time {
        return Err(EntraError::assertion(
            700_024,
            "Client assertion is not within its valid time range.",
        ));
    }
    if !is_audience(&claims.aud, base, tenant) {
        return Err(EntraError::assertion(
            700_023,
            "Client assertion audience claim does not match Realm issuer.",
        ));
    }
    match claims.jti.as_deref() {
        Some(id) if !id.is_empty() => Ok(Believed {
            key_id: certificate.key_id,
            id: id.to_owned(),
        }),
        _ => Err(EntraError::assertion(
            50_027,
            "JWT token is invalid or malformed: claim 'jti' is missing.",
        )),
    }
}

/// Exact for any time that is not geological.
#[allow(clippy::cast_precision_loss, reason = "milliseconds fit 53 bits")]
fn seconds(time: DateTime<Utc>) -> f64 {
    time.timestamp_millis() as f64 / 1000.0
}

fn is_client(claim: &str, app: AppId) -> bool {
    claim.parse() == Ok(app)
}

/// The token endpoint or the issuer, of the tenant as this server or the global cloud writes it. The
/// tenant may be named by a domain too, so that part is not compared.
fn is_audience(audience: &str, base: &str, tenant: TenantId) -> bool {
    let Some(path) = audience
        .strip_prefix(base)
        .or_else(|| audience.strip_prefix("https://login.microsoftonline.com"))
    else {
        return false;
    };
    let mut segments = path.trim_start_matches('/').splitn(2, '/');
    let named = segments.next().unwrap_or_default();
    let rest = segments.next().unwrap_or_default();
    let names_tenant = named
        .parse()
        .map_or(named.contains('.'), |id: TenantId| id == tenant);
    names_tenant && matches!(rest, "oauth2/v2.0/token" | "v2.0" | "oauth2/token" | "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audience_is_the_token_endpoint_or_the_issuer_of_this_tenant() {
        let tenant = TenantId::draw(&mut fastrand::Rng::with_seed(1));
        let other = TenantId::draw(&mut fastrand::Rng::with_seed(2));
        let base = "https://localhost:1";
        let fits = |audience: String| is_audience(&audience, base, tenant);
        assert!(fits(format!("{base}/{tenant}/oauth2/v2.0/token")));
        assert!(fits(format!("{base}/contoso.example/oauth2/v2.0/token")));
        assert!(fits(format!("{base}/{tenant}/v2.0")));
        assert!(!fits(format!("{base}/{other}/oauth2/v2.0/token")));
        assert!(!fits(format!("https://elsewhere/{tenant}/v2.0")));
        assert!(!fits(format!("{base}/{tenant}/oauth2/v2.0/authorize")));
    }
}
