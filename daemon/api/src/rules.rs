//! The rules of single fields. Pure: what needs state (does it exist, is it taken) is the daemon's.
//!
//! | field | rule |
//! |---|---|
//! | `name` | trimmed, 1..64, lowercase letters and digits with single hyphens between |
//! | `description` | trimmed, at most 256 characters |
//! | `environment` | trimmed, 1..64 |
//! | `secretPath` | trimmed, begins with `/`, a `/` at the end is dropped, no empty, `.` or `..` part |
//! | `rotationInterval` | a whole number of days from 1, also as a text; the provider says the longest |
//! | `rotateAtUtc` | `hours` 0..23 and `minutes` 0..59, whole |
//! | a mapped secret's name | trimmed, not empty, no `:` and no `/`, no two the same |

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use crate::issue::{Issue, IssueCode, Issues};
use crate::reader::{self, Reader};
use crate::rotation::{SecretsMapping, TimeOfDay};
use crate::sensitive::Sensitive;

/// The longest name, in characters.
pub const NAME_LIMIT: usize = 64;
/// The longest description, in characters.
pub const DESCRIPTION_LIMIT: usize = 256;
/// The longest interval that any provider could allow, in days: a century.
pub const INTERVAL_LIMIT: u32 = 36_525;
/// The longest path of a folder, in characters.
pub const PATH_LIMIT: usize = 1024;
/// The longest name of a secret, in characters.
pub const SECRET_NAME_LIMIT: usize = 255;

/// A name that is its own slug.
///
/// # Errors
/// What would be right.
pub fn name(text: &str) -> Result<String, Issue> {
    let name = filled(text)?;
    at_most(&name, NAME_LIMIT)?;
    let well_formed = name.split('-').all(|part| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    });
    if !well_formed {
        return Err(Issue::new(
            IssueCode::InvalidString,
            "must be a slug: lowercase letters and digits, with single hyphens between them",
        ));
    }
    Ok(name)
}

/// A description; empty is allowed.
///
/// # Errors
/// It is too long.
pub fn description(text: &str) -> Result<String, Issue> {
    let description = text.trim();
    at_most(description, DESCRIPTION_LIMIT)?;
    Ok(description.to_owned())
}

/// A text that is not empty once trimmed.
///
/// # Errors
/// It is empty.
pub fn filled(text: &str) -> Result<String, Issue> {
    match text.trim() {
        "" => Err(Issue::new(IssueCode::TooSmall, "must not be empty")),
        trimmed => Ok(trimmed.to_owned()),
    }
}

/// The least length of a passphrase, in characters: whoever has the file can try as many as he likes.
pub const LEAST_PASSPHRASE: usize = 12;

/// A passphrase for a backup.
///
/// # Errors
/// It is too short.
pub fn passphrase(text: &str) -> Result<Sensitive, Issue> {
    if text.chars().count() < LEAST_PASSPHRASE {
        let message = format!("must have at least {LEAST_PASSPHRASE} characters");
        return Err(Issue::new(IssueCode::TooSmall, message));
    }
    Ok(Sensitive::new(text.to_owned()))
}

/// An environment's slug.
///
/// # Errors
/// It is empty or too long.
pub fn environment(text: &str) -> Result<String, Issue> {
    let slug = filled(text)?;
    at_most(&slug, NAME_LIMIT)?;
    Ok(slug)
}

/// A folder's path in its normal form: `/`, or parts that each follow a `/`.
///
/// # Errors
/// It is empty, relative, too long, or has an odd part.
pub fn secret_path(text: &str) -> Result<String, Issue> {
    let path = filled(text)?;
    at_most(&path, PATH_LIMIT)?;
    let Some(inner) = path.strip_prefix('/') else {
        return Err(Issue::new(IssueCode::InvalidString, "must begin with /"));
    };
    let inner = inner.trim_end_matches('/');
    if inner.is_empty() {
        return Ok("/".to_owned());
    }
    for part in inner.split('/') {
        folder_name(part)?;
    }
    Ok(format!("/{inner}"))
}

