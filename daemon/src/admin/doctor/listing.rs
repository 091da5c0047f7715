//! What the provider lists on a rotation's target: room for another credential, and labels that nobody minds.

use std::collections::BTreeMap;

use rotord_api::catalogue::{
    LABELS, LEFTOVER_LABEL, OTHER_INSTALLATION, PUBLISHED_MISSING, TARGET_FULL, TARGET_NEARLY_FULL,
    TARGET_ROOM, UNKNOWN_LABEL,
};
use rotord_api::doctor::DoctorFinding;
use rotord_provider::contract::ListedCredential;
use rotord_rotation::label::Short;
use rotord_rotation::{Label, RotationId, Stage};
use rotord_store::{Reader, StoreError};

use super::case::RotationCase;
use super::{Looking, failed, of_call};
use crate::admin::Shared;
use crate::admin::rotations::target;
use crate::codes;

pub(super) fn look<'a>(daemon: &'a Shared, case: &'a RotationCase) -> Looking<'a> {
    Box::pin(async move {
        let about = &case.about;
        if case.provider.is_none() {
            // The notices have told it.
            return Vec::new();
        }
        let (provider, target) = match target::configured(daemon, &case.record.details).await {
            Ok(configured) => configured,
            Err(error) => return vec![failed(about, error)],
        };
        let listed = match provider.turn().await.survey(&target).await.result {
            Ok(survey) => survey.credentials,
            Err(error) => {
                let remedy = case.help(codes::of_call(&error));
                return vec![of_call(&error, about).fix(remedy)];
            }
        };
        let mut found = vec![room(about, listed.len(), case.cap.get(), leaving(case))];
        found.extend(published(case, &listed));
        let own = Short::from(daemon.installation);
        let labelled = labelled(case, &listed);
        let judged = labelled.clone();
        let strays = daemon
            .store
            .read(move |reader| strays(reader, own, judged))
            .await;
        match strays {
            Ok(strays) => found.extend(tell(case, labelled.len(), strays)),
            Err(error) => found.push(failed(about, error)),
        }
        found
    })
}

/// How many of what the target holds the rotation has replaced, and removes in their time.
fn leaving(case: &RotationCase) -> usize {
    let credentials = case.record.state.credentials.iter();
    let leaving = |stage: &Stage| matches!(stage, Stage::Previous | Stage::Retiring(_));
    credentials.filter(|known| leaving(&known.stage)).count()
}

fn room(about: &str, held: usize, cap: Option<u32>, leaving: usize) -> DoctorFinding {
    let Some(cap) = cap else {
        let credentials = if held == 1 {
            "credential"
        } else {
            "credentials"
        };
        let message = format!("it holds {held} {credentials}, and no bound is known");
        return DoctorFinding::fine(&TARGET_ROOM, about, message);
    };
    let free = usize::try_from(cap)
        .unwrap_or(usize::MAX)
        .saturating_sub(held);
    let message = format!("it holds {held} of the {cap} credentials that it may: {free} are free");
    match free {
        // A run makes room with them.
        0 if leaving > 0 => {
            let message =
                format!("{message}, and {leaving} that were replaced leave in their time");
            DoctorFinding::fine(&TARGET_ROOM, about, message)
        }
        0 => DoctorFinding::problem(&TARGET_FULL, about, message),
        // With two places the second one is what a dual-phase rotation lives on.
        1 if cap > 2 => DoctorFinding::warning(&TARGET_NEARLY_FULL, about, message),
        _ => DoctorFinding::fine(&TARGET_ROOM, about, message),
    }
}

fn published(case: &RotationCase, listed: &[ListedCredential]) -> Option<DoctorFinding> {
    let handle = case.record.state.active()?.handle.as_ref()?;
    if listed.iter().any(|listed| listed.handle == handle.0) {
        return None;
    }
    let message = format!("the published credential {handle} is not listed");
    Some(
        DoctorFinding::warning(&PUBLISHED_MISSING, &case.about, message)
            .fix(case.help(&PUBLISHED_MISSING)),
    )
}

