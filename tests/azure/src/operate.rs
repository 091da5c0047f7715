//! What an operator does to a running stand-in, whether over its handle or over the control interface.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::behaviour::Behaviour;
use crate::checks::{Checks, LoginCheck, SecretView};
use crate::config::{self, ApplicationConfig, ConfigError, SecretConfig};
use crate::fault::Rule;
use crate::model::{
    AppId, AppRole, Application, Change, KeyId, ObjectId, Origin, SecretText, Surface, View,
};
use crate::record::Entry;
use crate::world::{NO_LAGS, Shared};

/// There is no application of that name or id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no application {0:?}")]
pub struct UnknownApplication(pub String);

/// An application's names.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct ApplicationIds {
    /// Its name.
    pub name: String,
    /// Its object id.
    pub object_id: ObjectId,
    /// Its client id.
    pub app_id: AppId,
}

impl Shared {
    /// The time of the stand-in.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Jumps ahead in time.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// The knobs as they are.
    pub fn behaviour(&self) -> Behaviour {
        self.world().behaviour.clone()
    }

    /// Turns knobs.
    pub fn set_behaviour(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.world().behaviour);
    }

    /// Puts a rule into force, after those that are.
    pub fn add_fault(&self, rule: Rule) {
        self.world().rules.add(rule);
    }

    /// Takes every rule out of force.
    pub fn clear_faults(&self) {
        self.world().rules.clear();
    }

    /// The rules not yet spent.
    pub fn faults(&self) -> Vec<Rule> {
        self.world().rules.in_force().to_vec()
    }

    /// The entries after a sequence number; 0 for all.
    pub fn record(&self, since: u64) -> Vec<Entry> {
        self.world().record.since(since).cloned().collect()
    }

    /// Forgets the record.
    pub fn clear_record(&self) {
        self.world().record.clear();
    }

    /// Every application.
    pub fn applications(&self) -> Vec<ApplicationIds> {
        let world = self.world();
        world.tenant.applications.iter().map(ids).collect()
    }

    /// One application, by name or either id.
    ///
    /// # Errors
    /// When there is none.
    pub fn application(&self, name: &str) -> Result<ApplicationIds, UnknownApplication> {
        self.with(name, |app, _| ids(app))
    }

    /// Registers another application.
    ///
    /// # Errors
    /// When its name or an id is taken, an owner unknown or a certificate malformed.
    pub fn add_application(&self, config: &ApplicationConfig) -> Result<ObjectId, ConfigError> {
        let now = self.now();
        let mut world = self.world();
        let world = &mut *world;
        let id = config::register(&mut world.tenant, config, now, &mut world.rng)?;
        config::own(&mut world.tenant, config)?;
        Ok(id)
    }

    /// Deletes an application.
    ///
    /// # Errors
    /// When there is none.
    pub fn delete_application(&self, name: &str) -> Result<(), UnknownApplication> {
        let id = self.application(name)?.object_id;
        self.world()
            .tenant
            .applications
            .retain(|app| app.object_id != id);
        Ok(())
    }

    /// An application's secrets, newest first, removed ones included.
    ///
    /// # Errors
    /// When there is no such application.
    pub fn secrets(&self, name: &str) -> Result<Vec<SecretView>, UnknownApplication> {
        self.with(name, |app, _| {
            app.passwords.iter().map(SecretView::of).collect()
        })
    }

    /// The texts of an application's secrets, removed ones included: to search for them where they must
    /// not be.
    ///
    /// # Errors
    /// When there is no such application.
    pub fn secret_texts(&self, name: &str) -> Result<Vec<SecretText>, UnknownApplication> {
        self.with(name, |app, _| {
            app.passwords
                .iter()
                .map(|password| password.text.clone())
                .collect()
        })
    }

    /// Puts somebody else's secret on an application, past rules and lags.
    ///
    /// # Errors
    /// When there is no such application.
    pub fn add_foreign_secret(
        &self,
        name: &str,
        secret: &SecretConfig,
    ) -> Result<KeyId, UnknownApplication> {
        let now = self.now();
        self.with(name, |app, rng| {
            config::place(app, secret, Origin::Foreign, now, rng)
        })
    }

    /// Removes a secret behind everybody's back, everywhere at once. `false` where there is none.
    ///
    /// # Errors
    /// When there is no such application.
    pub fn remove_secret(&self, name: &str, key_id: KeyId) -> Result<bool, UnknownApplication> {
        let now = self.now();
        self.with(name, |app, rng| {
            let truth = View {
                surface: Surface::Lookup,
                replica: 0,
                stale: false,
            };
            let mut change = Change {
                now,
                lags: &NO_LAGS,
                replicas: 1,
                rng,
            };
            app.remove_password(key_id, truth, false, &mut change)
        })
    }

    /// Refuses logins of an application, or lets them in again.
    ///
    /// # Errors
    /// When there is no such application.
    pub fn disable(&self, name: &str, disabled: bool) -> Result<(), UnknownApplication> {
        self.with(name, |app, _| app.disabled = disabled)
    }

    /// Grants a role on Graph. Tokens made before do not have it.
    ///
    /// # Errors
    /// When there is no such application.
    pub fn grant(&self, name: &str, role: AppRole) -> Result<(), UnknownApplication> {
        let mut world = self.world();
        let world = &mut *world;
        if world.tenant.grant(name, role, &mut world.rng) {
            Ok(())
        } else {
            Err(UnknownApplication(name.to_owned()))
        }
    }

    /// Takes a role back. Tokens made before keep it.
    ///
    /// # Errors
    /// When there is no such application.
    pub fn ungrant(&self, name: &str, role: AppRole) -> Result<(), UnknownApplication> {
        self.with(name, |app, _| {
            if let Some(principal) = &mut app.service_principal {
                principal.roles.remove(&role);
            }
        })
    }

    /// Makes an application's service principal an owner of another, or no longer one.
    ///
    /// # Errors
    /// When there is no such application, or the owner has no service principal.
    pub fn set_owner(&self, name: &str, owner: &str, owns: bool) -> Result<(), UnknownApplication> {
        let mut world = self.world();
        let principal = world
            .tenant
            .named(owner)
            .and_then(|app| app.service_principal.as_ref())
            .map(|principal| principal.object_id)
            .ok_or_else(|| UnknownApplication(owner.to_owned()))?;
        let app = world
            .tenant
            .named_mut(name)
            .ok_or_else(|| UnknownApplication(name.to_owned()))?;
        if owns {
            app.owners.insert(principal);
        } else {
            app.owners.remove(&principal);
        }
        Ok(())
    }

    /// Whether a secret would log in, replica by replica. Leaves no trace in the record.
    ///
    /// # Errors
    /// When there is no such application.
    pub fn check_login(&self, name: &str, secret: &str) -> Result<LoginCheck, UnknownApplication> {
        let now = self.now();
        let replicas = self.behaviour().replicas;
        self.with(name, |app, _| LoginCheck::of(app, secret, replicas, now))
    }

    /// The judgement of everything so far.
    pub fn checks(&self) -> Checks {
        let world = self.world();
        Checks::of(&world.tenant.applications, &world.record)
    }

    fn with<R>(
        &self,
        name: &str,
        action: impl FnOnce(&mut Application, &mut fastrand::Rng) -> R,
    ) -> Result<R, UnknownApplication> {
        let mut world = self.world();
        let world = &mut *world;
        let app = world
            .tenant
            .named_mut(name)
            .ok_or_else(|| UnknownApplication(name.to_owned()))?;
        Ok(action(app, &mut world.rng))
    }
}

fn ids(app: &Application) -> ApplicationIds {
    ApplicationIds {
        name: app.display_name.clone(),
        object_id: app.object_id,
        app_id: app.app_id,
    }
}
