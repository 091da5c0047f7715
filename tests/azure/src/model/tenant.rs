//! A tenant: its names and its applications.

use std::fmt;
use std::str::FromStr;

use super::{AppId, AppRole, Application, ObjectId, ServicePrincipal, TenantId};

/// A directory.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name for people, which errors quote.
    pub display_name: String,
    /// Verified domains; each names the tenant in paths too.
    pub domains: Vec<String>,
    /// Everything registered in it, in the order of listing.
    pub applications: Vec<Application>,
}

/// How a path names a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TenantName {
    /// By id.
    Id(TenantId),
    /// By a domain, in lower case.
    Domain(String),
}

/// Neither an id nor a domain.
#[derive(Debug, thiserror::Error)]
#[error("neither a tenant id nor a domain name")]
pub struct TenantNameError;

impl FromStr for TenantName {
    type Err = TenantNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        let label = |label: &str| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if text.contains('.') && text.split('.').all(label) {
            Ok(Self::Domain(text.to_ascii_lowercase()))
        } else {
            Err(TenantNameError)
        }
    }
}

impl fmt::Display for TenantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Domain(domain) => f.write_str(domain),
        }
    }
}

impl Tenant {
    /// Whether a name in a path means this tenant.
    pub fn is_named(&self, name: &TenantName) -> bool {
        match name {
            TenantName::Id(id) => *id == self.id,
            TenantName::Domain(domain) => self
                .domains
                .iter()
                .any(|own| own.eq_ignore_ascii_case(domain)),
        }
    }

    /// The application with this object id.
    pub fn by_object_id(&self, id: ObjectId) -> Option<&Application> {
        self.applications.iter().find(|app| app.object_id == id)
    }

    /// The application with this client id.
    pub fn by_app_id(&self, id: AppId) -> Option<&Application> {
        self.applications.iter().find(|app| app.app_id == id)
    }

    /// The same, to change it.
    pub fn by_object_id_mut(&mut self, id: ObjectId) -> Option<&mut Application> {
        self.applications.iter_mut().find(|app| app.object_id == id)
    }

    /// An application by what a person writes: name, client id or object id.
    pub fn named(&self, name: &str) -> Option<&Application> {
        let object_id = name.parse().ok();
        let app_id = name.parse().ok();
        self.applications.iter().find(|app| {
            app.display_name == name
                || Some(app.object_id) == object_id
                || Some(app.app_id) == app_id
        })
    }

    /// The same, to change it.
    pub fn named_mut(&mut self, name: &str) -> Option<&mut Application> {
        let id = self.named(name)?.object_id;
        self.by_object_id_mut(id)
    }

    /// The application whose service principal has this object id.
    pub fn by_service_principal(&self, id: ObjectId) -> Option<(&Application, &ServicePrincipal)> {
        self.service_principals()
            .find(|(_, principal)| principal.object_id == id)
    }

    /// Every service principal with its application.
    pub fn service_principals(&self) -> impl Iterator<Item = (&Application, &ServicePrincipal)> {
        self.applications
            .iter()
            .filter_map(|app| Some((app, app.service_principal.as_ref()?)))
    }

    /// Grants a role to an application's service principal, which is made if it lacks one.
    /// `false` where there is no such application.
    pub fn grant(&mut self, name: &str, role: AppRole, rng: &mut fastrand::Rng) -> bool {
        let Some(app) = self.named_mut(name) else {
            return false;
        };
        app.service_principal
            .get_or_insert_with(|| ServicePrincipal {
                object_id: ObjectId::draw(rng),
                roles: std::collections::BTreeSet::new(),
            })
            .roles
            .insert(role);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_named_by_id_or_domain_and_nothing_else() {
        let id: TenantId = "0785ef7c-2d7a-4542-b048-95bcab406e0b".parse().unwrap();
        let tenant = Tenant {
            id,
            display_name: "Contoso".to_owned(),
            domains: vec!["contoso.example".to_owned()],
            applications: Vec::new(),
        };
        assert!(tenant.is_named(&id.to_string().parse().unwrap()));
        assert!(tenant.is_named(&"Contoso.Example".parse().unwrap()));
        assert!(!tenant.is_named(&"fabrikam.example".parse().unwrap()));
        assert!("undefined".parse::<TenantName>().is_err());
        assert!("a..b".parse::<TenantName>().is_err());
    }
}
