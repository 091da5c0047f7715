//! Reading secrets, on both sockets. On the reader socket whatever is not granted is answered alike, whether it
//! exists or not.

use actix_web::http::header;
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use rotord_api::issue::IssueCode;
use rotord_api::secret::{Secret, SecretAnswer, SecretsAnswer, SecretsQuery};
use rotord_api::{Issues, Sensitive, Timestamp, routes, rules};
use rotord_store::places::DEFAULT_PROJECT;
use rotord_store::{Environment, Project, SecretRecord, SecretsTag};

use super::access::Reach;
use super::error::ApiError;
use super::lookup::optional;
use super::peer::Peer;
use super::request::{Query, ok_secret};
use super::rotations::credentials::text;
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
    let (project, environment, tag) = place(daemon, &reach, &asked).await?;
    let tag = reach.tag(&tag);
    if is_known(request, &tag) {
        return Ok(unchanged(&tag));
    }
    let (path, recursive, values) = (asked.path.clone(), asked.recursive, asked.values);
    let id = environment.id;
    let read = move |reader: &mut rotord_store::Reader| {
        // Opened one by one where only some are granted.
        reader.secrets(id, &path, recursive, values)
    };
    let mut secrets = daemon.store.read(read).await?.secrets;
    secrets.retain(|secret| reach.has_secret(&environment.slug, &secret.path, &secret.name));
    if asked.values {
        note(daemon, peer, "get-secrets", &secrets).await?;
    }
    let secrets = secrets
        .iter()
        .map(|secret| view(&project, &environment, secret))
        .collect::<Result<_, _>>()?;
    Ok(tagged(
        ok_secret(&SecretsAnswer {
            secrets,
            imports: Vec::new(),
        }),
        &tag,
    ))
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
    let (project, environment, tag) = place(daemon, &reach, &asked).await?;
    let tag = reach.tag(&tag);
    if is_known(request, &tag) {
        return Ok(unchanged(&tag));
    }
    let (path, version, values) = (asked.path, asked.version, asked.values);
    let (id, wanted) = (environment.id, name.clone());
    let found = daemon
        .store
        .read(move |reader| optional(reader.secret(id, &path, &wanted, version, values)))
        .await?
        .ok_or_else(|| {
            ApiError::not_found(format!("Could not find secret with name \"{name}\""))
        })?;
    if asked.values {
        note(daemon, peer, "get-secret", std::slice::from_ref(&found)).await?;
    }
    let secret = view(&project, &environment, &found)?;
    Ok(tagged(ok_secret(&SecretAnswer { secret }), &tag))
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

async fn place(
    daemon: &Shared,
    reach: &Reach<'_>,
    asked: &Asked,
) -> Result<(Project, Environment, SecretsTag), ApiError> {
    let (project, environment) = (asked.project.clone(), asked.environment.clone());
    let found = daemon
        .store
        .read(move |reader| {
            optional(reader.project(&project).and_then(|project| {
                let environment = reader.environment(project.id, &environment)?;
                // Read before the secrets: it may be older than they are, and never newer.
                let tag = reader.secrets_tag(environment.id)?;
                Ok((project, environment, tag))
            }))
        })
        .await?;
    match found {
        Some(found) if reach.is_everything() || found.0.slug == DEFAULT_PROJECT => Ok(found),
        _ if !reach.is_everything() => Err(ApiError::denied()),
        _ => Err(ApiError::not_found(format!(
            "Could not find environment \"{}\" of project \"{}\"",
            asked.environment, asked.project
        ))),
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

fn view(
    project: &Project,
    environment: &Environment,
    secret: &SecretRecord,
) -> Result<Secret, ApiError> {
    let value = secret.value.as_ref().map(text).transpose()?;
    Ok(Secret {
        id: secret.id.0,
        legacy_id: secret.id.0,
        workspace: project.id.to_string(),
        environment: environment.slug.clone(),
        version: secret.version,
        kind: "shared".to_owned(),
        secret_key: secret.name.clone(),
        secret_value_hidden: value.is_none(),
        secret_value: value.unwrap_or_else(|| Sensitive::new(String::new())),
        secret_comment: String::new(),
        secret_path: secret.path.clone(),
        created_at: Timestamp(secret.created_at),
        updated_at: Timestamp(secret.updated_at),
        tags: Vec::new(),
        secret_metadata: Vec::new(),
        skip_multiline_encoding: None,
        is_rotated_secret: secret.rotation.is_some(),
        rotation_id: secret.rotation.map(|id| id.0),
        secret_reminder_note: None,
        secret_reminder_repeat_days: None,
    })
}

/// The caller has what there is: one of his tags is this one, or he takes any.
fn is_known(request: &HttpRequest, tag: &str) -> bool {
    let known = request.headers().get_all(header::IF_NONE_MATCH);
    known
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == tag || known == "*")
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
