//! `rotorctl credential`: which unit gets which secret. It is the settings that say so; a grant is added to their end, so
//! that what a person wrote there stays as it is.

use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::{Args, Subcommand};
use rotord_api::query::Flag;
use rotord_api::routes;
use rotord_api::secret::SecretsQuery;
use serde_json::json;
use tokio::process::Command;
use toml::{Table, Value};

use super::secret::source::Way;
use crate::cli::Place;
use crate::error::CtlError;
use crate::exit::Exit;
use crate::output::note;
use crate::rotord;
use crate::session::Session;

#[derive(Debug, Subcommand)]
pub(crate) enum Credential {
    /// Let a unit have a secret as a systemd credential, and print the line for the unit
    Grant(Grant),
}

#[derive(Debug, Args)]
pub(crate) struct Grant {
    /// The unit's full name, such as payroll.service; payroll@.service is every instance of that template
    unit: String,
    /// The credential's name in the unit
    credential: String,
    /// The secret's name
    secret: String,
    /// The environment's slug, such as dev
    #[arg(long, value_name = "SLUG")]
    env: String,
    /// The folder's path, such as /app
    #[arg(long, value_name = "PATH", default_value = "/")]
    path: String,
    /// The daemon's settings file
    #[arg(long, value_name = "FILE", default_value = "/etc/rotord/rotord.toml")]
    config: PathBuf,
}

pub(crate) async fn run(session: &mut Session, command: Credential) -> Result<Exit, CtlError> {
    let Credential::Grant(command) = command;
    // Where it is a link, what it leads to is changed.
    let file = fs::canonicalize(&command.config).unwrap_or_else(|_| command.config.clone());
    let text = match fs::read_to_string(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        text => text.map_err(|source| no_file("read", &file, source))?,
    };
    let settings: Table = text.parse().map_err(|source: toml::de::Error| {
        CtlError::settings(format!("the settings file {} is wrong", file.display())).because(source)
    })?;
    let is_new = match granted(&settings, &command) {
        None => true,
        Some(known) if known == command.entry() => false,
        Some(known) => {
            let secret = known.get("secret").and_then(Value::as_str);
            return Err(CtlError::failed(format!(
                "{} gets {} as {} already",
                command.unit,
                secret.unwrap_or("something else"),
                command.credential
            ))
            .hint(format!(
                "change that under [[credentials.grants]] in {}, then: sudo systemctl reload rotord",
                file.display()
            )));
        }
    };
    if is_new {
        replace(&file, &with_entry(&text, &command.entry())).await?;
    }
    let socket = socket(&settings);
    let line = format!("LoadCredential={}:{}", command.credential, socket.display());
    if session.output.is_json() {
        let answer = json!({"unit": command.unit, "line": line, "settings": file, "added": is_new});
        session.output.json(&answer)?;
        return Ok(Exit::Done);
    }
    let (unit, secret) = (&command.unit, &command.secret);
    let file = file.display();
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
    warn_where_it_is_missing(session, &command).await;
    Ok(Exit::Done)
}

impl Grant {
    /// As the settings say it.
    fn entry(&self) -> Table {
        let path = (self.path != "/").then_some(("path", &self.path));
        let parts = [
            ("unit", &self.unit),
            ("credential", &self.credential),
            ("environment", &self.env),
        ];
        parts
            .into_iter()
            .chain(path)
            .chain([("secret", &self.secret)])
            .map(|(key, text)| (key.to_owned(), Value::from(text.as_str())))
            .collect()
    }
}

/// What this unit gets under this name.
fn granted(settings: &Table, wanted: &Grant) -> Option<Table> {
    let grants = settings.get("credentials")?.get("grants")?.as_array()?;
    let is =
        |grant: &Table, key: &str, text: &str| grant.get(key).and_then(Value::as_str) == Some(text);
    let mut grants = grants.iter().filter_map(Value::as_table);
    let found = grants.find(|grant| {
        is(grant, "unit", &wanted.unit) && is(grant, "credential", &wanted.credential)
    });
    let mut found = found?.clone();
    if is(&found, "path", "/") {
        found.remove("path");
    }
    Some(found)
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
    for key in ["unit", "credential", "environment", "path", "secret"] {
        if let Some(value) = entry.get(key) {
            text.push_str(key);
            text.push_str(" = ");
            text.push_str(&value.to_string());
            text.push('\n');
        }
    }
    text
}

