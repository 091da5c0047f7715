//! What rotord tells of a rotation beyond what other clients know.

use std::collections::BTreeSet;

use rotord_api::rotation::{
    Attention, CredentialStage, CredentialState, RotationState, RunReason, RunState, RunStep,
};
use rotord_api::{Timestamp, catalogue};
use rotord_rotation::summary::{Notice, NoticeCode, Urgency};
use rotord_rotation::{
    Credential, Doubt, Label, Life, Phase, Removal, Rotation, RotationId, Run, RunKind, Stage,
};
use rotord_store::RotationRecord;

use super::Viewer;
use crate::admin::granted::Granted;
use crate::codes;

pub(super) fn show(viewer: &Viewer, record: &RotationRecord) -> RotationState {
    let state = &record.state;
    let seen = viewer.with_context(record, |ctx| {
        (
            state.notices(ctx),
            state.is_overdue(ctx),
            state.has_failed_by_hand(ctx),
        )
    });
    let (notices, overdue, manual_failed) = seen.unwrap_or_default();
    let run = state.run.as_ref().map(|run| show_run(viewer, state, run));
    let mut credentials: Vec<_> = state
        .credentials
        .iter()
        .filter_map(|credential| show_credential(viewer, state.id, credential))
        .collect();
    credentials.reverse();
    let mut shown = RotationState {
        summary: String::new(),
        run,
        credentials,
        watched: u32::try_from(state.lost()).unwrap_or(u32::MAX),
        attention: attention(viewer, state, &notices),
        due_at: state.due_at.map(Timestamp),
        next_try_at: state.next_try_at.map(Timestamp),
        failures: state.failures,
        manual_failed,
        overdue,
        paused: !state.plan.auto,
        deleting: state.life.is_deleting(),
        warnings: notices
            .iter()
            .filter(|notice| notice.urgency < Urgency::Attention)
            .map(|notice| notice.text.clone())
            .collect(),
        readers: readers(viewer, record),
    };
    shown.summary = summary(viewer, state, &shown, &notices);
    shown
}

/// To whom the settings grant a secret of it, each once.
fn readers(viewer: &Viewer, record: &RotationRecord) -> Vec<String> {
    let is_granted = |granted: &&Granted| {
        let mut secrets = record.details.mapping.values();
        secrets.any(|secret| granted.names(&record.place, secret))
    };
    let readers = viewer.granted.iter().filter(is_granted);
    let readers: BTreeSet<&str> = readers.map(|granted| granted.to.as_str()).collect();
    readers.into_iter().map(str::to_owned).collect()
}

/// What is not settled at the provider: a lost answer, or a credential that is on its way out and is kept by something.
pub(in crate::admin) fn unsettled(state: &RotationState) -> Option<String> {
    if state.watched > 0 {
        return Some(match state.watched {
            1 => "a lost answer of the provider is watched for".to_owned(),
            more => format!("{more} lost answers of the provider are watched for"),
        });
    }
    state.credentials.iter().find_map(|credential| {
        let why = credential.waiting_for.as_ref()?;
        Some(format!(
            "{} is being removed, and waits for {why}",
            credential.key_id
        ))
    })
}

/// What a deleted one has left at the provider.
pub(in crate::admin) fn settling(state: &RotationState) -> String {
    let what = unsettled(state);
    let what = what.unwrap_or_else(|| "it is being settled at the provider".to_owned());
    format!("it is deleted: {what}")
}

fn summary(viewer: &Viewer, state: &Rotation, shown: &RotationState, notices: &[Notice]) -> String {
    if let Some(notice) = notices.first().filter(|n| n.urgency > Urgency::Note) {
        return notice.text.clone();
    }
    if let Some(run) = &shown.run {
        return run.words.clone();
    }
    match (state.life, state.next_rotation_at(&viewer.timing)) {
        (Life::Deleting { .. }, _) => settling(shown),
        (_, Some(next)) => format!("it works; it rotates next at {}", Timestamp(next)),
        (_, None) if !state.plan.auto => "it works; it rotates when it is told to".to_owned(),
        (_, None) => "it waits".to_owned(),
    }
}

fn show_run(viewer: &Viewer, state: &Rotation, run: &Run) -> RunState {
    let (step, words) = match &run.phase {
        Phase::Preparing => (RunStep::Intend, "it looks at the target".to_owned()),
        Phase::Issuing { .. } => (
            RunStep::Issue,
            "a new credential is being issued".to_owned(),
        ),
        Phase::Verifying { proof, .. } => {
            let why = run
                .trouble
                .as_deref()
                .map(|why| format!("; the last did not: {why}"));
            let words = format!(
                "the new credential is tried out: {} worked, {} s since it was issued{}",
                match proof.successes() {
                    1 => "1 login".to_owned(),
                    several => format!("{several} logins in a row"),
                },
                proof.elapsed().as_secs(),
                why.unwrap_or_default()
            );
            (RunStep::Verify, words)
        }
        Phase::Waiting { why, .. } => {
            let until = run.phase.waits_until(viewer.now).map(Timestamp);
            let until = until.map(|at| format!(" until {at}")).unwrap_or_default();
            (RunStep::Intend, format!("it waits{until}: {why}"))
        }
        Phase::MakingRoom { .. } => {
            let words = "the target is full: room is made for a new credential".to_owned();
            (RunStep::Issue, words)
        }
    };
    let attempts = state
        .credentials
        .iter()
        .filter(|credential| credential.intended_at >= run.started_at)
        .count();
    RunState {
        id: run.id.to_string(),
        step,
        words,
        reason: match run.kind {
            RunKind::Creation => RunReason::Creation,
            RunKind::Scheduled => RunReason::Scheduled,
            RunKind::Manual => RunReason::Manual,
            RunKind::Urgent => RunReason::Urgent,
            RunKind::Adoption => RunReason::Other,
        },
        attempt: u32::try_from(attempts).unwrap_or(u32::MAX).max(1),
        started_at: Timestamp(run.started_at),
    }
}

