//! Gathers what a rotation needs, step by step: connection, behaviour, target, mapping, details, review.
//!
//! Each step takes what the flags say, asks where somebody is there and something has to be asked, and
//! otherwise takes the default or says which flag is missing.

use chrono_tz::Tz;
use rotord_api::connection::AppConnection;
use rotord_api::field::FieldValues;
use rotord_api::project::{Environment, Project};
use rotord_api::provider::ProviderDescription;
use rotord_api::rotation::{CreateRotation, SecretsMapping, TimeOfDay};
use rotord_api::{Issue, rules};
use serde_json::{Value, json};

use crate::commands::create::{Create, parse_interval, review, target};
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

/// When it rotates.
pub(crate) struct Behaviour {
    pub(crate) interval: u32,
    pub(crate) rotate_at: TimeOfDay,
    /// The zone that it is meant in; none is UTC.
    pub(crate) zone: Option<Tz>,
    pub(crate) auto: bool,
}

/// What it is called and where its secrets are.
pub(crate) struct Details {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) project: Project,
    pub(crate) environment: Environment,
    pub(crate) path: String,
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

    /// The provider's slug and the request's body.
    pub(crate) async fn body(mut self) -> Result<(String, CreateRotation), CtlError> {
        let (connection, provider) = self.connection().await?;
        let behaviour = self.behaviour(&provider)?;
        let parameters = target::parameters(
            self.session,
            self.given_target(),
            self.asks,
            &connection,
            &provider,
        )
        .await?;
        let mapping = self.mapping(&provider)?;
        let details = self.details().await?;
        let body = self.checked(&connection, &behaviour, parameters, &mapping, &details)?;
        if self.asks {
            if !self.session.output.is_json() {
                let table =
                    review::table(&self.session.clock, &provider, &connection, &details, &body);
                self.session.output.line("")?;
                self.session.output.table(&table)?;
            }
            if !self.given.yes && !self.session.person.confirm("Create this rotation?", true)? {
                return Err(CtlError::failed("nothing was done"));
            }
        }
        Ok((provider.slug, body))
    }

    async fn connection(&mut self) -> Result<(AppConnection, ProviderDescription), CtlError> {
        let connection = match &self.given.connection {
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
            return Err(CtlError::usage("something is missing")
                .hint(format!("say {}", self.missing_flags().join(" "))));
        }
        let (_, mut connections) = find::connections(&self.session.client).await?;
        if connections.is_empty() {
            return Err(CtlError::failed("there is no connection yet")
                .hint("rotorctl connection add makes one"));
        }
        let names: Vec<String> = connections
            .iter()
            .map(|connection| format!("{} ({})", connection.name, connection.app))
            .collect();
        Ok(connections.swap_remove(self.session.person.select("Connection", &names)?))
    }

    fn behaviour(&mut self, provider: &ProviderDescription) -> Result<Behaviour, CtlError> {
        let longest = provider.limits.longest_interval_days;
        let clock = self.session.clock;
        let zone = self.given.rotate_at.zone(&clock);
        if self.given.rotate_at.is_guessed(&clock) {
            note(ZONE_NOT_KNOWN);
        }
        let person = &mut self.session.person;
        let interval = match self.given.interval {
            Some(days) => days,
            None if self.asks => {
                let judge = |text: &str| match parse_interval(text)? {
                    days if days > longest => Err(format!("must be at most {longest}")),
                    _ => Ok(()),
                };
                let days = person.text(
                    "Rotation interval, in days",
                    Some(&DEFAULT_INTERVAL.min(longest).to_string()),
                    &judge,
                )?;
                parse_interval(&days).map_err(CtlError::usage)?
            }
            None => DEFAULT_INTERVAL,
        };
        let rotate_at = match self.given.rotate_at.time() {
            Some(time) => time,
            None if self.asks => {
                let place = zone.map_or("UTC", |zone| zone.name());
                let judge = |text: &str| parse_time_of_day(text).map(drop);
                let time = person.text(&format!("Rotate at, in {place}"), Some("00:00"), &judge)?;
                parse_time_of_day(&time).map_err(CtlError::usage)?
            }
            None => TimeOfDay::default(),
        };
        let auto = match self.given.no_auto {
            true => false,
            false if self.asks => person.confirm("Rotate by itself?", true)?,
            false => true,
        };
        Ok(Behaviour {
            interval,
            rotate_at,
            zone,
            auto,
        })
    }

    fn given_target(&self) -> target::Given<'a> {
        target::Given {
            text: self.given.target.as_deref(),
            parameters: &self.given.param,
        }
    }

    fn mapping(&mut self, provider: &ProviderDescription) -> Result<SecretsMapping, CtlError> {
        let mut mapping = map(&self.given.map)?;
        for output in &provider.outputs {
            if mapping.contains_key(&output.name) {
                continue;
            }
            let name = if self.asks {
                let taken: Vec<&String> = mapping.values().collect();
                let judge = |text: &str| match rules::secret_name(text) {
                    Ok(name) if taken.iter().any(|taken| **taken == name) => {
                        Err("is another output's already".to_owned())
                    }
                    judged => message(judged),
                };
                self.session.person.text(
                    &format!("Name of the secret for: {}", output.title),
                    Some(&output.suggested_name),
                    &judge,
                )?
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

    async fn details(&mut self) -> Result<Details, CtlError> {
        let project =
            find::project(&self.session.client, self.given.place.project.as_deref()).await?;
        let person = &mut self.session.person;
        let name = match &self.given.name {
            Some(name) => name.clone(),
            None if self.asks => person.text("Name of the rotation", None, &|text| {
                message(rules::name(text))
            })?,
            None => {
                return Err(CtlError::usage("something is missing")
                    .hint(format!("say {}", self.missing_flags().join(" "))));
            }
        };
        let description = match &self.given.description {
            Some(description) => Some(description.clone()),
            None if self.asks => Some(person.text("Description (optional)", None, &|text| {
                message(rules::description(text))
            })?),
            None => None,
        };
        let environment = match &self.given.place.env {
            None if self.asks && project.environments.len() > 1 => {
                let names: Vec<String> = project
                    .environments
                    .iter()
                    .map(|known| format!("{} ({})", known.name, known.slug))
                    .collect();
                project.environments[person.select("Environment", &names)?].clone()
            }
            named => find::environment(&project, named.as_deref())?,
        };
        let path = match &self.given.place.path {
            Some(path) => path.clone(),
            None if self.asks => person.text("Folder for the secrets", Some("/"), &|text| {
                message(rules::secret_path(text))
            })?,
            None => "/".to_owned(),
        };
        Ok(Details {
            name,
            description: description.filter(|text| !text.trim().is_empty()),
            project,
            environment,
            path,
        })
    }

    /// The body, by the same rules as for any caller of the API.
    fn checked(
        &self,
        connection: &AppConnection,
        behaviour: &Behaviour,
        parameters: FieldValues,
        mapping: &SecretsMapping,
        details: &Details,
    ) -> Result<CreateRotation, CtlError> {
        let mut body = json!({
            "name": details.name,
            "projectId": details.project.id,
            "description": details.description,
            "connectionId": connection.id,
            "environment": details.environment.slug,
            "secretPath": details.path,
            "isAutoRotationEnabled": behaviour.auto,
            "rotationInterval": behaviour.interval,
            "rotateAtUtc": behaviour.rotate_at,
            "parameters": {},
            "secretsMapping": mapping,
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
        body.parameters = parameters;
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

fn message<T>(judged: Result<T, Issue>) -> Result<(), String> {
    judged.map(drop).map_err(|issue| issue.message)
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;
    use rotord_api::rotation::CreateRotation;
    use serde_json::json;

    use super::Dialogue;
    use crate::client::Client;
    use crate::commands::create::Create;
    use crate::error::CtlError;
    use crate::fake::{CLIENT_ID, Fake, ID, OBJECT_ID};
    use crate::output::Style;
    use crate::output::tests::Page;
    use crate::prompt::tests::Scripted;
    use crate::session::Session;
    use crate::when::Clock;

    fn daemon() -> Fake {
        let clients = format!("/api/v1/app-connections/azure-client-secrets/{ID}/clients");
        let row = |name: &str, id: &str| json!({"name": name, "id": id, "appId": CLIENT_ID});
        Fake::start()
            .on("GET", &clients, 200, json!({"clients": []}))
            .on(
                "GET",
                &clients,
                200,
                json!({"clients": [row("other", ID), row("billing", OBJECT_ID)]}),
            )
    }

    fn talk(
        daemon: &Fake,
        given: &Create,
        answers: &[(&'static str, &'static str)],
    ) -> (Result<CreateRotation, CtlError>, String) {
        let page = Page::default();
        let mut session = Session {
            client: Client::new(daemon.socket()),
            output: page.output(Style {
                json: false,
                terminal: true,
                color: false,
                width: 100,
            }),
            person: Box::new(Scripted::new(answers)),
            clock: Clock {
                now: "2026-01-15T12:00:00Z".parse().unwrap(),
                zone: Tz::Europe__Berlin,
                knows_zone: true,
            },
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let body = runtime.block_on(Dialogue::new(&mut session, given).body());
        (body.map(|(_, body)| body), page.text())
    }

    #[test]
    fn a_person_is_walked_through_every_step() {
        let (body, shown) = talk(
            &daemon(),
            &Create::default(),
            &[
                ("Connection", "azure"),
                ("interval", "910"),
                ("interval", "60"),
                ("Rotate at, in Europe/Berlin", "25:00"),
                ("Rotate at, in Europe/Berlin", "02:30"),
                ("by itself", ""),
                ("part of a name", "nothing"),
                ("Application", "search again"),
                ("part of a name", ""),
                ("Application", "billing"),
                ("Client ID", ""),
                ("Client Secret", "AZURE_CLIENT_ID"),
                ("Client Secret", "BILLING_SECRET"),
                ("Name of the rotation", "Not A Slug"),
                ("Name of the rotation", "billing"),
                ("Description", ""),
                ("Environment", "prod"),
                ("Folder", "/app/"),
                ("Create this", "yes"),
            ],
        );
        let expected = json!({
            "name": "billing", "projectId": "p-1", "connectionId": ID, "environment": "prod", "secretPath": "/app",
            "isAutoRotationEnabled": true, "rotationInterval": 60, "rotateAtUtc": {"hours": 1, "minutes": 30},
            "timeZone": "Europe/Berlin", "rotateAtLocal": {"hours": 2, "minutes": 30},
            "parameters": {"objectId": OBJECT_ID, "clientId": CLIENT_ID, "appName": "billing"},
            "secretsMapping": {"clientId": "AZURE_CLIENT_ID", "clientSecret": "BILLING_SECRET"}
        });
        assert_eq!(serde_json::to_value(body.unwrap()).unwrap(), expected);
        assert!(
            shown.contains("02:30 Europe/Berlin (01:30 UTC)") && shown.contains("→ BILLING_SECRET"),
            "{shown}"
        );
    }

    #[test]
    fn only_what_flags_leave_open_is_asked_and_no_means_nothing_was_done() {
        let given = Create {
            connection: Some("azure".to_owned()),
            interval: Some(30),
            no_auto: true,
            param: vec![("objectId".to_owned(), OBJECT_ID.to_owned())],
            name: Some("billing".to_owned()),
            description: Some(String::new()),
            ..Create::default()
        };
        let (body, _) = talk(
            &daemon(),
            &given,
            &[
                ("Rotate at", ""),
                ("Client id", CLIENT_ID),
                ("Client ID", ""),
                ("Client Secret", ""),
                ("Environment", "dev"),
                ("Folder", ""),
                ("Create this", "no"),
            ],
        );
        assert_eq!(body.unwrap_err().to_string(), "nothing was done");
    }
}
