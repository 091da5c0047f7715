//! The query options of a request, as far as the directory knows them.

use super::error::GraphError;
use super::filter::Filter;
use super::search::Search;
use crate::request::Request;

/// The longest page.
const LONGEST_PAGE: usize = 999;

/// Parsed options.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    /// Names to show, as asked for.
    pub select: Option<Vec<String>>,
    /// What to keep.
    pub filter: Option<Filter>,
    /// What to find.
    pub search: Option<Search>,
    /// How many to a page.
    pub top: Option<usize>,
    /// Whether to say how many there are.
    pub count: bool,
    /// A property to sort by, and whether downwards.
    pub order: Option<(String, bool)>,
    /// Where to go on.
    pub skip_token: Option<String>,
}

impl Options {
    /// Reads and checks the options.
    pub(super) fn of(request: &Request) -> Result<Self, GraphError> {
        let eventual = request
            .header("consistencylevel")
            .is_some_and(|level| level.eq_ignore_ascii_case("eventual"));
        let mut options = Self::default();
        for (name, value) in request.query_pairs() {
            let name = name.to_ascii_lowercase();
            match name.strip_prefix('$').unwrap_or(&name) {
                "select" => options.select = Some(names(&value)),
                "filter" => options.filter = Some(Filter::parse(&value)?),
                "search" => options.search = Some(Search::parse(&value)?),
                "top" => options.top = Some(page_size(&value)?),
                "count" => options.count = value.eq_ignore_ascii_case("true"),
                "orderby" => options.order = Some(order(&value)),
                "skiptoken" => options.skip_token = Some(value.into_owned()),
                "skip" => {
                    return Err(GraphError::unsupported_query(
                        "'$skip' is not supported by the service.",
                    ));
                }
                _ if name.starts_with('$') => {
                    return Err(GraphError::unparsable(format!(
                        "The query parameter '{name}' is not supported."
                    )));
                }
                _ => {}
            }
        }
        options.check_consistency(eventual)?;
        Ok(options)
    }

    fn check_consistency(&self, eventual: bool) -> Result<(), GraphError> {
        if self.search.is_some() && !eventual {
            return Err(GraphError::unsupported_query(
                "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'",
            ));
        }
        if self.count && !eventual {
            return Err(GraphError::bad_request(
                "$count is not currently supported.",
            ));
        }
        let advanced = eventual && self.count;
        if let Some(filter) = &self.filter
            && !advanced
        {
            if let Some(property) = filter.advanced_property() {
                return Err(GraphError::unsupported_query(format!(
                    "Unsupported or invalid query filter clause specified for property '{property}' of resource 'Application'."
                )));
            }
            if self.order.is_some() {
                return Err(GraphError::unsupported_query(
                    "Sorting not supported for current query.",
                ));
            }
        }
        Ok(())
    }
}

fn names(value: &str) -> Vec<String> {
    value
        .split(',')
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

fn page_size(value: &str) -> Result<usize, GraphError> {
    let size: usize = value.parse().map_err(|_| {
        GraphError::unparsable(format!(
            "Invalid value '{value}' for $top query option found. The $top query option requires a non-negative integer value."
        ))
    })?;
    if (1..=LONGEST_PAGE).contains(&size) {
        Ok(size)
    } else {
        Err(GraphError::unsupported_query(format!(
            "Invalid page size specified: '{size}'. Must be between 1 and {LONGEST_PAGE} inclusive."
        )))
    }
}

fn order(value: &str) -> (String, bool) {
    let mut words = value.split_whitespace();
    let property = words.next().unwrap_or_default().to_owned();
    let down = words
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("desc"));
    (property, down)
}
