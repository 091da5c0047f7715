//! Connections: how providers are reached, their secret fields sealed.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension as _, Row};
use serde_json::{Map, Value};

use crate::audit::AuditEntry;
use crate::columns::{Json, Millis};
use crate::error::{Conflict, StoreError, What};
use crate::id::{ConnectionId, ProjectId};
use crate::reader::{Books, Reader};
use crate::seal::Location;
use crate::secret::SecretMap;
use crate::store::Store;

/// A connection, without its secret fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Its name, unique.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The service, such as `azure`.
    pub app: String,
    /// The slug of its kind, such as `azure-client-secrets`.
    pub kind: String,
    /// One of the kind's methods.
    pub method: String,
    /// The project that it is for; none is all.
    pub project: Option<ProjectId>,
    /// The fields that are no secrets.
    pub fields: Map<String, Value>,
    /// Counts its changes, from 1.
    pub version: u32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a new connection is made from.
#[derive(Debug, Clone, PartialEq)]
pub struct NewConnection {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The service.
    pub app: String,
    /// The slug of its kind.
    pub kind: String,
    /// One of the kind's methods.
    pub method: String,
    /// The project that it is for; none is all.
    pub project: Option<ProjectId>,
    /// The fields that are no secrets.
    pub fields: Map<String, Value>,
    /// The others.
    pub secrets: SecretMap,
}

/// What is to be changed; none leaves it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ConnectionChange {
    /// Another name.
    pub name: Option<String>,
    /// Another description, or none.
    pub description: Option<Option<String>>,
    /// Another method.
    pub method: Option<String>,
    /// All fields that are no secrets.
    pub fields: Option<Map<String, Value>>,
    /// All secret fields.
    pub secrets: Option<SecretMap>,
}

const SELECT: &str =
    "SELECT id, name, description, app, kind, method, project, fields, version, created_at,
                             updated_at FROM connections";

impl Reader {
    /// All connections, by name; those of one kind or all.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn connections(&self, kind: Option<&str>) -> Result<Vec<Connection>, StoreError> {
        let sql = format!("{SELECT} WHERE ?1 IS NULL OR kind = ?1 ORDER BY name");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let connections = statement.query_map([kind], connection)?;
        Ok(connections.collect::<Result<_, _>>()?)
    }

    /// The connection with this id.
    ///
    /// # Errors
    /// There is none.
    pub fn connection(&self, id: ConnectionId) -> Result<Connection, StoreError> {
        self.read(|books| books.connection(id))
    }

    /// The connection with this name.
    ///
    /// # Errors
    /// There is none.
    pub fn connection_by_name(&self, name: &str) -> Result<Connection, StoreError> {
        self.connection
            .prepare_cached(&format!("{SELECT} WHERE name = ?1"))?
            .query_row([name], connection)
            .optional()?
            .ok_or_else(|| StoreError::not_found(What::Connection, name))
    }

    /// A connection's secret fields, opened.
    ///
    /// # Errors
    /// There is no such connection, or its row was changed from outside.
    pub fn connection_secrets(&self, id: ConnectionId) -> Result<SecretMap, StoreError> {
        let sql = "SELECT secrets, secrets_version, data_key FROM connections WHERE id = ?1";
        let (sealed, version, key): (Vec<u8>, i64, i64) = self
            .connection
            .prepare_cached(sql)?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?
            .ok_or_else(|| StoreError::not_found(What::Connection, id))?;
        let row = id.to_string();
        let location = location(&row, version);
        let opened = self.keys.open(location, key, &sealed)?;
        Ok(SecretMap::decode(&opened).map_err(|error| location.wrong_form(error))?)
    }
}

