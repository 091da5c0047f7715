//! Values that never print.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::constant_time;
use zeroize::Zeroizing;

/// A secret value: not printed by `Debug`, has no `Display` and no `Serialize`, zeroised when dropped, compared
/// in constant time.
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over; they are zeroised when this value is dropped.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes. Whoever asks for them keeps them out of logs and errors.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Named secret values: a credential's outputs, or a connection's secret fields. Sealed as one.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretMap(BTreeMap<String, Secret>);

/// The sealed bytes were opened and hold something else than named values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the opened bytes are no named values")]
pub(crate) struct NotASecretMap;

impl SecretMap {
    /// Without any value.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a value; one of the same name goes.
    pub fn insert(&mut self, name: impl Into<String>, value: Secret) {
        self.0.insert(name.into(), value);
    }

    /// The value of this name.
    pub fn value(&self, name: &str) -> Option<&Secret> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As bytes to be sealed: each name and each value after its length.
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        // Reserved whole, so that no copy is left behind by growing.
        let parts = || {
            self.0
                .iter()
                .flat_map(|(name, value)| [name.as_bytes(), value.expose()])
        };
        let size = parts().map(|part| part.len() + 8).sum();
        let mut bytes = Zeroizing::new(Vec::with_capacity(size));
        for part in parts() {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }

    pub(crate) fn decode(mut bytes: &[u8]) -> Result<Self, NotASecretMap> {
        let mut values = Self::new();
        while !bytes.is_empty() {
            let name = take_part(&mut bytes)?;
            let name = std::str::from_utf8(name).map_err(|_| NotASecretMap)?;
            let value = take_part(&mut bytes)?;
            values.insert(name, Secret::new(value));
        }
        Ok(values)
    }
}

fn take_part<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], NotASecretMap> {
    let (length, rest) = bytes.split_first_chunk().ok_or(NotASecretMap)?;
    let length = usize::try_from(u64::from_be_bytes(*length)).map_err(|_| NotASecretMap)?;
    let (part, rest) = rest.split_at_checked(length).ok_or(NotASecretMap)?;
    *bytes = rest;
    Ok(part)
}

impl<N: Into<String>> FromIterator<(N, Secret)> for SecretMap {
    fn from_iter<I: IntoIterator<Item = (N, Secret)>>(values: I) -> Self {
        Self(
            values
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        )
    }
}

impl fmt::Debug for SecretMap {
    /// The names only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> SecretMap {
        [
            ("clientId", Secret::new("a")),
            ("clientSecret", Secret::new("hunter2")),
        ]
        .into_iter()
        .collect()
    }

    #[test]
    fn debug_shows_names_and_no_value() {
        let shown = format!("{:?} {:#?}", two(), Secret::new("hunter2"));
        assert!(shown.contains("clientSecret"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn what_is_encoded_reads_back_and_nothing_else_does() {
        assert_eq!(SecretMap::decode(&two().encode()), Ok(two()));
        assert_eq!(SecretMap::decode(&[]), Ok(SecretMap::new()));
        let bytes = two().encode();
        for cut in [1, 7, 8, 9, bytes.len() - 1] {
            assert_eq!(
                SecretMap::decode(&bytes[..cut]),
                Err(NotASecretMap),
                "{cut}"
            );
        }
        assert_eq!(SecretMap::decode(&[0xff; 64]), Err(NotASecretMap));
    }
}
