//! What the stand-in starts with: from a TOML file, or built by a test.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::behaviour::Behaviour;
use crate::clock::ClockConfig;
use crate::fault::Rule;
use crate::model::{
    AppId, AppRole, Application, Audience, Certificate, CertificateError, Change, KeyId, ObjectId,
    Origin, PasswordPolicy, SecretText, ServicePrincipal, Tenant, TenantId,
};
use crate::world::NO_LAGS;

/// The whole configuration. Everything has a default but the tenant's applications.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where identifiers, secrets, delays and chance come from; the same seed gives the same.
    pub seed: u64,
    /// Names, besides the loopback's, that the server's certificate is for.
    pub names: Vec<String>,
    /// The cloud that it plays.
    pub cloud: Cloud,
    /// Its time.
    pub clock: ClockConfig,
    /// Its tenant.
    pub tenant: TenantConfig,
    /// Applications in the tenant.
    pub applications: Vec<ApplicationConfig>,
    /// The knobs at start.
    pub behaviour: Behaviour,
    /// The faults at start.
    pub faults: Vec<Rule>,
}

/// A Microsoft cloud: which resource is its Graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// The global one.
    #[default]
    Global,
    /// US Government L4.
    UsGov,
    /// US Government L5.
    UsGovDod,
    /// China.
    China,
}

impl Cloud {
    /// The resource that a scope names for Graph.
    pub fn graph_resource(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsGov => "https://graph.microsoft.us",
            Self::UsGovDod => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }
}

/// The tenant.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TenantConfig {
    /// Its id; drawn if absent.
    pub id: Option<TenantId>,
    /// Its name.
    pub name: String,
    /// Its verified domains.
    pub domains: Vec<String>,
    /// So many more applications, to have pages of them.
    pub fill: usize,
}

impl Default for TenantConfig {
    fn default() -> Self {
        Self {
            id: None,
            name: "Contoso".to_owned(),
            domains: vec!["contoso.onmicrosoft.com".to_owned()],
            fill: 0,
        }
    }
}

/// One application.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationConfig {
    /// Its name; unique here, since owners are given by it.
    pub name: String,
    /// Its object id; drawn if absent.
    #[serde(default)]
    pub object_id: Option<ObjectId>,
    /// Its client id; drawn if absent.
    #[serde(default)]
    pub app_id: Option<AppId>,
    /// Who may sign in to it.
    #[serde(default)]
    pub audience: Audience,
    /// Application ID URIs.
    #[serde(default)]
    pub identifier_uris: Vec<String>,
    /// What its service principal was granted on Graph.
    #[serde(default)]
    pub roles: BTreeSet<AppRole>,
    /// Applications, by name, whose service principals own it.
    #[serde(default)]
    pub owners: Vec<String>,
    /// Secrets that it has from the start.
    #[serde(default)]
    pub secrets: Vec<SecretConfig>,
    /// PEM files of certificates for logins, beside the configuration file.
    #[serde(default)]
    pub certificates: Vec<PathBuf>,
    /// Certificates in PEM form, for tests without files.
    #[serde(skip)]
    pub certificate_pems: Vec<String>,
    /// Whether logins are refused.
    #[serde(default)]
    pub disabled: bool,
    /// Whether it lacks a service principal in the tenant.
    #[serde(default)]
    pub without_service_principal: bool,
    /// A policy of its own for secrets.
    #[serde(default)]
    pub policy: Option<PasswordPolicy>,
}

impl ApplicationConfig {
    /// An application with a name and nothing else.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            object_id: None,
            app_id: None,
            audience: Audience::default(),
            identifier_uris: Vec::new(),
            roles: BTreeSet::new(),
            owners: Vec::new(),
            secrets: Vec::new(),
            certificates: Vec::new(),
            certificate_pems: Vec::new(),
            disabled: false,
            without_service_principal: false,
            policy: None,
        }
    }
}

/// A secret that is there from the start, or is put there by somebody else.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretConfig {
    /// Its text; drawn if absent.
    #[serde(default)]
    pub text: Option<SecretText>,
    /// Its display name.
    #[serde(default)]
    pub name: Option<String>,
    /// Until its end, in days from now; negative is expired.
    #[serde(default = "a_year")]
    pub days: i64,
}

fn a_year() -> i64 {
    365
}

impl Default for SecretConfig {
    fn default() -> Self {
        Self {
            text: None,
            name: None,
            days: a_year(),
        }
    }
}

impl SecretConfig {
    /// A secret with this text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: Some(SecretText::from(text.into())),
            ..Self::default()
        }
    }

    /// When it begins and ends.
    pub fn validity(&self, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
        let end = TimeDelta::try_days(self.days)
            .and_then(|days| now.checked_add_signed(days))
            .unwrap_or(DateTime::<Utc>::MAX_UTC);
        (now.min(end) - TimeDelta::days(1), end)
    }
}

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("can't read {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what it should be; the source says where.
    #[error("{} is not a configuration", path.display())]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Why, with line and column.
        source: Box<toml::de::Error>,
    },
    /// A certificate is none.
    #[error("certificate of {app:?}")]
    Certificate {
        /// Whose.
        app: String,
        /// Why.
        source: CertificateError,
    },
    /// Two applications have one name or id.
    #[error("application {0:?} is there twice, by name or id")]
    Duplicate(String),
    /// An owner is not among the applications.
    #[error("owner {owner:?} of {app:?} is no application with a service principal")]
    UnknownOwner {
        /// Whose owner.
        app: String,
        /// The name that is no application's.
        owner: String,
    },
}

