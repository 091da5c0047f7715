//! Which route a path is. Identifiers stay text here: what is wrong with one is the route's answer.

use hyper::Method;

use crate::fault::Operation;
use crate::request::Request;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// The control interface, with the segments behind its prefix.
    Control(Vec<String>),
    /// The token endpoint of a tenant.
    Token { tenant: String },
    /// A tenant's discovery document.
    OpenIdConfiguration { tenant: String },
    /// A tenant's signing keys.
    Keys { tenant: String },
    /// Which hosts are authorities.
    InstanceDiscovery,
    /// The subscriptions that a login may use.
    Subscriptions,
    /// Something under `/v1.0/`.
    Graph(GraphRoute),
    /// Nothing here.
    Unknown,
}

/// Where a request goes within Graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GraphRoute {
    Applications,
    ApplicationsCount,
    Application(Key),
    AddPassword(Key),
    RemovePassword(Key),
    Owners(Key),
    AppManagementPolicies(Key),
    DefaultAppManagementPolicy,
    ServicePrincipals,
    ServicePrincipal(Key),
    AppRoleAssignments(Key),
    OwnedObjects(Key),
    Organization,
    Unknown { segment: String },
}

/// How a path names an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// By the text where the object id goes.
    Id(String),
    /// By the alternate key `appId`.
    AppId(String),
}

impl Key {
    /// As it was written.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Id(text) | Self::AppId(text) => text,
        }
    }
}

impl Route {
    /// Finds the route of a request.
    pub(crate) fn of(request: &Request) -> Self {
        let segments = request.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments.as_slice() {
            ["_standin", rest @ ..] => {
                Self::Control(rest.iter().map(|&segment| segment.to_owned()).collect())
            }
            [version, rest @ ..] if version.eq_ignore_ascii_case("v1.0") => {
                Self::Graph(GraphRoute::of(rest))
            }
            ["subscriptions"] => Self::Subscriptions,
            ["common", "discovery", "instance"] => Self::InstanceDiscovery,
            [tenant, "oauth2", "v2.0", "token"] => Self::Token {
                tenant: (*tenant).to_owned(),
            },
            [tenant, "v2.0", ".well-known", "openid-configuration"] => Self::OpenIdConfiguration {
                tenant: (*tenant).to_owned(),
            },
            [tenant, "discovery", "v2.0", "keys"] => Self::Keys {
                tenant: (*tenant).to_owned(),
            },
            _ => Self::Unknown,
        }
    }

    /// What it does, for faults and the record.
    pub(crate) fn operation(&self, method: &Method) -> Operation {
        match self {
            Self::Token { .. } => Operation::Token,
            Self::OpenIdConfiguration { .. } | Self::Keys { .. } | Self::InstanceDiscovery => {
                Operation::Discovery
            }
            Self::Graph(route) => match route {
                GraphRoute::Applications | GraphRoute::ApplicationsCount
                    if method == Method::GET =>
                {
                    Operation::ListApplications
                }
                GraphRoute::Application(_) if method == Method::GET => Operation::GetApplication,
                GraphRoute::AddPassword(_) => Operation::AddPassword,
                GraphRoute::RemovePassword(_) => Operation::RemovePassword,
                _ => Operation::OtherGraph,
            },
            Self::Control(_) | Self::Subscriptions | Self::Unknown => Operation::Unknown,
        }
    }
}

