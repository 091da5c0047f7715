//! `rotorctl explain`.

mod words;

use clap::Args;
use rotord_api::alike;
use rotord_api::catalogue::{self, Entry, EntryKind};
use rotord_api::provider::ProviderDescription;
use serde::Serialize;
use serde_json::json;

use crate::error::CtlError;
use crate::exit::Exit;
use crate::find;
use crate::output::Table;
use crate::session::Session;

#[cfg(test)]
pub(crate) use words::EXIT_INTERRUPTED;

/// Says what a code or a state means, what the daemon does by itself, and what you can do.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The code, such as clock-skew, a word for a state, such as lost, or an exit code; all of them if not given
    code: Option<String>,
}

/// What there is to say of a code, by us or by a provider.
#[derive(Serialize)]
#[serde(untagged)]
enum Explained {
    Ours(&'static Entry),
    Theirs {
        code: String,
        kind: &'static str,
        provider: String,
        text: String,
    },
}

pub(crate) async fn run(session: &mut Session, command: Explain) -> Result<Exit, CtlError> {
    // A daemon is not needed for what is ours.
    let asked = find::providers(&session.client).await;
    let theirs = asked.as_deref().map(of_providers).unwrap_or_default();
    let ours = all().map(Explained::Ours);
    let Some(code) = command.code else {
        let mut ours: Vec<&Entry> = all().collect();
        ours.sort_by_key(|entry| order(entry));
        let mut theirs = theirs;
        theirs.sort_by(|a, b| a.code().cmp(b.code()));
        let ours = ours.into_iter().map(Explained::Ours);
        let all: Vec<Explained> = ours.chain(theirs).collect();
        if session.output.is_json() {
            session.output.json(&json!({ "codes": all }))?;
        } else {
            session.output.table(&list(&all))?;
        }
        return Ok(Exit::Done);
    };
    let found: Vec<Explained> = find(&code)
        .map(Explained::Ours)
        .into_iter()
        .chain(theirs.into_iter().filter(|theirs| theirs.code() == code))
        .collect();
    if found.is_empty() {
        let known = asked.as_deref().map(of_providers).unwrap_or_default();
        let codes: Vec<String> = ours
            .chain(known)
            .map(|known| known.code().to_owned())
            .collect();
        return Err(unknown(&code, &codes, asked.err().as_ref()));
    }
    if session.output.is_json() {
        session.output.json(&json!({ "codes": found }))?;
    } else {
        for explained in &found {
            session.output.table(&explained.told())?;
        }
    }
    Ok(Exit::Done)
}

/// Every entry: what both programs know, and what only this one says.
pub(crate) fn all() -> impl Iterator<Item = &'static Entry> {
    catalogue::all().chain(words::ENTRIES.iter().copied())
}

/// By where they are met, and then by their codes; exit codes by their numbers, of which the shorter is the lower.
fn order(entry: &Entry) -> (EntryKind, usize, &'static str) {
    let length = match entry.kind {
        EntryKind::Exit => entry.code.len(),
        _ => 0,
    };
    (entry.kind, length, entry.code)
}

/// The entry of a code. A number is an exit code, and case does not matter: states stand in tables as words.
pub(crate) fn find(code: &str) -> Option<&'static Entry> {
    let code = code.trim().to_lowercase();
    // As tables put it: beside a failure stands that it is paused.
    let code = code.strip_suffix(", paused").unwrap_or(&code);
    let code = code.strip_prefix("needs ").unwrap_or(code);
    let code = &*code.replace(' ', "-");
    let exit = format!("exit-{code}");
    let of_ours = || all().find(|entry| entry.code == code || entry.code == exit);
    catalogue::find(code).or_else(of_ours)
}

impl Explained {
    fn code(&self) -> &str {
        match self {
            Self::Ours(entry) => entry.code,
            Self::Theirs { code, .. } => code,
        }
    }