/// None for what has no name at the provider yet: it is watched for, or was refused.
pub(super) fn show_credential(
    viewer: &Viewer,
    of: RotationId,
    credential: &Credential,
) -> Option<CredentialState> {
    let handle = credential.handle.as_ref()?;
    let stage = match &credential.stage {
        Stage::Pending => CredentialStage::Pending,
        Stage::Active => CredentialStage::Active,
        Stage::Previous => CredentialStage::Previous,
        Stage::Retiring(_) => CredentialStage::Retiring,
        Stage::Released => CredentialStage::Released,
        Stage::Gone => CredentialStage::Gone,
        Stage::Intended | Stage::Lost(_) | Stage::Refused => return None,
    };
    let label = Label {
        installation: viewer.installation.into(),
        rotation: of.into(),
        sequence: credential.sequence,
        nonce: credential.nonce,
    };
    Some(CredentialState {
        key_id: handle.to_string(),
        label: label.to_string(),
        stage,
        slot: credential.slot.map(u32::from),
        issued_at: Some(Timestamp(credential.intended_at)),
        published_at: credential.published_at.map(Timestamp),
        expires_at: credential.expires_at.map(Timestamp),
        // Once it is on its way out or gone, what it was to be kept until says nothing any more.
        revoke_not_before: credential
            .revoke_not_before
            .filter(|_| !credential.stage.is_settled() && credential.removal().is_none())
            .map(Timestamp),
        waiting_for: credential.removal().map(waits_for),
    })
}

/// What keeps a removal. One that nothing has kept yet has not come to its turn: that may take long where the provider
/// does not answer, and until then the credential is valid.
fn waits_for(removal: &Removal) -> String {
    if let Some(at) = removal.accepted_at {
        return format!(
            "the provider to list it no more: it was revoked at {}",
            Timestamp(at)
        );
    }
    let why = removal.waiting_for.clone();
    why.unwrap_or_else(|| "the target to be looked at, and it is valid until then".to_owned())
}

fn attention(viewer: &Viewer, state: &Rotation, notices: &[Notice]) -> Vec<Attention> {
    let doubts = state
        .doubts
        .iter()
        .map(|doubt| doubtful(viewer, state, doubt));
    let others = notices
        .iter()
        // Each of these is told with its credential.
        .filter(|notice| {
            notice.urgency == Urgency::Attention && notice.code != NoticeCode::UnknownLabel
        })
        .map(|notice| Attention {
            code: codes::of_notice(notice.code).code.to_owned(),
            message: notice.text.clone(),
            remedy: remedy(state, notice),
            key_id: None,
            label: None,
        });
    let trouble = viewer.trouble.iter().map(|trouble| Attention {
        code: catalogue::DATABASE_UNWRITABLE.code.to_owned(),
        message: format!(
            "nothing can be written down, so nothing is issued or revoked: {}",
            trouble.what
        ),
        remedy: Some(trouble.remedy.to_owned()),
        key_id: None,
        label: None,
    });
    trouble.chain(doubts).chain(others).collect()
}

/// The command that ends it, where one does.
fn remedy(state: &Rotation, notice: &Notice) -> Option<String> {
    let id = state.id;
    match notice.code {
        NoticeCode::DeletionWaits => Some(format!(
            "rotorctl delete {id} --revoke to remove it, or without --revoke to leave it alive"
        )),
        // Its deletion says it.
        NoticeCode::StateIsOld if state.life.is_deleting() => None,
        NoticeCode::StateIsOld if state.doubts.is_empty() => Some(format!(
            "look whether what is in use is what is published here; then rotorctl unblock {id}"
        )),
        NoticeCode::StateIsOld => Some(format!(
            "adopt or remove each credential that is in doubt; then rotorctl unblock {id}"
        )),
        NoticeCode::Drifted => Some(format!("rotorctl rotate {id}, or rotorctl resume {id}")),
        NoticeCode::Blocked => Some(format!(
            "mend it, then rotorctl check {id}, or rotorctl unblock {id}"
        )),
        NoticeCode::CreationFailed => {
            Some(format!("rotorctl rotate {id}, or rotorctl delete {id}"))
        }
        _ => None,
    }
}

fn doubtful(viewer: &Viewer, state: &Rotation, doubt: &Doubt) -> Attention {
    let (id, handle) = (state.id, &doubt.handle);
    let label = Label {
        installation: viewer.installation.into(),
        rotation: id.into(),
        sequence: doubt.sequence,
        nonce: doubt.nonce,
    };
    Attention {
        code: catalogue::UNKNOWN_LABEL.code.to_owned(),
        message: "the provider lists a credential under this rotation's label that is not in the database".to_owned(),
        remedy: (!state.life.is_deleting()).then(|| {
            format!("rotorctl adopt {id} {handle}, or rotorctl remove {id} {handle}")
        }),
        key_id: Some(handle.to_string()),
        label: Some(label.to_string()),
    }
}
