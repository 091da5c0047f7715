//! Values that a provider asks for: of a connection's credentials or of a rotation's parameters.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::issue::{Issue, IssueCode, Issues};
use crate::reader::{expected, number, object};
use crate::rules;
use crate::sensitive::Sensitive;

/// Values by the names of their fields.
pub type FieldValues = BTreeMap<String, FieldValue>;

/// One value. Texts are taken for secrets until the provider's schema says that they are not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum FieldValue {
    /// A text.
    Text(Sensitive),
    /// A whole number.
    Integer(i64),
    /// True or false.
    Boolean(bool),
}

impl FieldValue {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Sensitive::new(text.into()))
    }

    /// The text, where it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.expose()),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for FieldValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        value(Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// What a provider says of one field, so that a person can be asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// As it stands in JSON, such as `tenantId`.
    pub name: String,
    /// For a person.
    pub title: String,
    /// What it is and where it is found.
    #[serde(default)]
    pub description: String,
    /// What it may hold.
    pub kind: FieldKind,
    /// The allowed texts, where the kind is `choice`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// Sealed at rest and never shown again.
    #[serde(default)]
    pub secret: bool,
    /// Whether it must be given.
    #[serde(default)]
    pub required: bool,
    /// What is taken if it isn't given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// In characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
}

/// What a field may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    /// One line.
    Text,
    /// Several lines, such as a PEM file.
    LongText,
    /// A UUID.
    Uuid,
    /// An `https` URL.
    Url,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// One of the field's `choices`.
    Choice,
    /// One that a newer provider knows.
    #[serde(other)]
    Other,
}

impl Field {
    /// Judges one value and gives it its normal form: trimmed unless it is secret, numbers as numbers.
    ///
    /// # Errors
    /// What would be right; never the value itself.
    pub fn check(&self, value: FieldValue) -> Result<FieldValue, Issue> {
        match (self.kind, value) {
            (FieldKind::Integer, FieldValue::Integer(number)) => Ok(FieldValue::Integer(number)),
            (FieldKind::Integer, FieldValue::Text(text)) => text
                .expose()
                .trim()
                .parse()
                .map(FieldValue::Integer)
                .map_err(|_| Issue::new(IssueCode::InvalidType, "must be a whole number")),
            (FieldKind::Integer, FieldValue::Boolean(_)) => {
                Err(Issue::new(IssueCode::InvalidType, "must be a whole number"))
            }
            (FieldKind::Boolean, FieldValue::Boolean(flag)) => Ok(FieldValue::Boolean(flag)),
            (FieldKind::Boolean, FieldValue::Text(text)) if text.expose() == "true" => {
                Ok(FieldValue::Boolean(true))
            }
            (FieldKind::Boolean, FieldValue::Text(text)) if text.expose() == "false" => {
                Ok(FieldValue::Boolean(false))
            }
            (FieldKind::Boolean, _) => {
                Err(Issue::new(IssueCode::InvalidType, "must be true or false"))
            }
            (_, FieldValue::Text(text)) => self.check_text(text).map(FieldValue::Text),
            (FieldKind::Other, value) => Ok(value),
            _ => Err(Issue::new(IssueCode::InvalidType, "must be a string")),
        }
    }

    fn check_text(&self, text: Sensitive) -> Result<Sensitive, Issue> {
        let text = if self.secret || self.kind == FieldKind::LongText {
            text
        } else {
            Sensitive::new(text.expose().trim().to_owned())
        };
        if text.expose().trim().is_empty() {
            return Err(Issue::new(IssueCode::TooSmall, "must not be empty"));
        }
        if let Some(limit) = self.max_length
            && text.expose().chars().count() > usize::try_from(limit).unwrap_or(usize::MAX)
        {
            return Err(Issue::new(
                IssueCode::TooBig,
                format!("must be at most {limit} characters long"),
            ));
        }
        match self.kind {
            FieldKind::Uuid => {
                rules::uuid(text.expose())?;
            }
            FieldKind::Url if !text.expose().starts_with("https://") => {
                return Err(Issue::new(
                    IssueCode::InvalidString,
                    "must be an https:// URL",
                ));
            }
            FieldKind::Choice if !self.choices.iter().any(|choice| choice == text.expose()) => {
                return Err(Issue::new(
                    IssueCode::InvalidEnumValue,
                    format!("must be one of {}", self.choices.join(", ")),
                ));
            }
            _ => {}
        }
        Ok(text)
    }
}

/// Judges all values by their fields: required ones are there, unknown ones are not, defaults are filled in.
///
/// # Errors
/// Everything that is wrong, each under its field's name.
pub fn check<'a>(
    fields: impl IntoIterator<Item = &'a Field>,
    mut values: FieldValues,
) -> Result<FieldValues, Issues> {
    let mut issues = Issues::default();
    let mut checked = FieldValues::new();
    let mut known = Vec::new();
    for field in fields {
        known.push(field.name.as_str());
        // An optional text that was left empty is one that wasn't given.
        let given = values
            .remove(&field.name)
            .filter(|value| field.required || value.as_text() != Some(""));
        let Some(value) = given.or_else(|| field.default.clone().map(FieldValue::text)) else {
            if field.required {
                issues.extend(
                    Issues::from(Issue::new(IssueCode::InvalidType, "is required"))
                        .under(&field.name),
                );
            }
            continue;
        };
        match field.check(value) {
            Ok(value) => {
                checked.insert(field.name.clone(), value);
            }
            Err(wrong) => issues.extend(Issues::from(wrong).under(&field.name)),
        }
    }
    for name in values.keys() {
        let unknown = Issue::unrecognized("a field of this provider", name, known.iter().copied());
        issues.extend(Issues::from(unknown).under(name));
    }
    issues.or(checked)
}

