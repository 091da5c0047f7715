//! What a person picks a target from.

use std::collections::HashSet;

use actix_web::web::Path;
use rotord_api::choices::{Choice, ChoicesAnswer};
use rotord_api::query::ChoicesQuery;
use rotord_api::routes;
use rotord_provider::contract::{ChoiceList, ChoicePage};

use crate::admin::error::ApiError;
use crate::admin::request::{Query, ok};
use crate::admin::{Daemon, Reply, lookup};

/// What one answer holds of a list, however many pages it has: a provider that never ends is stopped. What is
/// beyond is had with the answer's `next`.
const MOST_PAGES: usize = 1000;
const MOST_ROWS: usize = 10_000;
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// A list that a person picks a target from: the rows stand under the list's own name. Without `query` and `next`
/// every page at once, in the order of the first field.
#[utoipa::path(get, path = routes::CHOICES, tag = "connections",
    params(("app" = String, Path, description = "The kind's slug"),
        ("connectionId" = String, Path, description = "The connection's id"),
        ("list" = String, Path, description = "The list's name, such as `clients`"), ChoicesQuery),
    responses((status = 200, body = serde_json::Value)))]
pub(in crate::admin) async fn list_choices(
    daemon: Daemon,
    path: Path<(String, String, String)>,
    query: Query<ChoicesQuery>,
) -> Reply {
    let (app, id, list) = path.into_inner();
    let connection = lookup::connection(&daemon, Some(&app), &id).await?;
    // Providers may share a kind of connection: the one that offers the list.
    let mut providers = daemon.providers.host().providers().into_iter();
    let offered = providers.find_map(|provider| {
        let description = provider.description();
        let list = (description.connection.slug.as_str() == app)
            .then(|| {
                description
                    .choices
                    .iter()
                    .find(|known| known.name.as_str() == list)
            })
            .flatten()?
            .clone();
        Some((provider, list))
    });
    let Some((provider, list)) = offered else {
        // Says so where no provider is loaded at all.
        lookup::provider_of_connection_kind(&daemon, &app).await?;
        return Err(ApiError::not_found(format!("{app} has no list {list}")));
    };
    let opened = lookup::opened(&daemon, &provider, connection).await?;
    let Query(query) = query;
    let every_page = query.query.is_none() && query.next.is_none();
    let typed = query.query.unwrap_or_default();
    let (mut rows, mut next) = (Vec::new(), query.next);
    let (mut named_before, mut bytes) = (HashSet::new(), 0);
    for pages in 1..=MOST_PAGES {
        let page = provider
            .choices(&opened, &list.name, &typed, next.as_deref())
            .await;
        let ChoicePage {
            rows: more,
            next: after,
        } = ApiError::of_call(page)?;
        bytes += more.iter().flatten().map(String::len).sum::<usize>();
        rows.extend(more);
        next = after;
        let Some(page) = next.as_ref().filter(|_| every_page) else {
            // Each page is in its own order.
            if pages > 1 {
                sort(&mut rows);
            }
            break;
        };
        if !named_before.insert(page.clone()) {
            return Err(ApiError::refused(format!(
                "the provider's list {} has no end: it named the same page twice",
                list.name
            )));
        }
        if rows.len() >= MOST_ROWS || bytes >= MOST_BYTES {
            sort(&mut rows);
            break;
        }
    }
    let rows = rows.into_iter().map(|row| named(&list, row)).collect();
    Ok(ok(&ChoicesAnswer {
        list: list.name.to_string(),
        rows,
        next,
    }))
}

fn sort(rows: &mut [Vec<String>]) {
    rows.sort_by_cached_key(|row| row.first().map(|text| text.to_lowercase()));
}

fn named(list: &ChoiceList, row: Vec<String>) -> Choice {
    let names = list.fields.iter().map(|field| field.name.clone());
    Choice(names.zip(row).collect())
}
