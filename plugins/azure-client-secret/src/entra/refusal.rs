//! Why a login was refused.

use rotor_provider_sdk::http::Response;
use rotor_provider_sdk::{Fault, Timestamp};
use serde_json::Value;

use crate::connection::{Azure, Login};
use crate::remedy::{enable, make_principal, new_secret, open_path};

/// The longest sentence of Entra's that is passed on, in characters.
const LONGEST: usize = 300;

/// A refusal, or an answer that can't be understood.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) cause: Cause,
    /// Entra's own name for it, such as `AADSTS7000215`.
    pub(crate) code: Option<String>,
    /// Entra's own words, without the identifiers at their end.
    sentence: Option<String>,
    retry_after_ms: Option<u64>,
    pub(crate) time: Option<Timestamp>,
    status: u16,
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A wrong, removed or not yet replicated secret. Also an application without service principal.
    WrongSecret,
    /// Only expired secrets are known; a new one that has not reached the replica looks like this too.
    ExpiredSecret,
    /// The signed assertion was not accepted, such as for a certificate that is not registered.
    Assertion,
    /// No such application in the tenant.
    UnknownApplication,
    /// Disabled by an administrator.
    DisabledApplication,
    /// The application has no service principal in the tenant.
    NoServicePrincipal,
    /// A policy forbids the login, such as Conditional Access.
    Blocked,
    /// No such tenant.
    UnknownTenant,
    /// The tenant belongs to another cloud.
    OtherCloud,
    /// The scope names nothing that exists.
    Scope,
    Throttled,
    /// For a moment.
    Unavailable,
    /// A login refused in a way that this provider does not know.
    UnknownClient,
    /// No answer of Entra's, such as a gateway's page, or one that can't be understood.
    Unintelligible,
}

impl Refusal {
    pub(crate) fn read(response: &Response, now: Timestamp) -> Self {
        // Any field may be missing or of another type than documented.
        let body: Value = response.json().unwrap_or_default();
        let error = body["error"].as_str();
        let description = body["error_description"].as_str().unwrap_or_default();
        let number = body["error_codes"][0]
            .as_u64()
            .or_else(|| number_in(description));
        Self {
            cause: cause(response.status, number, error),
            code: number
                .map(|number| format!("AADSTS{number}"))
                .or_else(|| error.map(str::to_owned)),
            sentence: sentence(description),
            retry_after_ms: response.retry_after_ms(now),
            time: response.date(),
            status: response.status,
        }
    }

    /// What it means for the connection's own login.
    pub(crate) fn into_fault(self, azure: &Azure) -> Fault {
        let fault = self.told(azure);
        Fault {
            code: self.code,
            ..fault
        }
        .retry_after_ms(self.retry_after_ms)
        .provider_time(self.time)
    }

    /// In words for a person, and what kind of fault it is.
    pub(crate) fn told(&self, azure: &Azure) -> Fault {
        let client = &azure.client_id;
        let tenant = &azure.tenant;
        match self.cause {
            Cause::WrongSecret => Fault::unauthorized(format!(
                "the connection's client secret is wrong, was removed, or is not known everywhere yet; \
                 it must be the secret's value (not its id) of application {client}, which must have a \
                 service principal in tenant {tenant}"
            )),
            Cause::ExpiredSecret => Fault::unauthorized(format!(
                "the connection's client secret of application {client} has expired; make a new one \
                 and change the connection"
            )),
            Cause::Assertion => Fault::unauthorized(format!(
                "the connection's certificate was not accepted; it must be registered with application \
                 {client} and be valid, and this machine's clock must be right{}",
                self.said()
            )),
            Cause::UnknownApplication => Fault::unauthorized(format!(
                "tenant {tenant} has no application {client}; connection.clientId and \
                 connection.tenantId must belong together"
            )),
            Cause::DisabledApplication => Fault::unauthorized(format!(
                "application {client} is disabled; an administrator must enable it"
            )),
            Cause::NoServicePrincipal => Fault::unauthorized(format!(
                "application {client} has no service principal in tenant {tenant}; make one with `{}`",
                make_principal(client)
            )),
            Cause::Blocked => Fault::unauthorized(format!(
                "a policy of the tenant forbids the login of application {client}{}",
                self.said()
            )),
            Cause::UnknownTenant => Fault::invalid_input(
                "connection.tenantId",
                format!(
                    "{} knows no tenant {tenant}; check connection.tenantId, and connection.cloud if \
                     the tenant is in another cloud",
                    azure.authority.host()
                ),
            ),
            Cause::OtherCloud => Fault::invalid_input(
                "connection.cloud",
                format!(
                    "tenant {tenant} belongs to another cloud; connection.cloud must be its own"
                ),
            ),
            Cause::Scope => Fault::invalid_input(
                "connection.scope",
                format!(
                    "the scope {:?} names nothing that tenant {tenant} knows; it must be one resource \
                     of its cloud followed by /.default",
                    azure.scope
                ),
            ),
            Cause::Throttled => Fault::throttled("the token endpoint asks to come again later"),
            Cause::Unavailable => Fault::unavailable(format!(
                "the token endpoint is unavailable (status {}){}",
                self.status,
                self.said()
            )),
            Cause::UnknownClient => Fault::unauthorized(format!(
                "the login of the connection's application {client} by its {} was refused{}",
                match azure.login {
                    Login::ClientSecret(_) => "client secret",
                    Login::Certificate(_) => "certificate",
                },
                self.said()
            )),
            Cause::Unintelligible => Fault::unavailable(format!(
                "{} gave an answer that is not Entra's (status {}); is something between?",
                azure.authority.host(),
                self.status
            )),
        }
    }

