//! Projects, their environments, and the folders in those.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension as _, Row};
use uuid::Uuid;

use crate::audit::AuditEntry;
use crate::columns::Millis;
use crate::error::{Conflict, StoreError, TakenName, What};
use crate::id::{EnvironmentId, FolderId, ProjectId};
use crate::reader::{Books, Reader};
use crate::store::Store;

/// The slug of the project that a first start makes.
pub const DEFAULT_PROJECT: &str = "default";

/// What every new project has.
const ENVIRONMENTS: [(&str, &str); 3] = [
    ("dev", "Development"),
    ("staging", "Staging"),
    ("prod", "Production"),
];

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Its short name, unique.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// An environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its id.
    pub id: EnvironmentId,
    /// The project that it is in.
    pub project: ProjectId,
    /// Its short name, unique in the project.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Its id.
    pub id: FolderId,
    /// The environment that it is in.
    pub environment: EnvironmentId,
    /// `/`, or parts that each follow a `/`.
    pub path: String,
}

/// A folder with all that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The project.
    pub project: Project,
    /// The environment.
    pub environment: Environment,
    /// The folder.
    pub folder: Folder,
}

impl Place {
    /// These names of secrets are taken here.
    pub fn taken(&self, names: Vec<TakenName>) -> Conflict {
        Conflict::SecretNames {
            names,
            environment: self.environment.slug.clone(),
            path: self.folder.path.clone(),
        }
    }
}

impl Reader {
    /// All projects, by name.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn projects(&self) -> Result<Vec<Project>, StoreError> {
        let sql = "SELECT id, slug, name, created_at FROM projects ORDER BY name";
        let mut statement = self.connection.prepare_cached(sql)?;
        let projects = statement.query_map([], project)?;
        Ok(projects.collect::<Result<_, _>>()?)
    }

    /// The project with this id or slug.
    ///
    /// # Errors
    /// There is none.
    pub fn project(&self, id_or_slug: &str) -> Result<Project, StoreError> {
        // A slug may look like an id, and the id goes first.
        let sql = "SELECT id, slug, name, created_at FROM projects WHERE id = ?1 OR slug = ?2
                   ORDER BY id = ?1 DESC LIMIT 1";
        let id = Uuid::try_parse(id_or_slug).map(|id| id.to_string()).ok();
        self.connection
            .prepare_cached(sql)?
            .query_row((id, id_or_slug), project)
            .optional()?
            .ok_or_else(|| StoreError::not_found(What::Project, id_or_slug))
    }

    /// A project's environments, in the order in which they were made.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn environments(&self, project: ProjectId) -> Result<Vec<Environment>, StoreError> {
        let sql =
            "SELECT id, project, slug, name FROM environments WHERE project = ?1 ORDER BY position";
        let mut statement = self.connection.prepare_cached(sql)?;
        let environments = statement.query_map([project], environment)?;
        Ok(environments.collect::<Result<_, _>>()?)
    }

    /// The environment of a project with this slug.
    ///
    /// # Errors
    /// There is none.
    pub fn environment(&self, project: ProjectId, slug: &str) -> Result<Environment, StoreError> {
        let sql =
            "SELECT id, project, slug, name FROM environments WHERE project = ?1 AND slug = ?2";
        self.connection
            .prepare_cached(sql)?
            .query_row((project, slug), environment)
            .optional()?
            .ok_or_else(|| StoreError::not_found(What::Environment, slug))
    }

    /// An environment's folders, by path.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn folders(&self, environment: EnvironmentId) -> Result<Vec<Folder>, StoreError> {
        let sql = "SELECT id, environment, path FROM folders WHERE environment = ?1 ORDER BY path";
        let mut statement = self.connection.prepare_cached(sql)?;
        let folders = statement.query_map([environment], folder)?;
        Ok(folders.collect::<Result<_, _>>()?)
    }

    /// The folder of an environment with this path.
    ///
    /// # Errors
    /// There is none.
    pub fn folder(&self, environment: EnvironmentId, path: &str) -> Result<Folder, StoreError> {
        self.read(|books| books.folder(environment, path))
    }

    /// A folder with all that it is in.
    ///
    /// # Errors
    /// There is none.
    pub fn place(&self, folder: FolderId) -> Result<Place, StoreError> {
        self.read(|books| books.place(folder))
    }
}

