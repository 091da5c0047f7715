//! What a refusal is about: the part that a person is asked for again.

use rotord_api::Issue;

use crate::commands::folder;
use crate::error::CtlError;

/// A part of a creation that can be asked for by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Name,
    Description,
    Connection,
    Interval,
    RotateAt,
    /// A parameter, or the whole target.
    Parameter(Option<String>),
    Location,
    /// The name of an output's secret, or of all of them.
    Output(Option<String>),
    /// Names of secrets that are taken.
    SecretNames(Vec<String>),
}

/// What has to be asked for again; nothing where the refusal is about something that nobody can be asked for.
pub(super) fn parts(error: &CtlError) -> Vec<Part> {
    let issues = error.wrong_fields();
    let mut parts: Vec<Part> = Vec::new();
    for issue in issues {
        match of_field(issue) {
            Some(part) if parts.contains(&part) => {}
            Some(part) => parts.push(part),
            None => return Vec::new(),
        }
    }
    if issues.is_empty() && error.status() == Some(400) {
        parts.extend(of_words(&error.to_string()));
    }
    parts
}

fn of_field(issue: &Issue) -> Option<Part> {
    let inner = issue.path.get(1).cloned();
    Some(match issue.path.first()?.as_str() {
        "name" => Part::Name,
        "description" => Part::Description,
        "connectionId" => Part::Connection,
        "rotationInterval" => Part::Interval,
        "rotateAtUtc" | "rotateAtLocal" | "timeZone" => Part::RotateAt,
        "parameters" => Part::Parameter(inner),
        "environment" | "secretPath" => Part::Location,
        "secretsMapping" => Part::Output(inner),
        _ => return None,
    })
}

/// Refusals that are no field's carry words alone: those of the daemon for names that are taken and places that are
/// not there.
fn of_words(text: &str) -> Option<Part> {
    if text.starts_with("A Secret Rotation with the name") {
        return Some(Part::Name);
    }
    if text.starts_with("The following secrets already exist") {
        // Each with who has it, in brackets.
        let (_, names) = text.rsplit_once(": ")?;
        let names = names.split(", ").map(|taken| taken.split(" (").next());
        let names = names.flatten().map(str::to_owned);
        return Some(Part::SecretNames(names.collect()));
    }
    if folder::is_missing(text) {
        return Some(Part::Location);
    }
    (text.starts_with("The App Connection") || text.starts_with("Could not find App Connection"))
        .then_some(Part::Connection)
}

#[cfg(test)]
mod tests {
    use rotord_api::ErrorBody;
    use serde_json::{Value, json};

    use super::{Part, parts};
    use crate::error::CtlError;

    fn refused(status: u16, message: &Value) -> Vec<Part> {
        let body =
            json!({"reqId": "r", "statusCode": status, "error": "BadRequest", "message": message});
        let parsed: ErrorBody = serde_json::from_value(body.clone()).unwrap();
        parts(&CtlError::refused(&parsed, body))
    }

    #[test]
    fn the_daemons_words_tell_the_part() {
        for (words, part) in [
            (
                "A Secret Rotation with the name \"a\" already exists at the secret path \"/\"",
                Part::Name,
            ),
            (
                "The following secrets already exist at the path \"/\" in environment \"dev\": A (fed by the rotation x), B \
                 (fed by no rotation)",
                Part::SecretNames(vec!["A".to_owned(), "B".to_owned()]),
            ),
            (
                "Could not find folder with path \"/x\" in environment \"dev\" for project with ID \"p\"",
                Part::Location,
            ),
            (
                "The App Connection \"azure\" is for another project",
                Part::Connection,
            ),
        ] {
            assert_eq!(refused(400, &words.into()), [part], "{words}");
        }
        assert_eq!(refused(400, &"AADSTS7000215: no".into()), []);
        assert_eq!(refused(500, &"A Secret Rotation with the name".into()), []);
    }

    #[test]
    fn each_field_is_asked_for_once_and_what_is_no_persons_not_at_all() {
        let issue = |path: &[&str]| json!({"code": "custom", "path": path, "message": "no"});
        assert_eq!(
            refused(
                422,
                &json!([
                    issue(&["rotateAtUtc", "hours"]),
                    issue(&["rotateAtUtc", "minutes"]),
                    issue(&["parameters", "objectId"])
                ])
            ),
            [Part::RotateAt, Part::Parameter(Some("objectId".to_owned()))]
        );
        assert_eq!(
            refused(422, &json!([issue(&["name"]), issue(&["overlapHours"])])),
            []
        );
    }
}
