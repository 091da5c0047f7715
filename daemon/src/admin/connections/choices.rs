//! What a person picks a target from.

mod gathered;

use actix_web::web::Path;
use rotord_api::choices::{Choice, ChoicesAnswer};
use rotord_api::query::ChoicesQuery;
use rotord_api::routes;
use rotord_provider::contract::ChoiceList;

use self::gathered::Gathered;
use crate::admin::error::ApiError;
use crate::admin::request::{Query, ok};
use crate::admin::{Daemon, Reply, lookup};

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
    let mut gathered = Gathered::from(query.next);
    loop {
        let page = provider
            .turn()
            .await
            .choices(&opened, &list.name, &typed, gathered.next())
            .await;
        gathered.add(ApiError::of_call(page)?).map_err(|never| {
            ApiError::refused(format!("the provider's list {} {never}", list.name))
        })?;
        if !every_page || gathered.is_enough() {
            break;
        }
    }
    let (rows, next) = gathered.rows();
    let rows = rows.into_iter().map(|row| named(&list, row)).collect();
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
