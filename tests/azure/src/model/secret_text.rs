//! A secret's text: 40 characters as the service makes them, and nothing that prints them.

use std::fmt;

use serde::Deserialize;
use zeroize::Zeroizing;

/// The text of a client secret. `Debug` is redacted, and it can be read but not written as data.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    const ALPHABET: &'static [u8] =
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
    const LENGTH: usize = 40;
    /// What today's secrets carry after their first three characters.
    const INFIX: &'static str = "8Q~";

    /// Draws a secret of the service's form.
    pub fn draw(rng: &mut fastrand::Rng) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(Self::LENGTH));
        while text.len() < Self::LENGTH {
            if text.len() == 3 {
                text.push_str(Self::INFIX);
            }
            text.push(char::from(
                Self::ALPHABET[rng.usize(..Self::ALPHABET.len())],
            ));
        }
        Self(text)
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The first three characters, which the service shows for ever.
    pub fn hint(&self) -> String {
        self.0.chars().take(3).collect()
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_secret_has_the_services_form() {
        let secret = SecretText::draw(&mut fastrand::Rng::with_seed(7));
        assert_eq!(secret.expose().len(), 40);
        assert_eq!(&secret.expose()[3..6], "8Q~");
        assert_eq!(secret.hint(), &secret.expose()[..3]);
        assert!(
            secret
                .expose()
                .bytes()
                .all(|byte| SecretText::ALPHABET.contains(&byte))
        );
    }

    #[test]
    fn debug_shows_nothing_of_it() {
        let secret = SecretText::from("abc8Q~visible".to_owned());
        assert_eq!(format!("{secret:?}"), "SecretText(…)");
    }
}
