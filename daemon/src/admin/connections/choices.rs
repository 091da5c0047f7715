//! What a person picks a target from.

use actix_web::web::Path;
use rotord_api::choices::{Choice, ChoicesAnswer};
use rotord_api::query::ChoicesQuery;
use rotord_api::routes;
use rotord_provider::contract::{ChoiceList, ChoicePage};

use crate::admin::error::ApiError;
use crate::admin::request::{Query, ok};
use crate::admin::{Daemon, Reply, lookup};

/// More pages than any list has: a provider that never ends is stopped.
const MOST_PAGES: usize = 1000;

/// A list that a person picks a target from: the rows stand under the list's own name. Without `query` and `next`
/// every page at once.
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
    for _ in 0..MOST_PAGES {
        let page = provider
            .choices(&opened, &list.name, &typed, next.as_deref())
            .await;
        let ChoicePage {
            rows: more,
            next: after,
        } = ApiError::of_call(page)?;
        rows.extend(more.into_iter().map(|row| named(&list, row)));
        next = after;
        if next.is_none() || !every_page {
            break;
        }
    }
    Ok(ok(&ChoicesAnswer {
        list: list.name.to_string(),
        rows,
        next,
    }))
}

fn named(list: &ChoiceList, row: Vec<String>) -> Choice {
    let names = list.fields.iter().map(|field| field.name.clone());
    Choice(names.zip(row).collect())
}
