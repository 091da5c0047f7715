//! Gathers the values that a provider asks for: from flags, from files, from standard input, or by asking.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};

use clap::Args;
use rotord_api::Sensitive;
use rotord_api::field::{Field, FieldKind, FieldValue, FieldValues};
use serde_json::Value;
use zeroize::Zeroize;

use crate::error::CtlError;
use crate::prompt::Person;

/// More than any key or certificate is long.
const FILE_LIMIT: u64 = 1 << 20;

/// Values on the command line.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Given {
    /// A value that is no secret, such as tenantId=…; an empty one takes away what need not be there
    #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = parse_pair)]
    set: Vec<(String, String)>,
    /// A value from a file, or from standard input if the file is -, such as clientSecret=-
    #[arg(long = "file", value_name = "FIELD=FILE", value_parser = parse_pair)]
    file: Vec<(String, String)>,
}

impl Given {
    /// Whether nothing was given.
    pub(crate) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.file.is_empty()
    }

    /// All values of these fields: those that were given, then those that a person is asked for.
    pub(crate) fn gather(
        &self,
        fields: &[Field],
        person: &mut dyn Person,
    ) -> Result<FieldValues, CtlError> {
        self.gather_over(&FieldValues::new(), fields, person)
    }

    /// The same where some are there already: what is not given stays. Secrets never do.
    pub(crate) fn gather_over(
        &self,
        present: &FieldValues,
        fields: &[Field],
        person: &mut dyn Person,
    ) -> Result<FieldValues, CtlError> {
        let mut values = self.read(fields)?;
        // Who gives flags is asked for nothing that is there or needn't be.
        let looks = self.is_empty() && person.is_there();
        let mut missing = Vec::new();
        for field in fields {
            if let Some(given) = values.get(&field.name) {
                if takes_away(field, given) {
                    values.remove(&field.name);
                }
                continue;
            }
            let kept = present.get(&field.name).filter(|_| !field.secret);
            match kept {
                Some(kept) if looks => {
                    let value = ask_over(kept, field, person)?;
                    values.insert(field.name.clone(), value);
                }
                Some(kept) => {
                    values.insert(field.name.clone(), kept.clone());
                }
                None if person.is_there() => {
                    if (looks || is_needed(field))
                        && let Some(value) = ask(field, person)?
                    {
                        values.insert(field.name.clone(), value);
                    }
                }
                None => missing.push(field),
            }
        }
        let needed = missing.iter().filter(|field| is_needed(field));
        let hints: Vec<String> = needed
            .map(|field| {
                if field.secret || field.kind == FieldKind::LongText {
                    format!("--file {}=FILE (or - for standard input)", field.name)
                } else {
                    format!("--set {}=…", field.name)
                }
            })
            .collect();
        if hints.is_empty() {
            Ok(values)
        } else {
            Err(CtlError::usage("values are missing").hint(format!("say {}", hints.join(" "))))
        }
    }

    /// The values that were given. Every name has to be a field's, and none a secret's that is no file.
    fn read(&self, fields: &[Field]) -> Result<FieldValues, CtlError> {
        let mut values = FieldValues::new();
        for (name, text) in &self.set {
            if find(fields, name)?.secret {
                return Err(CtlError::usage(format!("{name} is a secret and can't be an argument"))
                    .hint(format!("other users see arguments; say --file {name}=FILE, --file {name}=- or wait to be asked")));
            }
            values.insert(name.clone(), FieldValue::text(text.clone()));
        }
        if self.file.iter().filter(|(_, path)| path == "-").count() > 1 {
            return Err(CtlError::usage(
                "only one value can come from standard input",
            ));
        }
        for (name, path) in &self.file {
            let keep_end = find(fields, name)?.kind == FieldKind::LongText;
            values.insert(name.clone(), FieldValue::Text(read_secret(path, keep_end)?));
        }
        Ok(values)
    }
}

/// Whether the field is named with nothing, to have no value. A secret comes from a file, which may be empty by mistake.
fn takes_away(field: &Field, value: &FieldValue) -> bool {
    let optional = !field.required && !field.secret;
    optional && value.as_text().is_some_and(|text| text.trim().is_empty())
}

