//! Creating a rotation: everything that can be known is checked before anything is issued.

use std::sync::Arc;

use actix_web::web::Path;
use rotord_api::rotation::{CreateRotation, SecretRotationAnswer};
use rotord_api::routes;
use rotord_provider::Provider;
use rotord_rotation::{RotationId, RunEnd, Unpublished};
use rotord_store::{Connection, ConnectionId, NewRotation, Place};
use serde_json::json;
use uuid::Uuid;

use super::wait::Waited;
use super::{answer_with, names, plan, target, wait};
use crate::actors::rotator::Create;
use crate::admin::error::ApiError;
use crate::admin::lookup::optional;
use crate::admin::peer::Peer;
use crate::admin::request::{Body, ok};
use crate::admin::{Daemon, Reply, Shared, audit, describe, lookup};

/// Creates a rotation and waits for its first credential.
#[utoipa::path(post, path = routes::ROTATIONS_OF_TYPE, tag = "rotations",
    params(("type" = String, Path, description = "The provider's slug")),
    request_body = CreateRotation,
    responses((status = 200, body = SecretRotationAnswer, description = "Published"),
        (status = 202, body = SecretRotationAnswer, description = "It goes on by itself")))]
pub(in crate::admin) async fn create_rotation(
    daemon: Daemon,
    kind: Path<String>,
    peer: Peer,
    body: Result<Body<CreateRotation>, ApiError>,
) -> Reply {
    // Which fields are right is the provider's to say.
    let provider = lookup::provider(&daemon, &kind).await?;
    let (create, warnings) = prepared(&daemon, &provider, &peer, body?.0).await?;
    let id = create.id;
    let told = daemon.rotator.send(create).await??;
    let end = match wait::end(&daemon, told).await? {
        Waited::Ended(end) => end,
        Waited::GoesOn(running) => match wait::answered(&daemon, id, running).await? {
            Some(end) => Some(end),
            None => return wait::accepted(&daemon, id, warnings).await,
        },
    };
    if let Some(RunEnd {
        result: Err(why), ..
    }) = end
    {
        return Err(match why {
            Unpublished::Failed(why) => failed(&why),
            Unpublished::Deleted => ApiError::unpublished(&why),
        });
    }
    let record = daemon
        .store
        .read(move |reader| optional(reader.rotation(id)))
        .await?
        .filter(|record| !record.state.life.is_deleting())
        .ok_or_else(|| ApiError::unpublished(&Unpublished::Deleted))?;
    Ok(ok(&answer_with(&daemon, &record, warnings).await?))
}

fn failed(why: &str) -> ApiError {
    ApiError::refused(format!(
        "rotord encountered an issue while generating credentials with the configured inputs: {why}"
    ))
}

/// What to create, and what a person should know of its target.
async fn prepared(
    daemon: &Shared,
    provider: &Arc<Provider>,
    peer: &Peer,
    body: CreateRotation,
) -> Result<(Create, Vec<String>), ApiError> {
    let description = describe::provider(provider.description());
    let mut issues = rotord_api::Issues::default();
    let parameters = description.check_parameters(body.parameters.clone());
    let mapping = description.check_mapping(&body.secrets_mapping);
    issues.extend(parameters.as_ref().err().cloned().unwrap_or_default());
    issues.extend(mapping.err().unwrap_or_default());
    issues.or(())?;
    let parameters = parameters?;
    let plan = plan::of_new(&body, provider.description())?;
    let place = lookup::place(
        daemon,
        &body.project_id,
        &body.environment,
        &body.secret_path,
    )
    .await?;
    let connection = usable(daemon, provider, &place, body.connection_id).await?;
    let mapping = body.secrets_mapping;
    names::check_free(daemon, &place, Some(&body.name), Some(&mapping), None).await?;
    let inspected = target::inspect(
        daemon,
        provider,
        connection,
        &parameters,
        plan.interval,
        None,
    )
    .await?;
    let id = RotationId(Uuid::new_v4());
    let detail = json!({
        "type": provider.slug().as_str(), "name": body.name, "connectionId": body.connection_id,
        "folderId": place.folder.id, "parameters": inspected.parameters, "secretsMapping": mapping,
    });
    let create = Create {
        id,
        new: NewRotation {
            provider: provider.slug().to_string(),
            name: body.name,
            description: body.description,
            connection: ConnectionId(body.connection_id),
            folder: place.folder.id,
            parameters: inspected.parameters,
            mapping,
            target_key: inspected.key,
        },
        plan,
        force: body.force,
        audit: vec![audit::of_rotation(
            peer,
            "create-secret-rotation",
            id,
            detail,
        )],
    };
    Ok((create, inspected.warnings))
}

/// The connection, if this provider can use it for this project.
async fn usable(
    daemon: &Shared,
    provider: &Arc<Provider>,
    place: &Place,
    id: Uuid,
) -> Result<Connection, ApiError> {
    let connection = lookup::connection(daemon, None, &id.to_string()).await?;
    let description = provider.description();
    if connection.kind != description.connection.slug.as_str() {
        return Err(ApiError::refused(format!(
            "The App Connection \"{}\" is for {} and cannot be used to connect to {}",
            connection.name, connection.kind, description.title
        )));
    }
    if connection
        .project
        .is_some_and(|project| project != place.project.id)
    {
        return Err(ApiError::refused(format!(
            "The App Connection \"{}\" is for another project",
            connection.name
        )));
    }
    Ok(connection)
}
