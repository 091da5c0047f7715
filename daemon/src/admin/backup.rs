//! The whole database as one sealed file.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use rotord_api::backup::TakeBackup;
use rotord_api::routes;
use rotord_store::Secret;
use serde_json::json;

use super::error::ApiError;
use super::peer::Peer;
use super::request::Body;
use super::{Daemon, Reply, audit};

/// Takes a backup while everything goes on.
#[utoipa::path(post, path = routes::BACKUP, tag = "rotord",
    request_body(content = TakeBackup, description = "May be left out"),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>,
        description = "The backup file, sealed")))]
pub(super) async fn take_backup(daemon: Daemon, peer: Peer, body: Body<TakeBackup>) -> Reply {
    let passphrase = body.0.passphrase;
    let now = daemon.clock.now().wall;
    let snapshot = daemon
        .store
        .read(move |reader| reader.snapshot(now))
        .await?;
    let detail = json!({"generation": snapshot.generation(), "passphrase": passphrase.is_some()});
    audit::note(&daemon, &peer, "take-backup", detail).await;
    // Deriving a key from a passphrase takes its time: not on a thread that others wait for.
    let sealed = web::block(move || {
        let passphrase = passphrase.map(|text| Secret::new(text.expose()));
        snapshot.seal(passphrase.as_ref())
    });
    let sealed = sealed.await.map_err(ApiError::ours)??;
    tracing::info!(bytes = sealed.len(), "a backup was taken");
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/octet-stream")
        .body(sealed))
}
