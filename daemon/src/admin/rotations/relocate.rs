//! Moving a rotation and its secrets to another environment or folder.

use actix_web::web::Path;
use rotord_api::rotation::{MoveRotation, SecretRotationAnswer};
use rotord_api::routes;
use serde_json::json;

use super::shown;
use crate::admin::peer::Peer;
use crate::admin::request::Body;
use crate::admin::{Daemon, Reply, audit, lookup};

/// Moves a rotation; its secrets keep their ids and histories.
#[utoipa::path(post, path = routes::MOVE_ROTATION, tag = "rotations",
    params(("type" = String, Path, description = "The provider's slug"),
        ("rotationId" = String, Path, description = "The rotation's id")),
    request_body = MoveRotation,
    responses((status = 200, body = SecretRotationAnswer)))]
pub(in crate::admin) async fn move_rotation(
    daemon: Daemon,
    path: Path<(String, String)>,
    peer: Peer,
    body: Body<MoveRotation>,
) -> Reply {
    let record = lookup::rotation(&daemon, Some(&path.0), &path.1).await?;
    let MoveRotation {
        destination_environment: environment,
        destination_secret_path: path,
        overwrite_destination: overwrite,
    } = body.0;
    let project = record.place.project.id.to_string();
    let folder = lookup::place(&daemon, &project, &environment, &path)
        .await?
        .folder;
    let id = record.details.id;
    let detail = json!({
        "from": {"environment": record.place.environment.slug, "secretPath": record.place.folder.path},
        "to": {"environment": environment, "secretPath": path}, "overwriteDestination": overwrite,
    });
    let note = audit::of_rotation(&peer, "move-secret-rotation", id, detail);
    let at = daemon.clock.now().wall;
    let moved = daemon
        .store
        .write(move |store| store.move_rotation(at, id, folder.id, overwrite, &[note]))
        .await?;
    shown(&daemon, &moved).await
}
