//! `rotorctl show`.

use clap::Args;
use rotord_api::rotation::{
    CredentialStage, CredentialState, RotationState, RotationStatus, SecretRotation,
    SecretRotationAnswer,
};
use rotord_api::routes;
use serde_json::Value;

use crate::cli::Place;
use crate::commands::list::standing;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::find;
use crate::output::{Cell, Table, Tone};
use crate::session::Session;
use crate::words::Words;

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The rotation's name or id
    rotation: String,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(session: &mut Session, command: Show) -> Result<Exit, CtlError> {
    let found = find::rotation(&session.client, &command.rotation, &command.place).await?;
    let reply = session
        .client
        .get(&routes::rotation(&found.kind, found.id))
        .await?;
    let rotation = reply.parse::<SecretRotationAnswer>()?.secret_rotation;
    if session.output.is_json() {
        session.output.json(&reply.body)?;
    } else {
        let words = words(session, &rotation).await;
        let facts = facts(session, &rotation, &words);
        session.output.table(&facts)?;
        if let Some(state) = &rotation.state {
            show_state(session, &rotation, state, &words)?;
        }
    }
    Ok(if needs_attention(&rotation) {
        Exit::Attention
    } else {
        Exit::Done
    })
}

fn needs_attention(rotation: &SecretRotation) -> bool {
    let state = rotation.state.as_ref();
    rotation.rotation_status == RotationStatus::Failed
        && !state.is_some_and(|state| state.manual_failed)
        || state.is_some_and(RotationState::needs_attention)
}

async fn words(session: &Session, rotation: &SecretRotation) -> Words {
    let attention = rotation.state.iter().flat_map(|state| &state.attention);
    let texts = attention
        .flat_map(|told| [Some(told.message.as_str()), told.remedy.as_deref()])
        .flatten();
    Words::of(session, texts).await
}

/// Whether something that needs a person says it too, with what helps.
fn is_told_with_attention(rotation: &SecretRotation, text: &str) -> bool {
    if text.is_empty() {
        return false;
    }
    let mut attention = rotation.state.iter().flat_map(|state| &state.attention);
    attention.any(|told| told.message.contains(text))
}

fn facts(session: &Session, rotation: &SecretRotation, words: &Words) -> Table {
    let person = session.output.is_terminal();
    let mut table = Table::pairs();
    table.pair("name", rotation.name.as_str());
    table.pair("id", rotation.id.to_string());
    table.pair("type", rotation.kind.as_str());
    table.pair(
        "description",
        rotation.description.as_deref().unwrap_or("-"),
    );
    table.pair("status", standing(rotation));
    if let Some(state) = rotation
        .state
        .as_ref()
        .filter(|state| !state.summary.is_empty())
        .filter(|state| !is_told_with_attention(rotation, &state.summary))
    {
        table.pair("in short", words.put(&state.summary));
    }
    // A cause stands once: with what helps, or else in short, or else by itself.
    let summary = rotation
        .state
        .as_ref()
        .map_or("", |state| state.summary.as_str());
    if let Some(message) = rotation
        .last_rotation_message
        .as_deref()
        .filter(|message| !is_told_with_attention(rotation, message) && !summary.contains(*message))
    {
        table.pair("message", Cell::new(words.put(message), Tone::Bad));
    }
    table.pair(
        "connection",
        format!("{} ({})", rotation.connection.name, rotation.connection.app),
    );
    table.pair(
        "environment",
        format!(
            "{} ({})",
            rotation.environment.slug, rotation.environment.name
        ),
    );
    table.pair("path", rotation.folder.path.as_str());
    for (name, value) in &rotation.parameters {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        table.pair(name, text);
    }
    for (output, secret) in &rotation.secrets_mapping {
        table.pair("secret", format!("{secret} ← {output}"));
    }
    for reader in rotation.state.iter().flat_map(|state| &state.readers) {
        table.pair("granted to", reader.as_str());
    }
    table.pair(
        "rotates",
        if rotation.is_auto_rotation_enabled {
            "by itself"
        } else {
            "only when told (paused)"
        },
    );
    table.pair("interval", format!("{} d", rotation.rotation_interval));
    table.pair(
        "rotate at",
        session.clock.rotate_at(
            rotation.time_zone.as_deref().zip(rotation.rotate_at_local),
            rotation.rotate_at_utc,
        ),
    );
    if let Some(hours) = rotation.overlap_hours {
        table.pair("overlap", format!("{hours} h"));
    }
    table.pair(
        "last rotated",
        session.clock.cell(rotation.last_rotated_at, person),
    );
    table.pair(
        "next rotation",
        session.clock.cell(rotation.next_rotation_at, person),
    );
    table
}

