//! App management policies as Graph shows them.
//!
//! A policy here takes the place of the tenant's as a whole, and Graph's do so restriction by restriction: so each
//! is shown with everything that it could restrict, and what it leaves free as disabled.

use serde_json::{Value, json};
use uuid::Uuid;

use super::datetime;
use super::entity::Entity;
use crate::model::PasswordPolicy;

/// One that is assigned to an application.
pub(super) fn assigned(policy: &PasswordPolicy) -> Entity {
    let mut entity = described(
        policy.id,
        "App management policy",
        "Restrictions for the applications that it is assigned to.",
        true,
    );
    let restrictions = json!({
        "passwordCredentials": restrictions(policy), "keyCredentials": [],
    });
    entity.insert("restrictions".to_owned(), restrictions);
    entity
}

/// The tenant's default, which is always there, and off where nothing is restricted.
pub(super) fn default(policy: Option<&PasswordPolicy>) -> Entity {
    let mut entity = described(
        policy.map_or(Uuid::nil(), |policy| policy.id),
        "Default app management tenant policy",
        "Restrictions for every application and service principal.",
        policy.is_some(),
    );
    let of_applications = policy.map(restrictions).unwrap_or_default();
    for (name, restrictions) in [
        ("applicationRestrictions", of_applications),
        ("servicePrincipalRestrictions", Vec::new()),
    ] {
        let restrictions = json!({ "passwordCredentials": restrictions, "keyCredentials": [] });
        entity.insert(name.to_owned(), restrictions);
    }
    entity
}

fn described(id: Uuid, name: &str, description: &str, is_enabled: bool) -> Entity {
    [
        ("id", json!(id)),
        ("displayName", json!(name)),
        ("description", json!(description)),
        ("isEnabled", json!(is_enabled)),
    ]
    .map(|(property, value)| (property.to_owned(), value))
    .into_iter()
    .collect()
}

fn restrictions(policy: &PasswordPolicy) -> Vec<Value> {
    let restriction = |kind: &str, is_enabled: bool, max_lifetime: Option<String>| {
        json!({
            "restrictionType": kind,
            "state": if is_enabled { "enabled" } else { "disabled" },
            "maxLifetime": max_lifetime,
            "restrictForAppsCreatedAfterDateTime": null,
        })
    };
    let longest = policy.max_lifetime_seconds;
    vec![
        restriction("passwordAddition", policy.passwords_forbidden, None),
        restriction(
            "passwordLifetime",
            longest.is_some(),
            longest.map(datetime::duration),
        ),
    ]
}
