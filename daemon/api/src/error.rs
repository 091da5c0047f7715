//! The shape of every answer that is not a success.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::issue::{Finding, Issues};

/// The names that stand in [`ErrorBody::error`].
pub mod names {
    /// 400: it was understood and is refused.
    pub const BAD_REQUEST: &str = "BadRequest";
    /// 401: the caller is not known.
    pub const UNAUTHORIZED: &str = "Unauthorized";
    /// 403: the caller may not.
    pub const PERMISSION_DENIED: &str = "PermissionDenied";
    /// 404: there is no such thing.
    pub const NOT_FOUND: &str = "NotFound";
    /// 405: the route exists, the method doesn't.
    pub const METHOD_NOT_ALLOWED: &str = "MethodNotAllowed";
    /// 413: the body is larger than the daemon reads.
    pub const PAYLOAD_TOO_LARGE: &str = "PayloadTooLarge";
    /// 422: fields are wrong; the message is a list.
    pub const VALIDATION_FAILURE: &str = "ValidationFailure";
    /// 429: come again later.
    pub const RATE_LIMIT_EXCEEDED: &str = "RateLimitExceeded";
    /// 500: the provider failed in a manual rotation, or the daemon did.
    pub const INTERNAL_SERVER_ERROR: &str = "InternalServerError";
    /// 503: the daemon is starting or stopping.
    pub const SERVICE_UNAVAILABLE: &str = "ServiceUnavailable";
}

/// The body of an answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// The request's id, which the daemon's log has too.
    pub req_id: String,
    /// The HTTP status.
    pub status_code: u16,
    /// What went wrong.
    pub message: ErrorMessage,
    /// The kind, one of [`names`].
    pub error: String,
    /// More for a person: what was seen and what would help. Always there in a 403, empty or not, as clients of this
    /// route family expect; elsewhere only where there is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Vec<Finding>>,
}

/// A text, or for 422 the list of what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ErrorMessage {
    /// What went wrong, for a person.
    Text(String),
    /// Field by field.
    Issues(Issues),
}

impl From<String> for ErrorMessage {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for ErrorMessage {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Issues> for ErrorMessage {
    fn from(issues: Issues) -> Self {
        Self::Issues(issues)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::ErrorBody;

    #[test]
    fn both_forms_of_the_message_survive_the_way_there_and_back() {
        for message in [
            json!("no such thing"),
            json!([{"code": "too_small", "path": ["name"], "message": "must not be empty"}]),
        ] {
            let sent = json!({"reqId": "req-1", "statusCode": 422, "message": message, "error": "ValidationFailure"});
            let body: ErrorBody = serde_json::from_value(sent.clone()).unwrap();
            assert_eq!(serde_json::to_value(body).unwrap(), sent);
        }
    }
}
