//! `$filter`: the part of `OData`'s grammar that the directory takes.
//!
//! | form | without the advanced header |
//! |---|---|
//! | `p eq 'v'`, `p eq null`, `p eq true` | yes |
//! | `p in ('a','b')` | yes |
//! | `startswith(p,'v')` | yes |
//! | `list/any(x:x eq 'v')` | yes |
//! | `and`, `or`, parentheses | yes |
//! | `ne`, `not`, `endswith(p,'v')`, `ge`, `le`, `gt`, `lt` | no |
//! | `list/any(x:x/part eq v)` | no |

mod parser;

use serde_json::Value;

use super::entity::Entity;
use super::error::GraphError;

/// A parsed condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Filter(Condition);

#[derive(Clone, Debug, PartialEq)]
enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Compare(Path, Comparison, Literal),
    In(Path, Vec<Literal>),
    StartsWith(Path, String),
    EndsWith(Path, String),
    /// Some element of a list fulfils a condition on a variable.
    Any(Path, String, Box<Condition>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Names joined by slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Path(Vec<String>);

#[derive(Clone, Debug, PartialEq)]
enum Literal {
    Text(String),
    Boolean(bool),
    Null,
}

impl Filter {
    /// Reads the option.
    pub(super) fn parse(text: &str) -> Result<Self, GraphError> {
        parser::parse(text)
            .map(Self)
            .map_err(|reason| GraphError::unparsable(format!("Invalid filter clause: {reason}")))
    }

    /// Whether an object is kept.
    pub(super) fn keeps(&self, entity: &Entity) -> bool {
        self.0.holds(&Scope {
            entity,
            variable: None,
        })
    }

    /// A property that is filtered in a way which needs the advanced header, if any is.
    pub(super) fn advanced_property(&self) -> Option<String> {
        self.0.advanced()
    }
}

/// What names mean: properties of the object, and the variable of an `any` around.
struct Scope<'a> {
    entity: &'a Entity,
    variable: Option<(&'a str, &'a Value)>,
}

impl Condition {
    fn holds(&self, scope: &Scope<'_>) -> bool {
        match self {
            Self::And(left, right) => left.holds(scope) && right.holds(scope),
            Self::Or(left, right) => left.holds(scope) || right.holds(scope),
            Self::Not(inner) => !inner.holds(scope),
            Self::Compare(path, comparison, literal) => comparison.holds(path.find(scope), literal),
            Self::In(path, literals) => literals
                .iter()
                .any(|literal| Comparison::Equal.holds(path.find(scope), literal)),
            Self::StartsWith(path, start) => path
                .text(scope)
                .is_some_and(|text| text.starts_with(&start.to_lowercase())),
            Self::EndsWith(path, end) => path
                .text(scope)
                .is_some_and(|text| text.ends_with(&end.to_lowercase())),
            Self::Any(path, variable, inner) => path
                .find(scope)
                .and_then(Value::as_array)
                .is_some_and(|elements| {
                    elements.iter().any(|element| {
                        inner.holds(&Scope {
                            entity: scope.entity,
                            variable: Some((variable, element)),
                        })
                    })
                }),
        }
    }

    fn advanced(&self) -> Option<String> {
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                left.advanced().or_else(|| right.advanced())
            }
            Self::Not(inner) => Some(inner.property()),
            Self::Compare(path, Comparison::Equal, _)
            | Self::In(path, _)
            | Self::StartsWith(path, _) => (path.0.len() > 1).then(|| path.name()),
            Self::Compare(path, ..) | Self::EndsWith(path, _) => Some(path.name()),
            Self::Any(path, _, inner) => inner.advanced().map(|_| path.name()),
        }
    }

    fn property(&self) -> String {
        match self {
            Self::And(left, _) | Self::Or(left, _) => left.property(),
            Self::Not(inner) => inner.property(),
            Self::Compare(path, ..)
            | Self::In(path, _)
            | Self::StartsWith(path, _)
            | Self::EndsWith(path, _)
            | Self::Any(path, ..) => path.name(),
        }
    }
}

