//! What a person orders: rotate, pause, resume, retire, unblock.

use std::time::Duration;

use actix_web::web::Path;
use rotord_api::rotation::{RetireCredential, RotateNow, SecretRotationAnswer};
use rotord_api::routes;
use rotord_rotation::{Command, CredentialId, Event};
use rotord_store::RotationRecord;
use serde_json::{Value, json};

use super::{handles, shown_anew, wait};
use crate::actors::rotator::{Tell, Told, With};
use crate::admin::error::ApiError;
use crate::admin::peer::Peer;
use crate::admin::request::Body;
use crate::admin::{Daemon, Reply, Shared, audit, lookup};

/// Rotates now and waits for the new credential.
#[utoipa::path(post, path = routes::ROTATE_SECRETS, tag = "rotations",
    params(("type" = String, Path, description = "The provider's slug"),
        ("rotationId" = String, Path, description = "The rotation's id")),
    request_body(content = RotateNow, description = "May be left out"),
    responses((status = 200, body = SecretRotationAnswer, description = "Published"),
        (status = 202, body = SecretRotationAnswer, description = "It goes on by itself")))]
pub(in crate::admin) async fn rotate_secrets(
    daemon: Daemon,
    path: Path<(String, String)>,
    peer: Peer,
    body: Body<RotateNow>,
) -> Reply {
    let record = lookup::rotation(&daemon, Some(&path.0), &path.1).await?;
    // Without its provider the run could only wait, and its caller with it.
    lookup::provider(&daemon, &path.0).await?;
    let after = body.0.retire_previous_after;
    let command = Command::Rotate {
        retire_after: after.map(|seconds| Duration::from_secs(seconds.into())),
    };
    let detail = json!({"type": path.0, "retirePreviousAfter": after});
    let action = "secret-rotation-rotate-secrets";
    let told = order(&daemon, &record, &peer, command, action, detail).await?;
    wait::reply(&daemon, &record, told).await
}

/// No more scheduled runs.
#[utoipa::path(post, path = routes::PAUSE, tag = "rotord",
    params(("rotationId" = String, Path, description = "The rotation's id")),
    responses((status = 200, body = SecretRotationAnswer)))]
pub(in crate::admin) async fn pause_rotation(
    daemon: Daemon,
    id: Path<String>,
    peer: Peer,
) -> Reply {
    at_once(&daemon, &id, &peer, Command::Pause, "pause-secret-rotation").await
}

/// Scheduled runs again.
#[utoipa::path(post, path = routes::RESUME, tag = "rotord",
    params(("rotationId" = String, Path, description = "The rotation's id")),
    responses((status = 200, body = SecretRotationAnswer)))]
pub(in crate::admin) async fn resume_rotation(
    daemon: Daemon,
    id: Path<String>,
    peer: Peer,
) -> Reply {
    at_once(
        &daemon,
        &id,
        &peer,
        Command::Resume,
        "resume-secret-rotation",
    )
    .await
}

/// A person mended what kept it from working.
#[utoipa::path(post, path = routes::UNBLOCK, tag = "rotord",
    params(("rotationId" = String, Path, description = "The rotation's id")),
    responses((status = 200, body = SecretRotationAnswer)))]
pub(in crate::admin) async fn unblock_rotation(
    daemon: Daemon,
    id: Path<String>,
    peer: Peer,
) -> Reply {
    at_once(
        &daemon,
        &id,
        &peer,
        Command::Unblock,
        "unblock-secret-rotation",
    )
    .await
}

/// Revokes without waiting what has leaked.
#[utoipa::path(post, path = routes::RETIRE, tag = "rotord",
    params(("rotationId" = String, Path, description = "The rotation's id")),
    request_body(content = RetireCredential, description = "May be left out"),
    responses((status = 200, body = SecretRotationAnswer)))]
pub(in crate::admin) async fn retire_credential(
    daemon: Daemon,
    id: Path<String>,
    peer: Peer,
    body: Body<RetireCredential>,
) -> Reply {
    let record = lookup::rotation(&daemon, None, &id).await?;
    let RetireCredential { key_id, now: force } = body.0;
    let credential = match &key_id {
        Some(key_id) => Some(with_handle(&record, key_id)?),
        None => None,
    };
    let detail = json!({"keyId": key_id, "now": force});
    let command = Command::Retire { credential, force };
    order(
        &daemon,
        &record,
        &peer,
        command,
        "retire-secret-rotation-credential",
        detail,
    )
    .await?;
    shown_anew(&daemon, &record).await
}

fn with_handle(record: &RotationRecord, key_id: &str) -> Result<CredentialId, ApiError> {
    let found = handles::meant(&record.state.credentials, key_id, |credential| {
        credential.handle.as_ref().map(|handle| &*handle.0)
    });
    match found {
        Some(credential) if credential.stage.is_settled() => Err(ApiError::refused(format!(
            "The credential with the key id \"{key_id}\" is gone already"
        ))),
        Some(credential) => Ok(credential.id),
        None => Err(ApiError::refused(format!(
            "This rotation has no credential with the key id \"{key_id}\""
        ))),
    }
}

async fn at_once(daemon: &Shared, id: &str, peer: &Peer, command: Command, action: &str) -> Reply {
    let record = lookup::rotation(daemon, None, id).await?;
    order(daemon, &record, peer, command, action, Value::Null).await?;
    shown_anew(daemon, &record).await
}

/// Tells the rotation, with its audit in the same transaction.
pub(super) async fn order(
    daemon: &Shared,
    record: &RotationRecord,
    peer: &Peer,
    command: Command,
    action: &str,
    detail: Value,
) -> Result<Told, ApiError> {
    let rotation = record.details.id;
    let tell = Tell {
        rotation,
        event: Event::Command(command),
        with: With {
            audit: vec![audit::of_rotation(peer, action, rotation, detail)],
            ..With::default()
        },
    };
    Ok(daemon.rotator.send(tell).await??)
}
