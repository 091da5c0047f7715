//! What is wrong with a body, field by field, and what a check has seen.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::alike;

/// One thing that is wrong with one field. The `message` of a 422 answer is a list of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Issue {
    /// What kind of wrong it is.
    pub code: IssueCode,
    /// Where the field stands, from the outside in, such as `["rotateAtUtc", "hours"]`. Empty: the body itself.
    pub path: Vec<String>,
    /// What would be right, for a person.
    pub message: String,
}

/// The kinds of wrong, by the names that clients of this route family know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IssueCode {
    /// Missing, or another JSON type.
    InvalidType,
    /// Too short or too low.
    TooSmall,
    /// Too long or too high.
    TooBig,
    /// A text of the wrong form.
    InvalidString,
    /// None of the allowed values.
    InvalidEnumValue,
    /// A field that the request or the provider doesn't have.
    UnrecognizedKeys,
    /// Anything else.
    #[serde(other)]
    Custom,
}

impl Issue {
    /// An issue with the value itself; [`Issue::under`] says where it stands.
    pub fn new(code: IssueCode, message: impl Into<String>) -> Self {
        Self {
            code,
            path: Vec::new(),
            message: message.into(),
        }
    }

    /// A field that is not there, with what would be right.
    pub fn unrecognized<'a>(
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'a (impl AsRef<str> + ?Sized + 'a)>,
    ) -> Self {
        let known = known.into_iter().map(AsRef::as_ref);
        let instead = alike::instead(name, known);
        Self::new(
            IssueCode::UnrecognizedKeys,
            format!("is not {what}: {instead}"),
        )
    }

    /// The same issue, one level further in.
    #[must_use]
    pub fn under(mut self, name: &str) -> Self {
        self.path.insert(0, name.to_owned());
        self
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path.join("."))?;
        }
        f.write_str(&self.message)
    }
}

/// All that is wrong with a body. Never empty where it is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Issues(pub Vec<Issue>);

impl Issues {
    /// The same issues, one level further in.
    #[must_use]
    pub fn under(self, name: &str) -> Self {
        Self(self.0.into_iter().map(|issue| issue.under(name)).collect())
    }

    /// Adds what another part found.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// `value`, unless something is wrong.
    ///
    /// # Errors
    /// The issues themselves, where there are any.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }
}

impl From<Issue> for Issues {
    fn from(issue: Issue) -> Self {
        Self(vec![issue])
    }
}

impl fmt::Display for Issues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, issue) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            issue.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Issues {}

/// Something that a check saw, in words for an administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// A short, stable name, such as `missing-role`.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// What was seen.
    pub message: String,
    /// What the administrator can do, with the command where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// As it should be.
    Fine,
    /// It works, and something will go wrong later or could be better.
    Warning,
    /// Rotation can't work like this. What a newer daemon calls something else is read as this too.
    #[serde(other)]
    Problem,
}

#[cfg(test)]
mod tests {
    use super::{Issue, IssueCode, Issues};

    #[test]
    fn issues_know_where_they_stand() {
        let issues = Issues::from(Issue::new(IssueCode::TooBig, "must be at most 23"))
            .under("hours")
            .under("rotateAtUtc");
        assert_eq!(issues.to_string(), "rotateAtUtc.hours: must be at most 23");
        assert_eq!(
            serde_json::to_value(&issues).unwrap(),
            serde_json::json!([{"code": "too_big", "path": ["rotateAtUtc", "hours"], "message": "must be at most 23"}])
        );
    }
}
