//! The authority: token endpoint and the documents that clients read before they log in.

mod assertion;
mod discovery;
mod error;
mod scope;
mod token;

pub(crate) use discovery::{instance_discovery, keys, openid_configuration};
pub(crate) use scope::is_graph;
pub(crate) use token::{AccessClaims, claimed_client, token};

use crate::answer::Answer;
use crate::exchange::Exchange;
use error::EntraError;

const JSON: &str = "application/json; charset=utf-8";
const SERVER: &str = "2.1.24112.6 - STANDIN ProdSlices";
const POLICY: &str = "CP=\"DSP CUR OTPi IND OTRi ONL FIN\"";

/// Throttling, in plain text.
pub(crate) fn throttled(retry_after: Option<String>) -> Answer {
    let answer = Answer::text(429, "text/plain", "Too Many Requests");
    match retry_after {
        Some(retry_after) => answer.with("Retry-After", retry_after),
        None => answer,
    }
}

/// An error by its number alone.
pub(crate) fn failure(exchange: &mut Exchange<'_>, code: u32) -> Answer {
    let error = EntraError::by_code(code);
    refuse(exchange, &error)
}

fn refuse(exchange: &mut Exchange<'_>, error: &EntraError) -> Answer {
    exchange.note.error = Some(error.code.to_string());
    let status = error.status;
    let code = error.code;
    let body = error.body(exchange);
    dress(exchange, Answer::json(status, JSON, &body), code)
}

/// Adds the headers that answers of the token endpoint have.
fn dress(exchange: &Exchange<'_>, answer: Answer, code: u32) -> Answer {
    let answer = answer
        .with("Cache-Control", "no-store, no-cache")
        .with("Pragma", "no-cache")
        .with("Expires", "-1")
        .with(
            "Strict-Transport-Security",
            "max-age=31536000; includeSubDomains",
        )
        .with("X-Content-Type-Options", "nosniff")
        .with("P3P", POLICY)
        .with("x-ms-request-id", exchange.request_id.to_string())
        .with("x-ms-ests-server", SERVER)
        .with("x-ms-clitelem", format!("1,{code},0,,"))
        .with("x-ms-srs", "1.P")
        .with("X-XSS-Protection", "0")
        .with(
            "Set-Cookie",
            "fpc=standin; path=/; secure; HttpOnly; SameSite=None",
        )
        .with(
            "Set-Cookie",
            "x-ms-gateway-slice=estsfd; path=/; secure; samesite=none; httponly",
        )
        .with(
            "Set-Cookie",
            "stsservicecookie=estsfd; path=/; secure; samesite=none; httponly",
        );
    match exchange.request.client_request_id() {
        Some(id) => answer.with("client-request-id", id.to_string()),
        None => answer,
    }
}
