//! When what happened to each credential, told from its first issue on.

use std::collections::BTreeMap;

use azure_standin::{AppId, Entry, Operation, Origin, SecretView};
use chrono::{DateTime, Utc};
use e2e::consumer::USER_AGENT;
use e2e::failure::OrFail as _;
use e2e::{Azure, Failure};
use rotord_api::rotation::SecretRotation;

/// What the daemon said of each credential while it was there.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    published: BTreeMap<String, DateTime<Utc>>,
}

struct Moment {
    at: DateTime<Utc>,
    what: &'static str,
    text: String,
}

impl Timeline {
    /// Takes in what a rotation shows now.
    pub(crate) fn note(&mut self, rotation: &SecretRotation) {
        for credential in rotation.state.iter().flat_map(|state| &state.credentials) {
            if let Some(at) = credential.published_at {
                self.published.insert(credential.key_id.clone(), at.0);
            }
        }
    }

    /// The lines of the table. What the daemon says of publishing, the stand-in knows of the rest.
    pub(crate) fn lines(&self, azure: &Azure, app: &str) -> Result<Vec<String>, Failure> {
        let id = azure.app(app)?.app_id;
        let mut secrets = azure
            .standin
            .secrets(app)
            .or_fail(|| "the tenant lacks it".to_owned())?;
        secrets.retain(|secret| secret.origin == Origin::Graph);
        secrets.sort_by_key(|secret| secret.created);
        let logins: Vec<Entry> = azure
            .standin
            .record(0)
            .into_iter()
            .filter(|entry| is_proof(entry, id))
            .collect();
        let mut moments: Vec<Moment> = (1..)
            .zip(&secrets)
            .flat_map(|(number, secret)| self.moments(number, secret, &logins))
            .collect();
        moments.sort_by_key(|moment| moment.at);
        let Some(first) = moments.first().map(|moment| moment.at) else {
            return Err(Failure::new("nothing was ever issued"));
        };
        Ok(moments
            .into_iter()
            .map(|Moment { at, what, text }| {
                format!("{:>6.1} s  {what:<10} {text}", seconds(first, at))
            })
            .collect())
    }

    fn moments(&self, number: usize, secret: &SecretView, logins: &[Entry]) -> Vec<Moment> {
        let mut moments = vec![Moment {
            at: secret.created,
            what: "issued",
            text: format!("secret {number} (keyId {})", secret.key_id),
        }];
        let published = self.published.get(&secret.key_id.to_string()).copied();
        let until = published.unwrap_or(DateTime::<Utc>::MAX_UTC);
        let tried: Vec<&Entry> = logins
            .iter()
            .filter(|entry| entry.at >= secret.created && entry.at <= until)
            // A refused one has no name; one with the secret before this is no proof of this.
            .filter(|entry| entry.key_id.is_none_or(|key| key == secret.key_id))
            .collect();
        let refused = tried.iter().rposition(|entry| entry.status != Some(200));
        let worked = &tried[refused.map_or(0, |last| last + 1)..];
        if let Some(last) = worked.last() {
            let before = match refused {
                Some(refused) => format!(
                    "some replica refused it until {:.1} s after issue, then",
                    seconds(secret.created, tried[refused].at)
                ),
                None => "never refused,".to_owned(),
            };
            moments.push(Moment {
                at: last.at,
                what: "verified",
                text: format!(
                    "secret {number}: {before} {} logins in a row worked",
                    worked.len()
                ),
            });
        }
        if let Some(at) = published {
            moments.push(Moment {
                at,
                what: "published",
                text: format!("secret {number} as AZURE_CLIENT_SECRET"),
            });
        }
        if let Some(at) = secret.removed {
            let later = self.published.values().filter(|at| published < Some(**at));
            let text = match later.min() {
                Some(replaced) => format!(
                    "secret {number}, {:.1} s after it was replaced",
                    seconds(*replaced, at)
                ),
                None => format!("secret {number}"),
            };
            moments.push(Moment {
                at,
                what: "retired",
                text,
            });
        }
        moments
    }
}

/// A login with the application's own secret that was not the consumer's.
fn is_proof(entry: &Entry, app: AppId) -> bool {
    entry.operation == Operation::Token
        && entry.app == Some(app)
        && entry.user_agent.as_deref() != Some(USER_AGENT)
}

// A demo's moments are seconds apart: no digit is lost.
#[allow(clippy::cast_precision_loss)]
fn seconds(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    (to - from).num_milliseconds() as f64 / 1000.0
}