impl Config {
    /// Reads a file, and the certificate files that it names.
    ///
    /// # Errors
    /// When a file can't be read or is malformed.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
                path: path.to_owned(),
                source,
            })
        };
        let mut config: Self =
            toml::from_str(&read(path)?).map_err(|source| ConfigError::Parse {
                path: path.to_owned(),
                source: Box::new(source),
            })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for app in &mut config.applications {
            for file in &app.certificates {
                app.certificate_pems.push(read(&folder.join(file))?);
            }
        }
        Ok(config)
    }

    /// Makes the tenant.
    pub(crate) fn build_tenant(
        &self,
        now: DateTime<Utc>,
        rng: &mut fastrand::Rng,
    ) -> Result<Tenant, ConfigError> {
        let mut tenant = Tenant {
            id: self.tenant.id.unwrap_or_else(|| TenantId::draw(rng)),
            display_name: self.tenant.name.clone(),
            domains: self.tenant.domains.clone(),
            applications: Vec::new(),
        };
        for app in &self.applications {
            register(&mut tenant, app, now, rng)?;
        }
        for app in &self.applications {
            own(&mut tenant, app)?;
        }
        for number in 1..=self.tenant.fill {
            let filler = ApplicationConfig::named(format!("filler-{number:04}"));
            register(&mut tenant, &filler, now, rng)?;
        }
        Ok(tenant)
    }
}

/// Adds an application to a tenant, without owners.
pub(crate) fn register(
    tenant: &mut Tenant,
    config: &ApplicationConfig,
    now: DateTime<Utc>,
    rng: &mut fastrand::Rng,
) -> Result<ObjectId, ConfigError> {
    let object_id = config.object_id.unwrap_or_else(|| ObjectId::draw(rng));
    let app_id = config.app_id.unwrap_or_else(|| AppId::draw(rng));
    let is_taken = tenant.applications.iter().any(|app| {
        app.display_name == config.name || app.object_id == object_id || app.app_id == app_id
    });
    if is_taken {
        return Err(ConfigError::Duplicate(config.name.clone()));
    }
    let certificates = config
        .certificate_pems
        .iter()
        .map(|pem| Certificate::from_pem(pem, KeyId::draw(rng)))
        .collect::<Result<_, _>>()
        .map_err(|source| ConfigError::Certificate {
            app: config.name.clone(),
            source,
        })?;
    let service_principal = (!config.without_service_principal).then(|| ServicePrincipal {
        object_id: ObjectId::draw(rng),
        roles: config.roles.clone(),
    });
    let mut app = Application {
        object_id,
        app_id,
        display_name: config.name.clone(),
        audience: config.audience,
        created: now,
        identifier_uris: config.identifier_uris.clone(),
        passwords: Vec::new(),
        certificates,
        owners: BTreeSet::new(),
        service_principal,
        disabled: config.disabled,
        policy: config.policy.clone(),
        last_write: None,
    };
    for secret in &config.secrets {
        place(&mut app, secret, Origin::Seeded, now, rng);
    }
    tenant.applications.push(app);
    Ok(object_id)
}

/// Puts a secret on an application, past the service's rules and lags.
pub(crate) fn place(
    app: &mut Application,
    secret: &SecretConfig,
    origin: Origin,
    now: DateTime<Utc>,
    rng: &mut fastrand::Rng,
) -> KeyId {
    let text = match &secret.text {
        Some(text) => text.clone(),
        None => SecretText::draw(rng),
    };
    let mut change = Change {
        now,
        lags: &NO_LAGS,
        replicas: 1,
        rng,
    };
    let validity = secret.validity(now);
    app.place_password(secret.name.clone(), text, validity, origin, &mut change)
}

/// Makes the owners that a configuration names owners.
pub(crate) fn own(tenant: &mut Tenant, config: &ApplicationConfig) -> Result<(), ConfigError> {
    for owner in &config.owners {
        let principal = tenant
            .named(owner)
            .and_then(|app| app.service_principal.as_ref())
            .map(|principal| principal.object_id)
            .ok_or_else(|| ConfigError::UnknownOwner {
                app: config.name.clone(),
                owner: owner.clone(),
            })?;
        if let Some(app) = tenant.named_mut(&config.name) {
            app.owners.insert(principal);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_found_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("standin.toml");
        std::fs::write(&path, "seed = 1\nsede = 2\n").unwrap();
        let ConfigError::Parse { source, .. } = Config::read(&path).unwrap_err() else {
            panic!("not a parse error");
        };
        assert!(source.to_string().contains("line 2"), "{source}");
    }

    #[test]
    fn the_same_seed_gives_the_same_tenant() {
        let config: Config = toml::from_str("seed = 5\n[[applications]]\nname = 'a'").unwrap();
        let now = Utc::now();
        let tenants = [0, 1].map(|_| {
            let mut rng = fastrand::Rng::with_seed(config.seed);
            config.build_tenant(now, &mut rng).unwrap()
        });
        assert_eq!(tenants[0].id, tenants[1].id);
        assert_eq!(
            tenants[0].applications[0].app_id,
            tenants[1].applications[0].app_id
        );
    }

    #[test]
    fn an_unknown_owner_or_role_is_refused() {
        let config: Config =
            toml::from_str("[[applications]]\nname = 'a'\nowners = ['nobody']").unwrap();
        let mut rng = fastrand::Rng::with_seed(1);
        assert!(matches!(
            config.build_tenant(Utc::now(), &mut rng).unwrap_err(),
            ConfigError::UnknownOwner { .. }
        ));
        let config = "[[applications]]\nname = 'a'\nroles = ['Everything.All']";
        assert!(toml::from_str::<Config>(config).is_err());
    }
}
