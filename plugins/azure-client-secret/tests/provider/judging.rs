//! What `inspect` and `check` say.

use azure_client_secret::AzureClientSecret as Azure;
use rotor_provider_sdk::http::{Error, Response};
use rotor_provider_sdk::mock::MockHost;
use rotor_provider_sdk::{
    Fault, FaultKind, Finding, Identity, Inspection, OptionEntry, Provider, Severity, Target, Value,
};
use serde_json::json;

use crate::target::{self, CLIENT, NOW, OBJECT, ROTATOR, ROTATOR_PRINCIPAL, TENANT};

const ALL: &str = "Application.ReadWrite.All";
const OWNED: &str = "Application.ReadWrite.OwnedBy";
const ELSE: &str = "99998888-0000-4000-8000-000000000001";

fn logged_in(roles: &[&str]) -> MockHost {
    MockHost::at(NOW).answer(target::token(roles))
}

fn ok(body: &serde_json::Value) -> Response {
    target::dated(200, body)
}

/// The target's service principal.
fn principal() -> Response {
    target::dated(200, &json!({"id": ELSE, "accountEnabled": true}))
}

fn inspect(host: &MockHost) -> Inspection {
    Azure::inspect(host, &target::target()).unwrap()
}

fn refused(host: &MockHost, target: &Target) -> (String, String) {
    let fault: Fault = Azure::inspect(host, target).unwrap_err();
    match fault.kind {
        FaultKind::InvalidInput(field) => (field, fault.message),
        other => panic!("{other:?}: {}", fault.message),
    }
}

/// The codes of what is not fine.
fn amiss(inspection: &Inspection) -> Vec<&str> {
    let findings = inspection.findings.iter();
    findings
        .filter(|finding| finding.severity != Severity::Fine)
        .map(|finding| finding.code.as_str())
        .collect()
}

fn code(findings: &[Finding], code: &str) -> Finding {
    let found = findings.iter().find(|finding| finding.code == code);
    found
        .unwrap_or_else(|| panic!("no {code} in {findings:?}"))
        .clone()
}

#[test]
fn an_application_is_found_and_its_name_filled_in() {
    let host = logged_in(&[ALL])
        .answer(ok(&target::application()))
        .answer(principal());
    let inspection = inspect(&host);
    assert_eq!(inspection.title, "billing");
    assert_eq!(inspection.credential_cap, None);
    assert_eq!(amiss(&inspection), [""; 0]);
    let name = inspection
        .parameters
        .iter()
        .find(|one| one.name == "appName");
    assert_eq!(name.unwrap().value, Value::Text("billing".into()));
    assert!(host.requests()[1].url.starts_with(&format!(
        "https://graph.microsoft.com/v1.0/applications/{OBJECT}?"
    )));
}

#[test]
fn applications_for_personal_accounts_hold_two() {
    for (audience, cap) in [
        ("AzureADMyOrg", None),
        ("AzureADMultipleOrgs", None),
        ("AzureADandPersonalMicrosoftAccount", Some(2)),
        ("PersonalMicrosoftAccount", Some(2)),
    ] {
        let mut application = target::application();
        application["signInAudience"] = json!(audience);
        let host = logged_in(&[ALL])
            .answer(ok(&application))
            .answer(principal());
        assert_eq!(inspect(&host).credential_cap, cap, "{audience}");
    }
}

#[test]
fn ids_of_two_applications_are_refused_with_the_right_client_id() {
    let host = logged_in(&[ALL]).answer(ok(&target::application()));
    let (field, message) = refused(&host, &target::target_with(OBJECT, ELSE));
    assert_eq!(field, "parameters.clientId");
    assert!(message.contains(CLIENT), "{message}");
}

#[test]
fn swapped_ids_are_told_as_swapped() {
    let host = logged_in(&[ALL])
        .answer(target::not_found())
        .answer(ok(&target::application()));
    let (field, message) = refused(&host, &target::target_with(CLIENT, OBJECT));
    assert_eq!(field, "parameters.objectId");
    assert!(message.contains("swapped"), "{message}");
}

#[test]
fn a_client_id_in_place_of_the_object_id_is_told_with_the_object_id() {
    let host = logged_in(&[ALL])
        .answer(target::not_found())
        .answer(ok(&target::application()));
    let (field, message) = refused(&host, &target::target_with(CLIENT, CLIENT));
    assert_eq!(field, "parameters.objectId");
    assert!(message.contains(OBJECT), "{message}");
    assert!(!message.contains("swapped"), "{message}");
}

#[test]
fn an_unknown_object_id_is_told_with_that_of_the_client_id() {
    let host = logged_in(&[ALL])
        .answer(target::not_found())
        .answer(target::not_found())
        .answer(ok(&target::application()));
    let (field, message) = refused(&host, &target::target_with(ELSE, CLIENT));
    assert_eq!(field, "parameters.objectId");
    assert!(message.contains(OBJECT), "{message}");
}

