//! The writes: addPassword, removePassword, and the PATCH that is refused.

use serde_json::json;

use super::access::{self, Caller};
use super::error::GraphError;
use super::{body, datetime, dress, success};
use crate::answer::Answer;
use crate::exchange::Exchange;
use crate::model::{Change, ObjectId, Surface};
use crate::route::Key;

/// `POST /applications/{id}/addPassword`
pub(super) fn add(
    exchange: &mut Exchange<'_>,
    caller: &Caller,
    key: &Key,
) -> Result<Answer, GraphError> {
    let id = writable(exchange, caller, key)?;
    let request = body::new_password(&body::object(exchange.request)?)?;
    let collides = collision(exchange, id);
    refuse_without_effect(exchange, collides)?;

    let view = exchange.world.view(Surface::Lookup);
    let world = &mut *exchange.world;
    let policy = world.behaviour.policy.as_ref();
    let mut change = Change {
        now: exchange.now,
        lags: &world.behaviour.added,
        replicas: world.behaviour.replicas,
        rng: &mut world.rng,
    };
    let app = world
        .tenant
        .by_object_id_mut(id)
        .ok_or_else(|| GraphError::not_found(key.text()))?;
    let limit = world.behaviour.object_limit;
    let password = app.add_password(request, view, policy, limit, &mut change)?;
    exchange.note.key_id = Some(password.key_id);
    exchange.note.changed = true;
    let context = format!(
        "{}/v1.0/$metadata#microsoft.graph.passwordCredential",
        exchange.request.base()
    );
    let body = json!({
        "@odata.context": context,
        "customKeyIdentifier": null,
        "displayName": password.display_name,
        "endDateTime": datetime::write(password.end),
        "hint": password.text.hint(),
        "keyId": password.key_id,
        "secretText": password.text.expose(),
        "startDateTime": datetime::write(password.start),
    });
    if collides {
        return Err(too_close(exchange));
    }
    // Always the service's root, which is not where the secret is.
    Ok(success(exchange, &body, 1).with("Location", exchange.request.base()))
}

/// `POST /applications/{id}/removePassword`
pub(super) fn remove(
    exchange: &mut Exchange<'_>,
    caller: &Caller,
    key: &Key,
) -> Result<Answer, GraphError> {
    let id = writable(exchange, caller, key)?;
    let key_id = body::key_id(&body::object(exchange.request)?)?;
    exchange.note.key_id = Some(key_id);
    let collides = collision(exchange, id);
    refuse_without_effect(exchange, collides)?;

    let view = exchange.world.view(Surface::Lookup);
    let world = &mut *exchange.world;
    let mut change = Change {
        now: exchange.now,
        lags: &world.behaviour.removed,
        replicas: world.behaviour.replicas,
        rng: &mut world.rng,
    };
    let app = world
        .tenant
        .by_object_id_mut(id)
        .ok_or_else(|| GraphError::not_found(key.text()))?;
    if !app.remove_password(key_id, view, true, &mut change) {
        return Err(GraphError::unknown_key(key_id));
    }
    exchange.note.changed = true;
    if collides {
        return Err(too_close(exchange));
    }
    Ok(dress(exchange, Answer::empty(204)).with("x-ms-resource-unit", "1"))
}

/// `PATCH /applications/{id}`: not the way to change secrets, and nothing else is here to change.
pub(super) fn patch(
    exchange: &mut Exchange<'_>,
    caller: &Caller,
    key: &Key,
) -> Result<Answer, GraphError> {
    writable(exchange, caller, key)?;
    let body = body::object(exchange.request)?;
    Err(if body.contains_key("passwordCredentials") {
        GraphError::bad_request("Using PATCH to update passwordCredentials is not supported.")
    } else {
        GraphError::bad_request("This stand-in does not change applications.")
    })
}

/// The application of a path, if the caller may change its secrets.
fn writable(
    exchange: &mut Exchange<'_>,
    caller: &Caller,
    key: &Key,
) -> Result<ObjectId, GraphError> {
    caller.may_write()?;
    let app = access::application(exchange, key)?;
    caller.may_write_to(app)?;
    Ok(app.object_id)
}

/// Whether a write comes too soon after another on the same application.
fn collision(exchange: &Exchange<'_>, id: ObjectId) -> bool {
    let window = exchange.world.behaviour.write_window.span();
    exchange
        .world
        .tenant
        .by_object_id(id)
        .is_some_and(|app| app.changed_within(window, exchange.now))
}

fn refuse_without_effect(exchange: &Exchange<'_>, collides: bool) -> Result<(), GraphError> {
    if collides && !exchange.world.behaviour.write_window.applied {
        return Err(too_close(exchange));
    }
    Ok(())
}

fn too_close(exchange: &Exchange<'_>) -> GraphError {
    GraphError::concurrency(exchange.world.behaviour.write_window.status)
}
