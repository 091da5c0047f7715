//! Gathers what a rotation needs, step by step: connection, behaviour, target, place, mapping, details, review.
//!
//! Each step takes what the flags say, asks where somebody is there and something has to be asked, and
//! otherwise takes the default or says which flag is missing. Names come after the place: whether they are free
//! depends on it. What is refused in the end is asked for again, and nothing else is.

#[cfg(test)]
mod tests;

use chrono_tz::Tz;
use rotord_api::connection::AppConnection;
use rotord_api::field::{FieldValue, FieldValues};
use rotord_api::provider::ProviderDescription;
use rotord_api::rotation::{CreateRotation, SecretsMapping, TimeOfDay};
use rotord_api::{Issue, rules};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::Reply;
use crate::commands::create::location::{self, Location, Taken};
use crate::commands::create::refusal::{self, Part};
use crate::commands::create::{Create, check_interval, parse_interval, post, review, target};
use crate::commands::{folder, secret};
use crate::error::CtlError;
use crate::fields::map;
use crate::find;
use crate::output::note;
use crate::session::Session;
use crate::when::{ZONE_NOT_KNOWN, parse_time_of_day};

/// Days between two rotations, where nothing else is said.
const DEFAULT_INTERVAL: u32 = 30;

/// A creation on its way.
pub(crate) struct Dialogue<'a> {
    session: &'a mut Session,
    given: &'a Create,
    /// Whether somebody is there and the flags leave something open.
    asks: bool,
}

/// What was gathered.
pub(crate) struct Draft {
    pub(crate) connection: AppConnection,
    pub(crate) provider: ProviderDescription,
    pub(crate) behaviour: Behaviour,
    pub(crate) parameters: FieldValues,
    pub(crate) location: Location,
    pub(crate) mapping: SecretsMapping,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
}

/// When it rotates.
pub(crate) struct Behaviour {
    pub(crate) interval: u32,
    pub(crate) rotate_at: TimeOfDay,
    /// The zone that it is meant in; none is UTC.
    pub(crate) zone: Option<Tz>,
    pub(crate) auto: bool,
}

impl<'a> Dialogue<'a> {
    pub(crate) fn new(session: &'a mut Session, given: &'a Create) -> Self {
        let has_target = given.target.is_some() || !given.param.is_empty();
        let complete = given.connection.is_some()
            && given.name.is_some()
            && given.place.env.is_some()
            && has_target;
        let asks = session.person.is_there() && !complete;
        Self {
            session,
            given,
            asks,
        }
    }

