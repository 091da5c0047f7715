//! Reading what was sent, and what every request goes through.

use std::future::{Ready, ready};

use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::{PayloadError, QueryPayloadError};
use actix_web::http::{ConnectionType, StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use futures_util::future::LocalBoxFuture;
use rotord_api::Issues;
use rotord_api::backup::TakeBackup;
use rotord_api::connection::{CreateConnection, UpdateConnection};
use rotord_api::issue::{Issue, IssueCode};
use rotord_api::project::{CreateEnvironment, CreateFolder, CreateProject};
use rotord_api::root_key::RewrapRootKey;
use rotord_api::rotation::{
    AdoptCredential, CreateRotation, MoveRotation, RemoveCredential, RetireCredential, RotateNow,
    UpdateRotation,
};
use rotord_api::rules;
use rotord_api::secret::DeleteSecret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::Daemon;
use super::error::ApiError;
use super::peer::Peer;

/// What every request goes through: without a known peer, and for one who may read nothing, nothing that was sent is
/// looked at; what is refused is logged; and whoever is denied has to connect anew.
pub(super) async fn around(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let is_welcome = request.conn_data::<Peer>().is_some_and(|peer| {
        let daemon = request.app_data::<Daemon>();
        daemon.is_some_and(|daemon| !daemon.access.of(peer).is_nothing())
    });
    let mut response = if is_welcome {
        next.call(request).await?
    } else {
        request.error_response(ApiError::denied())
    };
    if response.status() == StatusCode::FORBIDDEN {
        let head = response.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
    let error = response.response().error();
    if let Some(error) = error.and_then(|error| error.as_error::<ApiError>()) {
        let request = response.request();
        error.note(request.method().as_str(), request.path());
    }
    Ok(response)
}

/// A body that is read and judged by the rules of its fields.
pub(super) struct Body<T>(pub(super) T);

/// What can be read from a body.
pub(super) trait FromJson: Sized {
    /// Everything that is wrong with it, or the thing itself.
    fn from_json(body: Value) -> Result<Self, Issues>;
}

macro_rules! from_json {
    ($($body:ty),+ $(,)?) => {$(
        impl FromJson for $body {
            fn from_json(body: Value) -> Result<Self, Issues> {
                <$body>::from_json(body)
            }
        }
    )+};
}

from_json!(
    AdoptCredential,
    CreateConnection,
    CreateEnvironment,
    CreateFolder,
    CreateProject,
    CreateRotation,
    DeleteSecret,
    MoveRotation,
    RemoveCredential,
    RetireCredential,
    RewrapRootKey,
    RotateNow,
    TakeBackup,
    UpdateConnection,
    UpdateRotation,
);

impl<T: FromJson + 'static> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = web::Bytes::from_request(request, payload);
        let limit = request.app_data::<BodyLimit>().map(|limit| limit.0);
        Box::pin(async move {
            let bytes = bytes.await.map_err(|error| unreadable(&error, limit))?;
            // No body at all is the null that some bodies stand for.
            let body = if bytes.is_empty() {
                Value::Null
            } else {
                serde_json::from_slice(&bytes).map_err(|error| not_json(&error))?
            };
            Ok(Self(T::from_json(body)?))
        })
    }
}

/// The largest body that is read, in bytes, beside what enforces it.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyLimit(pub(super) usize);

fn unreadable(error: &actix_web::Error, limit: Option<usize>) -> ApiError {
    match error.as_error::<PayloadError>() {
        Some(PayloadError::Overflow) => ApiError::too_large(limit),
        _ => ApiError::refused("The body can't be read"),
    }
}

/// Where, and never what: it may hold a secret.
fn not_json(error: &serde_json::Error) -> ApiError {
    let (line, column) = (error.line(), error.column());
    let what = if error.to_string().starts_with("recursion limit") {
        "is nested too deeply"
    } else {
        "is not JSON"
    };
    ApiError::refused(format!("The body {what}, at line {line} column {column}"))
}

/// A query string. What nobody asks for is ignored.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let read = web::Query::<T>::from_query(request.query_string());
        ready(match read {
            Ok(query) => Ok(Self(query.into_inner())),
            Err(error) => Err(wrong_query::<T>(request.query_string(), &error)),
        })
    }
}

/// What is wrong with a query. The reader of it does not say where, so each parameter is read alone.
fn wrong_query<T: DeserializeOwned>(query: &str, whole: &QueryPayloadError) -> ApiError {
    let alone = query.split('&').find_map(|parameter| {
        let wrong = web::Query::<T>::from_query(parameter).err()?;
        let named = web::Query::<Vec<(String, String)>>::from_query(parameter).ok()?;
        let (name, _) = named.into_inner().into_iter().next()?;
        Some((name, words(&wrong)))
    });
    let (name, why) = alone.unwrap_or_else(|| ("query".to_owned(), words(whole)));
    ApiError::field(&name, IssueCode::InvalidType, why)
}

fn words(error: &QueryPayloadError) -> String {
    match error {
        QueryPayloadError::Deserialize(why) => why.to_string(),
        other => other.to_string(),
    }
}

/// A text of the query that must be there.
pub(super) fn needed(given: Option<&str>, name: &str) -> Result<String, ApiError> {
    let missing = || Issue::new(IssueCode::InvalidType, "is required");
    given
        .ok_or_else(missing)
        .and_then(rules::filled)
        .map_err(|issue| Issues::from(issue).under(name).into())
}

/// An id of the path.
pub(super) fn id(text: &str, name: &str) -> Result<Uuid, ApiError> {
    rules::uuid(text).map_err(|issue| Issues::from(issue).under(name).into())
}

/// 200 with a body.
pub(super) fn ok(body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().json(body)
}

/// 200 with a body that holds secrets: nobody on the way is to keep it.
pub(super) fn ok_secret(body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(body)
}
