//! The root key: which opens the database, and how another one takes its place.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::issue::{Issue, IssueCode, Issues};
use crate::reader::{Reader, as_text};
use crate::sensitive::Sensitive;

/// The longest root key, in bytes.
pub const LONGEST: usize = 4096;

/// A root key's bytes, whatever they are, as they travel: two hexadecimal digits each.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = Password)]
pub struct RootKeyText(Sensitive);

impl RootKeyText {
    /// The bytes of a key, as text.
    pub fn new(bytes: &[u8]) -> Self {
        let mut text = String::with_capacity(2 * bytes.len());
        for byte in bytes {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
            }
        }
        Self(Sensitive::new(text))
    }

    /// The bytes again.
    pub fn bytes(&self) -> Zeroizing<Vec<u8>> {
        let text = self.0.expose().as_bytes();
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 2));
        // What is no digit was refused.
        let digit = |at: u8| {
            char::from(at)
                .to_digit(16)
                .and_then(|it| u8::try_from(it).ok())
        };
        for pair in text.chunks_exact(2) {
            if let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) {
                bytes.push(high << 4 | low);
            }
        }
        bytes
    }

    /// The text, in a holder that still wipes it.
    pub fn into_exposed(self) -> Zeroizing<String> {
        self.0.into_exposed()
    }

    fn read(text: &str) -> Result<Self, Issue> {
        if text.len() > 2 * LONGEST {
            return Err(Issue::new(
                IssueCode::TooBig,
                format!("must have at most {LONGEST} bytes"),
            ));
        }
        let is_hexadecimal =
            text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hexadecimal {
            Ok(Self(Sensitive::new(text.to_owned())))
        } else {
            Err(Issue::new(
                IssueCode::InvalidString,
                "must be the key's bytes, two hexadecimal digits each",
            ))
        }
    }
}

impl fmt::Debug for RootKeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKeyText(..)")
    }
}

/// Asks for another root key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RewrapRootKey {
    /// The new one. Without it the daemon makes one, where the root key is the file in its state directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_key: Option<RootKeyText>,
}

impl RewrapRootKey {
    /// Reads a body; null stands for none.
    ///
    /// # Errors
    /// Everything that is wrong with it; never the key itself.
    pub fn from_json(body: Value) -> Result<Self, Issues> {
        if body.is_null() {
            return Ok(Self::default());
        }
        let mut fields = Reader::new(body)?;
        let root_key = fields.nullable("rootKey", as_text(RootKeyText::read));
        fields.finish()?;
        Ok(Self {
            root_key: root_key.flatten(),
        })
    }
}

/// Where a root key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RootKeyPlace {
    /// The service manager hands it over: the systemd credential `rotord.root-key`.
    Credential,
    /// The file that the settings name.
    File,
    /// The file in the state directory.
    StateDirectory,
}

/// Which root keys open the database. They are named by labels, which tell them apart and tell nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RootKeyStatus {
    /// The one in use.
    pub in_use: String,
    /// Where it comes from.
    pub place: RootKeyPlace,
    /// The file that it is read from at a start.
    pub path: String,
    /// All that open the database, the oldest first: more than one while the next is waited for.
    pub opening: Vec<String>,
    /// The next one: it opens the database already, and a start with it drops the one in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<String>,
    /// Files with a root key that opens the database, beside the place that it comes from.
    #[serde(default)]
    pub copies: Vec<String>,
    /// Files with root keys that were replaced: nothing but older backups opens with them.
    #[serde(default)]
    pub replaced: Vec<String>,
}

/// What came of asking for another root key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RewrapReport {
    /// The label of the new one.
    pub label: String,
    /// It is in use. Else it is waited for.
    pub in_use: bool,
    /// What to do next, in words.
    pub next: Vec<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{RewrapRootKey, RootKeyText};

    #[test]
    fn a_key_of_any_bytes_travels_and_never_shows() {
        let bytes: Vec<u8> = (0..=255).collect();
        let body = RewrapRootKey {
            root_key: Some(RootKeyText::new(&bytes)),
        };
        let json = serde_json::to_value(&body).unwrap();
        let read = RewrapRootKey::from_json(json.clone()).unwrap();
        assert_eq!(*read.root_key.as_ref().unwrap().bytes(), bytes);
        assert!(!format!("{read:?}").contains("0001"));
    }

    #[test]
    fn no_body_asks_for_a_key_that_the_daemon_makes() {
        for body in [json!(null), json!({}), json!({"rootKey": null})] {
            assert_eq!(RewrapRootKey::from_json(body).unwrap().root_key, None);
        }
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_repeated() {
        for wrong in ["hunter2", "abc", "ünün"] {
            let refused = RewrapRootKey::from_json(json!({"rootKey": wrong})).unwrap_err();
            assert!(!refused.to_string().contains(wrong), "{refused}");
        }
        let long = "00".repeat(4097);
        assert!(RewrapRootKey::from_json(json!({ "rootKey": long })).is_err());
    }
}