impl Store {
    /// Makes a connection.
    ///
    /// # Errors
    /// The name is taken.
    pub fn create_connection(
        &mut self,
        at: DateTime<Utc>,
        new: &NewConnection,
        audit: &[AuditEntry],
    ) -> Result<Connection, StoreError> {
        self.write(|books| {
            let id = ConnectionId::random();
            books.connection_name_is_free(&new.name, id)?;
            let row = id.to_string();
            let (key, sealed) = books.keys.seal(location(&row, 1), &new.secrets.encode())?;
            books.sql.execute(
                "INSERT INTO connections (id, name, description, app, kind, method, project, fields, version,
                                          secrets, secrets_version, data_key, created_at, updated_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9, 1, ?10, ?11, ?11)",
                (
                    id,
                    &new.name,
                    &new.description,
                    &new.app,
                    &new.kind,
                    &new.method,
                    new.project,
                    Json(&new.fields),
                    sealed,
                    key,
                    Millis(at),
                ),
            )?;
            books.note(at, audit)?;
            books.connection(id)
        })
    }

    /// Changes a connection.
    ///
    /// # Errors
    /// There is none with this id, or the name is taken.
    pub fn change_connection(
        &mut self,
        at: DateTime<Utc>,
        id: ConnectionId,
        change: &ConnectionChange,
        audit: &[AuditEntry],
    ) -> Result<Connection, StoreError> {
        self.write(|books| {
            let mut now = books.connection(id)?;
            if let Some(name) = &change.name {
                books.connection_name_is_free(name, id)?;
                now.name.clone_from(name);
            }
            if let Some(description) = &change.description {
                now.description.clone_from(description);
            }
            if let Some(method) = &change.method {
                now.method.clone_from(method);
            }
            if let Some(fields) = &change.fields {
                now.fields.clone_from(fields);
            }
            books.sql.execute(
                "UPDATE connections SET name = ?2, description = ?3, method = ?4, fields = ?5,
                        version = version + 1, updated_at = ?6 WHERE id = ?1",
                (
                    id,
                    &now.name,
                    &now.description,
                    &now.method,
                    Json(&now.fields),
                    Millis(at),
                ),
            )?;
            if let Some(secrets) = &change.secrets {
                let version: i64 = books.sql.query_row(
                    "SELECT secrets_version + 1 FROM connections WHERE id = ?1",
                    [id],
                    |row| row.get(0),
                )?;
                let row = id.to_string();
                let (key, sealed) = books
                    .keys
                    .seal(location(&row, version), &secrets.encode())?;
                books.sql.execute(
                    "UPDATE connections SET secrets = ?2, secrets_version = ?3, data_key = ?4 WHERE id = ?1",
                    (id, sealed, version, key),
                )?;
            }
            books.note(at, audit)?;
            books.connection(id)
        })
    }

    /// Removes a connection; answers with what it was.
    ///
    /// # Errors
    /// There is none with this id, or rotations need it; deleted ones count that are still being settled.
    pub fn delete_connection(
        &mut self,
        at: DateTime<Utc>,
        id: ConnectionId,
        audit: &[AuditEntry],
    ) -> Result<Connection, StoreError> {
        self.write(|books| {
            let was = books.connection(id)?;
            let rotations = books
                .sql
                .prepare_cached("SELECT name FROM rotations WHERE connection = ?1 ORDER BY name")?
                .query_map([id], |row| row.get(0))?
                .collect::<Result<Vec<String>, _>>()?;
            if !rotations.is_empty() {
                return Err(Conflict::ConnectionInUse { rotations }.into());
            }
            books
                .sql
                .execute("DELETE FROM connections WHERE id = ?1", [id])?;
            books.note(at, audit)?;
            Ok(was)
        })
    }
}

impl Books<'_> {
    pub(crate) fn connection(&self, id: ConnectionId) -> Result<Connection, StoreError> {
        self.sql
            .prepare_cached(&format!("{SELECT} WHERE id = ?1"))?
            .query_row([id], connection)
            .optional()?
            .ok_or_else(|| StoreError::not_found(What::Connection, id))
    }

    fn connection_name_is_free(&self, name: &str, but: ConnectionId) -> Result<(), StoreError> {
        let sql = "SELECT 1 FROM connections WHERE name = ?1 AND id <> ?2";
        if self.sql.prepare_cached(sql)?.exists((name, but))? {
            let name = name.to_owned();
            return Err(Conflict::ConnectionName { name }.into());
        }
        Ok(())
    }
}

fn location(row: &str, version: i64) -> Location<'_> {
    Location {
        table: "connections",
        row,
        version,
    }
}

fn connection(row: &Row<'_>) -> rusqlite::Result<Connection> {
    Ok(Connection {
        id: row.get(0)?,
        name: row.get(1)?,
        description: row.get(2)?,
        app: row.get(3)?,
        kind: row.get(4)?,
        method: row.get(5)?,
        project: row.get(6)?,
        fields: row.get::<_, Json<_>>(7)?.0,
        version: row.get(8)?,
        created_at: row.get::<_, Millis>(9)?.0,
        updated_at: row.get::<_, Millis>(10)?.0,
    })
}
