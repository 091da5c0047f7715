//! `rotorctl folder`.

use clap::{Args, Subcommand};
use rotord_api::project::{CreateFolder, Environment, Project};
use rotord_api::{Issues, routes, rules};
use serde_json::json;

use crate::cli::Place;
use crate::client::{Client, Reply};
use crate::error::CtlError;
use crate::exit::Exit;
use crate::find;
use crate::output::Table;
use crate::session::Session;

#[derive(Debug, Subcommand)]
pub(crate) enum Folder {
    /// List the folders of an environment, or of all
    List(List),
    /// Make a folder, and those above it that are missing
    Add(Add),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Its path, such as /app
    folder: String,
    /// The project's id, slug or name; the default one if not given
    #[arg(long, value_name = "PROJECT")]
    project: Option<String>,
    /// The environment's slug, such as dev
    #[arg(long, value_name = "SLUG")]
    env: Option<String>,
}

pub(crate) async fn run(session: &mut Session, command: Folder) -> Result<Exit, CtlError> {
    match command {
        Folder::List(command) => list(session, command).await,
        Folder::Add(command) => add(session, command).await,
    }
}

async fn list(session: &mut Session, command: List) -> Result<Exit, CtlError> {
    let place = command.place;
    let project = find::project(&session.client, place.project.as_deref()).await?;
    let environments = find::environments(&project, &place)?;
    let is_here = |path: &str| match place.path.as_deref().map(find::normal) {
        None | Some("/") => true,
        Some(above) => path
            .strip_prefix(above)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
    };
    let all = environments.iter().flat_map(|environment| {
        let folders = environment.folders.iter();
        folders.map(move |folder| (environment, folder))
    });
    let found: Vec<_> = all.filter(|(_, folder)| is_here(&folder.path)).collect();
    if session.output.is_json() {
        let folders = found.iter().map(|(environment, folder)| {
            json!({
                "id": folder.id, "name": folder.name, "path": folder.path, "environment": environment.slug
            })
        });
        let folders: Vec<_> = folders.collect();
        session.output.json(&json!({ "folders": folders }))?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["PATH", "ENV", "ID"]);
    for (environment, folder) in found {
        table.row([
            folder.path.as_str().into(),
            environment.slug.as_str().into(),
            folder.id.to_string().into(),
        ]);
    }
    session.output.list(
        &table,
        "there is no such folder: rotorctl folder add PATH --env SLUG makes one",
    )?;
    Ok(Exit::Done)
}

async fn add(session: &mut Session, command: Add) -> Result<Exit, CtlError> {
    let project = find::project(&session.client, command.project.as_deref()).await?;
    let environment = find::environment(&project, command.env.as_deref())?;
    let path = rules::secret_path(&command.folder)
        .map_err(|issue| CtlError::issues("the folder", &Issues::from(issue).under("path")))?;
    let Some(reply) = make(&session.client, &project, &environment, &path).await? else {
        return Err(CtlError::failed(format!(
            "the folder {path} is there already, in {}",
            environment.slug
        )));
    };
    if session.output.is_json() {
        session.output.json(&reply.body)?;
    } else {
        session
            .output
            .line(format!("folder {path} is there, in {}", environment.slug))?;
    }
    Ok(Exit::Done)
}

/// Makes a folder and what is missing above it. None: it is there.
pub(crate) async fn make(
    client: &Client,
    project: &Project,
    environment: &Environment,
    path: &str,
) -> Result<Option<Reply>, CtlError> {
    let mut above = "/".to_owned();
    let mut made = None;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        let path = format!("{}/{name}", above.trim_end_matches('/'));
        if !environment.folders.iter().any(|known| known.path == path) {
            let body = CreateFolder {
                project_id: project.id.clone(),
                environment: environment.slug.clone(),
                name: name.to_owned(),
                path: above,
            };
            made = Some(client.post(routes::FOLDERS, &body).await?);
        }
        above = path;
    }
    Ok(made)
}

/// Whether the daemon's words say that a folder is not there.
pub(crate) fn is_missing(words: &str) -> bool {
    words.starts_with("Could not find folder")
}

/// The error, with the command that makes the folder where one is missing.
pub(crate) fn hinted(error: CtlError, environment: &str, path: &str) -> CtlError {
    if is_missing(&error.to_string()) && find::normal(path) != "/" {
        let path = find::normal(path);
        error.hint(format!(
            "make the folder: rotorctl folder add {path} --env {environment}"
        ))
    } else {
        error
    }
}