/// Asks for one value until it is right. None: an optional one that was left empty.
pub(crate) fn ask(field: &Field, person: &mut dyn Person) -> Result<Option<FieldValue>, CtlError> {
    let question = question(field);
    let default = field.default.as_deref();
    let judge = |text: &str| {
        if text.trim().is_empty() && !field.required {
            return Ok(());
        }
        field
            .check(FieldValue::text(text))
            .map(drop)
            .map_err(|issue| issue.message)
    };
    let text = match field.kind {
        FieldKind::Boolean => {
            return person
                .confirm(&question, default == Some("true"))
                .map(|yes| Some(FieldValue::Boolean(yes)));
        }
        FieldKind::Choice if !field.choices.is_empty() => {
            // The default first: it is the one that is picked without moving.
            let mut items = field.choices.clone();
            items.sort_by_key(|item| Some(item.as_str()) != default);
            let picked = person.select(&question, &items)?;
            Sensitive::new(items.swap_remove(picked))
        }
        FieldKind::LongText => return ask_for_file(field, &question, person),
        _ if field.secret => loop {
            let secret = person.secret(&question)?;
            match judge(secret.expose()) {
                Ok(()) => break secret,
                Err(wrong) => crate::output::note(&format!("{} {wrong}", field.title)),
            }
        },
        _ => Sensitive::new(person.text(&question, default, &judge)?),
    };
    Ok((!text.is_empty()).then_some(FieldValue::Text(text)))
}

/// Asks for a value that is there already, which stays where nothing else is said.
fn ask_over(
    present: &FieldValue,
    field: &Field,
    person: &mut dyn Person,
) -> Result<FieldValue, CtlError> {
    let mut offered = field.clone();
    if field.kind == FieldKind::LongText {
        offered.required = false;
    } else {
        offered.default = Some(match present {
            FieldValue::Text(text) => text.expose().to_owned(),
            FieldValue::Integer(number) => number.to_string(),
            FieldValue::Boolean(flag) => flag.to_string(),
        });
    }
    Ok(ask(&offered, person)?.unwrap_or_else(|| present.clone()))
}

/// Values as the daemon shows them.
pub(crate) fn shown(values: &BTreeMap<String, Value>) -> Result<FieldValues, CtlError> {
    let values = values
        .iter()
        .map(|(name, value)| Ok((name.clone(), serde_json::from_value(value.clone())?)));
    values
        .collect::<Result<_, serde_json::Error>>()
        .map_err(|source| CtlError::failed("the daemon's answer is not understood").because(source))
}

/// Reads a file, or standard input if it is `-`. The line's end after a secret is not part of it.
pub(crate) fn read_secret(path: &str, keep_end: bool) -> Result<Sensitive, CtlError> {
    let mut bytes = Vec::new();
    let read = match path {
        "-" => io::stdin()
            .lock()
            .take(FILE_LIMIT + 1)
            .read_to_end(&mut bytes),
        path => {
            fs::File::open(path).and_then(|file| file.take(FILE_LIMIT + 1).read_to_end(&mut bytes))
        }
    };
    let size =
        read.map_err(|source| CtlError::failed(format!("can't read {path}")).because(source))?;
    if u64::try_from(size).unwrap_or(u64::MAX) > FILE_LIMIT {
        bytes.zeroize();
        return Err(CtlError::usage(format!("{path} is too large for a value")));
    }
    let mut text = String::from_utf8(bytes).map_err(|error| {
        error.into_bytes().zeroize();
        CtlError::usage(format!("{path} is no text"))
    })?;
    if !keep_end {
        while text.ends_with(['\n', '\r']) {
            text.pop();
        }
    }
    Ok(Sensitive::new(text))
}

/// Pairs to a map; a name that comes twice is wrong usage.
pub(crate) fn map(pairs: &[(String, String)]) -> Result<BTreeMap<String, String>, CtlError> {
    let mut map = BTreeMap::new();
    for (name, value) in pairs {
        if map.insert(name.clone(), value.clone()).is_some() {
            return Err(CtlError::usage(format!("{name} is given twice")));
        }
    }
    Ok(map)
}

