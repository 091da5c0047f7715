//! Secrets over Graph: who may, what is refused, and how they look afterwards.

use azure_standin::{AppRole, Behaviour, ConcurrencyStatus, PasswordPolicy, WriteWindow};
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::rig::{self, Rig};

#[tokio::test]
async fn an_added_secret_logs_in_is_listed_first_and_goes_when_removed() {
    let rig = Rig::start().await;
    rig.add_password("payroll").await;
    let added = rig.add_password("payroll").await.json();
    let text = rig::text(&added["secretText"]);
    assert_eq!(rig.login("payroll", &text).await.status, 200);

    let app = rig.get(&rig.object_path("payroll")).await.json();
    let listed = app["passwordCredentials"].as_array().unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0]["keyId"], added["keyId"]);
    assert_eq!(listed[0]["secretText"], Value::Null);
    assert_eq!(listed[0]["hint"], added["hint"]);

    let key = rig::text(&added["keyId"]);
    assert_eq!(rig.remove_password("payroll", &key).await.status, 204);
    assert_eq!(rig.login("payroll", &text).await.error(), "7000215");
    assert_eq!(rig.remove_password("payroll", &key).await.status, 400);
}

#[tokio::test]
async fn the_narrow_role_needs_ownership_and_the_wide_one_does_not() {
    let rig = Rig::start().await;
    let denied = rig.add_password("other").await;
    assert_eq!(denied.error(), "Authorization_RequestDenied");
    rig.standin.set_owner("other", "rotord", true).unwrap();
    assert_eq!(rig.add_password("other").await.status, 200);
    rig.standin.set_owner("other", "rotord", false).unwrap();
    rig.standin
        .grant("rotord", AppRole::ApplicationReadWriteAll)
        .unwrap();
    assert_eq!(rig.add_password("other").await.status, 200);
}

#[tokio::test]
async fn an_application_is_named_by_object_id_or_alternate_key_not_by_client_id_alone() {
    let rig = Rig::start().await;
    let app = rig.app_id("payroll");
    let mistaken = rig.get(&format!("/v1.0/applications/{app}")).await;
    assert_eq!(mistaken.error(), "Request_ResourceNotFound");
    let alternate = format!("/v1.0/applications(appId='{app}')");
    assert_eq!(rig.get(&alternate).await.json()["appId"], app);
    let encoded = format!("/v1.0/applications(appId=%27{app}%27)/microsoft.graph.addPassword");
    assert_eq!(rig.post(&encoded, &json!({})).await.status, 200);
    let malformed = rig.get("/v1.0/applications/x").await;
    assert_eq!(malformed.status, 400);
    assert_eq!(
        malformed.json()["error"]["message"],
        "Invalid object identifier 'x'."
    );
}

#[tokio::test]
async fn times_come_back_in_utc_with_the_digits_that_were_given() {
    let rig = Rig::behaving(Behaviour::default()).await;
    let path = format!("{}/addPassword", rig.object_path("payroll"));
    let wanted = json!({ "passwordCredential": {
        "displayName": null,
        "startDateTime": "2030-01-02T11:04:05.1557753+08:00",
    }});
    let added = rig.post(&path, &wanted).await.json();
    assert_eq!(added["startDateTime"], "2030-01-02T03:04:05.1557753Z");
    // Two years from the service's now, not from the start.
    assert_eq!(added["endDateTime"], "2032-01-02T03:04:05Z");
    assert_eq!(added["displayName"], Value::Null);
}