    /// Gathers, has it looked at, and sends it; as often as something is refused that can be asked for again.
    pub(crate) async fn created(mut self) -> Result<Reply, CtlError> {
        let mut draft = self.draft().await?;
        let mut is_reviewed = false;
        loop {
            let sent = match self.checked(&draft) {
                Err(error) => Err(error),
                Ok(body) => {
                    if !is_reviewed {
                        self.review(&draft, &body)?;
                        is_reviewed = true;
                    }
                    post(self.session, &draft.provider.slug, &body).await
                }
            };
            let error = match sent {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            let refused = refusal::parts(&error);
            if !self.asks || refused.is_empty() {
                let Location {
                    environment, path, ..
                } = &draft.location;
                let error = folder::hinted(error, &environment.slug, path);
                return Err(secret::hinted(error, &environment.slug));
            }
            note(&error.chain());
            for part in refused {
                self.ask_again(&mut draft, part).await?;
            }
        }
    }

    async fn draft(&mut self) -> Result<Draft, CtlError> {
        let given = self.given;
        let (connection, provider) = self.connection(given.connection.as_deref()).await?;
        let behaviour = self.behaviour(&provider)?;
        let parameters = target::parameters(
            self.session,
            target::Given {
                text: given.target.as_deref(),
                parameters: &given.param,
                yes: given.yes,
            },
            self.asks,
            &connection,
            &provider,
        )
        .await?;
        let location = location::find(
            self.session,
            self.asks,
            &given.place,
            self.missing_flags().as_slice(),
        )
        .await?;
        let taken = self.taken(&location).await;
        let called = given.name.as_deref();
        let called = called.or_else(|| name_in(&parameters)).map(str::to_owned);
        let mapping = self.mapping(map(&given.map)?, &provider, called.as_deref(), &taken)?;
        let name = self.name(given.name.as_deref(), &taken)?;
        let description = self.description(given.description.as_deref())?;
        Ok(Draft {
            connection,
            provider,
            behaviour,
            parameters,
            location,
            mapping,
            name,
            description,
        })
    }

    /// Asks for one part anew, whatever a flag said of it.
    async fn ask_again(&mut self, draft: &mut Draft, part: Part) -> Result<(), CtlError> {
        match part {
            Part::Name => {
                let taken = self.taken(&draft.location).await;
                draft.name = self.name(None, &taken)?;
            }
            Part::Description => draft.description = self.description(None)?,
            Part::Connection => {
                (draft.connection, draft.provider) = self.connection(None).await?;
            }
            Part::Interval => draft.behaviour.interval = self.interval(None, &draft.provider)?,
            Part::RotateAt => {
                draft.behaviour.rotate_at = self.rotate_at(None, draft.behaviour.zone)?;
            }
            Part::Parameter(name) => {
                target::ask_again(
                    self.session,
                    &mut draft.parameters,
                    name.as_deref(),
                    &draft.connection,
                    &draft.provider,
                )
                .await?;
            }
            Part::Location => {
                draft.location =
                    location::find(self.session, true, &draft.location.project_alone(), &[])
                        .await?;
            }
            Part::Output(output) => {
                draft
                    .mapping
                    .retain(|known, _| output.as_ref().is_some_and(|output| output != known));
                let taken = self.taken(&draft.location).await;
                self.map_again(draft, &taken)?;
            }
            Part::SecretNames(names) => {
                draft.mapping.retain(|_, mapped| !names.contains(mapped));
                let mut taken = self.taken(&draft.location).await;
                taken.secrets.extend(names);
                self.map_again(draft, &taken)?;
            }
        }
        Ok(())
    }

    fn map_again(&mut self, draft: &mut Draft, taken: &Taken) -> Result<(), CtlError> {
        let settled = std::mem::take(&mut draft.mapping);
        draft.mapping = self.mapping(settled, &draft.provider, Some(&draft.name), taken)?;
        Ok(())
    }

    /// The last look. Whoever gives everything by flags is asked as before a deletion.
    fn review(&mut self, draft: &Draft, body: &CreateRotation) -> Result<(), CtlError> {
        let is_shown = self.asks || !self.given.yes && self.session.person.is_there();
        if is_shown && !self.session.output.is_json() {
            let table = review::table(&self.session.clock, draft, body);
            self.session.output.line("")?;
            self.session.output.table(&table)?;
        }
        self.session
            .confirm_or("Create this rotation?", true, self.given.yes)
    }

    async fn connection(
        &mut self,
        given: Option<&str>,
    ) -> Result<(AppConnection, ProviderDescription), CtlError> {
        let connection = match given {
            Some(named) => find::connection(&self.session.client, named).await?,
            None => self.pick_connection().await?,
        };
        let mut fitting = find::providers(&self.session.client).await?;
        fitting.retain(|provider| {
            provider.connection.slug == connection.app
                && self
                    .given
                    .kind
                    .as_deref()
                    .is_none_or(|kind| provider.slug == kind)
        });
        let provider = match fitting.len() {
            0 => {
                return Err(CtlError::failed(format!(
                    "no provider fits the connection {}",
                    connection.name
                ))
                .hint("rotorctl provider list shows what is loaded"));
            }
            1 => fitting.remove(0),
            _ if self.asks => {
                let titles: Vec<String> = fitting
                    .iter()
                    .map(|provider| provider.title.clone())
                    .collect();
                fitting.swap_remove(self.session.person.select("What to rotate", &titles)?)
            }
            _ => {
                let slugs: Vec<&str> = fitting
                    .iter()
                    .map(|provider| provider.slug.as_str())
                    .collect();
                return Err(CtlError::usage("which provider? say --type")
                    .hint(format!("there is {}", slugs.join(", "))));
            }
        };
        Ok((connection, provider))
    }

    async fn pick_connection(&mut self) -> Result<AppConnection, CtlError> {
        if !self.asks {
            return Err(missing(&self.missing_flags()));
        }
        let (_, mut connections) = find::connections(&self.session.client).await?;
        if connections.is_empty() {
            return Err(CtlError::missing("there is no connection yet")
                .hint("rotorctl connection add makes one"));
        }
        let names: Vec<String> = connections
            .iter()
            .map(|connection| format!("{} ({})", connection.name, connection.app))
            .collect();
        Ok(connections.swap_remove(self.session.person.select("Connection", &names)?))
    }

    fn behaviour(&mut self, provider: &ProviderDescription) -> Result<Behaviour, CtlError> {
        let given = &self.given.rotate_at;
        let clock = self.session.clock;
        let zone = given.zone(&clock);
        if given.is_guessed(&clock) {
            note(ZONE_NOT_KNOWN);
        }
        let interval = self.interval(self.given.interval, provider)?;
        let rotate_at = self.rotate_at(given.time(), zone)?;
        let auto = match self.given.no_auto {
            true => false,
            false if self.asks => self.session.person.confirm("Rotate by itself?", true)?,
            false => true,
        };
        Ok(Behaviour {
            interval,
            rotate_at,
            zone,
            auto,
        })
    }

    fn interval(
        &mut self,
        given: Option<u32>,
        provider: &ProviderDescription,
    ) -> Result<u32, CtlError> {
        let longest = provider.limits.longest_interval_days;
        match given {
            Some(days) => check_interval(days, provider).map(|()| days),
            None if self.asks => {
                let judge = |text: &str| match parse_interval(text)? {
                    days if days > longest => Err(format!("must be at most {longest}")),
                    _ => Ok(()),
                };
                let days = self.session.person.text(
                    "Rotation interval, in days",
                    Some(&DEFAULT_INTERVAL.min(longest).to_string()),
                    &judge,
                )?;
                parse_interval(&days).map_err(CtlError::usage)
            }
            None => Ok(DEFAULT_INTERVAL),
        }
    }

    fn rotate_at(
        &mut self,
        given: Option<TimeOfDay>,
        zone: Option<Tz>,
    ) -> Result<TimeOfDay, CtlError> {
        match given {
            Some(time) => Ok(time),
            None if self.asks => {
                let place = zone.map_or("UTC", |zone| zone.name());
                let judge = |text: &str| parse_time_of_day(text).map(drop);
                let question = format!("Rotate at, in {place}");
                let time = self.session.person.text(&question, Some("00:00"), &judge)?;
                parse_time_of_day(&time).map_err(CtlError::usage)
            }
            None => Ok(TimeOfDay::default()),
        }
    }

    /// What is taken there, for whoever can be asked for something else; else the daemon says so.
    async fn taken(&self, location: &Location) -> Taken {
        if self.asks {
            location.taken(&self.session.client).await
        } else {
            Taken::default()
        }
    }

    /// A secret's name for each output; `mapping` has those that are settled.
    fn mapping(
        &mut self,
        mut mapping: SecretsMapping,
        provider: &ProviderDescription,
        called: Option<&str>,
        taken: &Taken,
    ) -> Result<SecretsMapping, CtlError> {
        for output in &provider.outputs {
            if mapping.contains_key(&output.name) {
                continue;
            }
            let name = if self.asks {
                let others: Vec<&String> = mapping.values().collect();
                let judge = |text: &str| match rules::secret_name(text) {
                    Ok(name) if others.iter().any(|other| **other == name) => {
                        Err("is another output's already".to_owned())
                    }
                    Ok(name) if taken.secrets.contains(&name) => {
                        Err("there is a secret of this name already".to_owned())
                    }
                    judged => message(judged),
                };
                let usual = &output.suggested_name;
                let mut question = format!("Name of the secret for: {}", output.title);
                if taken.secrets.contains(usual) {
                    question = format!("{question} ({usual} is taken)");
                }
                let own = called.map(|called| own_name(usual, called));
                let suggested = [Some(usual), own.as_ref()].into_iter().flatten();
                let suggested = suggested
                    .map(String::as_str)
                    .find(|name| judge(name).is_ok());
                self.session.person.text(&question, suggested, &judge)?
            } else {
                output.suggested_name.clone()
            };
            mapping.insert(output.name.clone(), name.trim().to_owned());
        }
        provider
            .check_mapping(&mapping)
            .map_err(|issues| CtlError::issues("the rotation", &issues))?;
        rules::distinct_names(&mapping).map_err(CtlError::usage)?;
        Ok(mapping)
    }

    fn name(&mut self, given: Option<&str>, taken: &Taken) -> Result<String, CtlError> {
        match given {
            Some(name) => Ok(name.to_owned()),
            None if self.asks => {
                let judge = |text: &str| match rules::name(text) {
                    Ok(name) if taken.rotations.contains(&name) => {
                        Err("there is a rotation of this name already".to_owned())
                    }
                    judged => message(judged),
                };
                self.session
                    .person
                    .text("Name of the rotation", None, &judge)
            }
            None => Err(missing(&self.missing_flags())),
        }
    }

    fn description(&mut self, given: Option<&str>) -> Result<Option<String>, CtlError> {
        let description = match given {
            Some(description) => Some(description.to_owned()),
            None if self.asks => Some(self.session.person.text(
                "Description (optional)",
                None,
                &|text| message(rules::description(text)),
            )?),
            None => None,
        };
        Ok(description.filter(|text| !text.trim().is_empty()))
    }

    /// The body, by the same rules as for any caller of the API.
    fn checked(&self, draft: &Draft) -> Result<CreateRotation, CtlError> {
        let behaviour = &draft.behaviour;
        let mut body = json!({
            "name": draft.name,
            "projectId": draft.location.project.id,
            "description": draft.description,
            "connectionId": draft.connection.id,
            "environment": draft.location.environment.slug,
            "secretPath": draft.location.path,
            "isAutoRotationEnabled": behaviour.auto,
            "rotationInterval": behaviour.interval,
            "rotateAtUtc": behaviour.rotate_at,
            "parameters": {},
            "secretsMapping": draft.mapping,
            "overlapHours": self.given.overlap,
            "force": self.given.force,
        });
        if let Some(zone) = behaviour.zone {
            body["timeZone"] = Value::from(zone.name());
            body["rotateAtLocal"] = json!(behaviour.rotate_at);
            body["rotateAtUtc"] = json!(self.session.clock.utc_of(behaviour.rotate_at, zone));
        }
        let mut body = CreateRotation::from_json(body)
            .map_err(|issues| CtlError::issues("the rotation", &issues))?;
        // They were checked by the provider's schema, and never pass through untyped JSON.
        body.parameters = draft.parameters.clone();
        Ok(body)
    }

    fn missing_flags(&self) -> Vec<&'static str> {
        let given = self.given;
        let has_target = given.target.is_some() || !given.param.is_empty();
        let flags = [
            (given.connection.is_none(), "--connection NAME"),
            (given.name.is_none(), "--name NAME"),
            (given.place.env.is_none(), "--env SLUG"),
            (!has_target, "--target TEXT (or --param NAME=VALUE)"),
        ];
        flags
            .into_iter()
            .filter(|(missing, _)| *missing)
            .map(|(_, flag)| flag)
            .collect()
    }
}

/// What the target is called, by the first of its parameters that is a word for people.
fn name_in(parameters: &FieldValues) -> Option<&str> {
    let mut texts = parameters.values().filter_map(FieldValue::as_text);
    texts.find(|text| !text.is_empty() && Uuid::try_parse(text).is_err())
}

/// A secret's usual name with another in place of its first word: `BILLING_CLIENT_ID` for `AZURE_CLIENT_ID`.
fn own_name(usual: &str, called: &str) -> String {
    let rest = usual.split_once('_').map_or(usual, |(_, rest)| rest);
    let own = called.chars().map(|letter| match letter {
        letter if letter.is_ascii_alphanumeric() => letter.to_ascii_uppercase(),
        _ => '_',
    });
    format!("{}_{rest}", own.collect::<String>())
}

fn missing(flags: &[&str]) -> CtlError {
    CtlError::usage("something is missing").hint(format!("say {}", flags.join(" ")))
}

fn message<T>(judged: Result<T, Issue>) -> Result<(), String> {
    judged.map(drop).map_err(|issue| issue.message)
}