fn show_state(
    session: &mut Session,
    rotation: &SecretRotation,
    state: &RotationState,
    words: &Words,
) -> Result<(), CtlError> {
    let person = session.output.is_terminal();
    if let Some(run) = &state.run {
        let since = session.clock.cell(Some(run.started_at), person);
        session.output.line(format!(
            "\nrun (attempt {}, since {since}): {}",
            run.attempt,
            words.put(&run.words)
        ))?;
    }
    if let Some(at) = state.next_try_at
        && state.run.is_none()
    {
        let at = session.clock.cell(Some(at), person);
        session.output.line(format!(
            "\n{} failed in a row; the next try is at {at}",
            state.failures
        ))?;
    }
    if !state.credentials.is_empty() {
        let mut table = Table::new(&[
            "KEY",
            "STAGE",
            "SLOT",
            "PUBLISHED",
            "KEPT UNTIL",
            "EXPIRES",
            "WAITS FOR",
            "LABEL",
        ]);
        for credential in &state.credentials {
            let tone = match credential.stage {
                CredentialStage::Active => Tone::Good,
                CredentialStage::Pending | CredentialStage::Retiring => Tone::Warn,
                _ => Tone::Plain,
            };
            table.row([
                credential.key_id.as_str().into(),
                Cell::new(credential.stage.to_string(), tone),
                credential
                    .slot
                    .map_or_else(|| "-".to_owned(), |slot| slot.to_string())
                    .into(),
                session.clock.short(credential.published_at, person).into(),
                session
                    .clock
                    .short(credential.revoke_not_before, person)
                    .into(),
                session.clock.short(credential.expires_at, person).into(),
                credential
                    .waiting_for
                    .as_deref()
                    .map_or_else(|| "-".to_owned(), |what| words.put(what))
                    .into(),
                own_label(credential).into(),
            ]);
        }
        session.output.line("")?;
        session.output.table(&table)?;
    }
    if state.watched > 0 {
        session.output.line(format!(
            "\nwatched for: {} calls whose end is not known",
            state.watched
        ))?;
    }
    let mut notes = Table::pairs();
    // The most urgent one is what stands in short, and a cause that needs a person stands with what helps.
    let cause = rotation
        .last_rotation_message
        .as_deref()
        .filter(|cause| is_told_with_attention(rotation, cause));
    let is_told =
        |text: &String| *text == state.summary || cause.is_some_and(|cause| text.contains(cause));
    for warning in state.warnings.iter().filter(|text| !is_told(text)) {
        notes.row([Cell::new("warning", Tone::Warn), words.put(warning).into()]);
    }
    for attention in &state.attention {
        let about = attention
            .key_id
            .as_ref()
            .map_or_else(String::new, |key| format!(" ({key})"));
        notes.row([
            Cell::new("attention", Tone::Bad),
            format!(
                "{}{about} (rotorctl explain {})",
                words.put(&attention.message),
                attention.code
            )
            .into(),
        ]);
        if let Some(remedy) = &attention.remedy {
            notes.row([Cell::new("what helps", Tone::Dim), words.put(remedy).into()]);
        }
    }
    if !notes.is_empty() {
        session.output.line("")?;
        session.output.table(&notes)?;
    }
    Ok(())
}

/// The label that it carries at the provider. One that was adopted and carries none of ours is numbered 0 in the
/// books, where what is issued counts from 1.
fn own_label(credential: &CredentialState) -> &str {
    match credential.label.split('-').nth(3) {
        Some("0") => "-",
        _ => &credential.label,
    }
}

#[cfg(test)]
mod tests {
    use rotord_api::rotation::CredentialState;
    use serde_json::json;

    use super::own_label;

    #[test]
    fn what_was_adopted_shows_no_label_that_it_does_not_carry() {
        for (label, shown) in [
            ("rotord-0123456789ab-0123456789ab-0-00000000000000aa", "-"),
            (
                "rotord-0123456789ab-0123456789ab-12-00000000000000aa",
                "rotord-0123456789ab-0123456789ab-12-00000000000000aa",
            ),
            ("of another form", "of another form"),
        ] {
            let credential: CredentialState =
                serde_json::from_value(json!({"keyId": "k", "label": label, "stage": "previous"}))
                    .unwrap();
            assert_eq!(own_label(&credential), shown);
        }
    }
}