#[tokio::test]
async fn bad_bodies_are_refused_and_change_nothing() {
    let rig = Rig::start().await;
    let path = rig.url(&format!("{}/addPassword", rig.object_path("payroll")));
    let bearer = rig.bearer().await;
    let request = || rig.http.post(&path).bearer_auth(&bearer);
    let json_type = ("content-type", "application/json");
    let mut refused = Vec::new();
    for (kind, body) in [
        (Some(json_type.1), "{"),
        (Some(json_type.1), "[]"),
        (Some("text/plain"), "{}"),
        (
            Some(json_type.1),
            r#"{"passwordCredential":{"endDateTime":"tomorrow"}}"#,
        ),
        (
            Some(json_type.1),
            r#"{"passwordCredential":{"endDateTime":"2001-01-01T00:00:00Z"}}"#,
        ),
        (None, "{}"),
    ] {
        let mut request = request().body(body);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        refused.push(rig.send(request).await.status);
    }
    assert_eq!(refused, [400; 6]);
    assert!(rig.standin.secrets("payroll").unwrap().is_empty());

    let remove = rig.url(&format!("{}/removePassword", rig.object_path("payroll")));
    for body in [json!({}), json!({ "keyId": "x" })] {
        let request = rig.http.post(&remove).bearer_auth(&bearer).json(&body);
        assert_eq!(rig.send(request).await.error(), "Request_BadRequest");
    }
    let update = json!({ "passwordCredentials": [] });
    let request = rig
        .http
        .patch(rig.url(&rig.object_path("payroll")))
        .bearer_auth(&bearer)
        .json(&update);
    let message = rig::text(&rig.send(request).await.json()["error"]["message"]);
    assert!(message.starts_with("Using PATCH to update passwordCredentials"));
}

#[tokio::test]
async fn a_policy_limits_lifetimes_and_forbids_passwords() {
    let rig = Rig::behaving(Behaviour {
        policy: Some(PasswordPolicy {
            max_lifetime_seconds: Some(180 * 86_400),
            ..PasswordPolicy::default()
        }),
        ..Behaviour::default()
    })
    .await;
    let too_long = rig.add_password("payroll").await;
    assert_eq!(too_long.status, 400);
    assert_eq!(too_long.error(), "CredentialInvalidLifetimeAsPerAppPolicy");
    let detail = &too_long.json()["error"]["details"][0];
    assert_eq!(detail["code"], "InvalidKeyEndDate");
    assert_eq!(detail["target"], "EndDate");

    let end = rig.standin.now() + TimeDelta::days(179);
    let wanted = json!({ "passwordCredential": { "endDateTime": end } });
    let path = format!("{}/addPassword", rig.object_path("payroll"));
    assert_eq!(rig.post(&path, &wanted).await.status, 200);

    rig.standin.set_behaviour(|behaviour| {
        behaviour.policy = Some(PasswordPolicy {
            passwords_forbidden: true,
            ..PasswordPolicy::default()
        });
    });
    let forbidden = rig.post(&path, &wanted).await;
    assert_eq!(forbidden.error(), "CredentialTypeNotAllowedAsPerAppPolicy");
}

#[tokio::test]
async fn policies_are_shown_to_who_may_read_policies() {
    let mut config = rig::config();
    config.applications[1].policy = Some(PasswordPolicy {
        id: Uuid::from_u128(7),
        max_lifetime_seconds: Some(36 * 3600),
        passwords_forbidden: false,
    });
    config.behaviour.policy = Some(PasswordPolicy {
        passwords_forbidden: true,
        ..PasswordPolicy::default()
    });
    let rig = Rig::with(config).await;
    let default = "/v1.0/policies/defaultAppManagementPolicy";
    let own = format!("{}/appManagementPolicies", rig.object_path("payroll"));
    for path in [default, &own] {
        let refused = rig.get(path).await;
        assert_eq!(refused.status, 403, "{path}");
        assert_eq!(refused.error(), "Authorization_RequestDenied");
    }

    rig.standin.grant("rotord", AppRole::PolicyReadAll).unwrap();
    let shown = rig.get(default).await;
    assert_eq!(shown.header("odata-version"), "4.0");
    let shown = shown.json();
    let context = rig::text(&shown["@odata.context"]);
    assert!(context.ends_with("#policies/defaultAppManagementPolicy/$entity"));
    assert_eq!(shown["isEnabled"], true);
    let restrictions = &shown["applicationRestrictions"]["passwordCredentials"];
    assert_eq!(restrictions[0]["restrictionType"], "passwordAddition");
    assert_eq!(restrictions[0]["state"], "enabled");
    assert_eq!(restrictions[1]["restrictionType"], "passwordLifetime");
    assert_eq!(restrictions[1]["state"], "disabled");
    assert_eq!(restrictions[1]["maxLifetime"], json!(null));

    let shown = rig.get(&own).await.json();
    let context = rig::text(&shown["@odata.context"]);
    assert!(context.ends_with("#policies/appManagementPolicies"));
    assert_eq!(shown["value"][0]["id"], json!(Uuid::from_u128(7)));
    let restrictions = &shown["value"][0]["restrictions"]["passwordCredentials"];
    assert_eq!(restrictions[0]["state"], "disabled");
    assert_eq!(restrictions[1]["maxLifetime"], "P1DT12H");
    let none = format!("{}/appManagementPolicies", rig.object_path("other"));
    assert_eq!(rig.get(&none).await.json()["value"], json!([]));

    rig.standin
        .set_behaviour(|behaviour| behaviour.policy = None);
    let shown = rig.get(default).await.json();
    assert_eq!(shown["isEnabled"], false);
    assert_eq!(
        shown["applicationRestrictions"]["passwordCredentials"],
        json!([])
    );
}