/// Puts settings in the place of others once the daemon says that they are right: wrong ones change nothing.
async fn replace(file: &Path, text: &str) -> Result<(), CtlError> {
    let written = |source| no_file("write", file, source);
    let folder = file.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder).map_err(written)?;
    let mut draft = tempfile::Builder::new()
        .prefix(".rotord.toml.")
        .tempfile_in(folder)
        .map_err(written)?;
    draft.write_all(text.as_bytes()).map_err(written)?;
    let before = fs::metadata(file).ok();
    let mode = before
        .as_ref()
        .map_or(0o644, |before| before.mode() & 0o7777);
    draft
        .as_file()
        .set_permissions(Permissions::from_mode(mode))
        .map_err(written)?;
    if let Some(before) = before {
        std::os::unix::fs::fchown(draft.as_file(), Some(before.uid()), Some(before.gid()))
            .map_err(written)?;
    }
    check(draft.path(), file).await?;
    draft.as_file().sync_all().map_err(written)?;
    draft.persist(file).map_err(|error| written(error.error))?;
    Ok(())
}

async fn check(draft: &Path, file: &Path) -> Result<(), CtlError> {
    let program = rotord::program();
    let mut command = Command::new(&program);
    command.arg("--check").arg("--config").arg(draft);
    let checked = command.stdin(Stdio::null()).output().await;
    let checked = checked.map_err(|source| {
        CtlError::failed(format!("can't run {}", program.display())).because(source)
    })?;
    if checked.status.success() {
        return Ok(());
    }
    let said = rotord::said(&checked.stderr);
    let (draft, file) = (draft.display().to_string(), file.display().to_string());
    Err(CtlError::settings(format!(
        "with it the settings would be wrong: {}",
        said.replace(&draft, &file)
    ))
    .hint(format!("{file} is as it was")))
}

/// Where units ask, as the daemon reads it from these settings.
fn socket(settings: &Table) -> PathBuf {
    let text = |table: &str| settings.get(table)?.get("socket")?.as_str();
    text("credentials").map_or_else(
        || {
            let admin = text("admin").unwrap_or(crate::client::DEFAULT_SOCKET);
            Path::new(admin).with_file_name("credentials.sock")
        },
        PathBuf::from,
    )
}

/// A unit whose secret is not there does not start.
async fn warn_where_it_is_missing(session: &Session, command: &Grant) {
    let place = Place {
        project: None,
        env: Some(command.env.clone()),
        path: Some(command.path.clone()),
    };
    let look = async {
        let source = Way::default().source(session, &place).await?;
        let query = SecretsQuery {
            view_secret_value: Some(Flag(false)),
            ..source.query.clone()
        };
        let path = routes::with_query(&routes::secret(&command.secret), &query);
        source.client.get(&path).await
    };
    match look.await {
        Ok(_) => {}
        Err(error) if error.status() == Some(404) => note(&format!(
            "there is no secret {} there yet: until there is, the unit does not start",
            command.secret
        )),
        Err(error) => note(&format!(
            "whether there is such a secret could not be asked: {}",
            error.chain()
        )),
    }
}

fn no_file(what: &str, file: &Path, source: io::Error) -> CtlError {
    let denied = source.kind() == io::ErrorKind::PermissionDenied;
    let error =
        CtlError::failed(format!("can't {what} the settings {}", file.display())).because(source);
    if denied {
        error.hint("use sudo")
    } else {
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(unit: &str, secret: &str, path: &str) -> Grant {
        Grant {
            unit: unit.to_owned(),
            credential: "token".to_owned(),
            secret: secret.to_owned(),
            env: "dev".to_owned(),
            path: path.to_owned(),
            config: PathBuf::new(),
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
                grant("a\"b.service", "A", "/app"),
            ] {
                let with = with_entry(text, &wanted.entry());
                assert!(with.starts_with(text), "{with}");
                let settings: Table = with.parse().unwrap();
                assert_eq!(granted(&settings, &wanted), Some(wanted.entry()));
                assert_eq!(granted(&settings, &grant("none.service", "A", "/")), None);
            }
        }
    }

    #[test]
    fn units_ask_beside_the_admin_socket_unless_the_settings_say_where() {
        for (text, at) in [
            ("", "/run/rotord/credentials.sock"),
            ("[admin]\nsocket = '/x/admin.sock'", "/x/credentials.sock"),
            ("[credentials]\nsocket = '/y/c.sock'", "/y/c.sock"),
        ] {
            assert_eq!(socket(&text.parse().unwrap()), Path::new(at));
        }
    }
}
