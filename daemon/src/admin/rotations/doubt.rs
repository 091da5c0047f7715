//! Credentials that carry our label and are not in the database: a person adopts or removes them.

use std::collections::BTreeMap;

use actix_web::web::Path;
use rotord_api::issue::{Issue, IssueCode};
use rotord_api::rotation::{AdoptCredential, RemoveCredential, SecretRotationAnswer};
use rotord_api::{Issues, Sensitive, routes};
use rotord_provider::contract::{ListedCredential, ProviderDescription};
use rotord_rotation::{Command, Event, Handle, InstallationId, Label};
use rotord_store::{RotationRecord, Secret, SecretMap};
use serde_json::json;

use super::{handles, orders, shown_anew, target, wait};
use crate::actors::rotator::{Tell, With};
use crate::admin::error::ApiError;
use crate::admin::peer::Peer;
use crate::admin::request::Body;
use crate::admin::{Daemon, Reply, Shared, audit, lookup};
use crate::calls;

/// Takes over a credential that the provider lists: with its value it is proved and published, without it is
/// retired in its time.
#[utoipa::path(post, path = routes::ADOPT, tag = "rotord",
    params(("rotationId" = String, Path, description = "The rotation's id")),
    request_body = AdoptCredential,
    responses((status = 200, body = SecretRotationAnswer),
        (status = 202, body = SecretRotationAnswer, description = "It goes on by itself")))]
pub(in crate::admin) async fn adopt_credential(
    daemon: Daemon,
    id: Path<String>,
    peer: Peer,
    body: Body<AdoptCredential>,
) -> Reply {
    let record = lookup::rotation(&daemon, None, &id).await?;
    let AdoptCredential { key_id, outputs } = body.0;
    let description = lookup::description(&daemon, &record.details.provider).await?;
    let outputs = outputs
        .map(|given| complete(&description, &record, given))
        .transpose()?;
    let listed = check_listed(&daemon, &record, &key_id, outputs.as_ref()).await?;
    let key_id = listed.handle;
    let expires_at = listed.expires_at.and_then(calls::time);
    let rotation = record.details.id;
    let has_value = outputs.is_some();
    let detail = json!({"keyId": key_id, "hasValue": has_value});
    let tell = Tell {
        rotation,
        event: Event::Command(Command::Adopt {
            handle: Handle(key_id),
            expires_at,
            has_value,
        }),
        with: With {
            outputs,
            audit: vec![audit::of_rotation(
                &peer,
                "adopt-secret-rotation-credential",
                rotation,
                detail,
            )],
            ..With::default()
        },
    };
    let told = daemon.rotator.send(tell).await??;
    if has_value {
        wait::reply(&daemon, &record, told).await
    } else {
        shown_anew(&daemon, &record).await
    }
}

/// Removes a credential at the provider that carries this rotation's label and is not in the database.
#[utoipa::path(post, path = routes::REMOVE, tag = "rotord",
    params(("rotationId" = String, Path, description = "The rotation's id")),
    request_body = RemoveCredential,
    responses((status = 200, body = SecretRotationAnswer)))]
pub(in crate::admin) async fn remove_credential(
    daemon: Daemon,
    id: Path<String>,
    peer: Peer,
    body: Body<RemoveCredential>,
) -> Reply {
    let record = lookup::rotation(&daemon, None, &id).await?;
    let typed = body.0.key_id;
    let doubt = handles::meant(&record.state.doubts, &typed, |doubt| Some(&*doubt.handle.0));
    // What is not in doubt is refused by the rotation itself.
    let handle = doubt.map_or(Handle(typed), |doubt| doubt.handle.clone());
    let detail = json!({"keyId": handle});
    let command = Command::Remove { handle };
    orders::order(
        &daemon,
        &record,
        &peer,
        command,
        "remove-secret-rotation-credential",
        detail,
    )
    .await?;
    shown_anew(&daemon, &record).await
}

/// Every output: secret ones as given, the others also from the parameter of the same name.
fn complete(
    description: &ProviderDescription,
    record: &RotationRecord,
    mut given: BTreeMap<String, Sensitive>,
) -> Result<SecretMap, ApiError> {
    let mut issues = Issues::default();
    let mut outputs = SecretMap::new();
    for output in &description.outputs {
        let parameter = record.details.parameters.get(&output.name);
        let known = parameter
            .and_then(|value| value.as_str())
            .filter(|_| !output.secret);
        match (given.remove(&output.name), known) {
            (Some(value), _) => outputs.insert(&output.name, Secret::new(value.expose())),
            (None, Some(value)) => outputs.insert(&output.name, Secret::new(value)),
            (None, None) => issues.extend(
                Issues::from(Issue::new(IssueCode::InvalidType, "is required")).under(&output.name),
            ),
        }
    }
    for name in given.keys() {
        let message = "is not an output of this provider";
        issues.extend(Issues::from(Issue::new(IssueCode::UnrecognizedKeys, message)).under(name));
    }
    issues.under("outputs").or(outputs).map_err(ApiError::from)
}

/// The provider lists it, it is not another's, and what is shown of its value fits.
async fn check_listed(
    daemon: &Shared,
    record: &RotationRecord,
    key_id: &str,
    outputs: Option<&SecretMap>,
) -> Result<ListedCredential, ApiError> {
    let (provider, target) = target::configured(daemon, &record.details).await?;
    let survey = ApiError::of_call(provider.turn().await.survey(&target).await)?;
    let listed = handles::meant(survey.credentials, key_id, |listed| Some(&*listed.handle));
    let listed = listed.ok_or_else(|| {
        ApiError::refused(format!(
            "The provider lists no credential with the key id \"{key_id}\""
        ))
    })?;
    check_label(&listed, record, daemon.installation)?;
    if let (Some(hint), Some(outputs)) = (&listed.hint, outputs) {
        let secret = |name: &str| {
            let outputs = provider.description().outputs.iter();
            outputs
                .clone()
                .any(|output| output.secret && output.name == name)
        };
        let fits = outputs
            .iter()
            .any(|(name, value)| secret(name) && value.expose().starts_with(hint.as_bytes()));
        if !fits {
            return Err(ApiError::refused(format!(
                "The value is not that of \"{key_id}\": the provider shows another beginning"
            )));
        }
    }
    Ok(listed)
}

fn check_label(
    listed: &ListedCredential,
    record: &RotationRecord,
    installation: InstallationId,
) -> Result<(), ApiError> {
    let label = listed
        .label
        .as_deref()
        .and_then(|label| label.parse::<Label>().ok());
    let Some(label) = label else {
        return Ok(());
    };
    let handle = &listed.handle;
    if label.installation != installation.into() {
        return Err(ApiError::refused(format!(
            "\"{handle}\" carries the label of another installation of rotord"
        )));
    }
    if label.rotation != record.details.id.into() {
        return Err(ApiError::refused(format!(
            "\"{handle}\" carries the label of another rotation"
        )));
    }
    Ok(())
}