#[test]
fn two_unknown_ids_are_not_found() {
    let host = logged_in(&[ALL])
        .answer(target::not_found())
        .answer(target::not_found())
        .answer(target::not_found());
    let fault = Azure::inspect(&host, &target::target()).unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound);
}

#[test]
fn an_owner_is_recognised_on_any_page() {
    let next = "https://graph.microsoft.com/v1.0/applications/x/owners?$skiptoken=abc";
    let host = logged_in(&[OWNED])
        .answer(ok(&target::application()))
        .answer(principal())
        .answer(ok(
            &json!({"value": [{"id": ELSE}], "@odata.nextLink": next}),
        ))
        .answer(ok(
            &json!({"value": [{"id": ROTATOR_PRINCIPAL.to_uppercase()}]}),
        ));
    assert_eq!(amiss(&inspect(&host)), [""; 0]);
    assert_eq!(host.requests()[4].url, next);
}

#[test]
fn who_is_no_owner_is_told_how_to_become_an_owner() {
    let host = logged_in(&[OWNED])
        .answer(ok(&target::application()))
        .answer(principal())
        .answer(ok(&json!({"value": [{"id": ELSE}]})));
    let finding = code(&inspect(&host).findings, "not-owner");
    assert_eq!(finding.severity, Severity::Problem);
    assert_eq!(
        finding.remedy.unwrap(),
        format!("az ad app owner add --id {OBJECT} --owner-object-id {ROTATOR_PRINCIPAL}")
    );
}

#[test]
fn owners_that_can_not_be_read_are_unknown_not_absent() {
    let host = logged_in(&[OWNED])
        .answer(ok(&target::application()))
        .answer(principal())
        .answer(target::dated(
            403,
            &json!({"error": {"code": "Authorization_RequestDenied"}}),
        ));
    let finding = code(&inspect(&host).findings, "ownership-unknown");
    assert_eq!(finding.severity, Severity::Warning);
}

#[test]
fn an_application_that_can_not_log_in_is_a_problem_before_anything_is_issued() {
    for (answer, expected, command) in [
        (
            target::not_found(),
            "no-service-principal",
            "az ad sp create --id",
        ),
        (
            ok(&json!({"id": ELSE, "accountEnabled": false})),
            "application-disabled",
            "az ad sp update --id",
        ),
    ] {
        let host = logged_in(&[ALL])
            .answer(ok(&target::application()))
            .answer(answer);
        let finding = code(&inspect(&host).findings, expected);
        assert_eq!(finding.severity, Severity::Problem);
        assert!(finding.remedy.unwrap().starts_with(command));
    }
}

#[test]
fn a_service_principal_that_can_not_be_read_is_no_problem() {
    for answer in [
        target::dated(403, &json!({})),
        target::dated(503, &json!({})),
    ] {
        let host = logged_in(&[ALL])
            .answer(ok(&target::application()))
            .answer(answer);
        assert_eq!(amiss(&inspect(&host)), [""; 0]);
    }
}

#[test]
fn who_owns_an_application_and_lacks_the_permission_may_not_rotate_it() {
    for roles in [&[][..], &["Application.Read.All"]] {
        let host = logged_in(roles)
            .answer(ok(&target::application()))
            .answer(principal());
        let finding = code(&inspect(&host).findings, "missing-role");
        assert_eq!(finding.severity, Severity::Problem);
        assert!(finding.remedy.unwrap().contains("az ad app permission add"));
    }
}

fn check(host: &MockHost) -> Identity {
    Azure::check(host, &target::connection()).unwrap()
}

fn worst(identity: &Identity) -> bool {
    identity
        .findings
        .iter()
        .any(|finding| finding.severity == Severity::Problem)
}

#[test]
fn a_check_says_who_we_are_and_what_was_reached() {
    let host = logged_in(&[ALL]).answer(ok(&target::application()));
    let identity = check(&host);
    assert!(identity.subject.contains("billing"));
    assert!(identity.subject.contains(ROTATOR));
    assert!(identity.subject.contains(TENANT));
    assert_eq!(identity.provider_time, Some(NOW));
    let login = code(&identity.findings, "login-reached");
    assert!(login.message.contains("login.microsoftonline.com"));
    let graph = code(&identity.findings, "graph-reached");
    assert!(graph.message.contains("graph.microsoft.com"));
    code(&identity.findings, "may-rotate");
    assert!(!worst(&identity));
}