/// One part of a path.
///
/// # Errors
/// It is empty, too long, or has a character other than letters, digits, `-`, `_` and `.`, or is `.` or `..`.
pub fn folder_name(text: &str) -> Result<String, Issue> {
    let name =
        filled(text).map_err(|_| Issue::new(IssueCode::InvalidString, "has an empty part"))?;
    at_most(&name, NAME_LIMIT)?;
    let well_formed = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if !well_formed || name == "." || name == ".." {
        return Err(Issue::new(
            IssueCode::InvalidString,
            "folders are named with letters, digits, hyphens, underscores and dots",
        ));
    }
    Ok(name)
}

/// A secret's name.
///
/// # Errors
/// It is empty, too long, or has a `:`, a `/` or a control character.
pub fn secret_name(text: &str) -> Result<String, Issue> {
    let name = filled(text)?;
    at_most(&name, SECRET_NAME_LIMIT)?;
    if name.contains([':', '/']) || name.chars().any(char::is_control) {
        return Err(Issue::new(
            IssueCode::InvalidString,
            "must not contain : or / or control characters",
        ));
    }
    Ok(name)
}

/// An IANA time zone's name, by its form; whether it exists is known where the zones are.
///
/// # Errors
/// It can't be one.
pub fn time_zone(text: &str) -> Result<String, Issue> {
    let zone = filled(text)?;
    at_most(&zone, NAME_LIMIT)?;
    if !zone
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte))
    {
        return Err(Issue::new(
            IssueCode::InvalidString,
            "must be an IANA time zone such as Europe/Berlin",
        ));
    }
    Ok(zone)
}

/// A UUID.
///
/// # Errors
/// It is none.
pub fn uuid(text: &str) -> Result<Uuid, Issue> {
    Uuid::try_parse(text.trim()).map_err(|_| Issue::new(IssueCode::InvalidString, "must be a UUID"))
}

/// A number of days between two rotations.
///
/// # Errors
/// It is no whole number, or below 1, or above [`INTERVAL_LIMIT`].
pub fn interval(value: Value) -> Result<u32, Issues> {
    whole(value, 1, INTERVAL_LIMIT)
}

/// A whole number within bounds; a text that is one counts.
///
/// # Errors
/// It is none, or out of bounds.
// A reader's rules take the value over.
#[allow(clippy::needless_pass_by_value)]
pub fn whole(value: Value, least: u32, most: u32) -> Result<u32, Issues> {
    let number = reader::number(&value)?;
    if number.fract() != 0.0 {
        return Err(Issue::new(IssueCode::InvalidType, "must be a whole number").into());
    }
    if number < f64::from(least) {
        return Err(Issue::new(IssueCode::TooSmall, format!("must be at least {least}")).into());
    }
    if number > f64::from(most) {
        return Err(Issue::new(IssueCode::TooBig, format!("must be at most {most}")).into());
    }
    // Whole and within the bounds of two `u32`s, as was just checked.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Ok(number as u32)
}

/// A time of day, with `hours` and `minutes`.
///
/// # Errors
/// A part is missing or out of bounds.
pub fn time_of_day(value: Value) -> Result<TimeOfDay, Issues> {
    let mut fields = Reader::new(value)?;
    let hours = fields.required("hours", |value| whole(value, 0, 23));
    let minutes = fields.required("minutes", |value| whole(value, 0, 59));
    match (hours, minutes, fields.finish()) {
        (Some(hours), Some(minutes), Ok(())) => Ok(TimeOfDay { hours, minutes }),
        (_, _, finished) => Err(finished.err().unwrap_or_default()),
    }
}

/// Which output of the provider feeds which secret. That no two are the same is [`distinct_names`]' to say: clients
/// of this route family know it as a refusal (400), not as a field that is wrong (422).
///
/// # Errors
/// A name is no secret's name.
pub fn secrets_mapping(value: Value) -> Result<SecretsMapping, Issues> {
    let mut issues = Issues::default();
    let mut mapping = BTreeMap::new();
    for (output, value) in reader::object(value)? {
        match reader::text(value, secret_name) {
            Ok(name) => {
                mapping.insert(output, name);
            }
            Err(wrong) => issues.extend(wrong.under(&output)),
        }
    }
    issues.or(mapping)
}

