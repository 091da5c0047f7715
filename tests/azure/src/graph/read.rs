//! The reads.

use serde_json::Value;

use super::access::{self, Caller};
use super::entity::{self, Entity, GRAPH_PRINCIPAL};
use super::error::GraphError;
use super::odata::Options;
use super::{collection, dress, policy, success};
use crate::answer::Answer;
use crate::exchange::Exchange;
use crate::model::{Application, ServicePrincipal, Surface};
use crate::route::Key;

const APPLICATION: &str = "application";
const PRINCIPAL: &str = "servicePrincipal";
const OBJECT: &str = "directoryObject";

/// `GET /applications`
pub(super) fn applications(
    exchange: &mut Exchange<'_>,
    caller: &Caller,
) -> Result<Answer, GraphError> {
    caller.may_read()?;
    let options = Options::of(exchange.request)?;
    let view = exchange.world.view(Surface::Read);
    let domain = domain(exchange);
    let reveals = reveals_certificates(&options);
    let entities = exchange
        .world
        .tenant
        .applications
        .iter()
        .map(|app| {
            let mut entity = entity::application(app, view, exchange.now, &domain);
            if reveals {
                entity::reveal_certificates(&mut entity, app);
            }
            entity
        })
        .collect();
    let body = collection::list(exchange, &options, entities, "applications", APPLICATION)?;
    Ok(success(exchange, &body, 2))
}

/// `GET /applications/$count`
pub(super) fn count(exchange: &mut Exchange<'_>, caller: &Caller) -> Result<Answer, GraphError> {
    caller.may_read()?;
    let is_eventual = exchange
        .request
        .header("consistencylevel")
        .is_some_and(|level| level.eq_ignore_ascii_case("eventual"));
    if !is_eventual {
        return Err(GraphError::bad_request(
            "$count is not currently supported.",
        ));
    }
    let options = Options::of(exchange.request)?;
    let view = exchange.world.view(Surface::Read);
    let domain = domain(exchange);
    let count = exchange
        .world
        .tenant
        .applications
        .iter()
        .map(|app| entity::application(app, view, exchange.now, &domain))
        .filter(|entity| {
            options
                .filter
                .as_ref()
                .is_none_or(|filter| filter.keeps(entity))
        })
        .count();
    let answer = Answer::text(200, "text/plain", count.to_string());
    Ok(dress(exchange, answer).with("OData-Version", "4.0"))
}

/// `GET /applications/{id}`
pub(super) fn application(
    exchange: &mut Exchange<'_>,
    caller: &Caller,
    key: &Key,
) -> Result<Answer, GraphError> {
    caller.may_read()?;
    let options = Options::of(exchange.request)?;
    let view = exchange.world.view(Surface::Read);
    let app = access::application(exchange, key)?;
    let mut entity = entity::application(app, view, exchange.now, &domain(exchange));
    if reveals_certificates(&options) {
        entity::reveal_certificates(&mut entity, app);
    }
    let body = collection::single(exchange, &options, entity, "applications", APPLICATION)?;
    Ok(success(exchange, &body, 1))
}

/// `GET /applications/{id}/owners`
pub(super) fn owners(
    exchange: &mut Exchange<'_>,
    caller: &Caller,
    key: &Key,
) -> Result<Answer, GraphError> {
    caller.may_read()?;
    let options = Options::of(exchange.request)?;
    let app = access::application(exchange, key)?;
    let tenant = &exchange.world.tenant;
    let entities = tenant
        .service_principals()
        .filter(|(_, principal)| app.owners.contains(&principal.object_id))
        .map(|(app, principal)| {
            typed(
                entity::service_principal(app, principal, tenant),
                "#microsoft.graph.servicePrincipal",
            )
        })
        .collect();
    let body = collection::list(exchange, &options, entities, "directoryObjects", OBJECT)?;
    Ok(success(exchange, &body, 2))
}

/// `GET /applications/{id}/appManagementPolicies`: one that is assigned to it, or none.
pub(super) fn app_management_policies(
    exchange: &mut Exchange<'_>,
    caller: &Caller,
    key: &Key,
) -> Result<Answer, GraphError> {
    caller.may_read()?;
    caller.may_read_policies()?;
    let options = Options::of(exchange.request)?;
    let app = access::application(exchange, key)?;
    let entities = app.policy.iter().map(policy::assigned).collect();
    let context = "policies/appManagementPolicies";
    let body = collection::list(exchange, &options, entities, context, "appManagementPolicy")?;
    Ok(success(exchange, &body, 1))
}

/// `GET /policies/defaultAppManagementPolicy`
pub(super) fn default_app_management_policy(
    exchange: &mut Exchange<'_>,
    caller: &Caller,
) -> Result<Answer, GraphError> {
    caller.may_read_policies()?;
    let options = Options::of(exchange.request)?;
    let entity = policy::default(exchange.world.behaviour.policy.as_ref());
    let context = "policies/defaultAppManagementPolicy";
    let kind = "tenantAppManagementPolicy";
    let body = collection::single(exchange, &options, entity, context, kind)?;
    Ok(success(exchange, &body, 1))
}

