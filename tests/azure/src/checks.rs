//! What the stand-in knows that no client can see: the truth behind the replicas, judged.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::fault::Operation;
use crate::model::{
    AppId, Application, KeyId, LoginRefusal, ObjectId, Origin, Password, Surface, View,
};
use crate::record::Record;

/// A secret without its text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SecretView {
    /// The service's name for it.
    pub key_id: KeyId,
    /// What its maker called it.
    pub display_name: Option<String>,
    /// Its first three characters.
    pub hint: String,
    /// Valid from.
    pub start: DateTime<Utc>,
    /// Valid until.
    pub end: DateTime<Utc>,
    /// Who put it there.
    pub origin: Origin,
    /// When it was added.
    pub created: DateTime<Utc>,
    /// When it was removed, if it was.
    pub removed: Option<DateTime<Utc>>,
    /// When the token endpoint's last replica learns of it.
    pub usable_everywhere: DateTime<Utc>,
}

impl SecretView {
    pub(crate) fn of(password: &Password) -> Self {
        Self {
            key_id: password.key_id,
            display_name: password.display_name.clone(),
            hint: password.text.hint(),
            start: password.start,
            end: password.end,
            origin: password.origin,
            created: password.created,
            removed: password.removed.as_ref().map(|removal| removal.at),
            usable_everywhere: password.added.settled(Surface::Token),
        }
    }

    /// Whether it exists.
    pub fn live(&self) -> bool {
        self.removed.is_none()
    }
}

/// Whether a secret would log in now, replica by replica, without asking the token endpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoginCheck {
    /// The secret, if the application ever had it.
    pub key_id: Option<KeyId>,
    /// For each replica, whether it would let it in.
    pub replicas: Vec<bool>,
    /// Whether it is past its end.
    pub expired: bool,
    /// Whether it was removed, though replicas may linger.
    pub removed: bool,
}

impl LoginCheck {
    pub(crate) fn of(app: &Application, text: &str, replicas: usize, now: DateTime<Utc>) -> Self {
        let password = app
            .passwords
            .iter()
            .find(|password| password.text.expose() == text);
        let works = |replica| {
            let view = View {
                surface: Surface::Token,
                replica,
                stale: false,
            };
            !app.disabled
                && app.service_principal.is_some()
                && !matches!(
                    app.log_in(text, view, now),
                    Err(LoginRefusal::Unknown | LoginRefusal::Expired)
                )
        };
        Self {
            key_id: password.map(|password| password.key_id),
            replicas: (0..replicas.max(1)).map(works).collect(),
            expired: password.is_some_and(|password| password.expired(now)),
            removed: password.is_some_and(|password| !password.live()),
        }
    }

    /// Whether every replica lets it in.
    pub fn works_everywhere(&self) -> bool {
        self.replicas.iter().all(|works| *works)
    }
}

/// The judgement of all applications that had a secret or a login.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Checks {
    /// One for each application.
    pub applications: Vec<AppChecks>,
}

/// The judgement of one application's secrets and logins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AppChecks {
    /// Its name.
    pub name: String,
    /// Its object id.
    pub object_id: ObjectId,
    /// Its client id.
    pub app_id: AppId,
    /// Secrets that exist, expired ones included.
    pub live: usize,
    /// Secrets that ever existed at once, at most.
    pub most_live: usize,
    /// Secrets ever added over Graph.
    pub added: usize,
    /// Secrets ever removed over Graph.
    pub removed: usize,
    /// Of these, somebody else's: those that the control interface had put there.
    pub foreign_removed: usize,
    /// Of these, those after whose removal no unexpired secret was left.
    pub last_removed: usize,
    /// Logins that worked, of those in the record.
    pub logins: usize,
    /// Logins that were refused, of those in the record.
    pub refused_logins: usize,
}

impl Checks {
    pub(crate) fn of(applications: &[Application], record: &Record) -> Self {
        let checks = applications.iter().map(|app| AppChecks::of(app, record));
        Self {
            applications: checks
                .filter(|app| app.most_live > 0 || app.logins + app.refused_logins > 0)
                .collect(),
        }
    }

    /// The one of an application.
    pub fn app(&self, name: &str) -> Option<&AppChecks> {
        self.applications.iter().find(|app| app.name == name)
    }
}

impl AppChecks {
    fn of(app: &Application, record: &Record) -> Self {
        let logins: Vec<bool> = record
            .since(0)
            .filter(|entry| entry.operation == Operation::Token && entry.app == Some(app.app_id))
            .map(|entry| entry.status == Some(200))
            .collect();
        let worked = logins.iter().filter(|worked| **worked).count();
        let removed: Vec<(&Password, DateTime<Utc>)> = app
            .passwords
            .iter()
            .filter_map(|password| {
                let removal = password.removed.as_ref()?;
                removal.over_graph.then_some((password, removal.at))
            })
            .collect();
        let foreign = removed
            .iter()
            .filter(|(password, _)| password.origin == Origin::Foreign);
        let last = removed
            .iter()
            .filter(|(password, at)| !has_another(app, password, *at));
        Self {
            name: app.display_name.clone(),
            object_id: app.object_id,
            app_id: app.app_id,
            live: app.live_passwords().count(),
            most_live: most_live(app),
            added: app
                .passwords
                .iter()
                .filter(|password| password.origin == Origin::Graph)
                .count(),
            removed: removed.len(),
            foreign_removed: foreign.count(),
            last_removed: last.count(),
            logins: worked,
            refused_logins: logins.len() - worked,
        }
    }
}

fn existed(password: &Password, at: DateTime<Utc>) -> bool {
    password.created <= at
        && password
            .removed
            .as_ref()
            .is_none_or(|removal| removal.at > at)
}

fn has_another(app: &Application, removed: &Password, at: DateTime<Utc>) -> bool {
    app.passwords.iter().any(|password| {
        password.key_id != removed.key_id && existed(password, at) && !password.expired(at)
    })
}

/// The number only grows when one is added, so those instants are enough.
fn most_live(app: &Application) -> usize {
    let at = |instant| {
        app.passwords
            .iter()
            .filter(|password| existed(password, instant))
            .count()
    };
    app.passwords
        .iter()
        .map(|password| at(password.created))
        .max()
        .unwrap_or(0)
}