    fn told(&self) -> Table {
        let mut table = Table::pairs();
        match self {
            Self::Ours(entry) => {
                table.pair("code", format!("{} ({})", entry.code, entry.kind.title()));
                table.pair("it means", entry.means);
                table.pair("rotord does", entry.daemon);
                table.pair("you can", entry.person);
            }
            Self::Theirs {
                code,
                provider,
                text,
                ..
            } => {
                table.pair(
                    "code",
                    format!("{code} (reported by the provider {provider})"),
                );
                table.pair("it means", text.as_str());
            }
        }
        table
    }
}

fn of_providers(providers: &[ProviderDescription]) -> Vec<Explained> {
    let each = providers.iter().flat_map(|provider| {
        provider.codes.iter().map(|explained| Explained::Theirs {
            code: explained.code.clone(),
            kind: "provider",
            provider: provider.slug.clone(),
            text: explained.text.clone(),
        })
    });
    each.collect()
}

fn list(all: &[Explained]) -> Table {
    let mut table = Table::new(&["CODE", "KIND", "MEANS"]);
    for explained in all {
        let (kind, means) = match explained {
            Explained::Ours(entry) => (entry.kind.title(), entry.means),
            Explained::Theirs { provider, text, .. } => (provider.as_str(), text.as_str()),
        };
        table.row([explained.code().into(), kind.into(), means.into()]);
    }
    table
}

fn unknown(code: &str, known: &[String], no_daemon: Option<&CtlError>) -> CtlError {
    let mut error = CtlError::missing(format!("there is no code \"{code}\""));
    let alike = alike::names(code, known.iter().map(String::as_str));
    if !alike.is_empty() {
        error = error.hint(format!("there is {}", alike.join(", ")));
    }
    if let Some(why) = no_daemon {
        error = error.hint(format!(
            "providers explain codes of their own, and they could not be asked: {why}"
        ));
    }
    error.hint("all of them: rotorctl explain")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{EntryKind, all, find, order};

    #[test]
    fn every_code_and_every_state_stands_once() {
        let codes: Vec<&str> = all().map(|entry| entry.code).collect();
        let different: BTreeSet<&&str> = codes.iter().collect();
        assert_eq!(different.len(), codes.len());
        for entry in all() {
            assert_eq!(find(entry.code), Some(entry));
        }
    }

    #[test]
    fn codes_stand_together_by_kind_and_sorted() {
        let mut all: Vec<_> = all().collect();
        all.sort_by_key(|entry| order(entry));
        let exits: Vec<_> = all
            .iter()
            .map(|entry| entry.code)
            .filter(|code| code.starts_with("exit-"))
            .collect();
        assert_eq!(
            exits,
            [
                "exit-0", "exit-1", "exit-3", "exit-4", "exit-64", "exit-78", "exit-130"
            ]
        );
        for pair in all.windows(2) {
            assert!(pair[0].kind <= pair[1].kind);
            let is_exit = pair[0].kind == EntryKind::Exit;
            assert!(pair[0].kind != pair[1].kind || is_exit || pair[0].code < pair[1].code);
        }
    }

    #[test]
    fn the_states_that_tables_show_are_explained() {
        for word in [
            "success",
            "failed",
            "pending",
            "paused",
            "overdue",
            "attention",
            "lost",
            "active",
            "previous",
            "retiring",
            "gone",
            "deleting",
            "released",
            "loaded",
            "missing",
            "fine",
            "warning",
            "problem",
        ] {
            assert!(find(word).is_some(), "{word}");
        }
        assert_eq!(find("130").map(|entry| entry.code), Some("exit-130"));
        assert_eq!(find("Success"), find("success"));
        assert_eq!(find("needs attention"), find("attention"));
        for standing in ["manual failed", "manual failed, paused"] {
            assert_eq!(
                find(standing).map(|entry| entry.code),
                Some("manual-failed"),
                "{standing}"
            );
        }
        assert_eq!(find(""), None);
    }
}
