//! `rotorctl credential grant`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use rotord_api::query::Flag;
use rotord_api::routes;
use rotord_api::secret::SecretsQuery;
use serde_json::json;
use tokio::time::timeout;
use toml::{Table, Value};

use super::settings_file::SettingsFile;
use super::{DEFAULT_PROJECT, grants, position, text};
use crate::cli::Place;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::output::note;
use crate::session::Session;
use crate::{find, reach};

/// The sockets of a daemon that does not start are there all the same, and nobody answers.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(crate) struct Grant {
    /// The unit's full name, such as payroll.service; payroll@.service is every instance of that template
    unit: String,
    /// The credential's name in the unit
    credential: String,
    /// The secret's name
    secret: String,
    /// The project's id, slug or name; the default one if not given
    #[arg(long, value_name = "PROJECT")]
    project: Option<String>,
    /// The environment's slug, such as dev
    #[arg(long, value_name = "SLUG")]
    env: String,
    /// The folder's path, such as /app
    #[arg(long, value_name = "PATH", default_value = "/")]
    path: String,
    /// Even where the daemon knows no such project, environment, folder or secret yet: until it does, the unit does not
    /// start
    #[arg(long)]
    anyway: bool,
    /// The daemon's settings file [default: /etc/rotord/rotord.toml, which may be missing]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Make the file that --config names where it is not there
    #[arg(long, requires = "config")]
    create: bool,
}

pub(super) async fn run(session: &mut Session, command: Grant) -> Result<Exit, CtlError> {
    let file = SettingsFile::open(command.config.as_deref(), command.create)?;
    let known = grants(&file.settings);
    let known = position(&known, &command.unit, &command.credential).map(|at| &known[at]);
    let project = project(session, &command).await?;
    let entry = command.entry(&project);
    let is_new = match known {
        None => true,
        Some(known) if *known == entry => false,
        Some(known) => return Err(other(&command, known, &file)),
    };
    if is_new {
        let is_made = !file.path.exists();
        file.replace(&with_entry(&file.text, &entry)).await?;
        if is_made {
            note(&format!(
                "made {}, which was not there",
                file.path.display()
            ));
        }
    }
    let line = format!(
        "LoadCredential={}:{}",
        command.credential,
        file.socket().display()
    );
    if session.output.is_json() {
        let answer =
            json!({"unit": command.unit, "line": line, "settings": file.path, "added": is_new});
        session.output.json(&answer)?;
        return Ok(Exit::Done);
    }
    let (unit, secret) = (&command.unit, &command.secret);
    let file = file.path.display();
    session.output.line(if is_new {
        format!("{file} grants {secret} to {unit} now. What is left to do:")
    } else {
        format!("{file} granted {secret} to {unit} already. What belongs to it:")
    })?;
    session.output.line("  sudo systemctl reload rotord")?;
    session
        .output
        .line(format!("  sudo systemctl edit {unit}, with these lines:"))?;
    session.output.line("    [Service]")?;
    session.output.line(format!("    {line}"))?;
    session.output.line(format!(
        "  its programs find the value in ${{CREDENTIALS_DIRECTORY}}/{}",
        command.credential
    ))?;
    Ok(Exit::Done)
}

impl Grant {
    /// As the settings say it, without what goes without saying.
    fn entry(&self, project: &str) -> Table {
        let path = find::normal(&self.path);
        let path = (path != "/").then_some(("path", path));
        let project = (project != DEFAULT_PROJECT).then_some(("project", project));
        let parts = [
            ("unit", self.unit.as_str()),
            ("credential", &self.credential),
            ("environment", &self.env),
            ("secret", &self.secret),
        ];
        let parts = parts.into_iter().chain(project).chain(path);
        parts
            .map(|(key, text)| (key.to_owned(), Value::from(text)))
            .collect()
    }
}

/// The project's slug, as the settings name it, once the daemon has said that the secret is there.
async fn project(session: &Session, command: &Grant) -> Result<String, CtlError> {
    let named = command.project.as_deref().unwrap_or(DEFAULT_PROJECT);
    let unasked = |why: &str| {
        note(&format!(
            "whether there is such a secret could not be asked: {why}"
        ));
        Ok(named.to_owned())
    };
    if let Err(error) = session.client.reach().await {
        return unasked(&reach::judge(session.client.socket(), &error).message);
    }
    match timeout(PATIENCE, look(session, command)).await {
        Ok(Ok(slug)) => Ok(slug),
        Ok(Err(error)) if command.anyway => {
            note(&format!(
                "{}: until there is, the unit does not start",
                error.chain()
            ));
            Ok(named.to_owned())
        }
        Ok(Err(error)) => Err(error.hint("to grant it before it is there: --anyway")),
        Err(_) => unasked("the daemon does not answer"),
    }
}

