//! What a rotation rotates, as the provider sees it.

use std::sync::Arc;

use rotord_api::field::{FieldValue, FieldValues};
use rotord_provider::Provider;
use rotord_provider::contract::{self, NamedValue, Value};
use rotord_rotation::{Interval, RotationId, Timing};
use rotord_store::{Connection, ConnectionId, RotationDetails};
use serde_json::{Map, Value as Json};

use crate::admin::error::{ApiError, told};
use crate::admin::{Shared, lookup};
use crate::{calls, target};

/// A target that the provider was asked about and agreed to.
pub(super) struct Inspected {
    /// What is stored: the provider's form, but as the caller wrote it where he did.
    pub(super) parameters: Map<String, Json>,
    /// Tells targets apart, by the provider's form alone.
    pub(super) key: String,
    /// What works with a reservation, for a person.
    pub(super) warnings: Vec<String>,
}

/// Asks the provider whether these parameters name one target that can be rotated, and whether this interval can
/// work there.
pub(super) async fn inspect(
    daemon: &Shared,
    provider: &Arc<Provider>,
    connection: Connection,
    given: &FieldValues,
    interval: Interval,
    own: Option<RotationId>,
) -> Result<Inspected, ApiError> {
    let id = connection.id;
    let connection = lookup::opened(daemon, provider, connection).await?;
    let given = plain(given);
    let target = target::target(provider.description(), connection, &given);
    let inspection = ApiError::of_call(provider.turn().await.inspect(&target).await)?;
    ApiError::of_findings("The target can't be rotated as it is", &inspection.findings)?;
    let rules = calls::scaled_rules(provider.description(), &daemon.timing);
    let rules = rules.map_err(ApiError::ours)?;
    check_lifetime(&rules, interval, inspection.max_lifetime, &daemon.timing)?;
    let mut warnings: Vec<_> = inspection
        .findings
        .iter()
        .filter(|finding| finding.severity == contract::Severity::Warning)
        .map(|finding| {
            tracing::warn!(
                code = finding.code,
                remedy = finding.remedy,
                "{}",
                finding.message
            );
            told(finding)
        })
        .collect();
    let agreed = agreed(provider, id, given, inspection.parameters);
    let key = agreed.key.clone();
    let others = daemon
        .store
        .read(move |reader| {
            let ids = reader.rotations_of_target(&key)?.into_iter();
            let records = ids.map(|id| reader.rotation(id));
            records.collect::<Result<Vec<_>, _>>()
        })
        .await?;
    let others = others
        .into_iter()
        .filter(|other| Some(other.details.id) != own && !other.state.life.is_deleting());
    let names: Vec<_> = others.map(|other| other.details.name).collect();
    warnings.extend(shared(&names));
    Ok(Inspected { warnings, ..agreed })
}

/// What a person is told of a target that these other rotations have, too. It is allowed: one may take over from another.
pub(in crate::admin) fn shared(others: &[String]) -> Option<String> {
    (!others.is_empty()).then(|| {
        format!(
            "its target is rotated by {} too: each rotation issues credentials of its own there and publishes them under \
             its own names, and the target needs room for all of them",
            others.join(", ")
        )
    })
}

/// Refuses an interval over which no credential would live.
pub(super) fn check_lifetime(
    rules: &rotord_rotation::Rules,
    interval: Interval,
    most: Option<std::time::Duration>,
    timing: &Timing,
) -> Result<(), ApiError> {
    rules
        .lifetime(interval, most, timing)
        .map(drop)
        .map_err(|error| ApiError::refused(error.to_string()))
}

fn agreed(
    provider: &Provider,
    connection: ConnectionId,
    given: Map<String, Json>,
    seen: Vec<NamedValue>,
) -> Inspected {
    let mut canonical = given.clone();
    canonical.extend(
        seen.into_iter()
            .filter_map(|named| Some((named.name, json(named.value)?))),
    );
    let key = target::key(provider.description(), connection, &canonical);
    let mut parameters = canonical;
    parameters.extend(given);
    Inspected {
        parameters,
        key,
        warnings: Vec::new(),
    }
}

/// The provider of an existing rotation, and the target as it is configured.
pub(in crate::admin) async fn configured(
    daemon: &Shared,
    details: &RotationDetails,
) -> Result<(Arc<Provider>, contract::Target), ApiError> {
    let provider = lookup::provider(daemon, &details.provider).await?;
    let id = details.connection;
    let connection = daemon
        .store
        .read(move |reader| reader.connection(id))
        .await?;
    let connection = lookup::opened(daemon, &provider, connection).await?;
    let target = target::target(provider.description(), connection, &details.parameters);
    Ok((provider, target))
}

/// Parameters are no secrets: as they are stored and answered.
pub(super) fn plain(values: &FieldValues) -> Map<String, Json> {
    values
        .iter()
        .map(|(name, value)| (name.clone(), plain_value(value)))
        .collect()
}

fn plain_value(value: &FieldValue) -> Json {
    match value {
        FieldValue::Text(text) => text.expose().into(),
        FieldValue::Integer(number) => (*number).into(),
        FieldValue::Boolean(flag) => (*flag).into(),
    }
}

/// None for a secret, which no parameter is.
fn json(value: Value) -> Option<Json> {
    Some(match value {
        Value::Text(text) => text.into(),
        Value::Integer(number) => number.into(),
        Value::Boolean(flag) => flag.into(),
        Value::Json(text) => serde_json::from_str(&text).unwrap_or(Json::String(text)),
        Value::Secret(_) => return None,
    })
}
