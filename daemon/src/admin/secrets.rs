//! Reading secrets, on both sockets, and deleting those that no rotation feeds. On the reader socket whatever is not granted is answered alike, whether it
//! exists or not.

pub(super) mod delete;
mod find;
mod kept;

use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use rotord_api::issue::IssueCode;
use rotord_api::query::Flag;
use rotord_api::secret::{SecretAnswer, SecretsAnswer, SecretsQuery};
use rotord_api::{Issues, routes, rules};
use rotord_store::SecretRecord;
use tokio::time::{Instant, sleep_until};

use self::find::{Found, find};
pub(super) use self::kept::Kept;
use self::kept::{What, Where};
use super::error::ApiError;
use super::peer::Peer;
use super::request::{Query, ok_secret};
use super::{Daemon, Reply, Shared};
use crate::actors::store::Failed;
use crate::health;

/// How long a caller who has what there is can wait for something else. It may have gone away meanwhile, unseen.
const LONGEST_PATIENCE: Duration = Duration::from_mins(1);

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
    list(&daemon, &request, &peer, query).await
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
    let recursive = query.recursive.unwrap_or_default().0;
    let asked = Asked::read(query, |_| What::Folder { recursive })?;
    patiently(daemon, request, async || {
        list_now(daemon, request, peer, &asked, recursive).await
    })
    .await
}

async fn list_now(
    daemon: &Shared,
    request: &HttpRequest,
    peer: &Peer,
    asked: &Asked,
    recursive: bool,
) -> Reply {
    let reach = daemon.access.of(peer);
    let place = &asked.place;
    let projects = reach.of_folder(&place.environment, &place.path, recursive);
    let found = match find(daemon, request, &reach, projects, asked).await? {
        Found::Unchanged(tag) => return Ok(unchanged(&tag)),
        Found::Secrets(found) => found,
    };
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
    let asked = Asked::read(query, |version| What::Secret { name, version })?;
    patiently(daemon, request, async || {
        one_now(daemon, request, peer, &asked).await
    })
    .await
}

async fn one_now(daemon: &Shared, request: &HttpRequest, peer: &Peer, asked: &Asked) -> Reply {
    let reach = daemon.access.of(peer);
    let (place, What::Secret { name, .. }) = (&asked.place, &asked.place.what) else {
        return Err(ApiError::ours("a secret was asked for as a folder"));
    };
    let projects = reach.of_secret(&place.environment, &place.path, name);
    let found = match find(daemon, request, &reach, projects, asked).await? {
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

/// Looks again, as long as nothing has changed and the caller would wait (`Prefer: wait=SECONDS`, RFC 7240), whenever
/// something was written. Each look judges anew what he may read.
async fn patiently(daemon: &Shared, request: &HttpRequest, look: impl AsyncFn() -> Reply) -> Reply {
    let until = Instant::now() + patience(request);
    let mut stopping = daemon.stopping.clone();
    loop {
        let edition = daemon.store.edition();
        let reply = look().await?;
        if reply.status() != StatusCode::NOT_MODIFIED || until <= Instant::now() {
            return Ok(reply);
        }
        tokio::select! {
            () = daemon.store.edition_after(edition) => {}
            () = sleep_until(until) => {}
            // An error says that nobody can stop it any more, as good as a stop.
            _ = stopping.wait_for(|stop| *stop) => return Ok(reply),
        }
    }
}

/// How long the caller would wait for a change.
fn patience(request: &HttpRequest) -> Duration {
    let preferred = request.headers().get_all("Prefer");
    preferred
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find_map(|preference| preference.trim().strip_prefix("wait=")?.trim().parse().ok())
        .map_or(Duration::ZERO, Duration::from_secs)
        .min(LONGEST_PATIENCE)
}

/// What was asked for, in normal form.
struct Asked {
    place: Where,
    values: bool,
    /// Only those with certain tags or metadata.
    labelled: bool,
}

impl Asked {
    fn read(query: SecretsQuery, what: impl FnOnce(Option<u32>) -> What) -> Result<Self, ApiError> {
        let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let project = filled(query.workspace_id)
            .or(filled(query.project_id))
            .or(filled(query.workspace_slug));
        let (Some(project), Some(environment)) = (project, filled(query.environment)) else {
            // 400, and these words first: that is how clients of this route family know it.
            return Err(ApiError::refused(
                "Missing workspace id or environment: projectId (or workspaceId) and environment are needed",
            ));
        };
        let path = filled(query.secret_path).unwrap_or_else(|| "/".to_owned());
        let path =
            rules::secret_path(&path).map_err(|issue| Issues::from(issue).under("secretPath"))?;
        let version = filled(query.version).map(|text| text.trim().parse());
        let version = version.transpose().map_err(|_| {
            ApiError::field("version", IssueCode::InvalidType, "must be a whole number")
        })?;
        Ok(Self {
            place: Where {
                project: project.trim().to_owned(),
                environment: environment.trim().to_owned(),
                path,
                what: what(version),
            },
            values: query.view_secret_value.is_none_or(|flag| flag.0),
            labelled: filled(query.tag_slugs)
                .or(filled(query.metadata_filter))
                .is_some(),
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