#[test]
fn owning_is_enough_to_rotate_what_is_owned() {
    let kind = "#microsoft.graph.application";
    let owned = json!({"value": [
        {"@odata.type": "#microsoft.graph.group", "displayName": "a group"},
        {"@odata.type": kind, "displayName": "billing"},
        {"@odata.type": kind, "displayName": "payroll"},
    ]});
    let host = logged_in(&["User.Read.All", OWNED])
        .answer(ok(&target::application()))
        .answer(ok(&owned));
    let identity = check(&host);
    assert!(!worst(&identity));
    code(&identity.findings, "may-rotate-owned");
    let owns = code(&identity.findings, "owns");
    assert!(
        owns.message.ends_with("owns billing, payroll"),
        "{}",
        owns.message
    );
    assert!(host.requests()[2].url.contains(ROTATOR_PRINCIPAL));
}

#[test]
fn the_permission_for_owned_applications_is_worth_nothing_without_one() {
    let host = logged_in(&[OWNED])
        .answer(ok(&target::application()))
        .answer(ok(
            &json!({"value": [{"@odata.type": "#microsoft.graph.group"}]}),
        ));
    let finding = code(&check(&host).findings, "owns-nothing");
    assert_eq!(finding.severity, Severity::Problem);
}

#[test]
fn what_is_owned_may_stand_on_a_later_page() {
    let next = "https://graph.microsoft.com/v1.0/servicePrincipals/x/ownedObjects?$skiptoken=a";
    let group = json!({"@odata.type": "#microsoft.graph.group"});
    let pages = |last: &serde_json::Value| {
        logged_in(&[OWNED])
            .answer(ok(&target::application()))
            .answer(ok(&json!({"value": [group], "@odata.nextLink": next})))
            .answer(ok(&json!({"value": [last]})))
    };
    let billing = json!({"@odata.type": "#microsoft.graph.application", "displayName": "billing"});
    let owns = code(&check(&pages(&billing)).findings, "owns");
    assert!(owns.message.ends_with("owns billing"), "{}", owns.message);
    code(&check(&pages(&group)).findings, "owns-nothing");
}

#[test]
fn what_is_owned_on_pages_without_end_is_unknown() {
    let next = "https://graph.microsoft.com/v1.0/servicePrincipals/x/ownedObjects?$skiptoken=a";
    let mut host = logged_in(&[OWNED]).answer(ok(&target::application()));
    for _ in 0..10 {
        host = host.answer(ok(&json!({"value": [], "@odata.nextLink": next})));
    }
    code(&check(&host).findings, "ownership-unknown");
}

#[test]
fn what_is_owned_and_can_not_be_read_is_unknown() {
    let host = logged_in(&[OWNED])
        .answer(ok(&target::application()))
        .answer(target::not_found());
    let identity = check(&host);
    assert!(!worst(&identity));
    code(&identity.findings, "ownership-unknown");
}

#[test]
fn a_token_alone_proves_no_permission() {
    for (roles, said) in [
        (&[][..], "no permission"),
        (&["Application.Read.All"], "only Application.Read.All"),
    ] {
        let host = logged_in(roles).answer(ok(&target::application()));
        let identity = check(&host);
        assert!(worst(&identity), "{roles:?}");
        let finding = code(&identity.findings, "missing-role");
        assert!(finding.message.contains(said), "{}", finding.message);
        let remedy = finding.remedy.unwrap();
        assert!(remedy.contains(&format!("az ad app permission add --id {ROTATOR} ")));
        assert!(remedy.contains("az ad app permission admin-consent"));
    }
}

#[test]
fn a_connection_from_another_tenant_is_no_problem() {
    let host = logged_in(&[ALL]).answer(target::not_found());
    assert!(!worst(&check(&host)));
}

#[test]
fn applications_that_can_not_be_read_are_a_problem() {
    let host = logged_in(&[]).answer(target::dated(
        403,
        &json!({"error": {"code": "Authorization_RequestDenied"}}),
    ));
    let identity = check(&host);
    code(&identity.findings, "applications-unreadable");
    code(&identity.findings, "graph-reached");
}

#[test]
fn a_token_that_graph_refuses_is_no_lack_of_a_permission() {
    let host = logged_in(&[ALL]).answer(target::dated(
        401,
        &json!({"error": {"code": "InvalidAuthenticationToken", "message": "Invalid audience."}}),
    ));
    let identity = check(&host);
    code(&identity.findings, "graph-reached");
    let finding = code(&identity.findings, "token-refused");
    let remedy = finding.remedy.unwrap();
    assert!(remedy.contains("scope"), "{remedy}");
    assert!(!remedy.contains("az ad app permission"), "{remedy}");
}