/// The project's slug, where the secret is there.
async fn look(session: &Session, command: &Grant) -> Result<String, CtlError> {
    let project = find::project(&session.client, command.project.as_deref()).await?;
    let place = Place {
        project: None,
        env: Some(command.env.clone()),
        path: Some(command.path.clone()),
    };
    find::environments(&project, &place)?;
    let (slug, path) = (&command.env, find::normal(&command.path));
    let query = SecretsQuery {
        project_id: Some(project.id),
        environment: Some(slug.clone()),
        secret_path: Some(path.to_owned()),
        view_secret_value: Some(Flag(false)),
        ..SecretsQuery::default()
    };
    let asked = routes::with_query(&routes::secret(&command.secret), &query);
    match session.client.get(&asked).await {
        Ok(_) => Ok(project.slug),
        Err(error) if error.status() == Some(404) => Err(CtlError::missing(format!(
            "there is no secret {} in {slug} {path}",
            command.secret
        ))
        .hint(format!(
            "those there are: rotorctl secret list --env {slug} --path {path}"
        ))),
        Err(error) => Err(error),
    }
}

fn other(command: &Grant, known: &Table, file: &SettingsFile) -> CtlError {
    let (unit, credential) = (&command.unit, &command.credential);
    let place: Vec<&str> = ["project", "environment", "path"]
        .into_iter()
        .filter_map(|key| text(known, key))
        .collect();
    CtlError::failed(format!(
        "{unit} gets {} of {} as {credential} already",
        text(known, "secret").unwrap_or("something else"),
        place.join(" ")
    ))
    .hint(format!(
        "change that under [[credentials.grants]] in {}, then: sudo systemctl reload rotord",
        file.path.display()
    ))
    .hint(format!(
        "or take it away first: rotorctl credential revoke {unit} {credential}"
    ))
}

/// A table of an array may stand after anything.
fn with_entry(text: &str, entry: &Table) -> String {
    let mut text = text.to_owned();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str("[[credentials.grants]]\n");
    // In the order in which a person says it.
    for key in [
        "unit",
        "credential",
        "project",
        "environment",
        "path",
        "secret",
    ] {
        if let Some(value) = entry.get(key) {
            text.push_str(key);
            text.push_str(" = ");
            text.push_str(&value.to_string());
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What the settings hold that a command was to add.
    pub(in crate::commands::credential) fn granted(text: &str, unit: &str, path: &str) -> String {
        with_entry(text, &grant(unit, "A", path).entry(DEFAULT_PROJECT))
    }

    fn grant(unit: &str, secret: &str, path: &str) -> Grant {
        Grant {
            unit: unit.to_owned(),
            credential: "token".to_owned(),
            secret: secret.to_owned(),
            project: None,
            env: "dev".to_owned(),
            path: path.to_owned(),
            anyway: false,
            config: None,
            create: false,
        }
    }

    #[test]
    fn a_grant_is_added_to_whatever_is_there_and_found_again() {
        let texts = [
            "",
            "# mine\n[admin]\nwait = \"9s\" # short",
            "[[credentials.grants]]\nunit = \"other.service\"\ncredential = \"token\"\nenvironment = \"dev\"\nsecret = \"B\"\n",
        ];
        for text in texts {
            for wanted in [
                grant("a.service", "A", "/"),
                grant("a\"b.service", "A", "/app/"),
            ] {
                for project in [DEFAULT_PROJECT, "other"] {
                    let entry = wanted.entry(project);
                    let with = with_entry(text, &entry);
                    assert!(with.starts_with(text), "{with}");
                    let known = grants(&with.parse().unwrap());
                    let at = position(&known, &wanted.unit, "token").unwrap();
                    assert_eq!(known[at], entry);
                    assert_eq!(position(&known, "none.service", "token"), None);
                }
            }
        }
    }

    #[test]
    fn what_goes_without_saying_makes_no_other_grant() {
        let said = "[[credentials.grants]]\nunit = 'a.service'\ncredential = 'token'\nproject = 'default'\n\
                    environment = 'dev'\npath = '/'\nsecret = 'A'\n";
        let entry = grant("a.service", "A", "/").entry(DEFAULT_PROJECT);
        assert_eq!(grants(&said.parse().unwrap()), [entry]);
    }
}
