//! Reading secrets, on both sockets. On the reader socket whatever is not granted is answered alike, whether it
//! exists or not.

mod find;

use actix_web::http::header;
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use rotord_api::issue::IssueCode;
use rotord_api::query::Flag;
use rotord_api::secret::{SecretAnswer, SecretsAnswer, SecretsQuery};
use rotord_api::{Issues, routes, rules};
use rotord_store::{Reader, SecretRecord};

use self::find::{Found, find};
use super::error::ApiError;
use super::peer::Peer;
use super::request::{Query, ok_secret};
use super::{Daemon, Reply, Shared};
use crate::actors::store::Failed;
use crate::health;

/// A folder's secrets.
#[utoipa::path(get, path = routes::SECRETS_V3, tag = "secrets", params(SecretsQuery),
    responses((status = 200, body = SecretsAnswer), (status = 304, description = "As the ETag says")))]
pub(super) async fn list_secrets_v3(
    daemon: Daemon,
    request: HttpRequest,
    peer: Peer,
    query: Query<SecretsQuery>,
) -> Reply {
    list(&daemon, &request, &peer, Asked::read(query.0)?).await
}

/// A folder's secrets, and those of the folders below unless `recursive` is false.
#[utoipa::path(get, path = routes::SECRETS_V4, tag = "secrets", params(SecretsQuery),
    responses((status = 200, body = SecretsAnswer), (status = 304, description = "As the ETag says")))]
pub(super) async fn list_secrets_v4(
    daemon: Daemon,
    request: HttpRequest,
    peer: Peer,
    query: Query<SecretsQuery>,
) -> Reply {
    let mut query = query.0;
    query.recursive.get_or_insert(Flag(true));
    list(&daemon, &request, &peer, Asked::read(query)?).await
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
    let asked = Asked::read(query.0)?;
    one(&daemon, &request, &peer, name.into_inner(), asked).await
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
    let asked = Asked::read(query.0)?;
    one(&daemon, &request, &peer, name.into_inner(), asked).await
}

async fn list(daemon: &Shared, request: &HttpRequest, peer: &Peer, asked: Asked) -> Reply {
    let reach = daemon.access.of(peer);
    if !reach.has_folder(&asked.environment, &asked.path, asked.recursive) {
        return Err(ApiError::denied());
    }
    let (path, recursive) = (asked.path.clone(), asked.recursive);
    let read = move |reader: &Reader, environment, values| {
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
    asked: Asked,
) -> Reply {
    let reach = daemon.access.of(peer);
    if !reach.has_secret(&asked.environment, &asked.path, &name) {
        return Err(ApiError::denied());
    }
    let (path, version) = (asked.path.clone(), asked.version);
    let read = move |reader: &Reader, environment, values| {
        Ok(vec![reader.secret(
            environment,
            &path,
            &name,
            version,
            values,
        )?])
    };
    let found = match find(daemon, request, &reach, &asked, read).await? {
        Found::Unchanged(tag) => return Ok(unchanged(&tag)),
        Found::Secrets(found) => found,
    };
    if asked.values {
        note(daemon, peer, "get-secret", &found.records).await?;
    }
    let [secret] = found.records.as_slice() else {
        return Err(ApiError::ours("one secret was read as several"));
    };
    let secret = found.view(secret)?;
    Ok(tagged(ok_secret(&SecretAnswer { secret }), &found.tag))
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

/// Noted before it is answered. Where the books can't be written, an application that needs its secret gets it all
/// the same, and the log has what the audit lacks.
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
    match daemon.store.note(at, entry).await {
        Ok(()) => daemon.reads.noted(read),
        Err(failed) => {
            let Failed::Store(error) = &*failed else {
                return Err(failed.into());
            };
            if health::remedy(error).is_none() {
                return Err(failed.into());
            }
            let names: Vec<_> = secrets.iter().map(|secret| secret.name.as_str()).collect();
            tracing::error!(
                uid = peer.uid, gid = peer.gid, pid = peer.pid, action, secrets = names.join(", "), %error,
                "a read could not be noted in the audit: it is answered, and noted here"
            );
        }
    }
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
