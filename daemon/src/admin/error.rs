//! Every answer that is not a success: which status, in which shape. The one place where errors of the store, the
//! rotator and the providers become answers.

use std::fmt;
use std::sync::Arc;

use actix::MailboxError;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use rotord_api::error::{ErrorMessage, names};
use rotord_api::issue::{Issue, IssueCode};
use rotord_api::{ErrorBody, Issues};
use rotord_provider::CallOutcome;
use rotord_provider::contract::{Finding, Severity};
use rotord_rotation::{Refusal, Unpublished};
use rotord_store::{Conflict, RewrapError, RootKeyError, StoreError, TakenName, What};
use uuid::Uuid;

use crate::actors::rotator::TellError;
use crate::actors::store::Failed;
use crate::{calls, health};

/// The longest message, in characters.
const LONGEST: usize = 1024;
/// What a caller is told of what is the daemon's own trouble; the log says more.
const OURS: &str = "Something went wrong: the daemon's log says what, under this request's id";
/// What a caller is told while the daemon stops.
const STOPPING: &str = "The daemon is shutting down";

/// An answer that is not a success. Holds no secret.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    name: &'static str,
    message: ErrorMessage,
    /// For the log alone.
    cause: Option<String>,
    id: Uuid,
}

impl ApiError {
    fn new(status: StatusCode, name: &'static str, message: ErrorMessage) -> Self {
        Self {
            status,
            name,
            message,
            cause: None,
            id: Uuid::new_v4(),
        }
    }

    /// 400: it was understood and is refused.
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, names::BAD_REQUEST, text(message))
    }

    /// 403, always the same: it tells nothing of what there is.
    pub(super) fn denied() -> Self {
        let message = text("You are not allowed to do this");
        Self::new(StatusCode::FORBIDDEN, names::PERMISSION_DENIED, message)
    }

    /// 404.
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, names::NOT_FOUND, text(message))
    }

    /// 405: the route exists, the method doesn't.
    pub(super) fn wrong_method() -> Self {
        let message = text("This route does not have this method");
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self::new(status, names::METHOD_NOT_ALLOWED, message)
    }

    /// 413.
    pub(super) fn too_large(limit: Option<usize>) -> Self {
        let limit = limit.map_or_else(String::new, |limit| format!(", which is {limit} bytes"));
        let message = text(format!(
            "The body is larger than the daemon reads{limit}: the setting admin.body_limit"
        ));
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        Self::new(status, names::PAYLOAD_TOO_LARGE, message)
    }

    /// 422: one field is wrong.
    pub(super) fn field(name: &str, code: IssueCode, message: impl Into<String>) -> Self {
        Issues::from(Issue::new(code, message)).under(name).into()
    }

    /// 500: the provider failed when a person asked for a rotation.
    pub(super) fn rotation_failed(message: impl Into<String>) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self::new(status, names::INTERNAL_SERVER_ERROR, text(message))
    }

    /// 500: the daemon's own trouble. `cause` goes to the log and to nobody else.
    pub(super) fn ours(cause: impl fmt::Display) -> Self {
        Self {
            cause: Some(cause.to_string()),
            ..Self::rotation_failed(OURS)
        }
    }

    /// 503: the daemon stops.
    pub(super) fn stopping() -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(status, names::SERVICE_UNAVAILABLE, text(STOPPING))
    }

    /// 503: the disk or the database does not let it.
    fn cannot_write_down(error: &StoreError, remedy: &str) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let done = match error {
            StoreError::Disk { .. } => "whether it was done is not known",
            _ => "nothing was done",
        };
        let message = format!(
            "{}; {done}. What helps: {remedy}",
            sentence(&error.to_string())
        );
        Self {
            cause: Some(chain(error)),
            ..Self::new(status, names::SERVICE_UNAVAILABLE, text(message))
        }
    }

    /// 503: the run that a caller waited for is left to the next start.
    pub(super) fn stopped_waiting() -> Self {
        let message =
            "The daemon is shutting down: how the run ends is known once it has started again";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(status, names::SERVICE_UNAVAILABLE, text(message))
    }

    /// 503: a step of the run that a caller waited for could not be written down, or met a bug.
    pub(super) fn broken_off() -> Self {
        let message = "How the run ends is not known yet: the daemon's log says what it met, and it goes on with \
                       what was last written down within a minute";
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(status, names::SERVICE_UNAVAILABLE, text(message))
    }

    /// What a caller is told who waited for a run that published nothing.
    pub(super) fn unpublished(why: &Unpublished) -> Self {
        match why {
            Unpublished::Failed(why) => Self::rotation_failed(why),
            Unpublished::Deleted => Self::refused(sentence(&why.to_string())),
        }
    }

    /// What a provider's call that brought no answer is for a caller: 400 with the provider's words.
    pub(super) fn of_call<T>(outcome: CallOutcome<T>) -> Result<T, Self> {
        let ambiguous = outcome.is_ambiguous();
        outcome.result.map_err(|error| {
            let mut text = calls::fault(&error, ambiguous, None).to_string();
            let carried = error.fault().map_or(&[][..], |fault| &fault.findings);
            for finding in problems(carried) {
                if !text.contains(&finding.message) {
                    text = format!("{text}; {}", finding.message);
                }
                // Two paths to one host have one remedy.
                if let Some(remedy) = &finding.remedy
                    && !text.contains(remedy)
                {
                    text = format!("{text}: {remedy}");
                }
            }
            Self::refused(text)
        })
    }

    /// 400: the provider sees what keeps a rotation from working. Says what can be done about it.
    pub(super) fn of_findings(what: &str, findings: &[Finding]) -> Result<(), Self> {
        let said: Vec<_> = problems(findings).map(told).collect();
        if said.is_empty() {
            return Ok(());
        }
        Err(Self::refused(format!("{what}: {}", said.join("; "))))
    }

    /// For the log, with what only the log is told.
    pub(super) fn note(&self, method: &str, path: &str) {
        let (id, status, cause) = (self.id, self.status.as_u16(), self.cause.as_deref());
        if self.status.is_server_error() {
            tracing::error!(request = %id, method, path, status, cause, "{self}");
        } else {
            tracing::debug!(request = %id, method, path, status, "{self}");
        }
    }
}

