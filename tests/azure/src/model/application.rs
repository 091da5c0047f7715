//! An application registration and the rules of its secrets.

use std::collections::BTreeSet;

use chrono::{DateTime, Months, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{
    AppId, AppRole, Certificate, Change, KeyId, LoginRefusal, NewPassword, ObjectId, Origin,
    Password, PasswordPolicy, PasswordRefusal, Propagation, Removal, SecretText, View,
};

/// Who may sign in to an application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Audience {
    /// This tenant.
    #[default]
    AzureADMyOrg,
    /// Any tenant.
    AzureADMultipleOrgs,
    /// Any tenant and personal accounts.
    #[serde(rename = "AzureADandPersonalMicrosoftAccount")]
    AzureADAndPersonalMicrosoftAccount,
    /// Personal accounts.
    PersonalMicrosoftAccount,
}

impl Audience {
    /// How many secrets an application of this audience holds, where there is a fixed number.
    pub fn password_cap(self) -> Option<usize> {
        self.has_personal_accounts().then_some(2)
    }

    /// Whether personal accounts are in it: two secrets, and few writes.
    pub fn has_personal_accounts(self) -> bool {
        match self {
            Self::AzureADMyOrg | Self::AzureADMultipleOrgs => false,
            Self::AzureADAndPersonalMicrosoftAccount | Self::PersonalMicrosoftAccount => true,
        }
    }

    /// The value of `signInAudience`.
    pub fn name(self) -> &'static str {
        match self {
            Self::AzureADMyOrg => "AzureADMyOrg",
            Self::AzureADMultipleOrgs => "AzureADMultipleOrgs",
            Self::AzureADAndPersonalMicrosoftAccount => "AzureADandPersonalMicrosoftAccount",
            Self::PersonalMicrosoftAccount => "PersonalMicrosoftAccount",
        }
    }
}

/// An application's presence in the tenant: what is granted roles and owns things.
#[derive(Clone, Debug)]
pub struct ServicePrincipal {
    /// Its id in the directory.
    pub object_id: ObjectId,
    /// What it was granted on Graph.
    pub roles: BTreeSet<AppRole>,
}

/// An application registration.
#[derive(Clone, Debug)]
pub struct Application {
    /// Its id in the directory, which Graph's paths take.
    pub object_id: ObjectId,
    /// Its client id.
    pub app_id: AppId,
    /// Its name; need not be unique.
    pub display_name: String,
    /// Who may sign in to it.
    pub audience: Audience,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// Application ID URIs, which a scope may name.
    pub identifier_uris: Vec<String>,
    /// Its secrets, newest first, removed ones included.
    pub passwords: Vec<Password>,
    /// Its certificates.
    pub certificates: Vec<Certificate>,
    /// The service principals that own it.
    pub owners: BTreeSet<ObjectId>,
    /// Its presence in the tenant, if it has one.
    pub service_principal: Option<ServicePrincipal>,
    /// Whether logins are refused.
    pub disabled: bool,
    /// A policy of its own, before the tenant's.
    pub policy: Option<PasswordPolicy>,
    /// The last accepted change of its secrets.
    pub last_write: Option<DateTime<Utc>>,
}

impl Application {
    /// Adds a secret and returns it.
    ///
    /// # Errors
    /// When the audience's number, the object's size, a policy or the dates forbid it.
    pub fn add_password(
        &mut self,
        request: NewPassword,
        view: View,
        policy: Option<&PasswordPolicy>,
        object_limit: usize,
        change: &mut Change<'_>,
    ) -> Result<&Password, PasswordRefusal> {
        let now = change.now;
        let start = request.start.unwrap_or(now);
        let end = request.end.unwrap_or_else(|| default_end(now));
        if end <= start || end <= now {
            return Err(PasswordRefusal::BadEnd);
        }
        if let Some(policy) = self.policy.as_ref().or(policy) {
            policy.permits(now, end)?;
        }
        self.room_for_one(view, object_limit, now)?;
        let text = SecretText::draw(change.rng);
        let added = Propagation::draw(now, change.lags, change.replicas, change.rng, None);
        self.last_write = Some(now);
        let password = Password {
            key_id: KeyId::draw(change.rng),
            display_name: request.display_name,
            text,
            start,
            end,
            origin: Origin::Graph,
            created: now,
            added,
            removed: None,
        };
        self.passwords.insert(0, password);
        Ok(&self.passwords[0])
    }

