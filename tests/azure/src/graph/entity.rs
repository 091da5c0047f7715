//! Objects as Graph shows them.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::datetime;
use crate::model::{AppRole, Application, Certificate, Password, ServicePrincipal, Tenant, View};

/// An object of the directory, every property of it.
pub(super) type Entity = Map<String, Value>;

/// The service principal of Graph itself, which assignments name as their resource.
pub(super) const GRAPH_PRINCIPAL: &str = "00000003-0000-4000-8000-0000000000a1";

/// An application as a replica shows it.
pub(super) fn application(
    app: &Application,
    view: View,
    now: DateTime<Utc>,
    domain: &str,
) -> Entity {
    let passwords: Vec<Value> = app.visible_passwords(view, now).map(password).collect();
    let certificates: Vec<Value> = app.certificates.iter().map(certificate).collect();
    let mut entity = entity(json!({
        "id": app.object_id,
        "deletedDateTime": null,
        "appId": app.app_id,
        "applicationTemplateId": null,
        "disabledByMicrosoftStatus": null,
        "createdDateTime": datetime::write(app.created),
        "displayName": app.display_name,
        "description": null,
        "groupMembershipClaims": null,
        "identifierUris": app.identifier_uris,
        "isDeviceOnlyAuthSupported": null,
        "isFallbackPublicClient": null,
        "nativeAuthenticationApisEnabled": null,
        "notes": null,
        "publisherDomain": domain,
        "serviceManagementReference": null,
        "signInAudience": app.audience.name(),
        "tags": [],
        "tokenEncryptionKeyId": null,
        "uniqueName": null,
        "samlMetadataUrl": null,
        "defaultRedirectUri": null,
        "certification": null,
        "optionalClaims": null,
        "servicePrincipalLockConfiguration": null,
        "requestSignatureVerification": null,
        "keyCredentials": certificates,
        "passwordCredentials": passwords,
    }));
    entity.extend(facets());
    entity
}

/// The properties that are the same for every application here.
fn facets() -> Entity {
    entity(json!({
        "addIns": [],
        "api": {
            "acceptMappedClaims": null,
            "knownClientApplications": [],
            "requestedAccessTokenVersion": null,
            "oauth2PermissionScopes": [],
            "preAuthorizedApplications": [],
        },
        "appRoles": [],
        "info": {
            "logoUrl": null, "marketingUrl": null, "privacyStatementUrl": null,
            "supportUrl": null, "termsOfServiceUrl": null,
        },
        "parentalControlSettings": {
            "countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow",
        },
        "publicClient": { "redirectUris": [] },
        "requiredResourceAccess": [],
        "verifiedPublisher": {
            "displayName": null, "verifiedPublisherId": null, "addedDateTime": null,
        },
        "web": {
            "homePageUrl": null,
            "logoutUrl": null,
            "redirectUris": [],
            "implicitGrantSettings": {
                "enableAccessTokenIssuance": false, "enableIdTokenIssuance": false,
            },
            "redirectUriSettings": [],
        },
        "spa": { "redirectUris": [] },
    }))
}

/// Puts the certificates' content in, which only an explicit selection of them gets.
pub(super) fn reveal_certificates(entity: &mut Entity, app: &Application) {
    let Some(shown) = entity
        .get_mut("keyCredentials")
        .and_then(Value::as_array_mut)
    else {
        return;
    };
    for (shown, certificate) in shown.iter_mut().zip(&app.certificates) {
        shown["key"] = Value::from(certificate.key());
    }
}

/// A service principal.
pub(super) fn service_principal(
    app: &Application,
    principal: &ServicePrincipal,
    tenant: &Tenant,
) -> Entity {
    entity(json!({
        "id": principal.object_id,
        "deletedDateTime": null,
        "accountEnabled": !app.disabled,
        "appDisplayName": app.display_name,
        "appId": app.app_id,
        "appOwnerOrganizationId": tenant.id,
        "appRoleAssignmentRequired": false,
        "createdDateTime": datetime::write(app.created),
        "displayName": app.display_name,
        "servicePrincipalNames": [app.app_id],
        "servicePrincipalType": "Application",
        "signInAudience": app.audience.name(),
        "tags": [],
        "appRoles": [],
        "keyCredentials": [],
        "oauth2PermissionScopes": [],
        "passwordCredentials": [],
    }))
}

/// A role that a service principal was granted on Graph.
pub(super) fn assignment(app: &Application, principal: &ServicePrincipal, role: AppRole) -> Entity {
    entity(json!({
        "id": format!("{}-{}", principal.object_id.0.simple(), role.id().simple()),
        "deletedDateTime": null,
        "appRoleId": role.id(),
        "createdDateTime": datetime::write(app.created),
        "principalDisplayName": app.display_name,
        "principalId": principal.object_id,
        "principalType": "ServicePrincipal",
        "resourceDisplayName": "Microsoft Graph",
        "resourceId": GRAPH_PRINCIPAL,
    }))
}

/// The service principal of Graph itself, with the roles that it offers.
pub(super) fn graph_principal() -> Entity {
    let roles: Vec<Value> = AppRole::ALL
        .into_iter()
        .map(|role| {
            json!({
                "id": role.id(), "value": role.name(), "isEnabled": true,
                "allowedMemberTypes": ["Application"],
                "displayName": role.name(), "description": role.name(),
            })
        })
        .collect();
    entity(json!({
        "id": GRAPH_PRINCIPAL,
        "deletedDateTime": null,
        "accountEnabled": true,
        "appDisplayName": "Microsoft Graph",
        "appId": "00000003-0000-0000-c000-000000000000",
        "appOwnerOrganizationId": "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
        "displayName": "Microsoft Graph",
        "servicePrincipalNames": [
            "https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000"
        ],
        "servicePrincipalType": "Application",
        "appRoles": roles,
    }))
}

/// The tenant.
pub(super) fn organization(tenant: &Tenant) -> Entity {
    let domains: Vec<Value> = tenant
        .domains
        .iter()
        .enumerate()
        .map(|(index, name)| {
            json!({
                "name": name, "isDefault": index == 0, "isInitial": index == 0,
                "type": "Managed", "capabilities": "",
            })
        })
        .collect();
    entity(json!({
        "id": tenant.id,
        "deletedDateTime": null,
        "displayName": tenant.display_name,
        "tenantType": "AAD",
        "verifiedDomains": domains,
    }))
}

fn password(password: &Password) -> Value {
    json!({
        "customKeyIdentifier": null,
        "displayName": password.display_name,
        "endDateTime": datetime::write(password.end),
        "hint": password.text.hint(),
        "keyId": password.key_id,
        "secretText": null,
        "startDateTime": datetime::write(password.start),
    })
}

fn certificate(certificate: &Certificate) -> Value {
    json!({
        "customKeyIdentifier": certificate.thumbprint(),
        "displayName": certificate.display_name,
        "endDateTime": datetime::write(certificate.end),
        "key": null,
        "keyId": certificate.key_id,
        "startDateTime": datetime::write(certificate.start),
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
    })
}

/// The literals above are objects.
fn entity(value: Value) -> Entity {
    match value {
        Value::Object(entity) => entity,
        _ => Entity::new(),
    }
}
