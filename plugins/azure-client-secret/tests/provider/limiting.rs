//! What `inspect` says of the policies that limit client secrets.

use azure_client_secret::AzureClientSecret as Azure;
use rotor_provider_sdk::http::{Error, Response};
use rotor_provider_sdk::mock::MockHost;
use rotor_provider_sdk::{FaultKind, Finding, Inspection, Provider, Severity};
use serde_json::{Value, json};

use crate::target::{self, NOW, OBJECT};

const ALL: &str = "Application.ReadWrite.All";
const DAY: u64 = 24 * 60 * 60;
/// What is left of a longest lifetime for clocks that differ.
const CLOCKS: u64 = 300;
const NEXT: &str =
    "https://graph.microsoft.com/v1.0/applications/x/appManagementPolicies?$skiptoken=a";

fn ok(body: &Value) -> Response {
    target::dated(200, body)
}

/// A login with these roles, and what `inspect` reads before it comes to the policies.
fn before(roles: &[&str]) -> MockHost {
    let mut application = target::application();
    application["createdDateTime"] = json!("2024-05-07T06:52:43Z");
    MockHost::at(NOW)
        .answer(target::token(roles))
        .answer(ok(&application))
        .answer(ok(&json!({"id": OBJECT, "accountEnabled": true})))
}

fn reader() -> MockHost {
    before(&[ALL, "Policy.Read.All"])
}

fn inspect(host: &MockHost) -> Inspection {
    Azure::inspect(host, &target::target()).unwrap()
}

/// As the documentation shows it.
fn default_policy(restrictions: &Value) -> Response {
    ok(&json!({
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#policies/defaultAppManagementPolicy/$entity",
        "@odata.id": "https://graph.microsoft.com/v2/t/defaultAppManagementPolicy/00000000-0000-0000-0000-000000000000",
        "id": "00000000-0000-0000-0000-000000000000",
        "displayName": "Default app management tenant policy",
        "description": "A description.",
        "isEnabled": true,
        "applicationRestrictions": {"passwordCredentials": restrictions, "keyCredentials": []},
        "servicePrincipalRestrictions": {"passwordCredentials": [], "keyCredentials": []},
    }))
}

fn page(restrictions: &Value, next: Option<&str>) -> Response {
    let mut page = json!({"value": [{
        "id": "db9d4b58-3488-4da4-9994-49773c454e33", "displayName": "Ours", "isEnabled": true,
        "restrictions": {"passwordCredentials": restrictions},
    }]});
    if let Some(next) = next {
        page["@odata.nextLink"] = json!(next);
    }
    ok(&page)
}

fn no_policies() -> Response {
    ok(&json!({"value": []}))
}

fn limit(max_lifetime: &str) -> Value {
    json!([{
        "restrictionType": "passwordLifetime", "state": "enabled", "maxLifetime": max_lifetime,
        "restrictForAppsCreatedAfterDateTime": null,
    }])
}

/// The one finding, which leaves the lifetime unknown and stands in nobody's way.
fn unread(inspection: &Inspection) -> &Finding {
    assert_eq!(inspection.max_lifetime_seconds, None);
    let [finding] = inspection.findings.as_slice() else {
        panic!("{:?}", inspection.findings);
    };
    assert_eq!(finding.code, "lifetime-policy-unread");
    assert_eq!(finding.severity, Severity::Fine);
    finding
}

#[test]
fn who_may_not_read_policies_does_not_ask_for_them() {
    for role in [ALL, "Policy.Read.ConditionalAccess"] {
        // The script has no answer for a request more.
        let host = before(&[ALL, role]);
        let inspection = inspect(&host);
        let message = &unread(&inspection).message;
        assert!(message.contains("Policy.Read.All"), "{message}");
    }
}

#[test]
fn the_default_policy_limits_the_lifetime() {
    for role in [
        "Policy.Read.All",
        "Policy.Read.ApplicationConfiguration",
        "Policy.ReadWrite.ApplicationConfiguration",
    ] {
        let host = before(&[ALL, role])
            .answer(no_policies())
            .answer(default_policy(&limit("P90D")));
        let inspection = inspect(&host);
        assert_eq!(
            inspection.max_lifetime_seconds,
            Some(90 * DAY - CLOCKS),
            "{role}"
        );
        assert_eq!(inspection.findings, [], "{role}");
        let graph = "https://graph.microsoft.com/v1.0";
        let asked = host.requests();
        assert!(asked[1].url.contains("createdDateTime"), "{}", asked[1].url);
        assert_eq!(
            asked[3].url,
            format!("{graph}/applications/{OBJECT}/appManagementPolicies")
        );
        assert_eq!(
            asked[4].url,
            format!("{graph}/policies/defaultAppManagementPolicy")
        );
    }
}

