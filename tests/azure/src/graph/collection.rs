//! A list of objects as the options of a request want it: filtered, sorted, cut into pages, reduced to
//! the selected properties.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::entity::Entity;
use super::error::GraphError;
use super::odata::Options;
use crate::exchange::Exchange;

/// The body of a list.
///
/// `context` names the set in `@odata.context`, and `kind` the type in errors.
pub(super) fn list(
    exchange: &Exchange<'_>,
    options: &Options,
    mut entities: Vec<Entity>,
    context: &str,
    kind: &str,
) -> Result<Value, GraphError> {
    entities.retain(|entity| {
        options
            .filter
            .as_ref()
            .is_none_or(|filter| filter.keeps(entity))
            && options
                .search
                .as_ref()
                .is_none_or(|search| search.finds(entity))
    });
    if let Some((property, down)) = &options.order {
        sort(&mut entities, property, *down);
    }
    let total = entities.len();
    let start = match &options.skip_token {
        None => Position::default(),
        Some(token) => {
            let read = Position::read(token)?;
            // What was filtered differently, or grew shorter meanwhile, has no entries there.
            let offset = read.offset.min(total);
            Position { offset, ..read }
        }
    };
    let behaviour = &exchange.world.behaviour;
    let size = options.top.unwrap_or(behaviour.page_size).max(1);
    let end = total.min(start.offset.saturating_add(size));
    // Legal, and what clients forget: a page without entries that links onwards.
    let is_empty_page = behaviour.empty_pages && end == total && !start.after_empty;
    let shown = if is_empty_page {
        start.offset..start.offset
    } else {
        start.offset..end
    };
    let next = if is_empty_page {
        Some(Position {
            after_empty: true,
            ..start
        })
    } else {
        (end < total).then_some(Position {
            offset: end,
            after_empty: false,
        })
    };

    let select = canonical_names(options.select.as_deref(), entities.first(), kind)?;
    let value: Vec<Value> = entities[shown]
        .iter()
        .map(|entity| Value::Object(reduce(entity.clone(), select.as_deref())))
        .collect();
    let mut body = json!({
        "@odata.context": context_url(exchange, context, select.as_deref()),
        "value": value,
    });
    if options.count && options.skip_token.is_none() {
        body["@odata.count"] = Value::from(total);
    }
    if let Some(next) = next {
        body["@odata.nextLink"] = Value::from(next.link(exchange));
    }
    Ok(body)
}

/// The body of one object.
pub(super) fn single(
    exchange: &Exchange<'_>,
    options: &Options,
    entity: Entity,
    context: &str,
    kind: &str,
) -> Result<Value, GraphError> {
    let select = canonical_names(options.select.as_deref(), Some(&entity), kind)?;
    let context = context_url(exchange, context, select.as_deref());
    let mut body = Map::new();
    body.insert(
        "@odata.context".to_owned(),
        Value::from(format!("{context}/$entity")),
    );
    body.extend(reduce(entity, select.as_deref()));
    Ok(Value::Object(body))
}

/// Names in the service's spelling. Where there is no object to know them from, they stay as they are.
fn canonical_names(
    select: Option<&[String]>,
    sample: Option<&Entity>,
    kind: &str,
) -> Result<Option<Vec<String>>, GraphError> {
    let Some(wanted) = select.filter(|names| !names.is_empty() && names[0] != "*") else {
        return Ok(None);
    };
    let Some(sample) = sample else {
        return Ok(Some(wanted.to_vec()));
    };
    wanted
        .iter()
        .map(|name| {
            sample
                .keys()
                .find(|property| property.eq_ignore_ascii_case(name))
                .cloned()
                .ok_or_else(|| {
                    GraphError::unparsable(format!(
                        "Parsing OData Select and Expand failed: Could not find a property named '{name}' on type 'microsoft.graph.{kind}'."
                    ))
                })
        })
        .collect::<Result<_, _>>()
        .map(Some)
}

fn reduce(mut entity: Entity, select: Option<&[String]>) -> Entity {
    if let Some(names) = select {
        entity.retain(|name, _| names.contains(name) || name.starts_with("@odata."));
    }
    entity
}

fn context_url(exchange: &Exchange<'_>, context: &str, select: Option<&[String]>) -> String {
    let base = exchange.request.base();
    let names = select.map_or(String::new(), |names| format!("({})", names.join(",")));
    format!("{base}/v1.0/$metadata#{context}{names}")
}

fn sort(entities: &mut [Entity], property: &str, down: bool) {
    let key = |entity: &Entity| {
        entity
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(property))
            .and_then(|(_, value)| value.as_str())
            .unwrap_or_default()
            .to_lowercase()
    };
    entities.sort_by_cached_key(key);
    if down {
        entities.reverse();
    }
}

/// What a link's token stands for.
#[derive(Clone, Copy, Debug, Default)]
struct Position {
    offset: usize,
    after_empty: bool,
}

impl Position {
    fn read(token: &str) -> Result<Self, GraphError> {
        let parse = || {
            let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
            let text = String::from_utf8(bytes).ok()?;
            let (offset, after_empty) = text.strip_prefix("RFNwdAIAAQAAAB:")?.split_once(':')?;
            Some(Self {
                offset: offset.parse().ok()?,
                after_empty: after_empty == "1",
            })
        };
        parse().ok_or_else(|| {
            GraphError::new(
                400,
                "Directory_ExpiredPageToken",
                "The specified page token value has expired and can no longer be included in your request.",
            )
        })
    }

    /// The address of the page here: the request's own with another token.
    fn link(self, exchange: &Exchange<'_>) -> String {
        let request = exchange.request;
        let token = format!(
            "RFNwdAIAAQAAAB:{}:{}",
            self.offset,
            u8::from(self.after_empty)
        );
        let token = URL_SAFE_NO_PAD.encode(token);
        let kept: Vec<&str> = request
            .query
            .split('&')
            .filter(|pair| {
                let name = pair.split('=').next().unwrap_or_default();
                !pair.is_empty()
                    && !name.eq_ignore_ascii_case("$skiptoken")
                    && !name.eq_ignore_ascii_case("%24skiptoken")
            })
            .chain(std::iter::once("$skiptoken="))
            .collect();
        format!(
            "{}{}?{}{token}",
            request.base(),
            request.path,
            kept.join("&")
        )
    }
}