fn problems(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    findings
        .iter()
        .filter(|finding| finding.severity == Severity::Problem)
}

/// A finding and what can be done about it, in one line.
pub(super) fn told(finding: &Finding) -> String {
    match &finding.remedy {
        Some(remedy) => format!("{} ({remedy})", finding.message),
        None => finding.message.clone(),
    }
}

/// Cut to the longest length, so that a provider can't fill a client's log.
fn text(message: impl Into<String>) -> ErrorMessage {
    ErrorMessage::Text(shortened(message.into()))
}

/// At most [`LONGEST`] characters.
pub(super) fn shortened(message: String) -> String {
    if message.chars().nth(LONGEST).is_none() {
        return message;
    }
    let kept: String = message.chars().take(LONGEST - 3).collect();
    kept + "..."
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            ErrorMessage::Text(text) => f.write_str(text),
            ErrorMessage::Issues(issues) => issues.fmt(f),
        }
    }
}

impl std::error::Error for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status).json(ErrorBody {
            req_id: self.id.to_string(),
            status_code: self.status.as_u16(),
            message: self.message.clone(),
            error: self.name.to_owned(),
            details: (self.status == StatusCode::FORBIDDEN).then(Vec::new),
        })
    }
}

impl From<Issues> for ApiError {
    fn from(issues: Issues) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self::new(status, names::VALIDATION_FAILURE, issues.into())
    }
}

impl From<MailboxError> for ApiError {
    fn from(_: MailboxError) -> Self {
        Self::stopping()
    }
}

impl From<Failed> for ApiError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Store(error) => error.into(),
            Failed::Panicked => Self::ours(failed),
            Failed::Closed => Self::stopping(),
        }
    }
}