#[test]
fn a_policy_of_the_applications_own_is_found_on_any_page() {
    let host = reader()
        .answer(ok(&json!({"value": [], "@odata.nextLink": NEXT})))
        .answer(page(&limit("P180D"), None))
        .answer(default_policy(&limit("P90D")));
    assert_eq!(
        inspect(&host).max_lifetime_seconds,
        Some(180 * DAY - CLOCKS)
    );
    assert_eq!(host.requests()[4].url, NEXT);
}

#[test]
fn a_tenant_without_policies_limits_nothing() {
    let off = json!({"id": "x", "isEnabled": false, "applicationRestrictions": {"passwordCredentials": []}});
    let host = reader().answer(no_policies()).answer(ok(&off));
    let inspection = inspect(&host);
    assert_eq!(inspection.max_lifetime_seconds, None);
    assert_eq!(inspection.findings, []);
}

#[test]
fn a_policy_made_for_younger_applications_does_not_hold() {
    let young = json!([{
        "restrictionType": "passwordLifetime", "state": "enabled", "maxLifetime": "P90D",
        "restrictForAppsCreatedAfterDateTime": "2025-01-01T00:00:00Z",
    }]);
    let host = reader()
        .answer(no_policies())
        .answer(default_policy(&young));
    assert_eq!(inspect(&host).max_lifetime_seconds, None);
}

#[test]
fn who_forbids_new_secrets_is_named_with_what_permits_them() {
    let host = reader()
        .answer(page(
            &json!([{"restrictionType": "passwordAddition"}]),
            None,
        ))
        .answer(default_policy(&limit("P90D")));
    let inspection = inspect(&host);
    let [finding] = inspection.findings.as_slice() else {
        panic!("{:?}", inspection.findings);
    };
    assert_eq!(finding.code, "secrets-forbidden");
    assert_eq!(finding.severity, Severity::Problem);
    let message = &finding.message;
    for part in ["\"Ours\"", "db9d4b58-3488-4da4-9994-49773c454e33"] {
        assert!(message.contains(part), "{message}");
    }
    let remedy = finding.remedy.as_deref().unwrap();
    assert!(remedy.contains("passwordAddition"), "{remedy}");
}

#[test]
fn a_policy_that_can_not_be_read_stands_in_nobodys_way() {
    let denied = || {
        target::dated(
            403,
            &json!({"error": {"code": "Authorization_RequestDenied", "message": "Insufficient."}}),
        )
    };
    let host = reader().answer(denied());
    let inspection = inspect(&host);
    let message = &unread(&inspection).message;
    assert!(message.contains("Application.Read.All"), "{message}");
    assert!(!message.contains("OwnedBy"), "{message}");

    for host in [
        reader().answer(target::not_found()),
        reader().answer(no_policies()).answer(denied()),
        reader().answer(page(
            &limit("P1D"),
            Some("https://evil.test/v1.0/applications"),
        )),
    ] {
        unread(&inspect(&host));
    }
}

#[test]
fn a_policy_that_may_be_read_a_little_later_is_not_taken_for_none() {
    let lost = || Error::Interrupted("cut off".to_owned());
    for (host, kind) in [
        (
            reader().answer(target::dated(429, &json!({}))),
            FaultKind::Throttled,
        ),
        (
            reader().answer(target::dated(503, &json!({}))),
            FaultKind::Unavailable,
        ),
        (
            reader().answer(Response::new(200, "<html>Welcome</html>")),
            FaultKind::Unavailable,
        ),
        (reader().fail(lost()), FaultKind::Unavailable),
        (
            reader().answer(no_policies()).fail(lost()),
            FaultKind::Unavailable,
        ),
    ] {
        let fault = Azure::inspect(&host, &target::target()).unwrap_err();
        assert_eq!(fault.kind, kind, "{fault:?}");
    }
}

#[test]
fn pages_without_end_are_not_read_to_the_end() {
    let mut host = reader();
    for _ in 0..10 {
        host = host.answer(page(&limit("P90D"), Some(NEXT)));
    }
    unread(&inspect(&host));
}

#[test]
fn a_lifetime_that_can_not_be_read_is_quoted() {
    let host = reader()
        .answer(no_policies())
        .answer(default_policy(&limit("a while")));
    let inspection = inspect(&host);
    let message = &unread(&inspection).message;
    assert!(message.contains("\"a while\""), "{message}");
}
