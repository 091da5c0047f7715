//! The secrets that a program is given: read together, and watched for a change.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use rotord_api::query::Flag;
use rotord_api::routes;
use rotord_api::secret::{SecretAnswer, SecretsQuery};
use tokio::time::sleep;
use zeroize::Zeroizing;

use crate::commands::secret::source::Source;
use crate::error::CtlError;
use crate::output::note;

/// How long the daemon is asked to wait for a change at a time.
const AT_A_TIME: Duration = Duration::from_secs(55);
/// Looks that are made until all values are of one state.
const LOOKS: u32 = 10;
/// After a daemon that does not answer, doubled up to the most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A variable of the program's, and the secret that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(super) variable: String,
    pub(super) name: String,
}

impl FromStr for Binding {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (variable, name) = text.split_once('=').unwrap_or((text, text));
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if variable.is_empty()
            || !variable.chars().all(is_name)
            || variable.starts_with(|c: char| c.is_ascii_digit())
        {
            return Err(format!(
                "\"{variable}\" is no name of a variable: letters, digits and _ make one"
            ));
        }
        if name.is_empty() {
            return Err("the secret's name is missing after the =".to_owned());
        }
        Ok(Self {
            variable: variable.to_owned(),
            name: name.to_owned(),
        })
    }
}

/// Values by the secrets' names.
pub(super) type Values = BTreeMap<String, Zeroizing<String>>;

/// Secrets of one place.
pub(super) struct Watched {
    source: Source,
    names: Vec<String>,
    tag: Option<String>,
    known: Values,
}

impl Watched {
    pub(super) fn new(source: Source, names: impl Iterator<Item = String>) -> Self {
        Self {
            source,
            names: names.collect(),
            tag: None,
            known: Values::new(),
        }
    }

    /// All values, of one moment: a rotation may change several.
    pub(super) async fn read(&mut self) -> Result<Values, CtlError> {
        for _ in 0..LOOKS {
            let tag = self.tag_of_all().await?;
            let mut values = Values::new();
            for name in &self.names {
                values.insert(name.clone(), self.one(name).await?);
            }
            // One value is of one moment however it is read.
            if self.names.len() < 2 || !self.has_changed(&tag, Duration::ZERO).await? {
                self.tag = Some(tag);
                self.known.clone_from(&values);
                return Ok(values);
            }
        }
        Err(CtlError::failed(
            "the secrets change faster than they can be read",
        ))
    }

    /// Waits until one of the values is another. A daemon that is away is waited for: what the program has still works.
    pub(super) async fn changed(&mut self) -> Values {
        let mut pause = PAUSE;
        loop {
            match self.look().await {
                Ok(Some(values)) => return values,
                Ok(None) => pause = PAUSE,
                Err(error) => {
                    if pause == PAUSE {
                        note(&format!(
                            "can't see whether a secret has changed ({}): trying on",
                            error.chain()
                        ));
                    }
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// None where nothing has changed for a while.
    async fn look(&mut self) -> Result<Option<Values>, CtlError> {
        if let Some(tag) = &self.tag
            && !self.has_changed(tag, AT_A_TIME).await?
        {
            return Ok(None);
        }
        let before = self.known.clone();
        let values = self.read().await?;
        Ok((values != before).then_some(values))
    }

    /// What changes whenever one of the secrets does, and perhaps with another of their place. Values are not looked at.
    async fn tag_of_all(&self) -> Result<String, CtlError> {
        let seen = self.source.client.get_seen(&self.path_of_all()).await;
        let seen = seen.map_err(|error| self.source.told(error))?;
        seen.tag
            .ok_or_else(|| CtlError::failed("the daemon does not tell what has changed"))
    }

    async fn has_changed(&self, tag: &str, wait: Duration) -> Result<bool, CtlError> {
        let path = self.path_of_all();
        let seen = self.source.client.get_if_changed(&path, tag, wait).await;
        Ok(seen.map_err(|error| self.source.told(error))?.is_some())
    }

    async fn one(&self, name: &str) -> Result<Zeroizing<String>, CtlError> {
        let reply = self.source.client.get(&self.path(name)).await;
        let reply = reply.map_err(|error| self.source.told(error))?;
        let secret = reply.parse::<SecretAnswer>()?.secret;
        let value = Zeroizing::new(secret.secret_value.expose().to_owned());
        if value.contains('\0') {
            return Err(CtlError::failed(format!(
                "the value of {name} holds a zero byte, which no variable can hold"
            )));
        }
        Ok(value)
    }

    /// Of one secret it is the secret itself: nothing else is to wake who waits for it.
    fn path_of_all(&self) -> String {
        let query = SecretsQuery {
            view_secret_value: Some(Flag(false)),
            recursive: Some(Flag(false)),
            ..self.source.query.clone()
        };
        match self.names.as_slice() {
            [name] => routes::with_query(&routes::secret(name), &query),
            _ => routes::with_query(routes::SECRETS_V4, &query),
        }
    }

    fn path(&self, name: &str) -> String {
        routes::with_query(&routes::secret(name), &self.source.query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_is_a_variable_and_a_name_or_one_for_both() {
        let binding = |variable: &str, name: &str| {
            Ok(Binding {
                variable: variable.to_owned(),
                name: name.to_owned(),
            })
        };
        assert_eq!("A_1=azure-secret".parse(), binding("A_1", "azure-secret"));
        assert_eq!("TOKEN".parse(), binding("TOKEN", "TOKEN"));
        for wrong in ["", "=x", "A=", "1A=x", "a-b", "a b=x"] {
            assert!(wrong.parse::<Binding>().is_err(), "{wrong}");
        }
    }
}
