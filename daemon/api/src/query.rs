//! Query strings. Unknown keys are ignored; flags travel as the texts `"true"` and `"false"`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::{IntoParams, ToSchema};

/// A flag in a query string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, pattern = "^(true|false)$")]
pub struct Flag(pub bool);

impl FromStr for Flag {
    type Err = NotAFlag;

    fn from_str(text: &str) -> Result<Self, NotAFlag> {
        if text.eq_ignore_ascii_case("true") {
            Ok(Self(true))
        } else if text.eq_ignore_ascii_case("false") {
            Ok(Self(false))
        } else {
            Err(NotAFlag)
        }
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { "true" } else { "false" })
    }
}

impl Serialize for Flag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(flag_if_any(deserializer)?.unwrap_or_default())
    }
}

/// A flag, or none where nothing is said.
pub(crate) fn flag_if_any<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Flag>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(serde::de::Error::custom),
    }
}

/// A flag was neither `true` nor `false`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAFlag;

impl fmt::Display for NotAFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be \"true\" or \"false\"")
    }
}

impl std::error::Error for NotAFlag {}

/// Which project a list is of. Optional here, so that the daemon answers a missing one in its own words.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ProjectQuery {
    /// The project's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
}

/// Which rotations are listed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct RotationsQuery {
    /// The project's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// Those too that are deleted and not settled at their providers yet, after the others, and what deleted ones left
    /// alive at their providers.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "flag_if_any"
    )]
    pub with_deleted: Option<Flag>,
}

/// Where a rotation with a name is looked for.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct RotationNameQuery {
    /// The project's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The environment's slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The folder's path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_path: Option<String>,
}

/// How much goes with a rotation that is deleted. By default its secrets stay as ordinary ones and the
/// published credential stays valid.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct DeleteRotationQuery {
    /// Delete the mapped secrets too.
    #[serde(default)]
    pub delete_secrets: Flag,
    /// Revoke what was issued at the provider.
    #[serde(default)]
    pub revoke_generated_credentials: Flag,
}

/// What of a list of choices is wanted.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ChoicesQuery {
    /// What was typed: part of a name, or an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{DeleteRotationQuery, Flag};
    use crate::secret::SecretsQuery;

    #[test]
    fn flags_are_texts_and_off_unless_said() {
        let query: DeleteRotationQuery =
            serde_json::from_value(json!({"deleteSecrets": "true", "unknown": "1"})).unwrap();
        assert_eq!(
            (query.delete_secrets, query.revoke_generated_credentials),
            (Flag(true), Flag(false))
        );
    }

    #[test]
    fn what_is_left_blank_is_not_said_and_capitals_are_no_matter() {
        let query: SecretsQuery =
            serde_json::from_value(json!({"viewSecretValue": "", "recursive": "True"})).unwrap();
        assert_eq!(
            (query.view_secret_value, query.recursive),
            (None, Some(Flag(true)))
        );
        let query: DeleteRotationQuery =
            serde_json::from_value(json!({"deleteSecrets": ""})).unwrap();
        assert_eq!(query.delete_secrets, Flag(false));
    }

    #[test]
    fn a_flag_that_is_neither_is_refused() {
        let wrong = serde_json::from_value::<DeleteRotationQuery>(json!({"deleteSecrets": "yes"}));
        assert!(
            wrong
                .unwrap_err()
                .to_string()
                .contains("must be \"true\" or \"false\"")
        );
    }
}
