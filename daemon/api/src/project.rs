//! Where secrets live: projects, their environments, and folders in these.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::issue::{Issue, IssueCode, Issues};
use crate::query::{Flag, flag_if_any};
use crate::reader::{Reader, as_text};
use crate::timestamp::Timestamp;
use crate::{rules, tolerated};

/// A project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its slug.
    pub slug: String,
    /// Whether it is the one that is taken where none is named.
    #[serde(default)]
    pub is_default: bool,
    /// Its environments.
    pub environments: Vec<Environment>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// An environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Environment {
    /// Its id.
    pub id: Uuid,
    /// Its name, such as `Development`.
    pub name: String,
    /// Its slug, such as `dev`.
    pub slug: String,
    /// Its folders, the root first.
    #[serde(default)]
    pub folders: Vec<Folder>,
}

/// A folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Folder {
    /// Its id.
    pub id: Uuid,
    /// Its name; `root` for `/`.
    pub name: String,
    /// Its path.
    pub path: String,
}

/// Several projects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProjectsAnswer {
    /// They.
    pub projects: Vec<Project>,
}

/// One project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProjectAnswer {
    /// It.
    pub project: Project,
}

/// One environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnvironmentAnswer {
    /// It.
    pub environment: Environment,
}

/// Several environments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnvironmentsAnswer {
    /// They.
    pub environments: Vec<Environment>,
}

/// One folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FolderAnswer {
    /// It.
    pub folder: Folder,
}

/// Several folders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoldersAnswer {
    /// They.
    pub folders: Vec<Folder>,
}

/// A project to be created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateProject {
    /// Its name.
    pub project_name: String,
    /// Its slug; made of the name if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
}

impl CreateProject {
    /// Reads a body.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn from_json(body: Value) -> Result<Self, Issues> {
        let mut fields = Reader::new(body)?;
        let project_name = fields.required("projectName", as_text(title));
        let slug = fields.text_if_any("slug", rules::name);
        fields.tolerate(tolerated::PROJECT);
        match (project_name, fields.finish()) {
            (Some(project_name), Ok(())) => Ok(Self { project_name, slug }),
            (_, finished) => Err(finished.err().unwrap_or_default()),
        }
    }
}

/// An environment to be created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CreateEnvironment {
    /// For a person.
    pub name: String,
    /// A slug of 1..64 characters, unique in the project.
    pub slug: String,
}

impl CreateEnvironment {
    /// Reads a body.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn from_json(body: Value) -> Result<Self, Issues> {
        let mut fields = Reader::new(body)?;
        let name = fields.required("name", as_text(title));
        let slug = fields.required("slug", as_text(rules::name));
        fields.tolerate(tolerated::ENVIRONMENT);
        match (name, slug, fields.finish()) {
            (Some(name), Some(slug), Ok(())) => Ok(Self { name, slug }),
            (_, _, finished) => Err(finished.err().unwrap_or_default()),
        }
    }
}

/// A folder to be created; what is missing above it is not made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateFolder {
    /// The project; `workspaceId` is read too.
    pub project_id: String,
    /// The environment's slug.
    pub environment: String,
    /// The folder's name.
    pub name: String,
    /// The path of the folder that it is made in; `/` if absent. `directory` is read too.
    pub path: String,
}

impl CreateFolder {
    /// Reads a body.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn from_json(body: Value) -> Result<Self, Issues> {
        let mut fields = Reader::new(body)?;
        let workspace_id = fields.optional("workspaceId", as_text(rules::filled));
        let project_id = fields
            .optional("projectId", as_text(rules::filled))
            .or(workspace_id);
        let environment = fields.required("environment", as_text(rules::environment));
        let name = fields.required("name", as_text(rules::folder_name));
        let directory = fields.text_if_any("directory", rules::secret_path);
        let path = fields.text_if_any("path", rules::secret_path).or(directory);
        fields.tolerate(tolerated::FOLDER);
        if project_id.is_none() {
            fields.refuse(
                "projectId",
                Issue::new(IssueCode::InvalidType, "is required"),
            );
        }
        match (project_id, environment, name, fields.finish()) {
            (Some(project_id), Some(environment), Some(name), Ok(())) => Ok(Self {
                project_id,
                environment,
                name,
                path: path.unwrap_or_else(|| "/".to_owned()),
            }),
            (_, _, _, finished) => Err(finished.err().unwrap_or_default()),
        }
    }
}

/// Which folders are listed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct FoldersQuery {
    /// The project's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
    /// The same, by its older name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<String>,
    /// The environment's slug.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The folder whose folders are listed; `/` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The same, by its older name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// Whether those below these are wanted too; no if absent.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "flag_if_any"
    )]
    pub recursive: Option<Flag>,
}

fn title(text: &str) -> Result<String, Issue> {
    let title = rules::filled(text)?;
    if title.chars().count() > rules::NAME_LIMIT {
        return Err(Issue::new(
            IssueCode::TooBig,
            format!("must be at most {} characters long", rules::NAME_LIMIT),
        ));
    }
    Ok(title)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{CreateEnvironment, CreateFolder};

    #[test]
    fn a_folder_takes_either_name_of_its_project() {
        for id in ["projectId", "workspaceId"] {
            let folder =
                CreateFolder::from_json(json!({id: "p", "environment": "dev", "name": "app"}))
                    .unwrap();
            assert_eq!(
                (folder.project_id.as_str(), folder.path.as_str()),
                ("p", "/")
            );
        }
        let issues =
            CreateFolder::from_json(json!({"environment": "dev", "name": "a/b"})).unwrap_err();
        assert_eq!(issues.0.len(), 2);
    }

    #[test]
    fn an_environments_slug_is_one() {
        assert!(CreateEnvironment::from_json(json!({"name": "Quality", "slug": "qa"})).is_ok());
        assert!(CreateEnvironment::from_json(json!({"name": "Quality", "slug": "Q A"})).is_err());
    }
}