/// Reads the values of an object. Null stands for a field that isn't given.
pub(crate) fn values(from: Value) -> Result<FieldValues, Issues> {
    let mut issues = Issues::default();
    let mut values = FieldValues::new();
    for (name, given) in object(from)? {
        if given.is_null() {
            continue;
        }
        match value(given) {
            Ok(value) => {
                values.insert(name, value);
            }
            Err(wrong) => issues.extend(wrong.under(&name)),
        }
    }
    issues.or(values)
}

/// Reads an object whose values are all texts.
pub(crate) fn sensitive_texts(from: Value) -> Result<BTreeMap<String, Sensitive>, Issues> {
    let mut issues = Issues::default();
    let mut texts = BTreeMap::new();
    for (name, value) in object(from)? {
        match value {
            Value::String(text) => {
                texts.insert(name, Sensitive::new(text));
            }
            other => issues.extend(expected("a string", &other).under(&name)),
        }
    }
    issues.or(texts)
}

fn value(from: Value) -> Result<FieldValue, Issues> {
    match from {
        Value::String(text) => Ok(FieldValue::Text(Sensitive::new(text))),
        Value::Bool(flag) => Ok(FieldValue::Boolean(flag)),
        Value::Number(ref given) => {
            given
                .as_i64()
                .map(FieldValue::Integer)
                .ok_or_else(|| match number(&from) {
                    Ok(_) => Issue::new(IssueCode::InvalidType, "must be a whole number").into(),
                    Err(wrong) => wrong,
                })
        }
        other => Err(expected("a string, a number or a boolean", &other)),
    }
}

#[cfg(test)]
mod tests {
    use std::slice;

    use serde_json::json;

    use super::{Field, FieldKind, FieldValue, check, values};

    fn field(name: &str, kind: FieldKind) -> Field {
        Field {
            name: name.to_owned(),
            title: name.to_owned(),
            description: String::new(),
            kind,
            choices: vec!["global".to_owned(), "china".to_owned()],
            secret: false,
            required: true,
            default: None,
            max_length: Some(50),
        }
    }

    #[test]
    fn each_kind_takes_its_own_form() {
        for (kind, right, wrong) in [
            (FieldKind::Text, json!(" a "), json!("")),
            (FieldKind::Text, json!("a"), json!("a".repeat(51))),
            (
                FieldKind::Uuid,
                json!("3c90c3cc-0d44-4b50-8888-8dd25736052a"),
                json!("x"),
            ),
            (FieldKind::Url, json!("https://a"), json!("http://a")),
            (FieldKind::Integer, json!("7"), json!("7.5")),
            (FieldKind::Boolean, json!("true"), json!("yes")),
            (FieldKind::Choice, json!("china"), json!("moon")),
            (FieldKind::Text, json!("7"), json!(7)),
        ] {
            let fields = [field("f", kind)];
            assert!(
                check(&fields, values(json!({"f": right})).unwrap()).is_ok(),
                "{kind:?} {right}"
            );
            assert!(
                check(&fields, values(json!({"f": wrong})).unwrap()).is_err(),
                "{kind:?} {wrong}"
            );
        }
    }

    #[test]
    fn missing_and_unknown_fields_are_named() {
        let issues = check(
            &[field("objectId", FieldKind::Text)],
            values(json!({"objectID": "x"})).unwrap(),
        )
        .unwrap_err();
        assert_eq!(
            issues.to_string(),
            "objectId: is required; objectID: is not a field of this provider: did you mean objectId?"
        );
    }

    #[test]
    fn optional_fields_may_be_absent_null_or_empty_and_defaults_fill_in() {
        let optional = Field {
            required: false,
            ..field("a", FieldKind::Text)
        };
        for given in [json!({}), json!({"a": null}), json!({"a": ""})] {
            assert!(
                check(slice::from_ref(&optional), values(given).unwrap())
                    .unwrap()
                    .is_empty()
            );
        }
        let filled = Field {
            default: Some("global".to_owned()),
            ..field("a", FieldKind::Choice)
        };
        assert_eq!(
            check(&[filled], values(json!({})).unwrap()).unwrap()["a"],
            FieldValue::text("global")
        );
    }

    #[test]
    fn a_secret_is_kept_as_it_is_and_never_shown() {
        let secret = Field {
            secret: true,
            ..field("clientSecret", FieldKind::Text)
        };
        let kept = check(
            &[secret],
            values(json!({"clientSecret": " hunter2"})).unwrap(),
        )
        .unwrap();
        assert_eq!(kept["clientSecret"].as_text(), Some(" hunter2"));
        assert!(!format!("{kept:?}").contains("hunter2"));
        assert!(
            !values(json!({"clientSecret": ["hunter2"]}))
                .unwrap_err()
                .to_string()
                .contains("hunter2")
        );
    }
}
