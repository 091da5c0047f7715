//! `rotorctl status`.

use std::time::Duration;

use clap::Args;
use rotord_api::issue::Severity;
use rotord_api::provider::ProviderState;
use rotord_api::routes;
use rotord_api::status::{DaemonStatus, StatusItem};

use crate::duration::roughly;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::output::{Cell, Table, Tone};
use crate::session::Session;
use crate::words::Words;

#[derive(Debug, Args)]
pub(crate) struct Status {}

pub(crate) async fn run(session: &mut Session, _: Status) -> Result<Exit, CtlError> {
    let reply = session.client.get(routes::STATUS).await?;
    let status = reply.parse::<DaemonStatus>()?;
    if session.output.is_json() {
        session.output.json(&reply.body)?;
    } else {
        let facts = facts(session, &status);
        session.output.table(&facts)?;
        let all = [
            &status.attention,
            &status.overdue,
            &status.failing,
            &status.waiting,
        ];
        let texts = all.into_iter().flatten().map(|item| item.message.as_str());
        let remedies = status.findings.iter();
        let remedies = remedies.filter_map(|finding| finding.remedy.as_deref());
        let texts = texts.chain(remedies);
        let words = Words::of(session, texts).await;
        let items = items(session, &status, &words);
        if !items.is_empty() {
            if session.output.is_terminal() {
                session.output.line("")?;
            }
            session.output.table(&items)?;
            if session.output.is_terminal() {
                session.output.line("")?;
                session
                    .output
                    .line("what a word means and what helps: rotorctl explain WORD")?;
            }
        }
    }
    Ok(if status.needs_attention() {
        Exit::Attention
    } else {
        Exit::Done
    })
}

fn facts(session: &Session, status: &DaemonStatus) -> Table {
    let person = session.output.is_terminal();
    let mut table = Table::pairs();
    table.pair("daemon", format!("rotord {}", status.version));
    if status.version != env!("CARGO_PKG_VERSION") {
        table.pair("rotorctl", Cell::new(env!("CARGO_PKG_VERSION"), Tone::Warn));
    }
    let up = roughly(Duration::from_secs(status.uptime_seconds));
    table.pair("up", up);
    for provider in &status.providers {
        let name = provider
            .description
            .as_ref()
            .map_or(provider.file.as_str(), |said| said.slug.as_str());
        let why = provider.message.as_deref().unwrap_or("no reason was given");
        table.pair(
            "provider",
            match provider.state {
                ProviderState::Loaded => Cell::new(format!("{name} loaded"), Tone::Good),
                ProviderState::Failed => {
                    let tone = match provider.severity {
                        Some(Severity::Warning) => Tone::Warn,
                        _ => Tone::Bad,
                    };
                    Cell::new(format!("{name} failed: {why}"), tone)
                }
                ProviderState::Missing => Cell::new(format!("{name} missing: {why}"), Tone::Bad),
            },
        );
    }
    let counts = status.rotations;
    table.pair(
        "rotations",
        format!(
            "{} ({} by themselves, {} paused, {} running, {} failed)",
            counts.total, counts.automatic, counts.paused, counts.running, counts.failed
        ),
    );
    let next = status.next_due.as_ref().map_or_else(
        || "-".to_owned(),
        |item| format!("{}, {}", item.name, session.clock.cell(item.at, person)),
    );
    table.pair("next due", next);
    table
}

/// What is seen, and where to read on. A cause that the rotation's more urgent lines tell is not told again.
fn explained(item: &StatusItem, above: &[&StatusItem], words: &Words) -> Option<String> {
    let message = words.put(&item.message);
    if let Some(code) = &item.code {
        return Some(format!("{message} (rotorctl explain {code})"));
    }
    let is_told = !item.message.is_empty()
        && above.iter().any(|other| {
            other.rotation_id == item.rotation_id && other.message.contains(&item.message)
        });
    (!is_told).then_some(message)
}

fn items<'a>(session: &Session, status: &'a DaemonStatus, words: &Words) -> Table {
    let person = session.output.is_terminal();
    let mut table = Table::new(&["", "WHAT", "SEEN", "WHEN"]);
    let mut above: Vec<&'a StatusItem> = Vec::new();
    let mut add = |word: &'static str, tone, items: &'a [StatusItem]| {
        for item in items {
            let seen = match (explained(item, &above, words), word) {
                (Some(seen), _) => seen,
                (None, "overdue") => "it is due, and waits for what is said above".to_owned(),
                (None, _) => continue,
            };
            let when = session.clock.short(item.at, person);
            table.row([
                Cell::new(word, tone),
                item.name.as_str().into(),
                seen.into(),
                when.into(),
            ]);
        }
        above.extend(items);
    };
    add("attention", Tone::Bad, &status.attention);
    add("overdue", Tone::Bad, &status.overdue);
    add("failing", Tone::Bad, &status.failing);
    add("waiting", Tone::Warn, &status.waiting);
    for finding in &status.findings {
        let (word, tone) = match finding.severity {
            Severity::Fine => ("fine", Tone::Good),
            Severity::Warning => ("warning", Tone::Warn),
            Severity::Problem => ("problem", Tone::Bad),
        };
        let remedy = finding
            .remedy
            .as_ref()
            .map_or_else(String::new, |remedy| format!(" ({remedy})"));
        table.row([
            Cell::new(word, tone),
            finding.code.as_str().into(),
            words.put(&format!("{}{remedy}", finding.message)).into(),
            "-".into(),
        ]);
    }
    table
}
