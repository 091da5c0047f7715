//! What to rotate: picked from the connection's list, or given in the provider's terms.

use std::collections::BTreeMap;

use rotord_api::choices::Choice;
use rotord_api::connection::AppConnection;
use rotord_api::field::{FieldValue, FieldValues};
use rotord_api::provider::{ChoiceList, ProviderDescription};
use serde_json::Value;
use uuid::Uuid;

use crate::commands::choices;
use crate::error::CtlError;
use crate::fields::{ask, map};
use crate::session::Session;

/// More than this many are not shown to pick from: the list is searched instead.
const SHOWN: usize = 200;
/// As many of several that a text could mean are named.
const NAMED: usize = 10;

/// What flags say of it.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) text: Option<&'a str>,
    pub(super) parameters: &'a [(String, String)],
    /// Nobody is to be asked whether it is right.
    pub(super) yes: bool,
}

/// The parameters, checked by the provider's schema.
pub(super) async fn parameters(
    session: &mut Session,
    given: Given<'_>,
    asks: bool,
    connection: &AppConnection,
    provider: &ProviderDescription,
) -> Result<FieldValues, CtlError> {
    let mut values: FieldValues = map(given.parameters)?
        .into_iter()
        .map(|(name, value)| (name, FieldValue::text(value)))
        .collect();
    let list = provider
        .choices
        .iter()
        .find(|list| list.fields.iter().any(|field| field.fills.is_some()));
    match (given.text, list) {
        (Some(text), Some(list)) => {
            let choice = named(session, connection, list, text, given.yes).await?;
            fill(&mut values, list, &choice);
        }
        (Some(_), None) => {
            return Err(
                CtlError::usage(format!("{} has no list to pick from", provider.title))
                    .hint("say --param NAME=VALUE"),
            );
        }
        (None, Some(list)) if asks && values.is_empty() => {
            if let Some(choice) = picked(session, connection, list).await? {
                fill(&mut values, list, &choice);
            }
        }
        (None, _) => {}
    }
    if asks {
        for parameter in &provider.parameters {
            let field = &parameter.field;
            if field.required
                && !values.contains_key(&field.name)
                && let Some(value) = ask(field, session.person.as_mut())?
            {
                values.insert(field.name.clone(), value);
            }
        }
    }
    provider
        .check_parameters(values)
        .map_err(|issues| CtlError::issues("the rotation", &issues))
}

/// Asks for one parameter again, or where none is named for the whole target.
pub(super) async fn ask_again(
    session: &mut Session,
    values: &mut FieldValues,
    name: Option<&str>,
    connection: &AppConnection,
    provider: &ProviderDescription,
) -> Result<(), CtlError> {
    let known = provider.parameters.iter();
    let found = known
        .map(|parameter| &parameter.field)
        .find(|field| Some(field.name.as_str()) == name);
    let Some(field) = found else {
        let nothing = Given {
            text: None,
            parameters: &[],
            yes: false,
        };
        *values = parameters(session, nothing, true, connection, provider).await?;
        return Ok(());
    };
    values.remove(&field.name);
    if let Some(value) = ask(field, session.person.as_mut())? {
        values.insert(field.name.clone(), value);
    }
    Ok(())
}

/// The one row that a text means: the one that has it as one of its values, or else the only one that holds it, if a
/// person says that this one is meant.
async fn named(
    session: &mut Session,
    connection: &AppConnection,
    list: &ChoiceList,
    text: &str,
    yes: bool,
) -> Result<Choice, CtlError> {
    let mut rows = {
        let _spinner = session
            .output
            .spinner(&format!("asking for {}", list.title));
        choices::all(&session.client, connection, &list.name, Some(text))
            .await?
            .rows
    };
    // A UUID is the same one in capitals, as some portals show it.
    let is_uuid = Uuid::try_parse(text).is_ok();
    let same = |value: &str| value == text || is_uuid && value.eq_ignore_ascii_case(text);
    let is_exact = |row: &Choice| row.0.iter().any(|(_, value)| same(value));
    let has_exact = rows.iter().any(is_exact);
    if has_exact {
        rows.retain(is_exact);
    }
    let all = format!("rotorctl choices {} {}", connection.name, list.name);
    match rows.as_slice() {
        [] => Err(CtlError::failed(format!("nothing is found for \"{text}\""))
            .hint(format!("{all} lists all"))),
        [_] if has_exact => Ok(rows.swap_remove(0)),
        [only] => {
            let only = line(list, only);
            if yes || !session.person.is_there() {
                return Err(CtlError::usage(format!(
                    "\"{text}\" is a part of a name, and nobody can say whether this one is meant: {only}"
                ))
                .hint("give the whole name or an id"));
            }
            let question = format!("\"{text}\" is a part of this one: {only}. Is it meant?");
            session.confirm(&question, false)?;
            Ok(rows.swap_remove(0))
        }
        found => {
            let error = CtlError::usage(format!("{} are found for \"{text}\"", found.len()));
            let named = found.iter().take(NAMED).map(|row| line(list, row));
            Err(named
                .fold(error, CtlError::hint)
                .hint(format!("give an id: {all} {text:?} lists them")))
        }
    }
}

