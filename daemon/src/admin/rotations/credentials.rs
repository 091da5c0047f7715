//! The credentials themselves: shown to who may see them, and tried out.

use actix_web::HttpResponse;
use actix_web::web::Path;
use rotord_api::rotation::{GeneratedCredential, GeneratedCredentials};
use rotord_api::{Sensitive, routes};
use rotord_provider::contract::{Output, Verdict};
use rotord_rotation::{Event, Rotation};
use rotord_store::{Generated, Secret, SecretMap};
use serde_json::json;

use super::target;
use crate::actors::rotator::{Tell, With};
use crate::admin::error::ApiError;
use crate::admin::peer::Peer;
use crate::admin::request::ok_secret;
use crate::admin::{Daemon, Reply, audit, lookup};

/// The credentials in the two slots, with their values.
#[utoipa::path(get, path = routes::GENERATED_CREDENTIALS, tag = "rotations",
    params(("type" = String, Path, description = "The provider's slug"),
        ("rotationId" = String, Path, description = "The rotation's id")),
    responses((status = 200, body = GeneratedCredentials)))]
pub(in crate::admin) async fn generated_credentials(
    daemon: Daemon,
    path: Path<(String, String)>,
    peer: Peer,
) -> Reply {
    let record = lookup::rotation(&daemon, Some(&path.0), &path.1).await?;
    let id = record.details.id;
    let generated = daemon
        .store
        .read(move |reader| reader.generated(id))
        .await?;
    let detail = json!({"type": path.0});
    let action = "get-secret-rotation-generated-credentials";
    let note = audit::of_rotation(&peer, action, id, detail);
    let at = daemon.clock.now().wall;
    // Noted before it is shown.
    daemon.store.note(at, note).await?;
    Ok(ok_secret(&GeneratedCredentials {
        generated_credentials: generated.iter().map(shown).collect::<Result<_, _>>()?,
        active_index: record.state.active_index().into(),
        rotation_id: id.0,
        kind: record.details.provider,
    }))
}

/// One login with the published credential. One that works lifts what was said to keep every credential from working.
#[utoipa::path(post, path = routes::CHECK_CREDENTIALS, tag = "rotations",
    params(("type" = String, Path, description = "The provider's slug"),
        ("rotationId" = String, Path, description = "The rotation's id")),
    responses((status = 204, description = "It works")))]
pub(in crate::admin) async fn check_credentials(
    daemon: Daemon,
    path: Path<(String, String)>,
    peer: Peer,
) -> Reply {
    let record = lookup::rotation(&daemon, Some(&path.0), &path.1).await?;
    let nothing = || ApiError::refused("Nothing is published yet");
    let active = record.state.active().ok_or_else(nothing)?.id;
    let (provider, target) = target::configured(&daemon, &record.details).await?;
    let outputs = daemon
        .store
        .read(move |reader| reader.outputs_of(active))
        .await?;
    let outputs: Vec<Output> = outputs
        .as_ref()
        .ok_or_else(nothing)?
        .iter()
        .map(|(name, value)| Output {
            name: name.to_owned(),
            value: rotord_provider::Secret::new(value.expose()),
        })
        .collect();
    let verification = ApiError::of_call(provider.turn().await.verify(&target, &outputs).await)?;
    let (refused, event) = match verification.verdict {
        Verdict::Works => (
            None,
            says_otherwise(&record.state).then_some(Event::LoginWorked),
        ),
        Verdict::NotYet(why) | Verdict::Never(why) => {
            (Some(why.clone()), Some(Event::LoginRefused { why }))
        }
        Verdict::CannotTell(why) => (Some(why), None),
    };
    let id = record.details.id;
    let detail = json!({"type": path.0, "works": refused.is_none()});
    let note = audit::of_rotation(&peer, "check-secret-rotation-credentials", id, detail);
    if let Some(event) = event {
        let tell = Tell {
            rotation: id,
            event,
            with: With {
                audit: vec![note],
                ..With::default()
            },
        };
        daemon.rotator.send(tell).await??;
    } else {
        let at = daemon.clock.now().wall;
        daemon.store.note(at, note).await?;
    }
    match refused {
        None => Ok(HttpResponse::NoContent().finish()),
        Some(why) => Err(ApiError::refused(why)),
    }
}

/// The books know of something that a login which works ends.
fn says_otherwise(state: &Rotation) -> bool {
    state.blocked.is_some() || state.contact.login_refused.is_some()
}

fn shown(generated: &Generated) -> Result<GeneratedCredential, ApiError> {
    let handle = generated.credential.handle.as_ref();
    let outputs = generated.outputs.iter().flat_map(SecretMap::iter);
    Ok(GeneratedCredential {
        key_id: handle.map(ToString::to_string).unwrap_or_default(),
        outputs: outputs
            .map(|(name, value)| Ok((name.to_owned(), text(value)?)))
            .collect::<Result<_, ApiError>>()?,
    })
}

/// A value as JSON can hold it.
pub(in crate::admin) fn text(value: &Secret) -> Result<Sensitive, ApiError> {
    match std::str::from_utf8(value.expose()) {
        Ok(text) => Ok(Sensitive::new(text.to_owned())),
        Err(_) => Err(ApiError::ours("a secret's value is no text")),
    }
}