/// What a failed check carries: code, severity, and whether there is a remedy that says this.
fn carried(fault: &Fault, code: &str, severity: &str, remedy: &str) {
    let findings: Vec<serde_json::Value> = fault
        .options
        .iter()
        .filter(|option| option.name == "finding")
        .map(|option| serde_json::from_str(&option.value).unwrap())
        .collect();
    let found = findings.iter().find(|finding| finding["code"] == code);
    let found = found.unwrap_or_else(|| panic!("no {code} in {findings:?}"));
    assert_eq!(found["severity"], severity);
    let said = found["remedy"].as_str().unwrap_or_default();
    assert!(said.contains(remedy), "{said}");
}

fn unauthenticated() -> Response {
    target::dated(
        401,
        &json!({"error": {"code": "InvalidAuthenticationToken", "message": "Access token is empty."}}),
    )
}

#[test]
fn a_refused_login_still_tells_which_paths_are_open() {
    let wrong = json!({"error": "invalid_client", "error_codes": [7_000_215]});
    let host = MockHost::at(NOW)
        .answer(target::dated(401, &wrong))
        .answer(unauthenticated());
    let fault = Azure::check(&host, &target::connection()).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unauthorized);
    carried(&fault, "login-reached", "fine", "");
    carried(
        &fault,
        "login-refused",
        "problem",
        "az ad app credential reset",
    );
    carried(&fault, "graph-reached", "fine", "");
    let probe = &host.requests()[1];
    assert!(probe.url.starts_with("https://graph.microsoft.com/v1.0/"));
    assert!(
        probe
            .headers
            .iter()
            .all(|(name, _)| *name != "Authorization")
    );
}

#[test]
fn closed_paths_are_named_with_what_opens_them() {
    let out = || Error::Unreachable("connect timed out".into());
    let host = MockHost::at(NOW).fail(out()).fail(out());
    let fault = Azure::check(&host, &target::connection()).unwrap_err();
    assert!(fault.message.contains("login.microsoftonline.com"));
    carried(
        &fault,
        "login-unreached",
        "problem",
        "login.microsoftonline.com:443",
    );
    carried(
        &fault,
        "graph-unreached",
        "problem",
        "graph.microsoft.com:443",
    );

    let host = MockHost::at(NOW)
        .fail(Error::Denied("not declared".into()))
        .answer(Response::new(200, "<html>Welcome</html>"));
    let fault = Azure::check(&host, &target::connection()).unwrap_err();
    carried(&fault, "login-not-granted", "problem", "[providers.grants.");
    // In the same words, so that whoever shows both shows one.
    let carries = |option: &OptionEntry| {
        let said = serde_json::from_str::<serde_json::Value>(&option.value);
        said.is_ok_and(|finding| finding["message"] == fault.message)
    };
    assert!(fault.options.iter().any(carries), "{fault:?}");
    carried(
        &fault,
        "graph-unreached",
        "problem",
        "graph.microsoft.com:443",
    );

    // A proxy's page is no login.
    let host = MockHost::at(NOW)
        .answer(Response::new(403, "<html>Sign in</html>"))
        .answer(unauthenticated());
    let fault = Azure::check(&host, &target::connection()).unwrap_err();
    carried(
        &fault,
        "login-unreached",
        "problem",
        "login.microsoftonline.com:443",
    );
    carried(&fault, "graph-reached", "fine", "");
}

#[test]
fn graph_out_of_reach_is_a_finding_that_names_its_host() {
    let host = logged_in(&[ALL]).fail(Error::Unreachable("connect timed out".into()));
    let finding = code(&check(&host).findings, "graph-unreached");
    assert_eq!(finding.severity, Severity::Problem);
    assert!(finding.remedy.unwrap().contains("graph.microsoft.com"));
}

#[test]
fn a_token_that_can_not_be_read_leaves_permissions_unknown() {
    let opaque = json!({"token_type": "Bearer", "access_token": "opaque"});
    let host = MockHost::at(NOW)
        .answer(ok(&opaque))
        .answer(ok(&target::application()));
    let finding = code(&check(&host).findings, "permissions-unknown");
    assert_eq!(finding.severity, Severity::Warning);
}

#[test]
fn the_connections_own_secret_is_watched_by_its_first_characters() {
    for (hint, end, warned) in [
        ("rot", "2026-09-20T00:00:00Z", true),
        ("rot", "2027-09-20T00:00:00Z", false),
        ("abc", "2026-09-20T00:00:00Z", false),
        ("", "2026-09-20T00:00:00Z", false),
    ] {
        let mut application = target::application();
        application["passwordCredentials"] =
            json!([{"keyId": ELSE, "hint": hint, "endDateTime": end}]);
        let host = logged_in(&[ALL]).answer(ok(&application));
        let findings = check(&host).findings;
        let warning = findings
            .iter()
            .any(|finding| finding.code == "connection-secret-expires");
        assert_eq!(warning, warned, "{hint} {end}");
    }
}