/// What was taken, for a person: by the provider's names of what it goes by.
pub(super) fn words(parameters: &BTreeMap<String, Value>) -> String {
    let words = parameters.iter().map(|(name, value)| match value {
        Value::String(text) => format!("{name} {}", crate::output::printable(text)),
        other => format!("{name} {other}"),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// The row that a person picks; none: they would rather type the parameters.
async fn picked(
    session: &mut Session,
    connection: &AppConnection,
    list: &ChoiceList,
) -> Result<Option<Choice>, CtlError> {
    loop {
        let question = format!("{}: part of a name, or an id (empty: all)", list.title);
        let typed = session.person.text(&question, None, &|_| Ok(()))?;
        let query = Some(typed.trim()).filter(|typed| !typed.is_empty());
        let mut rows = {
            let _spinner = session
                .output
                .spinner(&format!("asking for {}", list.title));
            choices::all(&session.client, connection, &list.name, query)
                .await?
                .rows
        };
        let found = rows.len();
        rows.truncate(SHOWN);
        let mut items: Vec<String> = rows.iter().map(|row| line(list, row)).collect();
        items.push(match found {
            0 => "(nothing is found: search again)".to_owned(),
            found if found > SHOWN => format!("({} more: search again)", found - SHOWN),
            _ => "(search again)".to_owned(),
        });
        items.push("(type the ids instead)".to_owned());
        let index = session.person.select(&list.title, &items)?;
        if index < rows.len() {
            return Ok(Some(rows.swap_remove(index)));
        }
        if index > rows.len() {
            return Ok(None);
        }
    }
}

fn fill(values: &mut FieldValues, list: &ChoiceList, choice: &Choice) {
    for field in &list.fields {
        if let (Some(parameter), Some(value)) = (&field.fills, choice.get(&field.name)) {
            // What a flag said stays.
            values
                .entry(parameter.clone())
                .or_insert_with(|| FieldValue::text(value));
        }
    }
}

fn line(list: &ChoiceList, row: &Choice) -> String {
    let values = list.fields.iter().filter_map(|field| row.get(&field.name));
    values
        .map(crate::output::printable)
        .collect::<Vec<_>>()
        .join("  ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fake::{CLIENT_ID, Fake, ID, OBJECT_ID, connection, provider};
    use crate::prompt::tests::Scripted;
    use crate::session::tests::{session, wait};

    /// What is taken for a part of the one name that there is.
    fn taken(answer: &'static str) -> Result<Choice, CtlError> {
        let clients = format!("/api/v1/app-connections/azure-client-secrets/{ID}/clients");
        let row = json!({"name": "billing-production", "id": OBJECT_ID, "appId": CLIENT_ID});
        let fake = Fake::start().on("GET", &clients, 200, json!({"clients": [row]}));
        let (connection, provider) = (connection(), provider()["description"].clone());
        let connection: AppConnection = serde_json::from_value(connection).unwrap();
        let provider: ProviderDescription = serde_json::from_value(provider).unwrap();
        let question = "\"bill\" is a part of this one: billing-production";
        let (mut session, _) = session(&fake, Scripted::new(&[(question, answer)]));
        let list = &provider.choices[0];
        wait(named(&mut session, &connection, list, "bill", false))
    }

    #[test]
    fn the_only_one_that_a_part_of_a_name_fits_is_taken_once_somebody_says_so() {
        assert_eq!(taken("yes").unwrap().get("id"), Some(OBJECT_ID));
        assert!(
            taken("")
                .unwrap_err()
                .to_string()
                .contains("nothing was done")
        );
    }
}