/// Reads `NAME=VALUE`.
///
/// # Errors
/// What would be right, for a person.
pub(crate) fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.to_owned()))
        }
        _ => Err("write it like NAME=VALUE".to_owned()),
    }
}

fn find<'a>(fields: &'a [Field], name: &str) -> Result<&'a Field, CtlError> {
    let known: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    fields
        .iter()
        .find(|field| field.name == name)
        .ok_or_else(|| {
            CtlError::usage(format!("there is no field {name}"))
                .hint(format!("there is {}", known.join(", ")))
        })
}

/// Whether nothing goes without it.
fn is_needed(field: &Field) -> bool {
    field.required && field.default.is_none()
}

fn ask_for_file(
    field: &Field,
    question: &str,
    person: &mut dyn Person,
) -> Result<Option<FieldValue>, CtlError> {
    let judge = |path: &str| match path.trim() {
        "" if !field.required => Ok(()),
        path => fs::metadata(path)
            .map(drop)
            .map_err(|error| error.to_string()),
    };
    let path = person.text(&format!("{question}: path of the file"), None, &judge)?;
    match path.trim() {
        "" => Ok(None),
        path => read_secret(path, true).map(|text| Some(FieldValue::Text(text))),
    }
}

/// The title, and what there is to say of it. A prompt is no sentence: it ends without a full stop.
fn question(field: &Field) -> String {
    let description = field.description.trim().trim_end_matches('.');
    let about: Vec<&str> = [description, if field.required { "" } else { "optional" }]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    if about.is_empty() {
        field.title.clone()
    } else {
        format!("{} ({})", field.title, about.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use rotord_api::field::{Field, FieldValue};
    use serde_json::json;

    use super::{Given, ask, parse_pair, question, read_secret};
    use crate::prompt::tests::Scripted;

    fn fields() -> Vec<Field> {
        serde_json::from_value(json!([
            {"name": "tenantId", "title": "Tenant", "kind": "uuid", "required": true},
            {"name": "clientSecret", "title": "Client secret", "kind": "text", "secret": true, "required": true, "maxLength": 10},
            {"name": "cloud", "title": "Cloud", "kind": "choice", "choices": ["china", "global"], "default": "global"}
        ]))
        .unwrap()
    }

    #[test]
    fn a_secret_is_refused_as_an_argument_without_being_repeated() {
        let given = Given {
            set: vec![("clientSecret".to_owned(), "hunter2".to_owned())],
            file: Vec::new(),
        };
        let error = given
            .gather(&fields(), &mut Scripted::new(&[]))
            .unwrap_err();
        assert!(error.to_string().contains("clientSecret is a secret"));
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_not_given_is_asked_for_until_it_is_right() {
        let mut person = Scripted::new(&[
            ("Tenant", "no uuid"),
            ("Tenant", "3c90c3cc-0d44-4b50-8888-8dd25736052a"),
            ("Client secret", "longer than ten"),
            ("Client secret", "hunter2"),
            ("Cloud", "global"),
        ]);
        let values = Given::default().gather(&fields(), &mut person).unwrap();
        assert_eq!(values["clientSecret"].as_text(), Some("hunter2"));
        assert_eq!(values["cloud"], FieldValue::text("global"));
    }

    #[test]
    fn who_gives_flags_is_asked_only_for_what_must_be_there() {
        let mut fields = fields();
        fields.extend(
            serde_json::from_value::<Vec<Field>>(json!([
                {"name": "authority", "title": "Authority", "kind": "url"}
            ]))
            .unwrap(),
        );
        let given = Given {
            set: vec![(
                "tenantId".to_owned(),
                "3c90c3cc-0d44-4b50-8888-8dd25736052a".to_owned(),
            )],
            file: Vec::new(),
        };
        let mut person = Scripted::new(&[("Client secret", "hunter2")]);
        let values = given.gather(&fields, &mut person).unwrap();
        assert_eq!(values.len(), 2);
        let mut person = Scripted::new(&[
            ("Tenant", "3c90c3cc-0d44-4b50-8888-8dd25736052a"),
            ("Client secret", "hunter2"),
            ("Cloud", ""),
            ("Authority (optional)", ""),
        ]);
        Given::default().gather(&fields, &mut person).unwrap();
    }

    #[test]
    fn what_is_there_stays_where_nothing_else_is_said_and_a_secret_is_asked_for() {
        let tenant = "3c90c3cc-0d44-4b50-8888-8dd25736052a";
        let present = [
            ("tenantId", tenant),
            ("cloud", "china"),
            ("clientSecret", "x"),
        ]
        .map(|(name, text)| (name.to_owned(), FieldValue::text(text)))
        .into();
        let given = Given {
            set: vec![("cloud".to_owned(), "global".to_owned())],
            file: Vec::new(),
        };
        let mut person = Scripted::new(&[("Client secret", "hunter2")]);
        let values = given.gather_over(&present, &fields(), &mut person).unwrap();
        let text = |name: &str| values[name].as_text().unwrap().to_owned();
        assert_eq!(text("tenantId"), tenant);
        assert_eq!(text("clientSecret"), "hunter2");
        assert_eq!(text("cloud"), "global");
        // Who names nothing is offered what is there.
        let mut person = Scripted::new(&[
            ("Tenant", ""),
            ("Client secret", "hunter3"),
            ("Cloud", "china"),
        ]);
        let nothing = Given::default();
        let values = nothing
            .gather_over(&present, &fields(), &mut person)
            .unwrap();
        assert_eq!(values["tenantId"].as_text(), Some(tenant));
        assert_eq!(values["cloud"].as_text(), Some("china"));
    }

    #[test]
    fn what_is_named_with_nothing_is_taken_away_where_it_may_be() {
        let present = [("tenantId", "x"), ("cloud", "china")]
            .map(|(name, text)| (name.to_owned(), FieldValue::text(text)))
            .into();
        let given = |name: &str| Given {
            set: vec![(name.to_owned(), String::new())],
            file: vec![("clientSecret".to_owned(), "/dev/null".to_owned())],
        };
        let gather =
            |name: &str| given(name).gather_over(&present, &fields(), &mut Scripted::new(&[]));
        let values = gather("cloud").unwrap();
        assert!(!values.contains_key("cloud"));
        assert_eq!(values["tenantId"].as_text(), Some("x"));
        // It must be there: whoever checks the values says so.
        assert_eq!(gather("tenantId").unwrap()["tenantId"].as_text(), Some(""));
    }

    #[test]
    fn a_prompt_ends_without_a_full_stop() {
        let field = |description: &str, required: bool| -> Field {
            serde_json::from_value(json!({
                "name": "a", "title": "A", "kind": "text", "description": description, "required": required
            }))
            .unwrap()
        };
        for (description, required, asked) in [
            ("", true, "A"),
            ("", false, "A (optional)"),
            ("The id, not the name.", true, "A (The id, not the name)"),
            ("One of two.", false, "A (One of two, optional)"),
        ] {
            assert_eq!(question(&field(description, required)), asked);
        }
    }

    #[test]
    fn the_default_is_offered_first() {
        let mut person = Scripted::new(&[("Cloud", "")]);
        assert_eq!(
            ask(&fields()[2], &mut person).unwrap(),
            Some(FieldValue::text("global"))
        );
    }

    #[test]
    fn files_lose_the_line_end_that_editors_add() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "hunter2\n").unwrap();
        let path = file.path().to_str().unwrap();
        assert_eq!(read_secret(path, false).unwrap().expose(), "hunter2");
        assert_eq!(read_secret(path, true).unwrap().expose(), "hunter2\n");
        assert!(read_secret("/nonexistent", false).is_err());
    }

    #[test]
    fn pairs_have_a_name() {
        assert_eq!(
            parse_pair("a=b=c").unwrap(),
            ("a".to_owned(), "b=c".to_owned())
        );
        assert!(parse_pair("=b").is_err() && parse_pair("a").is_err());
    }
}
