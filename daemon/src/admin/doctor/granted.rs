//! Whether what the settings grant to readers and to units is there.

use rotord_api::catalogue::GRANT_OF_NOTHING;
use rotord_api::doctor::DoctorFinding;
use rotord_store::{Reader, StoreError};

use super::{Looking, failed};
use crate::admin::Shared;
use crate::admin::granted::Granted;

const ABOUT: &str = "granted";

pub(super) fn look(daemon: &Shared) -> Looking<'_> {
    let settings = daemon.settings.now();
    Box::pin(async move {
        let mut grants = Granted::all(&settings);
        // All of a folder is granted whether anything is in it yet or not.
        grants.retain(|grant| grant.name != "*");
        let looked = daemon.store.read(move |reader| missing(reader, grants));
        looked
            .await
            .unwrap_or_else(|error| vec![failed(ABOUT, error)])
    })
}

fn missing(reader: &Reader, grants: Vec<Granted>) -> Result<Vec<DoctorFinding>, StoreError> {
    let mut found = Vec::new();
    for grant in grants {
        let secret = reader
            .project(&grant.project)
            .and_then(|project| reader.environment(project.id, &grant.environment))
            .and_then(|place| reader.sealed_secret(place.id, &grant.path, &grant.name, None));
        match secret {
            Ok(_) => {}
            Err(StoreError::NotFound { .. }) => {
                let Granted {
                    setting,
                    to,
                    project,
                    environment,
                    path,
                    name,
                } = grant;
                let message = format!(
                    "the secret {name} of {environment} {path} in the project {project} is granted ({to}), and there is none"
                );
                let about = format!("setting {setting}");
                found.push(DoctorFinding::warning(&GRANT_OF_NOTHING, about, message));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
