//! `rotorctl list`.

use std::collections::BTreeMap;

use clap::Args;
use rotord_api::rotation::{CredentialStage, CredentialState, RotationStatus, SecretRotation};
use serde_json::{Value, json};

use crate::cli::Place;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::find::{self, Left, Listed, Listing};
use crate::output::{Cell, Table, Tone};
use crate::session::Session;
use crate::words::Words;

#[derive(Debug, Args)]
pub(crate) struct List {
    /// List what each holds at its provider instead, and what deleted ones left alive there until it ends: whatever
    /// happens to this host, these stay valid there
    #[arg(long)]
    credentials: bool,
    /// Of every project, and not of one
    #[arg(long, conflicts_with = "project")]
    all_projects: bool,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(session: &mut Session, command: List) -> Result<Exit, CtlError> {
    let List {
        credentials,
        all_projects,
        place,
    } = command;
    let listing = find::listed(&session.client, &place, all_projects).await?;
    if session.output.is_json() {
        // What the API answered, less what is elsewhere.
        let rotations = listing.rotations.into_iter().map(|listed| listed.answer);
        let left = listing.left.into_iter().map(|left| left.answer);
        let left: Vec<Value> = left.collect();
        let mut answer = json!({ "secretRotations": rotations.collect::<Vec<Value>>() });
        if !left.is_empty() {
            answer["releasedCredentials"] = left.into();
        }
        session.output.json(&answer)?;
    } else if credentials {
        list_credentials(session, &listing, all_projects)?;
    } else {
        list_rotations(session, &listing.rotations, all_projects).await?;
    }
    Ok(Exit::Done)
}

async fn list_rotations(
    session: &mut Session,
    listed: &[Listed],
    all_projects: bool,
) -> Result<(), CtlError> {
    let person = session.output.is_terminal();
    let waits = |rotation: &SecretRotation| {
        let state = rotation.state.as_ref().filter(|state| state.deleting);
        state.map(|state| state.summary.clone())
    };
    let texts: Vec<String> = listed
        .iter()
        .filter_map(|listed| waits(&listed.rotation))
        .collect();
    let words = Words::of(session, texts.iter().map(String::as_str)).await;
    // Who reads columns by their number finds them where they were.
    let shows_waits = !person || !texts.is_empty();
    let mut headings = vec!["NAME", "TYPE"];
    headings.extend(all_projects.then_some("PROJECT"));
    headings.extend(["ENV", "PATH", "STATUS", "LAST ROTATED", "NEXT"]);
    // People go by the name; show has the id.
    headings.extend((!person).then_some("ID"));
    headings.extend(shows_waits.then_some("WAITS FOR"));
    let mut table = Table::new(&headings);
    for Listed {
        project, rotation, ..
    } in listed
    {
        let mut row: Vec<Cell> = vec![rotation.name.as_str().into(), rotation.kind.as_str().into()];
        row.extend(all_projects.then(|| project.as_str().into()));
        row.extend([
            rotation.environment.slug.as_str().into(),
            rotation.folder.path.as_str().into(),
            standing(rotation),
            session.clock.short(rotation.last_rotated_at, person).into(),
            session
                .clock
                .short(rotation.next_rotation_at, person)
                .into(),
        ]);
        row.extend((!person).then(|| rotation.id.to_string().into()));
        let waits = waits(rotation).map_or_else(|| "-".to_owned(), |what| words.put(&what));
        row.extend(shows_waits.then(|| waits.into()));
        table.row(row);
    }
    session.output.list(
        &table,
        "there is no rotation here yet: rotorctl create makes one",
    )
}

fn list_credentials(
    session: &mut Session,
    listing: &Listing,
    all_projects: bool,
) -> Result<(), CtlError> {
    let person = session.output.is_terminal();
    let mut headings = vec!["ROTATION"];
    headings.extend(all_projects.then_some("PROJECT"));
    headings.extend(["TYPE", "TARGET", "KEY ID", "STAGE", "EXPIRES"]);
    let mut table = Table::new(&headings);
    let clock = session.clock;
    let row = |name: &str, project: &str, kind: &str, target: String, held: &CredentialState| {
        let mut row: Vec<Cell> = vec![name.into()];
        row.extend(all_projects.then(|| project.into()));
        row.extend([
            kind.into(),
            target.into(),
            held.key_id.as_str().into(),
            held.stage.to_string().into(),
            clock.short(held.expires_at, person).into(),
        ]);
        row
    };
    for Listed {
        project, rotation, ..
    } in &listing.rotations
    {
        let held = rotation.state.iter().flat_map(|state| &state.credentials);
        for held in held.filter(|held| !matches!(held.stage, CredentialStage::Gone)) {
            let target = target(&rotation.parameters);
            table.row(row(&rotation.name, project, &rotation.kind, target, held));
        }
    }
    for Left {
        project, released, ..
    } in &listing.left
    {
        table.row(row(
            &released.rotation_name,
            project,
            &released.kind,
            target(&released.parameters),
            &released.credential,
        ));
    }
    session.output.list(
        &table,
        "there is no credential here yet: rotorctl create makes a rotation, which issues one",
    )
}

/// What is rotated, in the provider's terms.
fn target(parameters: &BTreeMap<String, Value>) -> String {
    let target = parameters.iter().map(|(name, value)| {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        format!("{name}={value}")
    });
    target.collect::<Vec<_>>().join(" ")
}

/// How a rotation stands, in a word or two.
pub(crate) fn standing(rotation: &SecretRotation) -> Cell {
    let state = rotation.state.as_ref();
    if state.is_some_and(|state| !state.attention.is_empty()) {
        return Cell::new("needs attention", Tone::Bad);
    }
    if find::is_deleting(rotation) {
        return Cell::new("deleting", Tone::Warn);
    }
    let paused = state.is_some_and(|state| state.paused);
    match rotation.rotation_status {
        RotationStatus::Failed => {
            let (word, tone) = if state.is_some_and(|state| state.manual_failed) {
                ("manual failed", Tone::Warn)
            } else {
                ("failed", Tone::Bad)
            };
            let paused = if paused { ", paused" } else { "" };
            Cell::new(format!("{word}{paused}"), tone)
        }
        RotationStatus::Pending => Cell::new("pending", Tone::Warn),
        RotationStatus::Success if state.is_some_and(|state| state.overdue) => {
            Cell::new("overdue", Tone::Bad)
        }
        RotationStatus::Success if paused => Cell::new("paused", Tone::Dim),
        RotationStatus::Success => Cell::new("success", Tone::Good),
    }
}
