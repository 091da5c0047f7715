//! What `az login` asks of Azure Resource Manager: which subscriptions there are. There are none.

use serde_json::json;

use crate::answer::Answer;
use crate::entra::AccessClaims;
use crate::exchange::Exchange;
use crate::jwt::Token;

const JSON: &str = "application/json; charset=utf-8";

/// `GET /subscriptions`, for any client with a token of this authority.
pub(crate) fn subscriptions(exchange: &mut Exchange<'_>) -> Answer {
    let caller = exchange
        .request
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "))
        .and_then(|token| Token::<AccessClaims>::parse(token).ok())
        .filter(|token| token.is_signed_by(exchange.world.key.public_key()))
        .filter(|token| exchange.now.timestamp() < token.claims.exp)
        .map(|token| token.claims.appid);
    let Some(caller) = caller else {
        exchange.note.error = Some("InvalidAuthenticationToken".to_owned());
        let body = json!({ "error": {
            "code": "InvalidAuthenticationToken",
            "message": "The access token is invalid.",
        }});
        return Answer::json(401, JSON, &body);
    };
    exchange.note.caller = Some(caller);
    let body = json!({ "value": [], "count": { "type": "Total", "value": 0 } });
    Answer::json(200, JSON, &body)
        .with("Cache-Control", "no-cache")
        .with("x-ms-request-id", exchange.request_id.to_string())
}
