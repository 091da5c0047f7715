//! Names that are taken, looked for before anything is done: the store has the last word, but by then a provider
//! would have been asked, or a run disturbed.

use std::collections::BTreeMap;

use rotord_api::rules;
use rotord_rotation::RotationId;
use rotord_store::{Conflict, Place, Reader, StoreError};

use crate::admin::Shared;
use crate::admin::error::ApiError;
use crate::admin::lookup::optional;

/// Refuses a rotation's name, and names of mapped secrets, that others have in this place, and one name for two
/// outputs.
pub(super) async fn check_free(
    daemon: &Shared,
    place: &Place,
    name: Option<&str>,
    mapping: Option<&BTreeMap<String, String>>,
    but: Option<RotationId>,
) -> Result<(), ApiError> {
    if let Some(mapping) = mapping {
        rules::distinct_names(mapping).map_err(ApiError::refused)?;
    }
    let place = place.clone();
    let name = name.map(str::to_owned);
    let mapping = mapping.cloned();
    let conflict = daemon
        .store
        .read(move |reader| {
            let by_name = name.map(|name| of_name(reader, &place, name, but));
            if let Some(conflict) = by_name.transpose()?.flatten() {
                return Ok(Some(conflict));
            }
            let by_mapping = mapping.map(|mapping| of_mapping(reader, &place, &mapping, but));
            Ok(by_mapping.transpose()?.flatten())
        })
        .await?;
    conflict.map_or(Ok(()), |conflict| Err(conflict.into()))
}

fn of_name(
    reader: &Reader,
    place: &Place,
    name: String,
    but: Option<RotationId>,
) -> Result<Option<Conflict>, StoreError> {
    let found = optional(reader.rotation_by_name(place.folder.id, &name))?;
    let taken = found.is_some_and(|found| Some(found.details.id) != but);
    let path = place.folder.path.clone();
    Ok(taken.then_some(Conflict::RotationName { name, path }))
}

fn of_mapping(
    reader: &Reader,
    place: &Place,
    mapping: &BTreeMap<String, String>,
    but: Option<RotationId>,
) -> Result<Option<Conflict>, StoreError> {
    let path = place.folder.path.clone();
    let there = reader.secrets(place.environment.id, &path, false, false)?;
    let mut names: Vec<String> = there
        .secrets
        .into_iter()
        .filter(|secret| secret.rotation.is_none() || secret.rotation != but)
        .map(|secret| secret.name)
        .filter(|name| mapping.values().any(|mapped| mapped == name))
        .collect();
    names.sort();
    Ok((!names.is_empty()).then_some(Conflict::SecretNames { names, path }))
}