/// No two outputs feed the same secret.
///
/// # Errors
/// Which secret would be fed twice, as a sentence for a person.
pub fn distinct_names(mapping: &SecretsMapping) -> Result<(), String> {
    let mut feeds = BTreeMap::new();
    for (output, name) in mapping {
        if let Some(other) = feeds.insert(name, output) {
            return Err(format!(
                "Each output needs a secret of its own: \"{name}\" is mapped twice, to {other} and {output}"
            ));
        }
    }
    Ok(())
}

fn at_most(text: &str, limit: usize) -> Result<(), Issue> {
    if text.chars().count() > limit {
        return Err(Issue::new(
            IssueCode::TooBig,
            format!("must be at most {limit} characters long"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        description, distinct_names, interval, name, secret_name, secret_path, secrets_mapping,
        time_of_day, uuid,
    };

    #[test]
    fn names_are_their_own_slug() {
        assert_eq!(
            name("  my-azure-rotation-2 ").unwrap(),
            "my-azure-rotation-2"
        );
        assert_eq!(name(&"a".repeat(64)).unwrap().len(), 64);
        for wrong in [
            "",
            "  ",
            "My",
            "a_b",
            "a--b",
            "-a",
            "a-",
            "ä",
            "a b",
            &"a".repeat(65),
        ] {
            assert!(name(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn descriptions_end_at_256_characters_not_bytes() {
        assert!(description(&"ü".repeat(256)).is_ok());
        assert!(description(&"ü".repeat(257)).is_err());
    }

    #[test]
    fn paths_have_one_normal_form() {
        for (given, normal) in [("/", "/"), ("//", "/"), (" /a ", "/a"), ("/a/b/", "/a/b")] {
            assert_eq!(secret_path(given).unwrap(), normal);
        }
        for wrong in ["", "a", "/a//b", "../a", "/../a", "/a/.", "/a b", "/a:b"] {
            assert!(secret_path(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn intervals_are_whole_days_also_as_text() {
        for (given, days) in [
            (json!(30), 30),
            (json!("30"), 30),
            (json!(30.0), 30),
            (json!(1), 1),
        ] {
            assert_eq!(interval(given).unwrap(), days);
        }
        for wrong in [
            json!(0),
            json!(1.5),
            json!("1.5"),
            json!(-1),
            json!("x"),
            json!(""),
            json!(null),
            json!(true),
            json!([30]),
            json!(1e300),
            json!("NaN"),
            json!("inf"),
        ] {
            assert!(interval(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_of_day_stay_within_the_day() {
        assert!(time_of_day(json!({"hours": 23, "minutes": 59})).is_ok());
        assert_eq!(
            time_of_day(json!({"hours": 24, "minutes": 29.5}))
                .unwrap_err()
                .to_string(),
            "hours: must be at most 23; minutes: must be a whole number"
        );
        assert_eq!(
            time_of_day(json!({"hours": 1})).unwrap_err().to_string(),
            "minutes: is required"
        );
        assert!(time_of_day(json!("01:00")).is_err());
    }

    #[test]
    fn mapped_secrets_are_distinct_and_well_named() {
        let mapping = secrets_mapping(json!({"clientId": "A", "clientSecret": "B"})).unwrap();
        assert_eq!(distinct_names(&mapping), Ok(()));
        let equal = secrets_mapping(json!({"clientId": "A", "clientSecret": " A "})).unwrap();
        let twice = distinct_names(&equal).unwrap_err();
        assert!(twice.contains("\"A\" is mapped twice"), "{twice}");
        for wrong in ["", "a:b", "a/b", "a\nb"] {
            assert!(secret_name(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn ids_are_uuids() {
        assert!(uuid("3c90c3cc-0d44-4b50-8888-8dd25736052a").is_ok());
        assert!(uuid("...").is_err());
    }
}
