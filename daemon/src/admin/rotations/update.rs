//! Changing a rotation: everything of one request in one transaction.

use actix_web::web::Path;
use rotord_api::Issues;
use rotord_api::field::FieldValues;
use rotord_api::issue::{Issue, IssueCode};
use rotord_api::rotation::{SecretRotationAnswer, UpdateRotation};
use rotord_api::routes;
use rotord_provider::contract::ProviderDescription;
use rotord_rotation::{Command, Event, Plan};
use rotord_store::{Conflict, RotationChange, RotationRecord};
use serde_json::{Map, Value, json};

use super::{answer_with, names, plan, target};
use crate::actors::rotator::{Tell, With};
use crate::admin::error::ApiError;
use crate::admin::peer::Peer;
use crate::admin::request::{Body, ok};
use crate::admin::{Daemon, Reply, Shared, audit, describe, lookup};
use crate::calls;

/// Changes a rotation.
#[utoipa::path(patch, path = routes::ROTATION, tag = "rotations",
    params(("type" = String, Path, description = "The provider's slug"),
        ("rotationId" = String, Path, description = "The rotation's id")),
    request_body = UpdateRotation,
    responses((status = 200, body = SecretRotationAnswer)))]
pub(in crate::admin) async fn update_rotation(
    daemon: Daemon,
    path: Path<(String, String)>,
    peer: Peer,
    body: Body<UpdateRotation>,
) -> Reply {
    let record = lookup::rotation(&daemon, Some(&path.0), &path.1).await?;
    let description = lookup::description(&daemon, &path.0).await?;
    let Body(body) = body;
    stays(&body, &record)?;
    let plan = plan::of_change(&body, &record.state, &description, daemon.clock.now().wall)?;
    let (change, warnings) = changed(&daemon, &record, &description, &plan, body).await?;
    let detail = json!({
        "name": change.name, "parameters": change.parameters, "secretsMapping": change.mapping,
        "isAutoRotationEnabled": plan.auto, "rotationInterval": plan.interval.as_days(),
    });
    let id = record.details.id;
    let with = With {
        change: Some(change),
        audit: vec![audit::of_rotation(
            &peer,
            "update-secret-rotation",
            id,
            detail,
        )],
        ..With::default()
    };
    let tell = Tell {
        rotation: id,
        event: Event::Command(Command::Edit {
            from: record.state.plan,
            to: plan,
        }),
        with,
    };
    daemon.rotator.send(tell).await??;
    let id = record.details.id;
    let record = daemon.store.read(move |reader| reader.rotation(id)).await?;
    Ok(ok(&answer_with(&daemon, &record, warnings).await?))
}

/// What changes where a rotation is.
const MOVE: &str = "rotorctl move, or the route move, moves the rotation";

/// What no update changes has to be said as it is: whoever is answered 200 takes it for done.
fn stays(body: &UpdateRotation, record: &RotationRecord) -> Result<(), Issues> {
    let (details, place) = (&record.details, &record.place);
    let project = &place.project;
    let mut issues = Issues::default();
    let mut unless = |stays: bool, name: &str, present: &str, instead: &str| {
        if !stays {
            let message = format!("can't be changed, and is {present}: {instead}");
            issues.extend(Issues::from(Issue::new(IssueCode::Custom, message)).under(name));
        }
    };
    let id = body.connection_id;
    unless(
        id.is_none_or(|id| id == details.connection.0),
        "connectionId",
        &details.connection.to_string(),
        "create another rotation with the other connection",
    );
    let id = body.project_id.as_ref();
    unless(
        id.is_none_or(|id| *id == project.id.to_string() || *id == project.slug),
        "projectId",
        &project.id.to_string(),
        "create another rotation in the other project",
    );
    let slug = body.environment.as_ref();
    unless(
        slug.is_none_or(|slug| *slug == place.environment.slug),
        "environment",
        &place.environment.slug,
        MOVE,
    );
    let path = body.secret_path.as_ref();
    unless(
        path.is_none_or(|path| *path == place.folder.path),
        "secretPath",
        &place.folder.path,
        MOVE,
    );
    issues.or(())
}

/// What to change, and what a person should know of the target.
async fn changed(
    daemon: &Shared,
    record: &RotationRecord,
    description: &ProviderDescription,
    plan: &Plan,
    body: UpdateRotation,
) -> Result<(RotationChange, Vec<String>), ApiError> {
    let details = &record.details;
    let form = describe::provider(description);
    let mut issues = Issues::default();
    let mapping = body
        .secrets_mapping
        .filter(|mapping| *mapping != details.mapping);
    if let Some(mapping) = &mapping {
        issues.extend(form.check_mapping(mapping).err().unwrap_or_default());
    }
    let parameters = body.parameters.map(|given| form.check_parameters(given));
    if let Some(Err(wrong)) = &parameters {
        issues.extend(wrong.clone());
    }
    issues.or(())?;
    let parameters = parameters.transpose()?;
    if plan.interval != record.state.plan.interval {
        let rules = calls::scaled_rules(description, &daemon.timing).map_err(ApiError::ours)?;
        target::check_lifetime(&rules, plan.interval, None, &daemon.timing)?;
    }
    let name = body.name.filter(|name| *name != details.name);
    let (place, id) = (&record.place, Some(details.id));
    names::check_free(daemon, place, name.as_deref(), mapping.as_ref(), id).await?;
    let mut change = RotationChange {
        name,
        description: body.description,
        mapping,
        ..RotationChange::default()
    };
    let warnings = match parameters {
        Some(given) => {
            change_parameters(daemon, record, description, plan, &given, &mut change).await?
        }
        None => Vec::new(),
    };
    Ok((change, warnings))
}

/// Values that are what they were change nothing: Terraform sends them with every update, some of them never.
async fn change_parameters(
    daemon: &Shared,
    record: &RotationRecord,
    description: &ProviderDescription,
    plan: &Plan,
    given: &FieldValues,
    change: &mut RotationChange,
) -> Result<Vec<String>, ApiError> {
    let details = &record.details;
    let new = target::plain(given);
    if is_within(&new, &details.parameters) {
        return Ok(Vec::new());
    }
    let moves = description.parameters.iter().any(|parameter| {
        let name = &parameter.field.name;
        parameter.key && new.get(name) != details.parameters.get(name)
    });
    if moves
        && record
            .state
            .credentials
            .iter()
            .any(|c| !c.stage.is_settled())
    {
        return Err(Conflict::TargetInUse.into());
    }
    let provider = lookup::provider(daemon, &details.provider).await?;
    let connection = lookup::connection(daemon, None, &details.connection.to_string()).await?;
    let inspected = target::inspect(
        daemon,
        &provider,
        connection,
        given,
        plan.interval,
        Some(details.id),
    )
    .await?;
    change.parameters = Some(inspected.parameters);
    change.target_key = Some(inspected.key);
    Ok(inspected.warnings)
}

fn is_within(given: &Map<String, Value>, stored: &Map<String, Value>) -> bool {
    given
        .iter()
        .all(|(name, value)| stored.get(name) == Some(value))
}
