//! Entra's token endpoint: one login, and what its refusals mean.
//!
//! The same refusal means one thing for the connection's own credential (a person must act) and another
//! for one that was issued a moment ago (it may not have reached that replica), so an answer is read into
//! a [`Cause`] once and judged twice.

mod refusal;

use rotor_provider_sdk::http::{Error, Request, Response};
use rotor_provider_sdk::{Fault, Host, Secret, Timestamp};
use serde::Deserialize;

use crate::connection::{Azure, Login};

pub(crate) use refusal::{Cause, Refusal};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a login gave.
pub(crate) struct Token {
    pub(crate) secret: Secret,
    /// Entra's clock when it answered.
    pub(crate) time: Option<Timestamp>,
}

/// How one login ended, the network's failures apart.
pub(crate) type Outcome = std::result::Result<Token, Refusal>;

/// Why the connection is not logged in.
pub(crate) enum Failure {
    /// No whole answer came.
    Lost(Error),
    /// An answer came, which need not be Entra's.
    Refused(Refusal),
    /// Nothing could be asked.
    Own(Fault),
}

impl Failure {
    pub(crate) fn into_fault(self, azure: &Azure) -> Fault {
        match self {
            Self::Lost(error) => unreached(azure, &error),
            Self::Refused(refusal) => refusal.into_fault(azure),
            Self::Own(fault) => fault,
        }
    }
}

/// Logs the connection in. Nothing is changed at the service by it, so no failure is ambiguous.
pub(crate) fn log_in(host: &dyn Host, azure: &Azure) -> std::result::Result<Token, Failure> {
    let endpoint = azure.token_endpoint();
    let assertion;
    let proof: &[(&str, &[u8])] = match &azure.login {
        Login::ClientSecret(secret) => &[("client_secret", secret.expose())],
        Login::Certificate(certificate) => {
            assertion = certificate
                .assertion(host, &azure.client_id, &endpoint)
                .map_err(|_| {
                    Failure::Own(Fault::internal("the certificate's key signs nothing"))
                })?;
            &[
                ("client_assertion_type", ASSERTION_TYPE.as_bytes()),
                ("client_assertion", assertion.expose()),
            ]
        }
    };
    let request = request(azure, &azure.client_id, proof);
    let response = host.send(request).map_err(Failure::Lost)?;
    read(host, &response).map_err(Failure::Refused)
}

/// Tries an issued client secret, on a connection that nothing else has used.
pub(crate) fn try_secret(
    host: &dyn Host,
    azure: &Azure,
    client_id: &str,
    secret: &Secret,
) -> std::result::Result<Outcome, Error> {
    let request = request(azure, client_id, &[("client_secret", secret.expose())]);
    let response = host.send(request.fresh_connection())?;
    Ok(read(host, &response))
}

fn request(azure: &Azure, client_id: &str, proof: &[(&str, &[u8])]) -> Request {
    let fields = [
        ("client_id", client_id.as_bytes()),
        ("scope", azure.scope.as_bytes()),
        ("grant_type", b"client_credentials"),
    ];
    Request::post(azure.token_endpoint())
        .header("Accept", "application/json")
        .form(fields.into_iter().chain(proof.iter().copied()))
}

fn read(host: &dyn Host, response: &Response) -> Outcome {
    #[derive(Deserialize)]
    struct Granted {
        access_token: Secret,
    }

    if response.status == 200
        && let Some(granted) = response.json::<Granted>()
        && !granted.access_token.is_empty()
    {
        return Ok(Token {
            secret: granted.access_token,
            time: response.date(),
        });
    }
    Err(Refusal::read(response, host.now()))
}

fn unreached(azure: &Azure, error: &Error) -> Fault {
    Fault::unavailable(azure.authority.lost(error))
}