impl GraphRoute {
    fn of(segments: &[&str]) -> Self {
        let unknown = || Self::Unknown {
            segment: segments.last().copied().unwrap_or_default().to_owned(),
        };
        let Some((collection, rest)) = segments.split_first() else {
            return unknown();
        };
        if let Some(key) = alternate_key(collection, "applications") {
            return Self::of_application(key, rest).unwrap_or_else(unknown);
        }
        if let Some(key) = alternate_key(collection, "servicePrincipals") {
            return Self::of_service_principal(key, rest).unwrap_or_else(unknown);
        }
        let found = match (collection.to_ascii_lowercase().as_str(), rest) {
            ("applications", []) => Some(Self::Applications),
            ("applications", ["$count"]) => Some(Self::ApplicationsCount),
            ("applications", [id, rest @ ..]) => {
                Self::of_application(Key::Id((*id).to_owned()), rest)
            }
            ("serviceprincipals", []) => Some(Self::ServicePrincipals),
            ("serviceprincipals", [id, rest @ ..]) => {
                Self::of_service_principal(Key::Id((*id).to_owned()), rest)
            }
            ("organization", []) => Some(Self::Organization),
            ("policies", [policy]) if policy.eq_ignore_ascii_case("defaultAppManagementPolicy") => {
                Some(Self::DefaultAppManagementPolicy)
            }
            _ => None,
        };
        found.unwrap_or_else(unknown)
    }

    fn of_application(key: Key, rest: &[&str]) -> Option<Self> {
        match rest {
            [] => Some(Self::Application(key)),
            [action] => {
                let action = action.strip_prefix("microsoft.graph.").unwrap_or(action);
                match action.to_ascii_lowercase().as_str() {
                    "addpassword" => Some(Self::AddPassword(key)),
                    "removepassword" => Some(Self::RemovePassword(key)),
                    "owners" => Some(Self::Owners(key)),
                    "appmanagementpolicies" => Some(Self::AppManagementPolicies(key)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn of_service_principal(key: Key, rest: &[&str]) -> Option<Self> {
        match rest {
            [] => Some(Self::ServicePrincipal(key)),
            [part] => match part.to_ascii_lowercase().as_str() {
                "approleassignments" => Some(Self::AppRoleAssignments(key)),
                "ownedobjects" => Some(Self::OwnedObjects(key)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The object that the path names, if it names one.
    pub(crate) fn application_key(&self) -> Option<&Key> {
        match self {
            Self::Application(key)
            | Self::AddPassword(key)
            | Self::RemovePassword(key)
            | Self::Owners(key)
            | Self::AppManagementPolicies(key) => Some(key),
            _ => None,
        }
    }
}

/// The key of `collection(appId='…')`; quotes inside are doubled.
fn alternate_key(segment: &str, collection: &str) -> Option<Key> {
    let (name, arguments) = segment.split_once('(')?;
    if !name.eq_ignore_ascii_case(collection) {
        return None;
    }
    let (property, value) = arguments.strip_suffix(')')?.split_once('=')?;
    let value = value.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    property
        .trim()
        .eq_ignore_ascii_case("appId")
        .then(|| Key::AppId(value.replace("''", "'")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(path: &str) -> GraphRoute {
        let segments: Vec<&str> = path.split('/').collect();
        GraphRoute::of(&segments)
    }

    #[test]
    fn applications_are_named_by_object_id_or_alternate_key() {
        let id = || Key::Id("x".to_owned());
        let app_id = || Key::AppId("x".to_owned());
        assert_eq!(graph("applications/x"), GraphRoute::Application(id()));
        assert_eq!(
            graph("applications(appId='x')/addPassword"),
            GraphRoute::AddPassword(app_id())
        );
        assert_eq!(
            graph("servicePrincipals(appId='x')/appRoleAssignments"),
            GraphRoute::AppRoleAssignments(app_id())
        );
    }

    #[test]
    fn policies_are_the_tenants_or_an_applications() {
        assert_eq!(
            graph("policies/defaultAppManagementPolicy"),
            GraphRoute::DefaultAppManagementPolicy
        );
        assert_eq!(
            graph("applications/x/appManagementPolicies"),
            GraphRoute::AppManagementPolicies(Key::Id("x".to_owned()))
        );
    }

    #[test]
    fn actions_may_be_qualified_by_their_namespace() {
        assert_eq!(
            graph("applications/x/microsoft.graph.addPassword"),
            GraphRoute::AddPassword(Key::Id("x".to_owned()))
        );
    }

    #[test]
    fn what_is_no_route_is_named_by_its_segment() {
        assert_eq!(
            graph("applications/x/frobnicate"),
            GraphRoute::Unknown {
                segment: "frobnicate".to_owned()
            }
        );
    }
}