impl Store {
    /// Makes a project with the usual environments.
    ///
    /// # Errors
    /// The slug is taken.
    pub fn create_project(
        &mut self,
        at: DateTime<Utc>,
        slug: &str,
        name: &str,
        audit: &[AuditEntry],
    ) -> Result<Project, StoreError> {
        self.write(|books| {
            let made = make_project(books.sql, at, slug, name)?;
            books.note(at, audit)?;
            Ok(made)
        })
    }

    /// Makes an environment with its folder `/`.
    ///
    /// # Errors
    /// The slug is taken in this project, or there is no such project.
    pub fn create_environment(
        &mut self,
        at: DateTime<Utc>,
        project: ProjectId,
        slug: &str,
        name: &str,
        audit: &[AuditEntry],
    ) -> Result<Environment, StoreError> {
        self.write(|books| {
            let sql = "SELECT 1 FROM projects WHERE id = ?1";
            if !books.sql.prepare_cached(sql)?.exists([project])? {
                return Err(StoreError::not_found(What::Project, project));
            }
            let made = make_environment(books.sql, project, slug, name)?;
            books.note(at, audit)?;
            Ok(made)
        })
    }

    /// Makes a folder, and those above it that are missing. The path is in its normal form: `/a/b`.
    ///
    /// # Errors
    /// It exists, or there is no such environment.
    pub fn create_folder(
        &mut self,
        at: DateTime<Utc>,
        environment: EnvironmentId,
        path: &str,
        audit: &[AuditEntry],
    ) -> Result<Folder, StoreError> {
        self.write(|books| {
            let sql = "SELECT 1 FROM environments WHERE id = ?1";
            if !books.sql.prepare_cached(sql)?.exists([environment])? {
                return Err(StoreError::not_found(What::Environment, environment));
            }
            let ends = path
                .match_indices('/')
                .map(|(at, _)| at)
                .filter(|at| *at > 0);
            for end in ends {
                make_folder(books.sql, environment, &path[..end])?;
            }
            if !make_folder(books.sql, environment, path)? {
                let path = path.to_owned();
                return Err(Conflict::FolderPath { path }.into());
            }
            books.note(at, audit)?;
            books.folder(environment, path)
        })
    }

    /// Removes an empty folder.
    ///
    /// # Errors
    /// It is the folder `/`, or holds folders, secrets or rotations; those of deleted rotations that are still
    /// being settled count.
    pub fn delete_folder(&mut self, id: FolderId) -> Result<(), StoreError> {
        self.write(|books| {
            let place = books.place(id)?;
            let path = place.folder.path;
            if path == "/" {
                let holds = "everything of its environment".to_owned();
                return Err(Conflict::FolderInUse { path, holds }.into());
            }
            let (first, end) = below(&path);
            let (folders, secrets, rotations): (u32, u32, u32) = books.sql.query_row(
                "SELECT (SELECT count(*) FROM folders WHERE environment = ?2 AND path >= ?3 AND path < ?4),
                        (SELECT count(*) FROM secret_names WHERE folder = ?1),
                        (SELECT count(*) FROM rotations WHERE folder = ?1)",
                (id, place.environment.id, first, end),
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )?;
            let holds: Vec<String> = [
                (folders, "folders"),
                (secrets, "secrets"),
                (rotations, "rotations, or deleted ones that are still being settled"),
            ]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
            if !holds.is_empty() {
                let holds = holds.join(", ");
                return Err(Conflict::FolderInUse { path, holds }.into());
            }
            books
                .sql
                .execute("DELETE FROM folders WHERE id = ?1", [id])?;
            Ok(())
        })
    }
}