/// Of a note in the audit, which several may have waited for.
impl From<Arc<Failed>> for ApiError {
    fn from(failed: Arc<Failed>) -> Self {
        match &*failed {
            Failed::Store(error) => match health::remedy(error) {
                Some(remedy) => Self::cannot_write_down(error, remedy),
                None => Self::ours(chain(error)),
            },
            Failed::Panicked => Self::ours(&*failed),
            Failed::Closed => Self::stopping(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(conflict) => conflict.into(),
            StoreError::NotFound { what, id } => {
                let by = match what {
                    What::Environment => "slug",
                    What::Folder => "path",
                    What::Secret => "name",
                    _ => "ID",
                };
                Self::not_found(format!("Could not find {what} with {by} \"{id}\""))
            }
            other => match health::remedy(&other) {
                Some(remedy) => Self::cannot_write_down(&other, remedy),
                None => Self::ours(chain(&other)),
            },
        }
    }
}

impl From<Conflict> for ApiError {
    fn from(conflict: Conflict) -> Self {
        Self::refused(match &conflict {
            Conflict::RotationName { name, path } => format!(
                "A Secret Rotation with the name \"{name}\" already exists at the secret path \"{path}\""
            ),
            Conflict::SecretNames {
                names,
                environment,
                path,
            } => format!(
                "The following secrets already exist at the path \"{path}\" in environment \"{environment}\": {}",
                TakenName::listed(names)
            ),
            Conflict::ConnectionName { name } => {
                format!("An App Connection with the name \"{name}\" already exists")
            }
            Conflict::ConnectionInUse { rotations } => format!(
                "The App Connection is still used by: {}. A rotation that uses it has to be deleted first; one that is \
                 deleted already needs it until what it left at the provider is settled",
                rotations.join(", ")
            ),
            other => sentence(&other.to_string()),
        })
    }
}

impl From<RootKeyError> for ApiError {
    fn from(error: RootKeyError) -> Self {
        match error {
            RootKeyError::TooShort => Self::field(
                "rootKey",
                IssueCode::TooSmall,
                "must have at least 32 bytes",
            ),
            other => Self::refused(sentence(&chain(&other))),
        }
    }
}

impl From<RewrapError> for ApiError {
    fn from(error: RewrapError) -> Self {
        match error {
            RewrapError::RootKey(error) => error.into(),
            RewrapError::Store(error) => error.into(),
            other => Self::refused(sentence(&other.to_string())),
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::InProgress => {
                Self::refused("A rotation is already in progress. Please try again shortly.")
            }
            other => Self::refused(sentence(&other.to_string())),
        }
    }
}

impl From<TellError> for ApiError {
    fn from(error: TellError) -> Self {
        match error {
            TellError::Refused(refusal) => refusal.into(),
            TellError::Failed(failed) => failed.into(),
            TellError::UnknownProvider(_) => Self::refused(sentence(&error.to_string())),
            TellError::NoEntropy => Self::ours(error),
        }
    }
}

/// An error with all of its sources.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// A fragment as it stands in an answer.
fn sentence(fragment: &str) -> String {
    let mut characters = fragment.chars();
    let first: String = characters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    first + characters.as_str()
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody as _;
    use serde_json::Value;

    use super::*;

    fn answered(error: &ApiError) -> Value {
        let body = error.error_response().into_body().try_into_bytes().unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    #[test]
    fn long_messages_are_cut_to_1024_characters() {
        let body = answered(&ApiError::refused("ü".repeat(2000)));
        let message = body["message"].as_str().unwrap();
        assert_eq!(message.chars().count(), 1024);
        assert!(message.ends_with("ü..."));
    }

    #[test]
    fn what_is_the_daemons_own_trouble_stays_in_its_log() {
        let error = ApiError::from(StoreError::NoSuchOutput {
            credential: "c".to_owned(),
            output: "hunter2".to_owned(),
        });
        let body = answered(&error);
        assert_eq!(body["statusCode"], 500);
        assert!(!body.to_string().contains("hunter2"), "{body}");
        assert!(error.cause.unwrap().contains("hunter2"));
    }

    #[test]
    fn conflicts_are_400_and_wrong_fields_422() {
        let taken = |name: &str, rotation: Option<&str>| TakenName {
            name: name.to_owned(),
            rotation: rotation.map(str::to_owned),
        };
        let conflict = Conflict::SecretNames {
            names: vec![taken("A", Some("app")), taken("B", None)],
            environment: "dev".to_owned(),
            path: "/".to_owned(),
        };
        let body = answered(&conflict.into());
        assert_eq!(
            body["message"],
            "The following secrets already exist at the path \"/\" in environment \"dev\": A (fed by the rotation \
             app), B (fed by no rotation)"
        );
        assert_eq!(
            (&body["statusCode"], &body["error"]),
            (&400.into(), &"BadRequest".into())
        );
        let body = answered(&ApiError::field(
            "name",
            IssueCode::TooSmall,
            "must not be empty",
        ));
        assert_eq!(body["statusCode"], 422);
        assert_eq!(body["message"][0]["path"][0], "name");
    }
}