    /// Puts a secret there without asking the service's rules, known everywhere at once.
    pub fn place_password(
        &mut self,
        display_name: Option<String>,
        text: SecretText,
        (start, end): (DateTime<Utc>, DateTime<Utc>),
        origin: Origin,
        change: &mut Change<'_>,
    ) -> KeyId {
        let key_id = KeyId::draw(change.rng);
        self.passwords.insert(
            0,
            Password {
                key_id,
                display_name,
                text,
                start,
                end,
                origin,
                created: change.now,
                added: Propagation::immediate(change.now.min(start)),
                removed: None,
            },
        );
        key_id
    }

    /// Removes a secret. `false` where the request looked and did not see it.
    pub fn remove_password(
        &mut self,
        key_id: KeyId,
        view: View,
        over_graph: bool,
        change: &mut Change<'_>,
    ) -> bool {
        let now = change.now;
        let Some(password) = self
            .passwords
            .iter_mut()
            .find(|password| password.key_id == key_id && password.visible(view, now))
        else {
            return false;
        };
        // A replica that still shows a removed secret takes its removal again, and changes nothing.
        if password.removed.is_none() {
            let after = Some(&password.added);
            password.removed = Some(Removal {
                at: now,
                propagation: Propagation::draw(
                    now,
                    change.lags,
                    change.replicas,
                    change.rng,
                    after,
                ),
                over_graph,
            });
            self.last_write = Some(now);
        }
        true
    }

    /// Which secret a text is, where the request looks.
    ///
    /// # Errors
    /// When it is unknown there or expired.
    pub fn log_in(
        &self,
        text: &str,
        view: View,
        now: DateTime<Utc>,
    ) -> Result<&Password, LoginRefusal> {
        let password = self
            .passwords
            .iter()
            .find(|password| password.text.expose() == text && password.visible(view, now))
            .filter(|password| password.start <= now)
            .ok_or(LoginRefusal::Unknown)?;
        if password.expired(now) {
            return Err(LoginRefusal::Expired);
        }
        Ok(password)
    }

    /// The secrets that a request sees.
    pub fn visible_passwords(
        &self,
        view: View,
        now: DateTime<Utc>,
    ) -> impl Iterator<Item = &Password> {
        self.passwords
            .iter()
            .filter(move |password| password.visible(view, now))
    }

    /// The secrets that exist.
    pub fn live_passwords(&self) -> impl Iterator<Item = &Password> {
        self.passwords.iter().filter(|password| password.live())
    }

    /// Whether another change was accepted less than a window ago.
    pub fn changed_within(&self, window: TimeDelta, now: DateTime<Utc>) -> bool {
        self.last_write
            .is_some_and(|last_write| now - last_write < window)
    }

    /// A secret counts while it exists, and while the replica that counts still shows it.
    fn room_for_one(
        &self,
        view: View,
        object_limit: usize,
        now: DateTime<Utc>,
    ) -> Result<(), PasswordRefusal> {
        let held = self
            .passwords
            .iter()
            .filter(|password| password.live() || password.visible(view, now))
            .count();
        if let Some(cap) = self.audience.password_cap()
            && held >= cap
        {
            return Err(PasswordRefusal::TooMany {
                would_be: held + 1,
                cap,
            });
        }
        let others = self.certificates.len() + self.identifier_uris.len() + self.owners.len();
        if held + others >= object_limit {
            return Err(PasswordRefusal::ObjectTooLarge);
        }
        Ok(())
    }
}

/// The service counts two calendar years from its own now, whatever start was asked for.
fn default_end(now: DateTime<Utc>) -> DateTime<Utc> {
    now.checked_add_months(Months::new(24))
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

#[cfg(test)]
mod tests;
