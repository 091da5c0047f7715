//! The token endpoint's errors: numbers, classes, texts, and their JSON.

use serde_json::{Value, json};

use super::token::correlation_id;
use crate::exchange::Exchange;
use crate::model::AppId;

/// An error with its AADSTS number.
#[derive(Clone, Debug)]
pub(super) struct EntraError {
    /// The number.
    pub code: u32,
    /// The HTTP status.
    pub status: u16,
    class: &'static str,
    message: String,
}

impl EntraError {
    /// An error by its number, with the text that the service is known or supposed to give.
    pub(super) fn by_code(code: u32) -> Self {
        Self::new(code, known_text(code).to_owned())
    }

    /// 7000215
    pub(super) fn invalid_secret(app: AppId) -> Self {
        Self::new(
            7_000_215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{app}'."
            ),
        )
    }

    /// 7000222
    pub(super) fn expired_secret(app: AppId) -> Self {
        Self::new(
            7_000_222,
            format!(
                "The provided client secret keys for app '{app}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds."
            ),
        )
    }

    /// 700016
    pub(super) fn unknown_client(client: &str, directory: &str) -> Self {
        Self::new(
            700_016,
            format!(
                "Application with identifier '{client}' was not found in the directory '{directory}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
            ),
        )
    }

    /// 7000112
    pub(super) fn disabled(app: AppId, name: &str) -> Self {
        Self::new(
            7_000_112,
            format!("Application '{app}'({name}) is disabled."),
        )
    }

    /// 90002, as the token endpoint gives it.
    pub(super) fn unknown_tenant(tenant: &str) -> Self {
        Self::new(
            90_002,
            format!(
                "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
            ),
        )
    }

    /// 900023
    pub(super) fn malformed_tenant(tenant: &str) -> Self {
        Self::new(
            900_023,
            format!(
                "Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain."
            ),
        )
    }

    /// 900144
    pub(super) fn missing(parameter: &str) -> Self {
        Self::new(
            900_144,
            format!("The request body must contain the following parameter: '{parameter}'."),
        )
    }

    /// 70003
    pub(super) fn unsupported_grant(grant: &str) -> Self {
        Self::new(
            70_003,
            format!("The access grant '{grant}' is not supported."),
        )
    }

    /// 7000216
    pub(super) fn no_credential() -> Self {
        Self::new(
            7_000_216,
            "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.".to_owned(),
        )
    }

    /// 1002012
    pub(super) fn scope_without_default(scope: &str) -> Self {
        Self::new(
            1_002_012,
            format!(
                "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
            ),
        )
    }

    /// 500011
    pub(super) fn unknown_resource(resource: &str, directory: &str) -> Self {
        Self::new(
            500_011,
            format!(
                "The resource principal named {resource} was not found in the tenant named {directory}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant."
            ),
        )
    }

    /// An error about a signed assertion, with a text of its own.
    pub(super) fn assertion(code: u32, message: impl Into<String>) -> Self {
        Self::new(code, message.into())
    }

    /// The same error under another class, as other endpoints have it.
    #[must_use]
    pub(super) fn classed(mut self, class: &'static str) -> Self {
        self.class = class;
        self
    }

    fn new(code: u32, message: String) -> Self {
        let (status, class) = class(code);
        Self {
            code,
            status,
            class,
            message,
        }
    }

    /// The JSON of the answer.
    pub(super) fn body(&self, exchange: &Exchange<'_>) -> Value {
        let trace = exchange.request_id;
        let correlation = correlation_id(exchange);
        let timestamp = exchange.now.format("%Y-%m-%d %H:%M:%SZ").to_string();
        let code = self.code;
        let description = [
            format!("AADSTS{code}: {}", self.message),
            format!("Trace ID: {trace}"),
            format!("Correlation ID: {correlation}"),
            format!("Timestamp: {timestamp}"),
        ]
        .join(exchange.world.behaviour.description.separator());
        let mut body = json!({
            "error": self.class,
            "error_description": description,
            "error_codes": [code],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
        });
        // This one was recorded without.
        if code != 70_003 {
            let uri = format!("{}/error?code={code}", exchange.request.base());
            body["error_uri"] = Value::from(uri);
        }
        body
    }
}

/// Status and OAuth class of a number.
fn class(code: u32) -> (u16, &'static str) {
    match code {
        7_000_215 | 7_000_216 | 7_000_218 | 7_000_222 | 7_000_229 | 50_027 | 700_021 | 700_023
        | 700_024 | 700_027 => (401, "invalid_client"),
        700_016 | 7_000_112 => (400, "unauthorized_client"),
        70_003 => (400, "unsupported_grant_type"),
        70_011 | 1_002_012 | 700_022 | 28_000 => (400, "invalid_scope"),
        500_011 => (400, "invalid_resource"),
        53_003 => (400, "invalid_grant"),
        90_024 | 90_033 => (503, "temporarily_unavailable"),
        90_006 | 90_012 => (500, "server_error"),
        90_055 => (429, "temporarily_unavailable"),
        // 90002, 900023, 900144, 90038, and whatever else.
        _ => (400, "invalid_request"),
    }
}

/// What a number says where nothing of the request is needed to say it.
fn known_text(code: u32) -> &'static str {
    match code {
        7_000_215 => "Invalid client secret provided.",
        7_000_222 => "The provided client secret keys are expired.",
        7_000_218 => {
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        }
        7_000_229 => {
            "The client application is missing service principal in the tenant. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119"
        }
        700_022 | 28_000 => {
            "Provided value for the input parameter scope is not valid because it contains more than one resource."
        }
        90_038 => "Tenant request was redirected to another national cloud.",
        53_003 => {
            "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."
        }
        90_055 => "Tenant is experiencing throttling.",
        90_024 => {
            "The request budget is exceeded. A transient error has occurred. Please try again."
        }
        90_033 => "A transient error has occurred. Please try again.",
        90_006 => "The service has encountered an internal error.",
        90_012 => "Request timed out.",
        _ => "The request was refused.",
    }
}
