//! Names that stand in routes, and the provider's time.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A name as it stands in a route, such as `azure-client-secret`: 1 to 64 of `a-z`, `0-9` and `-`,
/// beginning with a letter, with no `-` at the end and no two side by side.
///
/// ```
/// use rotord_provider::contract::Slug;
///
/// assert!("azure-client-secret".parse::<Slug>().is_ok());
/// assert!("Azure Client Secret".parse::<Slug>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

/// A text that is no [`Slug`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no slug: 1 to 64 of a-z, 0-9 and single hyphens, beginning with a letter and not ending with a hyphen"
)]
pub struct InvalidSlug(String);

impl Slug {
    /// The longest slug, in characters.
    pub const MAX_LENGTH: usize = 64;

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = InvalidSlug;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let well_formed = (1..=Self::MAX_LENGTH).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && !text.ends_with('-')
            && !text.contains("--")
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSlug(text.chars().take(80).collect()))
        }
    }
}

impl TryFrom<String> for Slug {
    type Error = InvalidSlug;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0
    }
}

impl std::borrow::Borrow<str> for Slug {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Seconds since 1970-01-01T00:00:00Z by the provider's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_what_a_route_can_hold() {
        for good in ["a", "azure", "azure-client-secret", "s3-v2"] {
            assert_eq!(good.parse::<Slug>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "-a",
            "a-",
            "a--b",
            "A",
            "a_b",
            "a b",
            "a/b",
            "1a",
            "é",
            &"a".repeat(65),
        ] {
            assert!(bad.parse::<Slug>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_stored_slug_is_parsed_again() {
        assert!(serde_json::from_str::<Slug>("\"../etc\"").is_err());
    }
}
