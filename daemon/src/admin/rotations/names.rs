//! Names that are taken, looked for before anything is done: the store has the last word, but by then a provider
//! would have been asked, or a run disturbed.

use std::collections::BTreeMap;

use rotord_api::rules;
use rotord_rotation::RotationId;
use rotord_store::{Conflict, Place, Reader, StoreError, TakenName};

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
    let there = reader.secrets(place.environment.id, &place.folder.path, false, false)?;
    let mut names = Vec::new();
    for secret in there {
        let is_wanted = mapping.values().any(|mapped| *mapped == secret.name);
        if !is_wanted || (secret.rotation.is_some() && secret.rotation == but) {
            continue;
        }
        let by = secret.rotation.map(|by| optional(reader.rotation(by)));
        let by = by.transpose()?.flatten();
        names.push(TakenName {
            name: secret.name,
            rotation: by.map(|by| by.details.name),
        });
    }
    names.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((!names.is_empty()).then(|| place.taken(names)))
}
