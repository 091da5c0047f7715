//! Finds what a person names: a project, a rotation, a connection, a provider.

use rotord_api::connection::{AppConnection, AppConnectionsAnswer};
use rotord_api::project::{Environment, Project, ProjectsAnswer};
use rotord_api::provider::{ProviderDescription, ProvidersAnswer};
use rotord_api::query::{Flag, RotationsQuery};
use rotord_api::rotation::{SecretRotation, SecretRotationAnswer, SecretRotationsAnswer};
use rotord_api::routes;
use serde_json::Value;
use uuid::Uuid;

use crate::cli::Place;
use crate::client::{Client, Reply};
use crate::error::CtlError;

/// All projects.
pub(crate) async fn projects(client: &Client) -> Result<Vec<Project>, CtlError> {
    let answer = client.get(routes::PROJECTS).await?;
    Ok(answer.parse::<ProjectsAnswer>()?.projects)
}

/// The project with this id, slug or name, or the default one.
pub(crate) async fn project(client: &Client, named: Option<&str>) -> Result<Project, CtlError> {
    let projects = projects(client).await?;
    let Some(named) = named else {
        let default = projects
            .iter()
            .position(|project| project.is_default)
            .unwrap_or(0);
        return projects
            .into_iter()
            .nth(default)
            .ok_or_else(|| CtlError::failed("there is no project"));
    };
    let known: Vec<String> = projects
        .iter()
        .map(|project| project.slug.clone())
        .collect();
    projects
        .into_iter()
        .find(|project| project.id == named || project.slug == named || project.name == named)
        .ok_or_else(|| {
            CtlError::failed(format!("there is no project \"{named}\"")).hint(there_are(&known))
        })
}

/// The environment that was named, or the only one.
pub(crate) fn environment(project: &Project, named: Option<&str>) -> Result<Environment, CtlError> {
    let slugs: Vec<String> = project
        .environments
        .iter()
        .map(|environment| environment.slug.clone())
        .collect();
    match (named, project.environments.as_slice()) {
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(CtlError::usage("which environment? say --env").hint(there_are(&slugs))),
        (Some(named), environments) => environments
            .iter()
            .find(|environment| environment.slug == named)
            .cloned()
            .ok_or_else(|| {
                CtlError::failed(format!("there is no environment \"{named}\""))
                    .hint(there_are(&slugs))
            }),
    }
}

/// The environments of a place: the one that it names, or all. One that names something which is not there is a typing
/// mistake, and an empty list would be its only sign.
pub(crate) fn environments(project: &Project, place: &Place) -> Result<Vec<Environment>, CtlError> {
    let found = match &place.env {
        Some(named) => vec![environment(project, Some(named))?],
        None => project.environments.clone(),
    };
    let Some(path) = place.path.as_deref().map(normal) else {
        return Ok(found);
    };
    let has = |environment: &Environment| {
        let mut folders = environment.folders.iter();
        folders.any(|folder| folder.path == path)
    };
    if found.iter().any(has) {
        return Ok(found);
    }
    let slugs: Vec<&str> = found.iter().map(|found| found.slug.as_str()).collect();
    Err(
        CtlError::failed(format!("there is no folder {path} in {}", slugs.join(", ")))
            .hint("those there are: rotorctl folder list"),
    )
}

/// All rotations of a project that are in the place.
pub(crate) async fn rotations(
    client: &Client,
    place: &Place,
) -> Result<Vec<SecretRotation>, CtlError> {
    let project = project(client, place.project.as_deref()).await?;
    environments(&project, place)?;
    let listed = of_project(client, &project, place, false).await?;
    Ok(listed.into_iter().map(|listed| listed.rotation).collect())
}

/// A rotation that was listed.
pub(crate) struct Listed {
    /// The slug of the project that it is in.
    pub(crate) project: String,
    /// The rotation.
    pub(crate) rotation: SecretRotation,
    /// The same, as it was answered.
    pub(crate) answer: Value,
}

/// All rotations that are in the place, of one project or of each that has the place; those too that are deleted and not
/// settled yet.
pub(crate) async fn listed(
    client: &Client,
    place: &Place,
    all_projects: bool,
) -> Result<Vec<Listed>, CtlError> {
    let projects = if all_projects {
        projects(client).await?
    } else {
        vec![project(client, place.project.as_deref()).await?]
    };
    let mut nowhere = None;
    let mut with_place = Vec::new();
    for project in projects {
        match environments(&project, place) {
            Ok(_) => with_place.push(project),
            Err(error) => nowhere = nowhere.or(Some(error)),
        }
    }
    if let Some(error) = nowhere.filter(|_| with_place.is_empty()) {
        return Err(error);
    }
    let mut listed = Vec::new();
    for project in with_place {
        listed.extend(of_project(client, &project, place, true).await?);
    }
    Ok(listed)
}

/// Those of one project.
async fn of_project(
    client: &Client,
    project: &Project,
    place: &Place,
    with_deleted: bool,
) -> Result<Vec<Listed>, CtlError> {
    let query = RotationsQuery {
        project_id: Some(project.id.clone()),
        with_deleted: with_deleted.then_some(Flag(true)),
    };
    let reply = client
        .get(&routes::with_query(routes::ROTATIONS, &query))
        .await?;
    let rotations = reply.parse::<SecretRotationsAnswer>()?.secret_rotations;
    let answers = reply.body["secretRotations"].as_array().cloned();
    let both = rotations.into_iter().zip(answers.unwrap_or_default());
    let here = both.filter(|(rotation, _)| is_in(rotation, place));
    Ok(here
        .map(|(rotation, answer)| Listed {
            project: project.slug.clone(),
            rotation,
            answer,
        })
        .collect())
}

