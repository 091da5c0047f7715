//! What a round is about: the connections and the rotations, as they are in the books when it begins.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use rotord_api::catalogue::Entry;
use rotord_api::doctor::DoctorQuery;
use rotord_provider::{Provider, contract};
use rotord_rotation::summary::Notice;
use rotord_rotation::{RotationId, Rules};
use rotord_store::{Connection, ConnectionId, RotationRecord};

use crate::admin::error::ApiError;
use crate::admin::rotations::view::Viewer;
use crate::admin::{Shared, lookup};

/// Everything that is looked at beside this host itself.
pub(super) struct Cases {
    /// Whether this host is looked at too: only where nothing was singled out.
    pub(super) here: bool,
    pub(super) connections: Vec<ConnectionCase>,
    pub(super) rotations: Vec<RotationCase>,
}

/// A connection, and what the looks at it have learned.
pub(super) struct ConnectionCase {
    pub(super) connection: Connection,
    /// None where no loaded provider serves its kind.
    pub(super) provider: Option<Arc<Provider>>,
    pub(super) about: String,
    /// It logged in a moment ago.
    pub(super) logs_in: Cell<bool>,
}

/// A rotation, and what the looks at its target have learned.
pub(super) struct RotationCase {
    pub(super) record: RotationRecord,
    pub(super) provider: Option<Arc<Provider>>,
    pub(super) about: String,
    /// What a person types to mean it: its name, or its id where others have the name too.
    pub(super) handle: String,
    pub(super) notices: Vec<Notice>,
    /// Other rotations that have the same target.
    pub(super) sharing: Vec<String>,
    pub(super) rules: Option<Rules>,
    /// How many credentials its target may hold.
    pub(super) cap: Cell<Option<u32>>,
}

impl Cases {
    pub(super) async fn of(daemon: &Shared, query: &DoctorQuery) -> Result<Self, ApiError> {
        let (mut connections, mut records) = daemon
            .store
            .read(|reader| {
                let mut records = Vec::new();
                for project in reader.projects()? {
                    records.extend(reader.rotations(project.id, None)?);
                }
                Ok((reader.connections(None)?, records))
            })
            .await?;
        let mut of_target: HashMap<String, Vec<(RotationId, String)>> = HashMap::new();
        for record in records.iter().filter(|r| !r.state.life.is_deleting()) {
            let details = &record.details;
            let of = of_target.entry(details.target_key.clone()).or_default();
            of.push((details.id, details.name.clone()));
        }
        // What is deleted and in doubt waits for a person.
        records.retain(|record| !record.state.life.is_deleting() || record.state.needs_attention());
        if let Some(id) = query.rotation_id {
            let record = lookup::rotation(daemon, None, &id.to_string()).await?;
            connections.retain(|connection| connection.id == record.details.connection);
            records = vec![record];
        }
        if let Some(id) = query.connection_id {
            let id = lookup::connection(daemon, None, &id.to_string()).await?.id;
            connections.retain(|connection| connection.id == id);
            records.retain(|record| record.details.connection == id);
        }
        let viewer = Viewer::new(daemon).await?;
        Ok(Self {
            here: query == &DoctorQuery::default(),
            connections: connections
                .into_iter()
                .map(|connection| ConnectionCase::new(daemon, connection))
                .collect(),
            rotations: rotations(daemon, &viewer, records, &of_target),
        })
    }
}

impl RotationCase {
    /// What helps, by its name and its connection's.
    pub(super) fn help(&self, entry: &Entry) -> String {
        let help = entry.person.replace("ROTATION", &self.handle);
        help.replace("CONNECTION", &self.record.connection_name)
    }
}

impl ConnectionCase {
    fn new(daemon: &Shared, connection: Connection) -> Self {
        let mut loaded = daemon.providers.host().providers().into_iter();
        Self {
            provider: loaded
                .find(|loaded| loaded.description().connection.slug.as_str() == connection.kind),
            about: format!("connection {}", connection.name),
            connection,
            logs_in: Cell::new(false),
        }
    }

    /// What helps, by its name.
    pub(super) fn help(&self, entry: &Entry) -> String {
        entry.person.replace("CONNECTION", &self.connection.name)
    }

    /// As its provider is handed it.
    pub(super) async fn opened(
        &self,
        daemon: &Shared,
        provider: &Provider,
    ) -> Result<contract::Connection, ApiError> {
        lookup::opened(daemon, provider, self.connection.clone()).await
    }
}

fn rotations(
    daemon: &Shared,
    viewer: &Viewer,
    records: Vec<RotationRecord>,
    of_target: &HashMap<String, Vec<(RotationId, String)>>,
) -> Vec<RotationCase> {
    let mut names: HashMap<String, Vec<(RotationId, ConnectionId)>> = HashMap::new();
    for record in &records {
        let of = (record.details.id, record.details.connection);
        names
            .entry(record.details.name.clone())
            .or_default()
            .push(of);
    }
    let case = |record: RotationRecord| {
        let name = &record.details.name;
        let is_alone = names.get(name).is_none_or(|of| of.len() < 2);
        let handle = if is_alone {
            name.clone()
        } else {
            record.details.id.to_string()
        };
        RotationCase {
            provider: daemon.providers.host().provider(&record.details.provider),
            about: if is_alone {
                format!("rotation {name}")
            } else {
                format!("rotation {name} ({handle})")
            },
            handle,
            notices: viewer.notices(&record),
            sharing: of_target
                .get(&record.details.target_key)
                .into_iter()
                .flatten()
                .filter(|(id, _)| *id != record.details.id && !record.state.life.is_deleting())
                .map(|(_, name)| name.clone())
                .collect(),
            rules: viewer.rules(&record).cloned(),
            cap: Cell::new(None),
            record,
        }
    };
    records.into_iter().map(case).collect()
}