/// `GET /servicePrincipals`
pub(super) fn service_principals(
    exchange: &mut Exchange<'_>,
    caller: &Caller,
) -> Result<Answer, GraphError> {
    caller.may_read()?;
    let options = Options::of(exchange.request)?;
    let tenant = &exchange.world.tenant;
    let mut entities: Vec<Entity> = tenant
        .service_principals()
        .map(|(app, principal)| entity::service_principal(app, principal, tenant))
        .collect();
    entities.push(entity::graph_principal());
    let body = collection::list(exchange, &options, entities, "servicePrincipals", PRINCIPAL)?;
    Ok(success(exchange, &body, 2))
}

/// `GET /servicePrincipals/{id}`
pub(super) fn service_principal(
    exchange: &mut Exchange<'_>,
    caller: &Caller,
    key: &Key,
) -> Result<Answer, GraphError> {
    caller.may_read()?;
    let options = Options::of(exchange.request)?;
    let is_graph = match key {
        Key::Id(id) => id.eq_ignore_ascii_case(GRAPH_PRINCIPAL),
        Key::AppId(id) => id.eq_ignore_ascii_case("00000003-0000-0000-c000-000000000000"),
    };
    let entity = if is_graph {
        entity::graph_principal()
    } else {
        let (app, principal) = principal(exchange, key)?;
        entity::service_principal(app, principal, &exchange.world.tenant)
    };
    let body = collection::single(exchange, &options, entity, "servicePrincipals", PRINCIPAL)?;
    Ok(success(exchange, &body, 1))
}

/// `GET /servicePrincipals/{id}/appRoleAssignments`
pub(super) fn app_role_assignments(
    exchange: &mut Exchange<'_>,
    caller: &Caller,
    key: &Key,
) -> Result<Answer, GraphError> {
    caller.may_read()?;
    let options = Options::of(exchange.request)?;
    let (app, principal) = principal(exchange, key)?;
    let entities = principal
        .roles
        .iter()
        .map(|role| entity::assignment(app, principal, *role))
        .collect();
    let context = "appRoleAssignments";
    let body = collection::list(exchange, &options, entities, context, "appRoleAssignment")?;
    Ok(success(exchange, &body, 2))
}

/// `GET /servicePrincipals/{id}/ownedObjects`
pub(super) fn owned_objects(
    exchange: &mut Exchange<'_>,
    caller: &Caller,
    key: &Key,
) -> Result<Answer, GraphError> {
    caller.may_read()?;
    let options = Options::of(exchange.request)?;
    let view = exchange.world.view(Surface::Read);
    let domain = domain(exchange);
    let (_, principal) = principal(exchange, key)?;
    let entities = exchange
        .world
        .tenant
        .applications
        .iter()
        .filter(|app| app.owners.contains(&principal.object_id))
        .map(|app| {
            typed(
                entity::application(app, view, exchange.now, &domain),
                "#microsoft.graph.application",
            )
        })
        .collect();
    let body = collection::list(exchange, &options, entities, "directoryObjects", OBJECT)?;
    Ok(success(exchange, &body, 2))
}

/// `GET /organization`
pub(super) fn organization(
    exchange: &mut Exchange<'_>,
    caller: &Caller,
) -> Result<Answer, GraphError> {
    caller.may_read_organization()?;
    let options = Options::of(exchange.request)?;
    let entities = vec![entity::organization(&exchange.world.tenant)];
    let body = collection::list(exchange, &options, entities, "organization", "organization")?;
    Ok(success(exchange, &body, 1))
}

fn principal<'w>(
    exchange: &'w Exchange<'_>,
    key: &Key,
) -> Result<(&'w Application, &'w ServicePrincipal), GraphError> {
    let tenant = &exchange.world.tenant;
    let malformed = |_| GraphError::malformed_id(key.text());
    match key {
        Key::Id(text) => tenant.by_service_principal(text.parse().map_err(malformed)?),
        Key::AppId(text) => {
            let app = tenant.by_app_id(text.parse().map_err(malformed)?);
            app.and_then(|app| Some((app, app.service_principal.as_ref()?)))
        }
    }
    .ok_or_else(|| GraphError::not_found(key.text()))
}

/// The content of certificates is shown only to who asks for it by name.
fn reveals_certificates(options: &Options) -> bool {
    options.select.as_ref().is_some_and(|names| {
        names
            .iter()
            .any(|name| name.eq_ignore_ascii_case("keyCredentials"))
    })
}

fn domain(exchange: &Exchange<'_>) -> String {
    let domains = &exchange.world.tenant.domains;
    domains.first().cloned().unwrap_or_default()
}

fn typed(mut entity: Entity, kind: &str) -> Entity {
    entity.insert("@odata.type".to_owned(), Value::from(kind));
    entity
}
