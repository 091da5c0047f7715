//! The stand-in for Entra and Graph, with a tenant in which there is something to rotate.

use std::collections::BTreeSet;

use azure_standin::{
    AppRole, ApplicationConfig, ApplicationIds, Config, Handle, KeyId, Operation, SecretConfig,
    Standin,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::failure::{Failure, OrFail as _};

/// The application that rotates the others.
pub const MANAGER: &str = "rotord";
/// Its secret. It opens nothing but the stand-in.
pub const MANAGER_SECRET: &str = "mNg8Q~the-managing-applications-secret-1";

const SAMPLE_REQUEST: &str = include_str!("sample-request.json");
/// The documented answer to the sample request.
pub const SAMPLE_RESPONSE: &str = include_str!("sample-response.json");

/// A running stand-in.
#[derive(Debug)]
pub struct Azure {
    /// What can be asked of it and done to it.
    pub standin: Handle,
}

/// A tenant with a managing application that owns `applications`, each of which has a secret already that
/// somebody made by hand.
pub fn tenant(applications: &[&str]) -> Config {
    let manager = ApplicationConfig {
        roles: BTreeSet::from([AppRole::ApplicationReadWriteOwnedBy]),
        secrets: vec![SecretConfig::text(MANAGER_SECRET)],
        ..ApplicationConfig::named(MANAGER)
    };
    let owned = applications.iter().map(|name| ApplicationConfig {
        owners: vec![MANAGER.to_owned()],
        secrets: vec![SecretConfig {
            name: Some("made by hand".to_owned()),
            ..SecretConfig::default()
        }],
        ..ApplicationConfig::named(*name)
    });
    Config {
        seed: 1,
        applications: std::iter::once(manager).chain(owned).collect(),
        ..Config::default()
    }
}

/// What an application sends where it logs in.
pub fn login<'a>(client_id: &'a str, client_secret: &'a str) -> [(&'static str, &'a str); 4] {
    [
        ("grant_type", "client_credentials"),
        ("client_id", client_id),
        ("client_secret", client_secret),
        ("scope", "https://graph.microsoft.com/.default"),
    ]
}

impl Azure {
    /// Starts with a tenant, on a free port of the loopback.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start(config: Config) -> Result<Self, Failure> {
        let standin = Standin::start(config)
            .await
            .or_fail(|| "the stand-in for Azure does not start".to_owned())?;
        Ok(Self { standin })
    }

    /// An application's ids.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn app(&self, name: &str) -> Result<ApplicationIds, Failure> {
        self.standin
            .application(name)
            .or_fail(|| "the tenant lacks it".to_owned())
    }

    /// Where an application logs in.
    pub fn token_url(&self) -> String {
        let (base, tenant) = (self.standin.base_url(), self.standin.tenant_id());
        format!("{base}/{tenant}/oauth2/v2.0/token")
    }

    /// A client that trusts this service alone, and of which no connection is used twice: each login meets it anew.
    ///
    /// # Errors
    /// Its authority can't be trusted.
    pub fn client(&self) -> Result<reqwest::ClientBuilder, Failure> {
        let ca = reqwest::Certificate::from_pem(self.standin.ca_pem().as_bytes())
            .or_fail(|| "no certificate authority".to_owned())?;
        Ok(reqwest::Client::builder()
            .tls_certs_only([ca])
            .no_proxy()
            .pool_max_idle_per_host(0))
    }

    /// The fields of a connection by client secret, but for the secret: name and value.
    ///
    /// # Errors
    /// The tenant has no managing application.
    pub fn connection_fields(&self) -> Result<Vec<(&'static str, String)>, Failure> {
        Ok(vec![
            ("tenantId", self.standin.tenant_id().to_string()),
            ("clientId", self.app(MANAGER)?.app_id.to_string()),
            ("authority", self.standin.base_url()),
            ("graphRoot", self.standin.base_url()),
        ])
    }

    /// The body that adds a connection by client secret.
    ///
    /// # Errors
    /// The tenant has no managing application.
    pub fn connection(&self, name: &str) -> Result<Value, Failure> {
        let mut credentials = json!({ "clientSecret": MANAGER_SECRET });
        for (field, value) in self.connection_fields()? {
            credentials[field] = value.into();
        }
        Ok(json!({ "name": name, "method": "client-secret", "credentials": credentials }))
    }

    /// The documented sample request, with its ids filled in and nothing else changed.
    ///
    /// # Errors
    /// There is no such application.
    pub fn sample_request(
        &self,
        app: &str,
        project: &str,
        connection: Uuid,
    ) -> Result<String, Failure> {
        let app = self.app(app)?;
        let ids = [
            ("projectId", project.to_owned()),
            ("connectionId", connection.to_string()),
            ("objectId", app.object_id.to_string()),
            ("clientId", app.app_id.to_string()),
            ("appName", app.name),
        ];
        Ok(ids
            .iter()
            .fold(SAMPLE_REQUEST.trim_end().to_owned(), |text, (key, id)| {
                fill(&text, key, id)
            }))
    }

    /// The keyIds of an application's live secrets that were added over Graph, in order.
    ///
    /// # Errors
    /// There is no such application.
    pub fn issued(&self, app: &str) -> Result<Vec<KeyId>, Failure> {
        let secrets = self
            .standin
            .secrets(app)
            .or_fail(|| "the tenant lacks it".to_owned())?;
        let mut keys: Vec<KeyId> = secrets
            .iter()
            .filter(|secret| secret.live() && secret.origin == azure_standin::Origin::Graph)
            .map(|secret| secret.key_id)
            .collect();
        keys.sort();
        Ok(keys)
    }

    /// How many requests so far changed the directory or meant to.
    pub fn writes(&self) -> usize {
        self.standin
            .record(0)
            .iter()
            .filter(|entry| {
                entry.changed
                    || matches!(
                        entry.operation,
                        Operation::AddPassword | Operation::RemovePassword
                    )
            })
            .count()
    }
}

/// Puts `value` in the place of the text that follows the first `"key": "`.
fn fill(text: &str, key: &str, value: &str) -> String {
    let lead = format!("\"{key}\": \"");
    match text.split_once(&lead) {
        Some((before, after)) => match after.split_once('"') {
            Some((_, rest)) => format!("{before}{lead}{value}\"{rest}"),
            None => text.to_owned(),
        },
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_sample_request_changes_in_nothing_but_its_ids() {
        let azure = Azure::start(tenant(&["payroll"])).await.unwrap();
        let connection = Uuid::from_u128(7);
        let text = azure
            .sample_request("payroll", "the-project", connection)
            .unwrap();
        let (mut filled, sample): (Value, Value) = (
            serde_json::from_str(&text).unwrap(),
            serde_json::from_str(SAMPLE_REQUEST).unwrap(),
        );
        assert_eq!(filled["projectId"], "the-project");
        assert_eq!(filled["parameters"]["appName"], "payroll");
        assert_eq!(filled["secretsMapping"]["clientId"], "AZURE_CLIENT_ID");
        for id in ["projectId", "connectionId", "parameters"] {
            filled[id] = sample[id].clone();
        }
        assert_eq!(filled, sample);
        assert_eq!(text.lines().count(), SAMPLE_REQUEST.lines().count());
    }
}