/// What carries a label of rotord, but for what is known to be in doubt and told so.
fn labelled(case: &RotationCase, listed: &[ListedCredential]) -> Vec<(Label, String)> {
    let in_doubt = |handle: &str| {
        let mut doubts = case.record.state.doubts.iter();
        doubts.any(|doubt| doubt.handle.0 == handle)
    };
    listed
        .iter()
        .filter(|listed| !in_doubt(&listed.handle))
        .filter_map(|listed| {
            let label = listed.label.as_deref()?.parse().ok()?;
            Some((label, listed.handle.clone()))
        })
        .collect()
}

/// A labelled credential that the books do not account for.
enum Stray {
    /// Of a rotation that is there.
    Unknown(RotationId, String),
    /// Of a rotation that is not.
    Leftover(Label, String),
    /// Of another installation.
    Others(Short, String),
}

fn strays(
    reader: &Reader,
    own: Short,
    labelled: Vec<(Label, String)>,
) -> Result<Vec<Stray>, StoreError> {
    let mut rotations = BTreeMap::new();
    for project in reader.projects()? {
        for record in reader.rotations(project.id, None)? {
            let id = record.details.id;
            rotations.insert(Short::from(id), id);
        }
    }
    let mut strays = Vec::new();
    for (label, handle) in labelled {
        if label.installation != own {
            strays.push(Stray::Others(label.installation, handle));
            continue;
        }
        if !reader.credentials_by_handle(&handle)?.is_empty() {
            continue;
        }
        let Some(rotation) = rotations.get(&label.rotation) else {
            strays.push(Stray::Leftover(label, handle));
            continue;
        };
        // A lost answer has no name in the books yet, and its label is what it is looked for by.
        let mut known = reader.credentials(*rotation)?.into_iter();
        if !known.any(|known| known.nonce == label.nonce) {
            strays.push(Stray::Unknown(*rotation, handle));
        }
    }
    Ok(strays)
}

fn tell(case: &RotationCase, labelled: usize, strays: Vec<Stray>) -> Vec<DoctorFinding> {
    let about = &case.about;
    if strays.is_empty() {
        let message = match labelled {
            1 => "1 credential carries our label, and it is known".to_owned(),
            _ => format!("{labelled} credentials carry our label, and all of them are known"),
        };
        return vec![DoctorFinding::fine(&LABELS, about, message)];
    }
    let mut found = Vec::new();
    let mut others: BTreeMap<Short, Vec<String>> = BTreeMap::new();
    for stray in strays {
        match stray {
            Stray::Unknown(rotation, handle) => {
                let message = format!(
                    "the provider lists {handle} under the label of the rotation {rotation}, and it is not in the \
                     database"
                );
                let remedy = format!(
                    "rotorctl adopt {rotation} {handle}, or rotorctl remove {rotation} {handle}"
                );
                found.push(DoctorFinding::problem(&UNKNOWN_LABEL, about, message).fix(remedy));
            }
            Stray::Leftover(label, handle) => {
                let message = format!(
                    "the provider lists {handle} under the label {label}, whose rotation is not in the database"
                );
                found.push(DoctorFinding::warning(&LEFTOVER_LABEL, about, message));
            }
            Stray::Others(installation, handle) => {
                others.entry(installation).or_default().push(handle);
            }
        }
    }
    found.extend(others.into_iter().map(|(installation, handles)| {
        let (count, handles) = (handles.len(), handles.join(", "));
        let message = format!(
            "{count} credentials carry labels of the installation {installation}: {handles}"
        );
        DoctorFinding::warning(&OTHER_INSTALLATION, about, message)
    }));
    found
}

#[cfg(test)]
mod tests {
    use rotord_api::issue::Severity;

    use super::room;

    #[test]
    fn the_last_free_place_is_worth_a_word_where_there_are_more_than_two() {
        for (held, cap, severity) in [
            (3, None, Severity::Fine),
            (1, Some(2), Severity::Fine),
            (2, Some(2), Severity::Problem),
            (18, Some(20), Severity::Fine),
            (19, Some(20), Severity::Warning),
            (21, Some(20), Severity::Problem),
        ] {
            assert_eq!(
                room("a", held, cap, 0).severity,
                severity,
                "{held} of {cap:?}"
            );
            // Both are ours after every rotation of such a target.
            assert_eq!(room("a", 2, Some(2), 1).severity, Severity::Fine);
        }
    }
}
