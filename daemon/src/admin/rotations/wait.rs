//! Waiting for the end of a run that a person asked for.

use actix_web::HttpResponse;
use rotord_rotation::{Event, RotationId, RunEnd};
use rotord_store::RotationRecord;

use super::{answer_with, shown_anew};
use crate::actors::rotator::{Running, Tell, Told};
use crate::admin::error::ApiError;
use crate::admin::{Reply, Shared};

/// How long a wait lasted.
pub(super) enum Waited {
    /// Until the run's end, or there was none to wait for.
    Ended(Option<RunEnd>),
    /// Until the settings' limit: the run goes on without its caller.
    GoesOn(Running),
}

/// Waits for the run that a rotator told of, at most as long as the settings say.
pub(super) async fn end(daemon: &Shared, told: Told) -> Result<Waited, ApiError> {
    let Some(mut running) = told.run else {
        return Ok(Waited::Ended(None));
    };
    let limit = daemon.settings.now().admin.wait;
    match tokio::time::timeout(limit, &mut running.ended).await {
        Ok(Ok(end)) => Ok(Waited::Ended(Some(end))),
        Ok(Err(_)) if *daemon.stopping.borrow() => Err(ApiError::stopped_waiting()),
        Ok(Err(_)) => Err(ApiError::broken_off()),
        Err(_) => Ok(Waited::GoesOn(running)),
    }
}

/// Says that a creation's caller is told that it goes on, so that its failure keeps its row. Answers with the
/// run's end where that came first.
pub(super) async fn answered(
    daemon: &Shared,
    id: RotationId,
    mut running: Running,
) -> Result<Option<RunEnd>, ApiError> {
    let told = daemon.rotator.send(Tell::new(id, Event::Answered)).await?;
    match (running.ended.try_recv(), told) {
        (Ok(end), _) => Ok(Some(end)),
        (Err(_), Ok(_)) => Ok(None),
        (Err(_), Err(error)) => Err(error.into()),
    }
}

/// The answer to a person who asked for a run: 200 once it has published, 202 while it goes on.
pub(super) async fn reply(daemon: &Shared, record: &RotationRecord, told: Told) -> Reply {
    match end(daemon, told).await? {
        Waited::Ended(Some(RunEnd {
            result: Err(why), ..
        })) => Err(ApiError::unpublished(&why)),
        Waited::Ended(_) => shown_anew(daemon, record).await,
        Waited::GoesOn(_) => accepted(daemon, record.details.id, Vec::new()).await,
    }
}

/// 202: the same object, its status `pending`.
pub(super) async fn accepted(daemon: &Shared, id: RotationId, warnings: Vec<String>) -> Reply {
    let record = daemon.store.read(move |reader| reader.rotation(id)).await?;
    Ok(HttpResponse::Accepted().json(answer_with(daemon, &record, warnings).await?))
}
