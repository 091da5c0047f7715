//! Finds what a person names: a project, a rotation, a connection, a provider.

use rotord_api::connection::{AppConnection, AppConnectionsAnswer};
use rotord_api::project::{Environment, Project, ProjectsAnswer};
use rotord_api::provider::{ProviderDescription, ProvidersAnswer};
use rotord_api::query::ProjectQuery;
use rotord_api::rotation::{SecretRotation, SecretRotationAnswer, SecretRotationsAnswer};
use rotord_api::routes;
use uuid::Uuid;

use crate::cli::Place;
use crate::client::{Client, Reply};
use crate::error::CtlError;

/// The project with this id, slug or name, or the default one.
pub(crate) async fn project(client: &Client, named: Option<&str>) -> Result<Project, CtlError> {
    let projects = client
        .get(routes::PROJECTS)
        .await?
        .parse::<ProjectsAnswer>()?
        .projects;
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
) -> Result<(Reply, Vec<SecretRotation>), CtlError> {
    let project = project(client, place.project.as_deref()).await?;
    environments(&project, place)?;
    let query = ProjectQuery {
        project_id: Some(project.id),
    };
    let reply = client
        .get(&routes::with_query(routes::ROTATIONS, &query))
        .await?;
    let mut rotations = reply.parse::<SecretRotationsAnswer>()?.secret_rotations;
    rotations.retain(|rotation| is_in(rotation, place));
    Ok((reply, rotations))
}

/// The rotation with this id, or with this name in the place.
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
    let (_, mut found) = rotations(client, place).await?;
    found.retain(|rotation| rotation.name == named);
    match found.len() {
        0 => Err(
            CtlError::failed(format!("there is no rotation \"{named}\" here"))
                .hint("rotorctl list shows all rotations"),
        ),
        1 => Ok(found.remove(0)),
        _ => {
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