#[tokio::test]
async fn writes_too_close_collide_and_a_503_may_have_been_applied() {
    let rig = Rig::behaving(Behaviour {
        write_window: WriteWindow {
            milliseconds: 5000,
            status: ConcurrencyStatus::Conflict,
            applied: false,
        },
        ..Behaviour::default()
    })
    .await;
    assert_eq!(rig.add_password("payroll").await.status, 200);
    let refused = rig.add_password("payroll").await;
    assert_eq!(
        (refused.status, refused.error().as_str()),
        (409, "Directory_ConcurrencyViolation")
    );
    assert_eq!(rig.standin.secrets("payroll").unwrap().len(), 1);

    rig.standin.set_behaviour(|behaviour| {
        behaviour.write_window.status = ConcurrencyStatus::Unavailable;
        behaviour.write_window.applied = true;
    });
    assert_eq!(rig.add_password("payroll").await.status, 503);
    assert_eq!(rig.standin.secrets("payroll").unwrap().len(), 2);

    rig.standin.advance(std::time::Duration::from_secs(5));
    assert_eq!(rig.add_password("payroll").await.status, 200);
}

#[tokio::test]
async fn a_callers_roles_and_what_it_owns_can_be_read() {
    let rig = Rig::start().await;
    let app = rig.app_id("rotord");
    let principal = format!("/v1.0/servicePrincipals(appId='{app}')");
    let found = rig.get(&principal).await.json();
    assert_eq!(found["appId"], app);
    let assignments = rig.get(&format!("{principal}/appRoleAssignments")).await;
    assert_eq!(
        assignments.json()["value"][0]["appRoleId"],
        "18a4783c-866b-4cc7-a460-3d5e5662c884"
    );
    let owners = rig
        .get(&format!("{}/owners", rig.object_path("payroll")))
        .await
        .json();
    assert_eq!(owners["value"][0]["id"], found["id"]);
    let id = rig::text(&found["id"]);
    let owned = rig
        .get(&format!(
            "/v1.0/servicePrincipals/{id}/ownedObjects?$select=appId"
        ))
        .await
        .json();
    assert_eq!(owned["value"][0]["appId"], rig.app_id("payroll"));
    assert_eq!(rig.get("/v1.0/organization").await.status, 403);
}

#[tokio::test]
async fn limits_are_counted_where_they_are_set() {
    let rig = Rig::behaving(Behaviour::default()).await;
    rig.standin
        .set_behaviour(|behaviour| behaviour.throttle.writes_per_150_s = Some(5));
    for _ in 0..3 {
        let reply = rig.add_password("payroll").await;
        assert!(!reply.headers.contains_key("x-ms-throttle-limit-percentage"));
    }
    let near = rig.add_password("payroll").await;
    assert_eq!(near.header("x-ms-throttle-limit-percentage"), "0.80");
    rig.add_password("payroll").await;
    let over = rig.add_password("payroll").await;
    assert_eq!(over.status, 429);
    assert_eq!(over.header("retry-after"), "150");
    let scope = format!(
        "Tenant_Application/ReadWrite/{}/{}",
        rig.app_id("rotord"),
        rig.standin.tenant_id()
    );
    assert_eq!(over.header("x-ms-throttle-scope"), scope);
    rig.standin.advance(std::time::Duration::from_secs(150));
    assert_eq!(rig.add_password("payroll").await.status, 200);
}

#[tokio::test]
async fn a_write_without_a_length_meets_only_the_gateway() {
    let rig = Rig::start().await;
    let path = format!("{}/addPassword", rig.object_path("payroll"));
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Authorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n",
        rig.bearer().await
    );
    let answer = rig.speak(&request).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    assert_eq!(body, "");
    assert!(rig.standin.secrets("payroll").unwrap().is_empty());
}