    /// Whether it is Entra that answered.
    pub(crate) fn is_entras(&self) -> bool {
        self.cause != Cause::Unintelligible
    }

    /// What a person can do, where the connection's own login was refused.
    pub(crate) fn remedy(&self, azure: &Azure) -> String {
        let client = &azure.client_id;
        match self.cause {
            Cause::WrongSecret | Cause::ExpiredSecret => new_secret(client),
            Cause::Assertion => format!(
                "register it with `az ad app credential reset --append --id {client} --cert \
                 @certificate.pem`, and check this machine's clock"
            ),
            Cause::DisabledApplication => enable(client),
            Cause::NoServicePrincipal => make_principal(client),
            Cause::UnknownApplication | Cause::UnknownTenant => {
                "correct the connection's tenantId and clientId, and its cloud if the tenant is in another"
                    .to_owned()
            }
            Cause::OtherCloud => "change the connection's cloud to the tenant's own".to_owned(),
            Cause::Scope => "leave the connection's scope empty, or correct it".to_owned(),
            Cause::Blocked => {
                "have an administrator of the tenant exempt the application from the policy, or allow \
                 this host's address"
                    .to_owned()
            }
            Cause::Throttled | Cause::Unavailable => "try again in some minutes".to_owned(),
            Cause::UnknownClient => "see what Entra's code means, and change the connection".to_owned(),
            Cause::Unintelligible => open_path(&azure.authority),
        }
    }

    /// Its name and Entra's words, to stand at the end of a sentence.
    pub(crate) fn said(&self) -> String {
        match (&self.code, &self.sentence) {
            (_, Some(sentence)) => format!(": {sentence}"),
            (Some(code), None) => format!(": {code}"),
            (None, None) => String::new(),
        }
    }
}

fn cause(status: u16, number: Option<u64>, error: Option<&str>) -> Cause {
    match number {
        Some(7_000_215) => Cause::WrongSecret,
        Some(7_000_222) => Cause::ExpiredSecret,
        Some(700_023 | 700_024 | 700_027 | 50_012) => Cause::Assertion,
        Some(700_016) => Cause::UnknownApplication,
        Some(7_000_112) => Cause::DisabledApplication,
        Some(7_000_229) => Cause::NoServicePrincipal,
        Some(53_000..=53_011 | 530_001..=530_039) => Cause::Blocked,
        Some(90_002 | 900_023) => Cause::UnknownTenant,
        Some(90_038) => Cause::OtherCloud,
        Some(70_011 | 1_002_012 | 700_022 | 28_000 | 500_011) => Cause::Scope,
        Some(90_055) => Cause::Throttled,
        Some(90_006 | 90_012 | 90_024 | 90_033) => Cause::Unavailable,
        _ => match (status, error) {
            (429, _) => Cause::Throttled,
            (500.., _) | (_, Some("temporarily_unavailable" | "server_error")) => {
                Cause::Unavailable
            }
            (400..=499, Some(_)) => Cause::UnknownClient,
            _ => Cause::Unintelligible,
        },
    }
}

/// The number in `AADSTS7000215: …`.
fn number_in(description: &str) -> Option<u64> {
    let rest = description.split("AADSTS").nth(1)?;
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..digits].parse().ok()
}

/// What Entra says, without trace and correlation ids, which some answers join by a space and some by
/// line ends.
fn sentence(description: &str) -> Option<String> {
    let words = description.split("Trace ID:").next()?;
    let words = words.lines().next()?.trim();
    (!words.is_empty()).then(|| words.chars().take(LONGEST).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_found_in_the_text_too() {
        let text = "AADSTS7000222: The provided client secret keys are expired. Trace ID: x";
        assert_eq!(number_in(text), Some(7_000_222));
        assert_eq!(number_in("AADSTS90002"), Some(90_002));
        assert_eq!(number_in("nothing"), None);
        assert_eq!(number_in("AADSTS"), None);
    }

    #[test]
    fn identifiers_are_cut_off_however_they_are_joined() {
        for tail in [
            " Trace ID: a Correlation ID: b",
            "\r\nTrace ID: a\r\nCorrelation ID: b",
            "",
        ] {
            let text = format!("AADSTS1: Why.{tail}");
            assert_eq!(sentence(&text).unwrap(), "AADSTS1: Why.");
        }
        assert_eq!(sentence(""), None);
    }

    #[test]
    fn a_known_number_counts_more_than_the_status() {
        assert_eq!(
            cause(400, Some(90_055), Some("temporarily_unavailable")),
            Cause::Throttled
        );
        assert_eq!(cause(503, Some(90_033), None), Cause::Unavailable);
        assert_eq!(
            cause(401, Some(7_000_215), Some("invalid_client")),
            Cause::WrongSecret
        );
    }

    #[test]
    fn what_is_not_entras_is_unintelligible() {
        assert_eq!(cause(400, None, None), Cause::Unintelligible);
        assert_eq!(cause(200, None, None), Cause::Unintelligible);
        assert_eq!(cause(302, None, None), Cause::Unintelligible);
    }
}
