//! Reading secrets, on both sockets. On the reader socket whatever is not granted is answered alike, whether it
//! exists or not.

mod find;

use actix_web::http::header;
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use rotord_api::issue::IssueCode;
use rotord_api::secret::{SecretAnswer, SecretsAnswer, SecretsQuery};
use rotord_api::{Issues, routes, rules};
use rotord_store::{Reader, SecretRecord};

use self::find::{Found, find};
use super::access::Reach;
use super::error::ApiError;
use super::lookup::optional;
use super::peer::Peer;
use super::request::{Query, ok_secret};
use super::{Daemon, Reply, Shared};

/// A folder's secrets.
#[utoipa::path(get, path = routes::SECRETS_V3, tag = "secrets", params(SecretsQuery),
    responses((status = 200, body = SecretsAnswer), (status = 304, description = "As the ETag says")))]
pub(super) async fn list_secrets_v3(
    daemon: Daemon,
    request: HttpRequest,
    peer: Peer,
    query: Query<SecretsQuery>,
) -> Reply {
    list(&daemon, &request, &peer, query.0).await
}

/// A folder's secrets.
#[utoipa::path(get, path = routes::SECRETS_V4, tag = "secrets", params(SecretsQuery),
    responses((status = 200, body = SecretsAnswer), (status = 304, description = "As the ETag says")))]
pub(super) async fn list_secrets_v4(
    daemon: Daemon,
    request: HttpRequest,
    peer: Peer,
    query: Query<SecretsQuery>,
) -> Reply {
    list(&daemon, &request, &peer, query.0).await
}

/// One secret.
#[utoipa::path(get, path = routes::SECRET_V3, tag = "secrets",
    params(("secretName" = String, Path, description = "The secret's name"), SecretsQuery),
    responses((status = 200, body = SecretAnswer), (status = 304, description = "As the ETag says")))]
pub(super) async fn get_secret_v3(
    daemon: Daemon,
    request: HttpRequest,
    peer: Peer,
    name: Path<String>,
    query: Query<SecretsQuery>,
) -> Reply {
    one(&daemon, &request, &peer, name.into_inner(), query.0).await
}

/// One secret.
#[utoipa::path(get, path = routes::SECRET_V4, tag = "secrets",
    params(("secretName" = String, Path, description = "The secret's name"), SecretsQuery),
    responses((status = 200, body = SecretAnswer), (status = 304, description = "As the ETag says")))]
pub(super) async fn get_secret_v4(
    daemon: Daemon,
    request: HttpRequest,
    peer: Peer,
    name: Path<String>,
    query: Query<SecretsQuery>,
) -> Reply {
    one(&daemon, &request, &peer, name.into_inner(), query.0).await
}

async fn list(daemon: &Shared, request: &HttpRequest, peer: &Peer, query: SecretsQuery) -> Reply {
    let reach = reach(daemon, peer)?;
    let asked = Asked::read(query)?;
    if !reach.has_folder(&asked.environment, &asked.path, asked.recursive) {
        return Err(ApiError::denied());
    }
    let (path, recursive, values) = (asked.path.clone(), asked.recursive, asked.values);
    let read = move |reader: &Reader, environment| {
        let list = reader.secrets(environment, &path, recursive, values)?;
        Ok(list.secrets)
    };
    let mut found = match find(daemon, request, &reach, &asked, read).await? {
        Found::Unchanged(tag) => return Ok(unchanged(&tag)),
        Found::Secrets(found) => found,
    };
    let slug = found.environment.slug.clone();
    found
        .records
        .retain(|secret| reach.has_secret(&slug, &secret.path, &secret.name));
    if asked.values {
        note(daemon, peer, "get-secrets", &found.records).await?;
    }
    let secrets = found.records.iter().map(|secret| found.view(secret));
    let answer = SecretsAnswer {
        secrets: secrets.collect::<Result<_, _>>()?,
        imports: Vec::new(),
    };
    Ok(tagged(ok_secret(&answer), &found.tag))
}

async fn one(
    daemon: &Shared,
    request: &HttpRequest,
    peer: &Peer,
    name: String,
    query: SecretsQuery,
) -> Reply {
    let reach = reach(daemon, peer)?;
    let asked = Asked::read(query)?;
    if !reach.has_secret(&asked.environment, &asked.path, &name) {
        return Err(ApiError::denied());
    }
    let (path, version, values) = (asked.path.clone(), asked.version, asked.values);
    let wanted = name.clone();
    let read = move |reader: &Reader, environment| {
        let secret = optional(reader.secret(environment, &path, &wanted, version, values))?;
        Ok(secret.into_iter().collect())
    };
    let found = match find(daemon, request, &reach, &asked, read).await? {
        Found::Unchanged(tag) => return Ok(unchanged(&tag)),
        Found::Secrets(found) => found,
    };
    let [secret] = found.records.as_slice() else {
        let message = format!("Could not find secret with name \"{name}\"");
        return Err(ApiError::not_found(message));
    };
    if asked.values {
        note(daemon, peer, "get-secret", &found.records).await?;
    }
    let secret = found.view(secret)?;
    Ok(tagged(ok_secret(&SecretAnswer { secret }), &found.tag))
}

/// What this caller may read: refused where that is nothing at all, before anything that he sent is looked at.
fn reach<'a>(daemon: &'a Shared, peer: &Peer) -> Result<Reach<'a>, ApiError> {
    let reach = daemon.access.of(peer);
    if reach.is_nothing() {
        return Err(ApiError::denied());
    }
    Ok(reach)
}

/// What was asked for, in normal form.
struct Asked {
    project: String,
    environment: String,
    path: String,
    recursive: bool,
    values: bool,
    version: Option<u32>,
}

impl Asked {
    fn read(query: SecretsQuery) -> Result<Self, ApiError> {
        let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let project = filled(query.workspace_id)
            .or(filled(query.project_id))
            .or(filled(query.workspace_slug));
        let (Some(project), Some(environment)) = (project, filled(query.environment)) else {
            return Err(ApiError::refused("Missing workspace id or environment"));
        };
        let path = filled(query.secret_path).unwrap_or_else(|| "/".to_owned());
        let path =
            rules::secret_path(&path).map_err(|issue| Issues::from(issue).under("secretPath"))?;
        let version = filled(query.version).map(|text| text.trim().parse());
        let version = version.transpose().map_err(|_| {
            ApiError::field("version", IssueCode::InvalidType, "must be a whole number")
        })?;
        Ok(Self {
            project: project.trim().to_owned(),
            environment: environment.trim().to_owned(),
            path,
            recursive: query.recursive.unwrap_or_default().0,
            values: query.view_secret_value.is_none_or(|flag| flag.0),
            version,
        })
    }
}

/// Noted before it is answered.
async fn note(
    daemon: &Shared,
    peer: &Peer,
    action: &str,
    secrets: &[SecretRecord],
) -> Result<(), ApiError> {
    let Some((read, entry)) = daemon.reads.begin(peer, action, secrets) else {
        return Ok(());
    };
    let at = daemon.clock.now().wall;
    daemon
        .store
        .write(move |store| store.note(at, &[entry]))
        .await?;
    daemon.reads.noted(read);
    Ok(())
}

fn unchanged(tag: &str) -> HttpResponse {
    tagged(HttpResponse::NotModified().finish(), tag)
}

fn tagged(mut response: HttpResponse, tag: &str) -> HttpResponse {
    // Hexadecimal digits in quotes.
    if let Ok(tag) = header::HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
