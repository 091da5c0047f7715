//! Reads an object field by field and collects everything that is wrong with it.
//!
//! serde would stop at the first wrong field; a person who fills in a form wants them all.

use serde_json::{Map, Value};

use crate::issue::{Issue, IssueCode, Issues};

/// An object whose fields are taken out one by one. What is never asked for is dropped.
pub(crate) struct Reader {
    fields: Map<String, Value>,
    issues: Issues,
}

impl Reader {
    pub(crate) fn new(value: Value) -> Result<Self, Issues> {
        Ok(Self {
            fields: object(value)?,
            issues: Issues::default(),
        })
    }

    /// A field that must be there.
    pub(crate) fn required<T>(
        &mut self,
        name: &str,
        rule: impl FnOnce(Value) -> Result<T, Issues>,
    ) -> Option<T> {
        let Some(value) = self.fields.remove(name) else {
            self.refuse(name, Issue::new(IssueCode::InvalidType, "is required"));
            return None;
        };
        self.judge(name, rule(value))
    }

    /// A field that may be absent, but is not null.
    pub(crate) fn optional<T>(
        &mut self,
        name: &str,
        rule: impl FnOnce(Value) -> Result<T, Issues>,
    ) -> Option<T> {
        let value = self.fields.remove(name)?;
        self.judge(name, rule(value))
    }

    /// A field that may be absent (`None`) or null (`Some(None)`).
    // Absent and null are two things in a body that changes something.
    #[allow(clippy::option_option)]
    pub(crate) fn nullable<T>(
        &mut self,
        name: &str,
        rule: impl FnOnce(Value) -> Result<T, Issues>,
    ) -> Option<Option<T>> {
        match self.fields.remove(name)? {
            Value::Null => Some(None),
            value => self.judge(name, rule(value)).map(Some),
        }
    }

    pub(crate) fn refuse(&mut self, name: &str, issue: Issue) {
        self.issues.extend(Issues::from(issue).under(name));
    }

    /// Everything that was wrong so far.
    pub(crate) fn finish(self) -> Result<(), Issues> {
        self.issues.or(())
    }

    fn judge<T>(&mut self, name: &str, judged: Result<T, Issues>) -> Option<T> {
        judged
            .map_err(|wrong| self.issues.extend(wrong.under(name)))
            .ok()
    }
}

/// The fields of an object.
pub(crate) fn object(value: Value) -> Result<Map<String, Value>, Issues> {
    match value {
        Value::Object(fields) => Ok(fields),
        other => Err(expected("an object", &other)),
    }
}

/// A text that keeps a rule.
pub(crate) fn text<T>(
    value: Value,
    rule: impl FnOnce(&str) -> Result<T, Issue>,
) -> Result<T, Issues> {
    match value {
        Value::String(text) => Ok(rule(&text)?),
        other => Err(expected("a string", &other)),
    }
}

/// The same as [`text`], to be handed to a [`Reader`].
pub(crate) fn as_text<T>(
    rule: impl FnOnce(&str) -> Result<T, Issue>,
) -> impl FnOnce(Value) -> Result<T, Issues> {
    move |value| text(value, rule)
}

/// True or false.
// A reader's rules take the value over.
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn boolean(value: Value) -> Result<bool, Issues> {
    value.as_bool().ok_or_else(|| expected("a boolean", &value))
}

/// A number, or a text that is one.
pub(crate) fn number(value: &Value) -> Result<f64, Issues> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text
            .trim()
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite()),
        _ => None,
    };
    number.ok_or_else(|| expected("a number", value))
}

/// Says what was expected and what came. Never the value: it may be a secret in the wrong place.
pub(crate) fn expected(what: &str, found: &Value) -> Issues {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    Issue::new(
        IssueCode::InvalidType,
        format!("must be {what}, not {found}"),
    )
    .into()
}
