//! What to rotate: picked from the connection's list, or given in the provider's terms.

use rotord_api::choices::Choice;
use rotord_api::connection::AppConnection;
use rotord_api::field::{FieldValue, FieldValues};
use rotord_api::provider::{ChoiceList, ProviderDescription};

use crate::commands::choices;
use crate::error::CtlError;
use crate::fields::{ask, map};
use crate::session::Session;

/// More than this many are not shown to pick from: the list is searched instead.
const SHOWN: usize = 200;

/// What flags say of it.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) text: Option<&'a str>,
    pub(super) parameters: &'a [(String, String)],
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
            let choice = named(session, connection, list, text).await?;
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

/// The one row that a text means: by one of its values, or as the only one that is found.
async fn named(
    session: &Session,
    connection: &AppConnection,
    list: &ChoiceList,
    text: &str,
) -> Result<Choice, CtlError> {
    let mut rows = {
        let _spinner = session
            .output
            .spinner(&format!("asking for {}", list.title));
        choices::all(&session.client, connection, &list.name, Some(text))
            .await?
            .rows
    };
    let exact = |row: &Choice| row.0.iter().any(|(_, value)| value == text);
    if rows.iter().filter(|row| exact(row)).count() == 1 {
        rows.retain(exact);
    }
    match rows.len() {
        0 => Err(
            CtlError::failed(format!("nothing is found for \"{text}\"")).hint(format!(
                "rotorctl choices {} {} lists all",
                connection.name, list.name
            )),
        ),
        1 => Ok(rows.remove(0)),
        found => Err(
            CtlError::usage(format!("{found} are found for \"{text}\"")).hint(format!(
                "give an id: rotorctl choices {} {} {text:?} lists them",
                connection.name, list.name
            )),
        ),
    }
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
