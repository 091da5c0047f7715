//! Projects, their environments, and the folders in those.

use actix_web::web::Path;
use rotord_api::issue::{Issue, IssueCode};
use rotord_api::project::{
    CreateEnvironment, CreateFolder, CreateProject, Environment, EnvironmentAnswer,
    EnvironmentsAnswer, Folder, FolderAnswer, FoldersAnswer, FoldersQuery, Project, ProjectAnswer,
    ProjectsAnswer,
};
use rotord_api::{Issues, Timestamp, routes, rules};
use rotord_store::places::DEFAULT_PROJECT;
use rotord_store::{self as store, Reader, StoreError};
use serde_json::json;

use super::error::ApiError;
use super::lookup::optional;
use super::peer::Peer;
use super::request::{Body, Query, needed, ok};
use super::{Daemon, Reply, Shared, audit, lookup};

/// All projects.
#[utoipa::path(get, path = routes::PROJECTS, tag = "projects",
    responses((status = 200, body = ProjectsAnswer)))]
pub(super) async fn list_projects(daemon: Daemon) -> Reply {
    let projects = daemon
        .store
        .read(|reader| {
            let projects = reader.projects()?;
            projects
                .iter()
                .map(|project| view(reader, project))
                .collect()
        })
        .await?;
    Ok(ok(&ProjectsAnswer { projects }))
}

/// Creates a project with the usual environments.
#[utoipa::path(post, path = routes::PROJECTS, tag = "projects", request_body = CreateProject,
    responses((status = 200, body = ProjectAnswer)))]
pub(super) async fn create_project(daemon: Daemon, peer: Peer, body: Body<CreateProject>) -> Reply {
    let Body(CreateProject {
        project_name: name,
        slug,
    }) = body;
    let slug = match slug {
        Some(slug) => slug,
        None => rules::name(&slug_of(&name)).map_err(|_| {
            let message = "has no letter or digit to make a slug of: give a slug";
            Issues::from(Issue::new(IssueCode::InvalidString, message)).under("projectName")
        })?,
    };
    let at = daemon.clock.now().wall;
    let detail = json!({"name": name, "slug": slug});
    let note = [audit::entry(&peer, "create-project", detail)];
    let made = daemon
        .store
        .write(move |store| store.create_project(at, &slug, &name, &note))
        .await?;
    shown(&daemon, made).await
}

/// One project.
#[utoipa::path(get, path = routes::PROJECT, tag = "projects",
    params(("projectId" = String, Path, description = "The project's id")),
    responses((status = 200, body = ProjectAnswer)))]
pub(super) async fn get_project(daemon: Daemon, id: Path<String>) -> Reply {
    let project = lookup::project(&daemon, &id).await?;
    shown(&daemon, project).await
}

/// One project, by its slug.
#[utoipa::path(get, path = routes::PROJECT_BY_SLUG, tag = "projects",
    params(("slug" = String, Path, description = "The project's slug")),
    responses((status = 200, body = Project)))]
pub(super) async fn get_project_by_slug(daemon: Daemon, slug: Path<String>) -> Reply {
    let project = lookup::project(&daemon, &slug).await?;
    if project.slug != *slug {
        return Err(ApiError::not_found(format!(
            "Could not find project with slug \"{slug}\""
        )));
    }
    let project = daemon
        .store
        .read(move |reader| view(reader, &project))
        .await?;
    Ok(ok(&project))
}

/// A project's environments.
#[utoipa::path(get, path = routes::ENVIRONMENTS, tag = "projects",
    params(("projectId" = String, Path, description = "The project's id")),
    responses((status = 200, body = EnvironmentsAnswer)))]
pub(super) async fn list_environments(daemon: Daemon, id: Path<String>) -> Reply {
    let project = lookup::project(&daemon, &id).await?;
    let environments = daemon
        .store
        .read(move |reader| view(reader, &project))
        .await?
        .environments;
    Ok(ok(&EnvironmentsAnswer { environments }))
}

/// Creates an environment with its folder `/`.
#[utoipa::path(post, path = routes::ENVIRONMENTS, tag = "projects",
    params(("projectId" = String, Path, description = "The project's id")),
    request_body = CreateEnvironment,
    responses((status = 200, body = EnvironmentAnswer)))]
pub(super) async fn create_environment(
    daemon: Daemon,
    id: Path<String>,
    peer: Peer,
    body: Body<CreateEnvironment>,
) -> Reply {
    let project = lookup::project(&daemon, &id).await?;
    let Body(CreateEnvironment { name, slug }) = body;
    let detail = json!({"projectId": project.id, "name": name, "slug": slug});
    let note = [audit::entry(&peer, "create-environment", detail)];
    let at = daemon.clock.now().wall;
    let made = daemon
        .store
        .write(move |store| store.create_environment(at, project.id, &slug, &name, &note))
        .await?;
    let environment = daemon
        .store
        .read(move |reader| environment(reader, &made))
        .await?;
    Ok(ok(&EnvironmentAnswer { environment }))
}

/// The folders that are directly in a folder, or all below it.
#[utoipa::path(get, path = routes::FOLDERS, tag = "projects", params(FoldersQuery),
    responses((status = 200, body = FoldersAnswer)))]
