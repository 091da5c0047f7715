//! Deleting a rotation: effective at once; what it leaves at the provider is settled behind the scenes.

use actix_web::web::Path;
use rotord_api::query::DeleteRotationQuery;
use rotord_api::rotation::SecretRotationAnswer;
use rotord_api::routes;
use rotord_rotation::{Command, Event};
use rotord_store::SecretsFate;
use serde_json::json;

use super::answer;
use crate::actors::rotator::{Tell, With};
use crate::admin::peer::Peer;
use crate::admin::request::{Query, ok};
use crate::admin::{Daemon, Reply, audit, lookup};

/// Deletes a rotation; answers with what it was.
#[utoipa::path(delete, path = routes::ROTATION, tag = "rotations",
    params(("type" = String, Path, description = "The provider's slug"),
        ("rotationId" = String, Path, description = "The rotation's id"), DeleteRotationQuery),
    responses((status = 200, body = SecretRotationAnswer)))]
pub(in crate::admin) async fn delete_rotation(
    daemon: Daemon,
    path: Path<(String, String)>,
    peer: Peer,
    query: Query<DeleteRotationQuery>,
) -> Reply {
    let record = lookup::rotation(&daemon, Some(&path.0), &path.1).await?;
    let was = answer(&daemon, &record).await?;
    let revoke = query.0.revoke_generated_credentials.0;
    let secrets = if query.0.delete_secrets.0 {
        SecretsFate::Remove
    } else {
        SecretsFate::Keep
    };
    let id = record.details.id;
    let detail = json!({
        "type": path.0, "name": record.details.name, "deleteSecrets": query.0.delete_secrets.0,
        "revokeGeneratedCredentials": revoke,
    });
    let tell = Tell {
        rotation: id,
        event: Event::Command(Command::Delete { revoke }),
        with: With {
            secrets: Some(secrets),
            audit: vec![audit::of_rotation(
                &peer,
                "delete-secret-rotation",
                id,
                detail,
            )],
            ..With::default()
        },
    };
    daemon.rotator.send(tell).await??;
    Ok(ok(&was))
}
