//! Graph's refusals.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::behaviour::ConcurrencyStatus;
use crate::model::{KeyId, PasswordRefusal};

/// How Graph asks for a token.
const CHALLENGE: &str = "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\"";

/// An error answer, but for the ids that the exchange adds.
#[derive(Clone, Debug)]
pub(super) struct GraphError {
    /// The status.
    pub status: u16,
    /// `error.code`
    pub code: String,
    /// `error.message`
    pub message: String,
    /// `error.details`, or null.
    pub details: Value,
    /// `WWW-Authenticate`
    pub challenge: Option<String>,
    /// Whether it has no body at all.
    pub bare: bool,
}

impl GraphError {
    /// Any.
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
            details: Value::Null,
            challenge: None,
            bare: false,
        }
    }

    /// 400 with the directory's common code.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "Request_BadRequest", message)
    }

    /// 400 with the gateway's code, for what does not parse.
    pub(super) fn unparsable(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 400 for queries that need more, or are not to be had.
    pub(super) fn unsupported_query(message: impl Into<String>) -> Self {
        Self::new(400, "Request_UnsupportedQuery", message)
    }

    /// An answer of a status alone, as the gateway in front gives.
    pub(super) fn bare(status: u16) -> Self {
        Self {
            bare: true,
            ..Self::new(status, "", "")
        }
    }

    /// 401
    pub(crate) fn unauthenticated(message: &str) -> Self {
        Self {
            challenge: Some(CHALLENGE.to_owned()),
            ..Self::new(401, "InvalidAuthenticationToken", message)
        }
    }

    /// 401 that asks for a token not issued before some second.
    pub(crate) fn claims_challenge(earliest: i64) -> Self {
        let claims = json!({ "access_token": {
            "nbf": { "essential": true, "value": earliest.to_string() }
        }});
        let claims = STANDARD.encode(claims.to_string());
        Self {
            challenge: Some(format!(
                "{CHALLENGE}, error=\"insufficient_claims\", claims=\"{claims}\""
            )),
            ..Self::new(
                401,
                "InvalidAuthenticationToken",
                "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp",
            )
        }
    }

    /// 403
    pub(super) fn denied() -> Self {
        Self::new(
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        )
    }

    /// 404 for an object.
    pub(super) fn not_found(id: &str) -> Self {
        Self::new(
            404,
            "Request_ResourceNotFound",
            format!(
                "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
            ),
        )
    }

    /// 400 for an id that is none.
    pub(super) fn malformed_id(id: &str) -> Self {
        Self::bad_request(format!("Invalid object identifier '{id}'."))
    }

    /// 400 for a path that is none.
    pub(super) fn unknown_segment(segment: &str) -> Self {
        Self::unparsable(format!("Resource not found for the segment '{segment}'."))
    }

    /// 405
    pub(super) fn method_not_allowed() -> Self {
        Self::new(
            405,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
        )
    }

    /// 400 for a keyId that is not seen.
    pub(super) fn unknown_key(key_id: KeyId) -> Self {
        Self::bad_request(format!("No password credential found with keyId {key_id}."))
    }

    /// The refusal of writes that come too close.
    pub(super) fn concurrency(status: ConcurrencyStatus) -> Self {
        Self::new(
            status.into(),
            "Directory_ConcurrencyViolation",
            "Error due to concurrent requests being made to the tenant. Please wait briefly and retry.",
        )
    }

    fn detailed(mut self, details: Value) -> Self {
        self.details = details;
        self
    }
}

impl From<PasswordRefusal> for GraphError {
    fn from(refusal: PasswordRefusal) -> Self {
        match refusal {
            PasswordRefusal::TooMany { would_be, cap } => Self::new(
                400,
                "TooManyAppPasswords",
                format!(
                    "Not allowed to add {would_be} passwords. You can only add a maximum of {cap} passwords."
                ),
            )
            .detailed(json!([
                { "target": "passwordCredentials", "code": "TooManyAppPasswords" }
            ])),
            PasswordRefusal::ObjectTooLarge => Self::new(
                403,
                "Directory_ResourceSizeExceeded",
                "The size of the object has exceeded its limit. Please reduce the number of values and retry your request.",
            ),
            PasswordRefusal::BadEnd => {
                Self::bad_request("Invalid end date value specified for the credential.")
            }
            PasswordRefusal::LifetimeTooLong { policy } => Self::new(
                400,
                "CredentialInvalidLifetimeAsPerAppPolicy",
                format!(
                    "Credential lifetime exceeds the max value allowed as per assigned policy '{policy}'."
                ),
            )
            .detailed(json!([{
                "code": "InvalidKeyEndDate",
                "message": "The end date of the key is not allowed by the policy.",
                "target": "EndDate",
            }])),
            PasswordRefusal::TypeForbidden { policy } => Self::new(
                400,
                "CredentialTypeNotAllowedAsPerAppPolicy",
                format!("Credential type not allowed as per assigned policy '{policy}'."),
            ),
        }
    }
}