impl Books<'_> {
    pub(crate) fn folder(
        &self,
        environment: EnvironmentId,
        path: &str,
    ) -> Result<Folder, StoreError> {
        let sql = "SELECT id, environment, path FROM folders WHERE environment = ?1 AND path = ?2";
        self.sql
            .prepare_cached(sql)?
            .query_row((environment, path), folder)
            .optional()?
            .ok_or_else(|| StoreError::not_found(What::Folder, path))
    }

    pub(crate) fn place(&self, id: FolderId) -> Result<Place, StoreError> {
        let sql = "SELECT p.id, p.slug, p.name, p.created_at, e.id, e.slug, e.name, f.id, f.path
                   FROM folders f JOIN environments e ON e.id = f.environment
                   JOIN projects p ON p.id = e.project WHERE f.id = ?1";
        self.sql
            .prepare_cached(sql)?
            .query_row([id], |row| {
                let project = project(row)?;
                let environment = Environment {
                    id: row.get(4)?,
                    project: project.id,
                    slug: row.get(5)?,
                    name: row.get(6)?,
                };
                let folder = Folder {
                    id: row.get(7)?,
                    environment: environment.id,
                    path: row.get(8)?,
                };
                Ok(Place {
                    project,
                    environment,
                    folder,
                })
            })
            .optional()?
            .ok_or_else(|| StoreError::not_found(What::Folder, id))
    }
}

/// The half-open range of the paths below a folder: `0` follows `/`.
pub(crate) fn below(path: &str) -> (String, String) {
    let path = path.trim_end_matches('/');
    (format!("{path}/"), format!("{path}0"))
}

pub(crate) fn make_default(sql: &Connection, now: DateTime<Utc>) -> Result<(), StoreError> {
    make_project(sql, now, DEFAULT_PROJECT, "Default").map(drop)
}

fn make_project(
    sql: &Connection,
    at: DateTime<Utc>,
    slug: &str,
    name: &str,
) -> Result<Project, StoreError> {
    let id = ProjectId::random();
    let made = sql.execute(
        "INSERT INTO projects (id, slug, name, created_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO NOTHING",
        (id, slug, name, Millis(at)),
    )?;
    if made == 0 {
        let slug = slug.to_owned();
        return Err(Conflict::ProjectSlug { slug }.into());
    }
    for (slug, name) in ENVIRONMENTS {
        make_environment(sql, id, slug, name)?;
    }
    let read = "SELECT id, slug, name, created_at FROM projects WHERE id = ?1";
    Ok(sql.query_row(read, [id], project)?)
}

fn make_environment(
    sql: &Connection,
    project: ProjectId,
    slug: &str,
    name: &str,
) -> Result<Environment, StoreError> {
    let id = EnvironmentId::random();
    let made = sql.execute(
        "INSERT INTO environments (id, project, slug, name, position)
         VALUES (?1, ?2, ?3, ?4, (SELECT coalesce(max(position), 0) + 1 FROM environments))
         ON CONFLICT DO NOTHING",
        (id, project, slug, name),
    )?;
    if made == 0 {
        let slug = slug.to_owned();
        return Err(Conflict::EnvironmentSlug { slug }.into());
    }
    make_folder(sql, id, "/")?;
    Ok(Environment {
        id,
        project,
        slug: slug.to_owned(),
        name: name.to_owned(),
    })
}

/// False where it exists.
fn make_folder(
    sql: &Connection,
    environment: EnvironmentId,
    path: &str,
) -> Result<bool, StoreError> {
    let made = sql.execute(
        "INSERT INTO folders (id, environment, path) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        (FolderId::random(), environment, path),
    )?;
    Ok(made > 0)
}

fn project(row: &Row<'_>) -> rusqlite::Result<Project> {
    Ok(Project {
        id: row.get(0)?,
        slug: row.get(1)?,
        name: row.get(2)?,
        created_at: row.get::<_, Millis>(3)?.0,
    })
}

fn environment(row: &Row<'_>) -> rusqlite::Result<Environment> {
    Ok(Environment {
        id: row.get(0)?,
        project: row.get(1)?,
        slug: row.get(2)?,
        name: row.get(3)?,
    })
}

fn folder(row: &Row<'_>) -> rusqlite::Result<Folder> {
    Ok(Folder {
        id: row.get(0)?,
        environment: row.get(1)?,
        path: row.get(2)?,
    })
}
