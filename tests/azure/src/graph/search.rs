//! `$search`: quoted `"property:words"` clauses, joined by AND or OR.

use super::entity::Entity;
use super::error::GraphError;

/// Clauses: any group must match, and in it every clause.
#[derive(Clone, Debug)]
pub(super) struct Search {
    groups: Vec<Vec<Clause>>,
}

#[derive(Clone, Debug)]
struct Clause {
    property: String,
    words: Vec<String>,
}

impl Search {
    /// Reads the option.
    pub(super) fn parse(text: &str) -> Result<Self, GraphError> {
        let syntax = || {
            GraphError::bad_request(format!(
                "Syntax error: a clause of $search must be \"property:value\" in quotes, found '{text}'."
            ))
        };
        let mut groups = vec![Vec::new()];
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (clause, after) = rest
                .strip_prefix('"')
                .and_then(|rest| rest.split_once('"'))
                .ok_or_else(syntax)?;
            let (property, value) = clause.split_once(':').ok_or_else(syntax)?;
            if let Some(group) = groups.last_mut() {
                group.push(Clause {
                    property: property.trim().to_owned(),
                    words: words(value),
                });
            }
            rest = after.trim_start();
            if let Some(after) = rest.strip_prefix("OR ") {
                groups.push(Vec::new());
                rest = after.trim_start();
            } else if let Some(after) = rest.strip_prefix("AND ") {
                rest = after.trim_start();
            } else if !rest.is_empty() {
                return Err(syntax());
            }
        }
        Ok(Self { groups })
    }

    /// Whether an object is found.
    pub(super) fn finds(&self, entity: &Entity) -> bool {
        self.groups
            .iter()
            .any(|group| !group.is_empty() && group.iter().all(|clause| clause.finds(entity)))
    }
}

impl Clause {
    /// Each word begins some word of the property.
    fn finds(&self, entity: &Entity) -> bool {
        let text = entity
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(&self.property))
            .and_then(|(_, value)| value.as_str())
            .unwrap_or_default();
        let has = words(text);
        self.words
            .iter()
            .all(|wanted| has.iter().any(|word| word.starts_with(wanted)))
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn finds(search: &str, name: &str) -> bool {
        let entity = json!({ "displayName": name });
        Search::parse(search)
            .unwrap()
            .finds(entity.as_object().unwrap())
    }

    #[test]
    fn words_are_found_by_their_beginning() {
        assert!(finds("\"displayName:web\"", "My Web-App"));
        assert!(finds("\"displayName:app\"", "My Web-App"));
        assert!(!finds("\"displayName:eb\"", "My Web-App"));
        assert!(finds(
            "\"displayName:x\" OR \"displayName:my\"",
            "My Web-App"
        ));
        assert!(!finds(
            "\"displayName:x\" AND \"displayName:my\"",
            "My Web-App"
        ));
    }

    #[test]
    fn a_clause_without_quotes_is_refused() {
        assert!(Search::parse("displayName:web").is_err());
    }
}