pub(super) async fn list_folders(daemon: Daemon, query: Query<FoldersQuery>) -> Reply {
    let Query(query) = query;
    let project = query.project_id.or(query.workspace_id);
    let project = needed(project.as_deref(), "projectId")?;
    let environment = needed(query.environment.as_deref(), "environment")?;
    let filled = |path: Option<String>| path.filter(|path| !path.trim().is_empty());
    let path = filled(query.path).or(filled(query.directory));
    let recursive = query.recursive.unwrap_or_default().0;
    let path = rules::secret_path(path.as_deref().unwrap_or("/"))
        .map_err(|issue| Issues::from(issue).under("path"))?;
    let place = lookup::place(&daemon, &project, &environment, &path).await?;
    let all = daemon
        .store
        .read(move |reader| reader.folders(place.environment.id))
        .await?;
    let is_wanted = |folder: &&store::Folder| {
        let mut above = std::iter::successors(parent(&folder.path), |path| parent(path));
        if recursive {
            above.any(|above| above == path)
        } else {
            above.next() == Some(path.as_str())
        }
    };
    let folders = all.iter().filter(is_wanted);
    Ok(ok(&FoldersAnswer {
        folders: folders.map(folder).collect(),
    }))
}

/// Creates a folder in one that exists.
#[utoipa::path(post, path = routes::FOLDERS, tag = "projects", request_body = CreateFolder,
    responses((status = 200, body = FolderAnswer)))]
pub(super) async fn create_folder(daemon: Daemon, peer: Peer, body: Body<CreateFolder>) -> Reply {
    let Body(CreateFolder {
        project_id,
        environment,
        name,
        path,
    }) = body;
    let place = lookup::place(&daemon, &project_id, &environment, &path).await?;
    let path = format!("{}/{name}", path.trim_end_matches('/'));
    let path = rules::secret_path(&path).map_err(|issue| Issues::from(issue).under("path"))?;
    let detail = json!({"projectId": place.project.id, "environment": environment, "path": path});
    let note = [audit::entry(&peer, "create-folder", detail)];
    let at = daemon.clock.now().wall;
    let made = daemon
        .store
        .write(move |store| store.create_folder(at, place.environment.id, &path, &note))
        .await?;
    Ok(ok(&FolderAnswer {
        folder: folder(&made),
    }))
}

async fn shown(daemon: &Shared, project: store::Project) -> Reply {
    let project = daemon
        .store
        .read(move |reader| view(reader, &project))
        .await?;
    Ok(ok(&ProjectAnswer { project }))
}

/// The id of the project that is taken where none is named; empty where there is none.
pub(super) async fn default_id(daemon: &Shared) -> Result<String, ApiError> {
    let project = daemon
        .store
        .read(|reader| optional(reader.project(DEFAULT_PROJECT)))
        .await?;
    Ok(project
        .map(|project| project.id.to_string())
        .unwrap_or_default())
}

fn view(reader: &Reader, project: &store::Project) -> Result<Project, StoreError> {
    let environments = reader.environments(project.id)?;
    Ok(Project {
        id: project.id.to_string(),
        name: project.name.clone(),
        slug: project.slug.clone(),
        is_default: project.slug == DEFAULT_PROJECT,
        environments: environments
            .iter()
            .map(|one| environment(reader, one))
            .collect::<Result<_, _>>()?,
        created_at: Timestamp(project.created_at),
        updated_at: Timestamp(project.created_at),
    })
}

fn environment(reader: &Reader, of: &store::Environment) -> Result<Environment, StoreError> {
    Ok(Environment {
        id: of.id.0,
        name: of.name.clone(),
        slug: of.slug.clone(),
        folders: reader.folders(of.id)?.iter().map(folder).collect(),
    })
}

fn folder(of: &store::Folder) -> Folder {
    let name = of.path.rsplit('/').next().filter(|name| !name.is_empty());
    Folder {
        id: of.id.0,
        name: name.unwrap_or("root").to_owned(),
        path: of.path.clone(),
    }
}

/// The path of the folder that this one is in; none for `/`.
fn parent(path: &str) -> Option<&str> {
    match path.rsplit_once('/')? {
        (_, "") => None,
        ("", _) => Some("/"),
        (parent, _) => Some(parent),
    }
}

/// Lowercase letters and digits, with single hyphens for what is between them.
fn slug_of(name: &str) -> String {
    let lower = name.to_lowercase();
    let parts = lower.split(|c: char| !c.is_ascii_alphanumeric());
    parts
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

#[cfg(test)]
mod tests {
    use super::{parent, slug_of};

    #[test]
    fn the_root_is_in_no_folder() {
        for (path, wanted) in [("/", None), ("/a", Some("/")), ("/a/b", Some("/a"))] {
            assert_eq!(parent(path), wanted, "{path}");
        }
    }

    #[test]
    fn a_slug_is_made_of_what_a_name_has() {
        assert_eq!(slug_of("  My App (2) "), "my-app-2");
        assert_eq!(slug_of("äöü"), "");
    }
}
