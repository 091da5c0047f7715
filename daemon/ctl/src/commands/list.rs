//! `rotorctl list`.

use clap::Args;
use rotord_api::rotation::{CredentialStage, RotationStatus, SecretRotation};
use serde_json::{Value, json};

use crate::cli::Place;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::find;
use crate::output::{Cell, Table, Tone};
use crate::session::Session;

#[derive(Debug, Args)]
pub(crate) struct List {
    /// List what each holds at its provider instead: whatever happens to this host, these stay valid there
    #[arg(long)]
    credentials: bool,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(session: &mut Session, command: List) -> Result<Exit, CtlError> {
    let (reply, rotations) = find::rotations(&session.client, &command.place).await?;
    if session.output.is_json() {
        // What the API answered, less what is elsewhere.
        let ids: Vec<String> = rotations
            .iter()
            .map(|rotation| rotation.id.to_string())
            .collect();
        let all = reply.body["secretRotations"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let here = |rotation: &Value| {
            rotation["id"]
                .as_str()
                .is_some_and(|id| ids.iter().any(|here| here == id))
        };
        let here: Vec<Value> = all.into_iter().filter(here).collect();
        session.output.json(&json!({ "secretRotations": here }))?;
        return Ok(Exit::Done);
    }
    if command.credentials {
        return list_credentials(session, &rotations);
    }
    let person = session.output.is_terminal();
    // People go by the name; show has the id.
    let mut headings = vec![
        "NAME",
        "TYPE",
        "ENV",
        "PATH",
        "STATUS",
        "LAST ROTATED",
        "NEXT",
    ];
    headings.extend((!person).then_some("ID"));
    let mut table = Table::new(&headings);
    for rotation in &rotations {
        let mut row: Vec<Cell> = vec![
            rotation.name.as_str().into(),
            rotation.kind.as_str().into(),
            rotation.environment.slug.as_str().into(),
            rotation.folder.path.as_str().into(),
            standing(rotation),
            session.clock.short(rotation.last_rotated_at, person).into(),
            session
                .clock
                .short(rotation.next_rotation_at, person)
                .into(),
        ];
        row.extend((!person).then(|| rotation.id.to_string().into()));
        table.row(row);
    }
    session.output.list(
        &table,
        "there is no rotation here yet: rotorctl create makes one",
    )?;
    Ok(Exit::Done)
}

fn list_credentials(session: &mut Session, rotations: &[SecretRotation]) -> Result<Exit, CtlError> {
    let person = session.output.is_terminal();
    let mut table = Table::new(&["ROTATION", "TYPE", "TARGET", "KEY ID", "STAGE", "EXPIRES"]);
    for rotation in rotations {
        let target = rotation.parameters.iter().map(|(name, value)| {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            format!("{name}={value}")
        });
        let target = target.collect::<Vec<_>>().join(" ");
        for credential in rotation.state.iter().flat_map(|state| &state.credentials) {
            if matches!(credential.stage, CredentialStage::Gone) {
                continue;
            }
            table.row([
                rotation.name.as_str().into(),
                rotation.kind.as_str().into(),
                target.as_str().into(),
                credential.key_id.as_str().into(),
                credential.stage.to_string().into(),
                session.clock.short(credential.expires_at, person).into(),
            ]);
        }
    }
    session.output.list(
        &table,
        "there is no credential here yet: rotorctl create makes a rotation, which issues one",
    )?;
    Ok(Exit::Done)
}

/// How a rotation stands, in a word or two.
pub(crate) fn standing(rotation: &SecretRotation) -> Cell {
    let state = rotation.state.as_ref();
    if state.is_some_and(|state| !state.attention.is_empty()) {
        return Cell::new("needs attention", Tone::Bad);
    }
    match rotation.rotation_status {
        RotationStatus::Failed => Cell::new("failed", Tone::Bad),
        RotationStatus::Pending => Cell::new("pending", Tone::Warn),
        RotationStatus::Success if state.is_some_and(|state| state.overdue) => {
            Cell::new("overdue", Tone::Bad)
        }
        RotationStatus::Success if state.is_some_and(|state| state.paused) => {
            Cell::new("paused", Tone::Dim)
        }
        RotationStatus::Success => Cell::new("success", Tone::Good),
    }
}
