//! Finds what a person names: a project, a rotation, a connection, a provider.

use rotord_api::connection::{AppConnection, AppConnectionsAnswer};
use rotord_api::project::{Environment, Project, ProjectsAnswer};
use rotord_api::provider::{ProviderDescription, ProvidersAnswer};
use rotord_api::query::{Flag, RotationsQuery};
use rotord_api::rotation::{
    CredentialStage, ReleasedCredential, SecretRotation, SecretRotationAnswer,
    SecretRotationsAnswer,
};
use rotord_api::{alike, routes};
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
            .ok_or_else(|| CtlError::missing("there is no project"));
    };
    let known: Vec<String> = projects
        .iter()
        .map(|project| project.slug.clone())
        .collect();
    projects
        .into_iter()
        .find(|project| project.id == named || project.slug == named || project.name == named)
        .ok_or_else(|| {
            CtlError::missing(format!("there is no project \"{named}\"")).hint(there_are(&known))
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
                CtlError::missing(format!("there is no environment \"{named}\""))
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
        CtlError::missing(format!("there is no folder {path} in {}", slugs.join(", ")))
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
    let listing = of_project(client, &project, place, false).await?;
    let rotations = listing.rotations.into_iter();
    Ok(rotations.map(|listed| listed.rotation).collect())
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

/// What a deleted rotation left alive at its provider.
pub(crate) struct Left {
    /// The slug of the project that the rotation was in.
    pub(crate) project: String,
    /// What is left.
    pub(crate) released: ReleasedCredential,
    /// The same, as it was answered.
    pub(crate) answer: Value,
}

/// What is in a place.
#[derive(Default)]
pub(crate) struct Listing {
    /// Rotations, those too that are deleted and not settled yet.
    pub(crate) rotations: Vec<Listed>,
    /// What those that are gone have left.
    pub(crate) left: Vec<Left>,
}

/// All that is in the place, of one project or of each that has the place.
pub(crate) async fn listed(
    client: &Client,
    place: &Place,
    all_projects: bool,
) -> Result<Listing, CtlError> {
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
    let mut listing = Listing::default();
    for project in with_place {
        let Listing { rotations, left } = of_project(client, &project, place, true).await?;
        listing.rotations.extend(rotations);
        listing.left.extend(left);
    }
    Ok(listing)
}

/// Those of one project.
async fn of_project(
    client: &Client,
    project: &Project,
    place: &Place,
    with_deleted: bool,
) -> Result<Listing, CtlError> {
    let query = RotationsQuery {
        project_id: Some(project.id.clone()),
        with_deleted: with_deleted.then_some(Flag(true)),
    };
    let reply = client
        .get(&routes::with_query(routes::ROTATIONS, &query))
        .await?;
    let SecretRotationsAnswer {
        secret_rotations,
        released_credentials,
    } = reply.parse()?;
    let answers = |name: &str| {
        let answers = reply.body[name].as_array().cloned();
        answers.unwrap_or_default()
    };
    let rotations = secret_rotations.into_iter().zip(answers("secretRotations"));
    let rotations = rotations.filter(|(rotation, _)| is_in(rotation, place));
    let left = released_credentials.into_iter();
    let left = left.zip(answers("releasedCredentials"));
    let left = left.filter(|(left, _)| is_at(&left.environment, &left.secret_path, place));
    Ok(Listing {
        rotations: rotations
            .map(|(rotation, answer)| Listed {
                project: project.slug.clone(),
                rotation,
                answer,
            })
            .collect(),
        left: left
            .map(|(released, answer)| Left {
                project: project.slug.clone(),
                released,
                answer,
            })
            .collect(),
    })
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
    let listing = listed(client, place, false).await?;
    let rotations = listing.rotations.into_iter().map(|listed| listed.rotation);
    let (mut found, others): (Vec<SecretRotation>, Vec<SecretRotation>) =
        rotations.partition(|rotation| rotation.name == named && is_deleting(rotation));
    let Some(any) = found.first() else {
        let mut error = CtlError::missing(format!("there is no rotation \"{named}\" here"));
        let known = others.iter().map(|rotation| rotation.name.as_str());
        let alike = alike::names(named, known);
        if !alike.is_empty() {
            error = error.hint(format!("did you mean {}?", alike.join(", or ")));
        }
        return Err(error.hint("rotorctl list shows all rotations"));
    };
    let error = CtlError::missing(format!(
        "the rotation \"{named}\" is deleted, being settled: {}",
        settling(any)
    ))
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

/// What is left to do at the provider of a deleted rotation, and what keeps it.
fn settling(rotation: &SecretRotation) -> String {
    let summary = rotation.state.as_ref().map_or("", |state| &state.summary);
    // The daemon says that it is deleted, too, where nothing is more urgent.
    let summary = summary.strip_prefix("it is deleted: ").unwrap_or(summary);
    match to_be_removed(rotation) {
        Some(what) if summary.is_empty() => what,
        Some(what) => format!("{what} ({summary})"),
        None => summary.to_owned(),
    }
}

/// What of a deleted rotation is still to be removed at its provider.
pub(crate) fn to_be_removed(rotation: &SecretRotation) -> Option<String> {
    let state = rotation.state.as_ref()?;
    let leaving = state.credentials.iter().filter(|credential| {
        let is_done = matches!(
            credential.stage,
            CredentialStage::Gone | CredentialStage::Released
        );
        !is_done
    });
    let leaving: Vec<&str> = leaving.map(|leaving| leaving.key_id.as_str()).collect();
    let leaving = (!leaving.is_empty()).then(|| {
        format!(
            "still to be removed at the provider: {}",
            leaving.join(", ")
        )
    });
    let watched = (state.watched > 0).then(|| {
        format!(
            "calls whose answer was lost, and what they made is looked for: {}",
            state.watched
        )
    });
    let parts: Vec<String> = leaving.into_iter().chain(watched).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// What is left of a rotation that was deleted just now.
pub(crate) struct Rest {
    /// The rotation, for as long as it is being settled.
    pub(crate) settling: Option<SecretRotation>,
    /// The key ids of what stays alive.
    pub(crate) alive: Vec<String>,
}

/// What is left of this rotation, which was deleted.
pub(crate) async fn rest(client: &Client, of: &SecretRotation) -> Result<Rest, CtlError> {
    let query = RotationsQuery {
        project_id: Some(of.project_id.clone()),
        with_deleted: Some(Flag(true)),
    };
    let path = routes::with_query(routes::ROTATIONS, &query);
    let answer: SecretRotationsAnswer = client.get(&path).await?.parse()?;
    let mut rotations = answer.secret_rotations.into_iter();
    let settling = rotations.find(|rotation| rotation.id == of.id && is_deleting(rotation));
    let held = settling
        .iter()
        .filter_map(|rotation| rotation.state.as_ref());
    let held = held.flat_map(|state| &state.credentials);
    let held = held.filter(|credential| credential.stage == CredentialStage::Released);
    let left = answer.released_credentials.iter();
    let left = left.filter(|left| left.rotation_id == of.id);
    let alive = held.chain(left.map(|left| &left.credential));
    let alive = alive.map(|credential| credential.key_id.clone()).collect();
    Ok(Rest { settling, alive })
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
            CtlError::missing(format!("there is no connection \"{named}\"")).hint(there_are(&known))
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
    is_at(&rotation.environment.slug, &rotation.folder.path, place)
}

fn is_at(environment: &str, path: &str, place: &Place) -> bool {
    let env = place.env.as_deref();
    let folder = place.path.as_deref();
    env.is_none_or(|env| environment == env) && folder.is_none_or(|folder| path == normal(folder))
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
