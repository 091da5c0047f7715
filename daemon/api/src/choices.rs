//! Lists of targets to pick from, such as an Azure tenant's applications.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::issue::{Issue, IssueCode, Issues};
use crate::reader;

/// One page of a list. In JSON the rows stand under the list's own name, as in
/// `{"clients": [{"name": …, "id": …, "appId": …}]}`; `next` is there only where another page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChoicesAnswer {
    /// The list's name, such as `clients`.
    pub list: String,
    /// Its rows.
    pub rows: Vec<Choice>,
    /// To be handed in for the next page.
    pub next: Option<String>,
}

/// One row: fields and their values, in the list's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice(pub Vec<(String, String)>);

impl ChoicesAnswer {
    /// Reads the answer of the list with this name.
    ///
    /// # Errors
    /// It is no such answer.
    pub fn from_json(list: &str, body: Value) -> Result<Self, Issues> {
        // A newer daemon may say more than is known here.
        let mut fields = reader::object(body)?;
        let missing = || Issue::new(IssueCode::InvalidType, "is required").under(list);
        let given = fields.remove(list).ok_or_else(missing)?;
        let next = match fields.remove("next") {
            None | Some(Value::Null) => None,
            Some(next) => Some(
                reader::text(next, |next| Ok(next.to_owned()))
                    .map_err(|wrong| wrong.under("next"))?,
            ),
        };
        Ok(Self {
            list: list.to_owned(),
            rows: rows(given).map_err(|wrong| wrong.under(list))?,
            next,
        })
    }
}

impl Choice {
    /// The value of one field.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(name, _)| name == field)
            .map(|(_, value)| value.as_str())
    }
}

impl Serialize for ChoicesAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(&self.list, &self.rows)?;
        if let Some(next) = &self.next {
            map.serialize_entry("next", next)?;
        }
        map.end()
    }
}

impl Serialize for Choice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn rows(value: Value) -> Result<Vec<Choice>, Issues> {
    let Value::Array(rows) = value else {
        return Err(reader::expected("an array", &value));
    };
    rows.into_iter().map(row).collect()
}

fn row(value: Value) -> Result<Choice, Issues> {
    let fields = reader::object(value)?
        .into_iter()
        .map(|(name, value)| match value {
            Value::String(text) => Ok((name, text)),
            _ => Err(Issue::new(IssueCode::InvalidType, "must be a string").under(&name)),
        });
    Ok(Choice(fields.collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::{Choice, ChoicesAnswer};

    #[test]
    fn rows_stand_under_the_lists_name_in_the_lists_order() {
        let row = |pairs: &[(&str, &str)]| {
            Choice(
                pairs
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect(),
            )
        };
        let answer = ChoicesAnswer {
            list: "clients".to_owned(),
            rows: vec![row(&[("name", "app"), ("id", "o"), ("appId", "c")])],
            next: None,
        };
        let json = serde_json::to_string(&answer).unwrap();
        assert_eq!(json, r#"{"clients":[{"name":"app","id":"o","appId":"c"}]}"#);
        let read =
            ChoicesAnswer::from_json("clients", serde_json::from_str(&json).unwrap()).unwrap();
        assert_eq!(read.rows[0].get("appId"), Some("c"));
        assert!(ChoicesAnswer::from_json("users", serde_json::from_str(&json).unwrap()).is_err());
    }
}
