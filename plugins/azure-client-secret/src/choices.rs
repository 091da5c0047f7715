//! The applications that a person picks from.

use rotor_provider_sdk::{Choice, ChoicePage, Fault, FaultKind, Host, Result};

use crate::connection::{Azure, is_uuid};
use crate::graph::{Graph, Page, Registered};

/// The list's name.
pub(crate) const CLIENTS: &str = "clients";

/// How many pages of Graph's one call reads at most; what is left is asked for with the next.
const PAGES_PER_CALL: usize = 10;
/// How many matches are enough for one answer.
const ENOUGH: usize = 100;

/// Lists applications whose name contains what was typed, in any case, and the one whose object id or
/// client id was pasted. Graph itself can only look at how names begin, so the names are compared here.
pub(crate) fn choices(
    host: &dyn Host,
    azure: &Azure,
    list: &str,
    query: &str,
    page: Option<&str>,
) -> Result<ChoicePage> {
    if list != CLIENTS {
        return Err(Fault::invalid_input(
            "list",
            format!("there is no list {list:?}; it is {CLIENTS}"),
        ));
    }
    let query = query.trim().to_lowercase();
    let graph = Graph::open(host, azure)?;
    if page.is_none() && is_uuid(&query) {
        let found = by_id(&graph, &query)?;
        if !found.is_empty() {
            return Ok(answer(found, None));
        }
    }
    let mut found = Vec::new();
    let mut next = page.map(str::to_owned);
    for turn in 0..PAGES_PER_CALL {
        let answered = match &next {
            Some(link) => graph.follow::<Page<Registered>>(link).ok_or_else(|| {
                Fault::invalid_input("page", "page must be the next of an earlier answer")
            })?,
            None if turn == 0 => graph.read("/applications?$select=id,appId,displayName&$top=999"),
            None => break,
        };
        let page = answered?.value;
        found.extend(page.value.into_iter().filter(|one| matches(one, &query)));
        next = page.next;
        if next.is_none() || found.len() >= ENOUGH {
            break;
        }
    }
    Ok(answer(found, next))
}

/// The applications with this object id or this client id.
fn by_id(graph: &Graph<'_>, id: &str) -> Result<Vec<Registered>> {
    let mut found = Vec::new();
    for path in [Registered::path(id), Registered::path_by_client_id(id)] {
        match graph.read(&path) {
            Ok(one) => found.push(one.value),
            Err(fault) if fault.kind == FaultKind::NotFound => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(found)
}

fn matches(application: &Registered, query: &str) -> bool {
    application.name().to_lowercase().contains(query)
}

/// In the order of the description's fields, by name.
fn answer(mut found: Vec<Registered>, next: Option<String>) -> ChoicePage {
    found.sort_by_cached_key(|one| one.name().to_lowercase());
    let choices = found.into_iter().filter_map(|one| {
        let name = one.name().to_owned();
        Some(Choice {
            values: vec![name, one.id, one.app_id?],
        })
    });
    ChoicePage {
        choices: choices.collect(),
        next,
    }
}