/// Whether it is deleted, and being settled at its provider.
pub(crate) fn is_deleting(rotation: &SecretRotation) -> bool {
    rotation.state.as_ref().is_some_and(|state| state.deleting)
}

/// The rotation with this id, or with this name in the place. A deleted one is found for as long as it waits for a
/// person's word.
pub(crate) async fn rotation(
    client: &Client,
    named: &str,
    place: &Place,
) -> Result<SecretRotation, CtlError> {
    if let Ok(id) = Uuid::try_parse(named) {
        let reply = client
            .get(&routes::of_rotation(routes::ROTATION_OF_ANY_TYPE, id))
            .await;
        return reply
            .map_err(|error| error.hint("rotorctl list shows all rotations"))?
            .parse::<SecretRotationAnswer>()
            .map(|answer| answer.secret_rotation);
    }
    let mut found = rotations(client, place).await?;
    found.retain(|rotation| rotation.name == named);
    if found.is_empty() {
        return deleted(client, named, place).await;
    }
    if found.len() == 1 {
        return Ok(found.remove(0));
    }
    let places: Vec<String> = found
        .iter()
        .map(|rotation| {
            format!(
                "--env {} --path {}",
                rotation.environment.slug, rotation.folder.path
            )
        })
        .collect();
    Err(
        CtlError::usage(format!("there are several rotations \"{named}\""))
            .hint(format!("say which: {}", places.join(", or "))),
    )
}

/// A deleted rotation with this name that only a person can settle.
async fn deleted(client: &Client, named: &str, place: &Place) -> Result<SecretRotation, CtlError> {
    let listed = listed(client, place, false).await?;
    let mut found: Vec<SecretRotation> = listed
        .into_iter()
        .map(|listed| listed.rotation)
        .filter(|rotation| rotation.name == named && is_deleting(rotation))
        .collect();
    let Some(any) = found.first() else {
        return Err(
            CtlError::failed(format!("there is no rotation \"{named}\" here"))
                .hint("rotorctl list shows all rotations"),
        );
    };
    let summary = any.state.as_ref().map_or("", |state| &state.summary);
    let error = CtlError::failed(format!("the rotation \"{named}\" is gone: {summary}"))
        .hint("rotorctl list shows what is left of it");
    found.retain(|rotation| {
        let state = rotation.state.as_ref();
        state.is_some_and(|state| !state.attention.is_empty())
    });
    if found.len() == 1 {
        Ok(found.remove(0))
    } else {
        Err(error)
    }
}

/// All connections.
pub(crate) async fn connections(client: &Client) -> Result<(Reply, Vec<AppConnection>), CtlError> {
    let reply = client.get(routes::CONNECTIONS).await?;
    let connections = reply.parse::<AppConnectionsAnswer>()?.app_connections;
    Ok((reply, connections))
}

/// The connection with this id or name.
pub(crate) async fn connection(client: &Client, named: &str) -> Result<AppConnection, CtlError> {
    let (_, connections) = connections(client).await?;
    let known: Vec<String> = connections
        .iter()
        .map(|connection| connection.name.clone())
        .collect();
    connections
        .into_iter()
        .find(|connection| connection.name == named || connection.id.to_string() == named)
        .ok_or_else(|| {
            CtlError::failed(format!("there is no connection \"{named}\"")).hint(there_are(&known))
        })
}

/// What all usable providers say of themselves.
pub(crate) async fn providers(client: &Client) -> Result<Vec<ProviderDescription>, CtlError> {
    let reports = client
        .get(routes::PROVIDERS)
        .await?
        .parse::<ProvidersAnswer>()?
        .providers;
    Ok(reports
        .into_iter()
        .filter_map(|report| report.description)
        .collect())
}

/// The provider that serves connections of this kind.
pub(crate) async fn provider_of_app(
    client: &Client,
    app: &str,
) -> Result<ProviderDescription, CtlError> {
    let providers = providers(client).await?;
    let known: Vec<String> = providers
        .iter()
        .map(|provider| provider.connection.slug.clone())
        .collect();
    providers
        .into_iter()
        .find(|provider| provider.connection.slug == app)
        .ok_or_else(|| {
            CtlError::failed(format!(
                "no provider serves connections of the kind \"{app}\""
            ))
            .hint(there_are(&known))
        })
}

fn is_in(rotation: &SecretRotation, place: &Place) -> bool {
    place
        .env
        .as_deref()
        .is_none_or(|env| rotation.environment.slug == env)
        && place
            .path
            .as_deref()
            .is_none_or(|path| rotation.folder.path == normal(path))
}

/// The names of the secrets that a rotation feeds, for a sentence.
pub(crate) fn secret_names(rotation: &SecretRotation) -> String {
    let names: Vec<&str> = rotation
        .secrets_mapping
        .values()
        .map(String::as_str)
        .collect();
    names.join(", ")
}

/// The path as the daemon writes it.
pub(crate) fn normal(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" => "/",
        path => path,
    }
}

fn there_are(names: &[String]) -> String {
    match names {
        [] => "there is none yet".to_owned(),
        names => format!("there is {}", names.join(", ")),
    }
}
