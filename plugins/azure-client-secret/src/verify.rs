//! One login with an issued client secret.

use rotor_provider_sdk::http::Error;
use rotor_provider_sdk::{Fault, Host, Outputs, Result, Verdict, Verification};

use crate::connection::{Azure, is_uuid};
use crate::entra::{self, Cause, Refusal};

pub(crate) fn verify(host: &dyn Host, azure: &Azure, outputs: &Outputs) -> Result<Verification> {
    let client_id = outputs
        .get("clientId")?
        .expose_text()
        .filter(|id| is_uuid(id))
        .ok_or_else(|| {
            Fault::invalid_input("outputs.clientId", "outputs.clientId must be a UUID")
        })?;
    let secret = outputs.get("clientSecret")?;
    let (verdict, provider_time) = match entra::try_secret(host, azure, client_id, secret) {
        Ok(Ok(token)) => (Verdict::Works, token.time),
        Ok(Err(refusal)) => (verdict(&refusal), refusal.time),
        Err(
            Error::Denied(why)
            | Error::Unreachable(why)
            | Error::Interrupted(why)
            | Error::TooLarge(why)
            | Error::Other(why),
        ) => (Verdict::CannotTell(why), None),
    };
    Ok(Verification {
        verdict,
        provider_time,
    })
}

/// Entra checks form, tenant, client and scope before it looks at the secret, so a refusal of one of
/// those says nothing of the secret and stays until a person acts. An application or service principal that
/// a replica does not know may have been made moments ago, and be known there soon.
fn verdict(refusal: &Refusal) -> Verdict {
    let why = refusal.said();
    let why = why.trim_start_matches(": ").to_owned();
    match refusal.cause {
        // An expired one beside a new one is told as expired where the new one is not known yet.
        Cause::WrongSecret
        | Cause::ExpiredSecret
        | Cause::UnknownApplication
        | Cause::NoServicePrincipal => Verdict::NotYet(why),
        Cause::DisabledApplication
        | Cause::Blocked
        | Cause::UnknownTenant
        | Cause::OtherCloud
        | Cause::Scope => Verdict::Never(why),
        Cause::Throttled
        | Cause::Unavailable
        | Cause::Unintelligible
        | Cause::UnknownClient
        | Cause::Assertion => Verdict::CannotTell(if why.is_empty() {
            "the token endpoint gave no answer that says anything of the secret".to_owned()
        } else {
            why
        }),
    }
}
