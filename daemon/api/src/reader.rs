//! Reads an object field by field and collects everything that is wrong with it.
//!
//! serde would stop at the first wrong field; a person who fills in a form wants them all.

use serde_json::{Map, Value};

use crate::issue::{Issue, IssueCode, Issues};
use crate::tolerated::Tolerated;

/// An object whose fields are taken out one by one. What is never asked for is refused: whoever mistyped a field's name
/// would else get what he did not ask for, and hear nothing.
pub(crate) struct Reader {
    fields: Map<String, Value>,
    /// The names that were asked for, to be told to whoever sent another.
    known: Vec<&'static str>,
    issues: Issues,
}

impl Reader {
    pub(crate) fn new(value: Value) -> Result<Self, Issues> {
        Ok(Self {
            fields: object(value)?,
            known: Vec::new(),
            issues: Issues::default(),
        })
    }

    /// A field that must be there.
    pub(crate) fn required<T>(
        &mut self,
        name: &'static str,
        rule: impl FnOnce(Value) -> Result<T, Issues>,
    ) -> Option<T> {
        let Some(value) = self.take(name) else {
            self.refuse(name, Issue::new(IssueCode::InvalidType, "is required"));
            return None;
        };
        self.judge(name, rule(value))
    }

    /// A field that may be absent; null says the same.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        rule: impl FnOnce(Value) -> Result<T, Issues>,
    ) -> Option<T> {
        self.nullable(name, rule).flatten()
    }

    /// A text that may be absent; null and blanks say the same.
    pub(crate) fn text_if_any<T>(
        &mut self,
        name: &'static str,
        rule: impl FnOnce(&str) -> Result<T, Issue>,
    ) -> Option<T> {
        let blank_or = |text: &str| match text.trim() {
            "" => Ok(None),
            text => rule(text).map(Some),
        };
        self.optional(name, as_text(blank_or)).flatten()
    }

    /// A field that may be absent (`None`) or null (`Some(None)`).
    // Absent and null are two things in a body that changes something.
    #[allow(clippy::option_option)]
    pub(crate) fn nullable<T>(
        &mut self,
        name: &'static str,
        rule: impl FnOnce(Value) -> Result<T, Issues>,
    ) -> Option<Option<T>> {
        match self.take(name)? {
            Value::Null => Some(None),
            value => self.judge(name, rule(value)).map(Some),
        }
    }

    pub(crate) fn refuse(&mut self, name: &str, issue: Issue) {
        self.issues.extend(Issues::from(issue).under(name));
    }

    /// Fields that are taken though nothing is done with them.
    pub(crate) fn tolerate(&mut self, fields: &[Tolerated]) {
        for Tolerated { name, only } in fields {
            // Not among the known ones: nobody is to be told to send them.
            let given = self.fields.remove(*name);
            if given.is_some_and(|value| !only.allows(&value)) {
                self.refuse(name, Issue::new(IssueCode::Custom, only.must_be()));
            }
        }
    }

    /// Everything that was wrong, with the fields that nobody asked for.
    pub(crate) fn finish(mut self) -> Result<(), Issues> {
        for name in std::mem::take(&mut self.fields).keys() {
            let unknown = Issue::unrecognized("a field of this request", name, &self.known);
            self.refuse(name, unknown);
        }
        self.issues.or(())
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.fields.remove(name)
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