impl Comparison {
    /// Text compares without case, as the directory does; times in one form sort as text.
    fn holds(self, found: Option<&Value>, literal: &Literal) -> bool {
        let ordering = match (found, literal) {
            (None | Some(Value::Null), Literal::Null) => Some(std::cmp::Ordering::Equal),
            (Some(Value::Bool(found)), Literal::Boolean(wanted)) => Some(found.cmp(wanted)),
            (Some(Value::String(found)), Literal::Text(wanted)) => {
                Some(found.to_lowercase().cmp(&wanted.to_lowercase()))
            }
            _ => None,
        };
        match self {
            Self::Equal => ordering.is_some_and(std::cmp::Ordering::is_eq),
            Self::NotEqual => !ordering.is_some_and(std::cmp::Ordering::is_eq),
            Self::Less => ordering.is_some_and(std::cmp::Ordering::is_lt),
            Self::LessOrEqual => ordering.is_some_and(std::cmp::Ordering::is_le),
            Self::Greater => ordering.is_some_and(std::cmp::Ordering::is_gt),
            Self::GreaterOrEqual => ordering.is_some_and(std::cmp::Ordering::is_ge),
        }
    }
}

impl Path {
    fn find<'a>(&self, scope: &Scope<'a>) -> Option<&'a Value> {
        let (first, rest) = self.0.split_first()?;
        let start = match scope.variable {
            Some((name, value)) if name == first => value,
            _ => property(scope.entity, first)?,
        };
        rest.iter().try_fold(start, |value, name| {
            value.as_object().and_then(|object| property(object, name))
        })
    }

    fn text(&self, scope: &Scope<'_>) -> Option<String> {
        self.find(scope)?.as_str().map(str::to_lowercase)
    }

    fn name(&self) -> String {
        self.0.join("/")
    }
}

fn property<'a>(object: &'a Entity, name: &str) -> Option<&'a Value> {
    object
        .iter()
        .find(|(property, _)| property.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn keeps(filter: &str) -> bool {
        let entity = json!({
            "displayName": "Bob's Payroll",
            "appId": "8C3ED8D1-DDD6-4145-A377-2441ECDF3B42",
            "identifierUris": ["api://payroll"],
            "passwordCredentials": [{ "keyId": "73c912d2-fd2d-42a0-b3ae-2e45d006b8bc" }],
            "description": null,
        });
        Filter::parse(filter)
            .unwrap()
            .keeps(entity.as_object().unwrap())
    }

    #[test]
    fn text_compares_without_case_and_quotes_are_doubled() {
        assert!(keeps("displayName eq 'bob''s payroll'"));
        assert!(keeps("DisplayName eq 'Bob''s Payroll'"));
        assert!(keeps("appId eq '8c3ed8d1-ddd6-4145-a377-2441ecdf3b42'"));
        assert!(!keeps("displayName eq 'Bob'"));
    }

    #[test]
    fn functions_lists_and_logic_work() {
        assert!(keeps("startswith(displayName,'bob')"));
        assert!(keeps(
            "startsWith(displayName, 'BOB') and endswith(displayName,'roll')"
        ));
        assert!(keeps("identifierUris/any(x:x eq 'api://payroll')"));
        assert!(keeps(
            "passwordCredentials/any(p:p/keyId eq 73c912d2-fd2d-42a0-b3ae-2e45d006b8bc)"
        ));
        assert!(keeps("displayName in ('x','Bob''s Payroll')"));
        assert!(keeps("not (displayName eq 'x') and description eq null"));
        assert!(keeps("displayName eq 'x' or displayName ne 'y'"));
        assert!(!keeps(
            "(displayName eq 'x' or description eq null) and appId eq 'z'"
        ));
    }

    #[test]
    fn what_needs_the_advanced_header_is_known() {
        let advanced = |text: &str| Filter::parse(text).unwrap().advanced_property();
        assert_eq!(advanced("appId eq 'x'"), None);
        assert_eq!(advanced("startswith(displayName,'x')"), None);
        assert_eq!(advanced("identifierUris/any(x:x eq 'v')"), None);
        assert_eq!(
            advanced("displayName ne 'x'"),
            Some("displayName".to_owned())
        );
        assert_eq!(
            advanced("not startswith(appId,'x')"),
            Some("appId".to_owned())
        );
        assert_eq!(
            advanced("passwordCredentials/any(p:p/keyId eq x)"),
            Some("passwordCredentials".to_owned())
        );
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for text in [
            "",
            "displayName",
            "displayName eq",
            "displayName eq 'x",
            "displayName like 'x'",
            "contains(displayName,'x')",
            "(displayName eq 'x'",
            "displayName eq 'x' 'y'",
        ] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
    }
}
