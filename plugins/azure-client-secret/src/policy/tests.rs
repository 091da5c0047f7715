use rotor_provider_sdk::Severity;
use serde_json::{Value, json};

use super::*;

const DAY: u64 = 24 * 60 * 60;
const OBJECT: &str = "765eb0e3-0000-4000-8000-00000000000a";
const MADE: &str = "2024-05-07T06:52:43Z";

fn forbid() -> Value {
    json!({"restrictionType": "passwordAddition"})
}

fn limit(max_lifetime: &str) -> Value {
    json!({"restrictionType": "passwordLifetime", "maxLifetime": max_lifetime})
}

/// A restriction with something more.
fn with(restriction: &Value, more: &Value) -> Value {
    let mut all = restriction.as_object().unwrap().clone();
    all.extend(more.as_object().unwrap().clone());
    all.into()
}

/// A policy that is assigned to the application.
fn own(restrictions: &[Value]) -> Value {
    json!({
        "id": "own-id", "displayName": "Own", "isEnabled": true,
        "restrictions": {"passwordCredentials": restrictions, "keyCredentials": []},
    })
}

fn default(restrictions: &[Value]) -> Value {
    json!({
        "id": "default-id", "displayName": "Default", "isEnabled": true,
        "applicationRestrictions": {"passwordCredentials": restrictions},
        "servicePrincipalRestrictions": {"passwordCredentials": [forbid(), limit("P1D")]},
    })
}

fn judge_made(assigned: &[Value], default: &Value, created: Option<&str>) -> Limits {
    let policies = Policies {
        assigned: serde_json::from_value(assigned.into()).unwrap(),
        default: serde_json::from_value(default.clone()).unwrap(),
    };
    policies.judge(OBJECT, made_at(created))
}

fn judge(assigned: &[Value], default: &Value) -> Limits {
    judge_made(assigned, default, Some(MADE))
}

fn codes(limits: &Limits) -> Vec<(&str, Severity)> {
    let findings = limits.findings.iter();
    findings
        .map(|finding| (finding.code.as_str(), finding.severity.clone()))
        .collect()
}

#[test]
fn a_lifetime_is_read_in_every_form_of_a_duration() {
    for (text, expected) in [
        ("P90D", Some(90 * DAY)),
        ("P4DT12H30M5S", Some(4 * DAY + 12 * 3600 + 30 * 60 + 5)),
        ("PT36H", Some(36 * 3600)),
        ("PT0.9S", Some(0)),
        ("P2W", Some(14 * DAY)),
        ("P1Y", Some(365 * DAY)),
        ("P6M", Some(180 * DAY)),
        ("P1Y2M3D", Some((365 + 60 + 3) * DAY)),
        ("", None),
        ("P", None),
        ("90", None),
        ("90 days", None),
        ("12:30:05", None),
        ("-P90D", None),
        ("P90", None),
        ("P99999999999999D", None),
        ("forever", None),
    ] {
        let limits = judge(&[], &default(&[limit(text)]));
        assert_eq!(limits.max_lifetime_seconds, expected, "{text}");
        let unread = [("lifetime-policy-unread", Severity::Fine)];
        let findings = if expected.is_some() {
            &[][..]
        } else {
            &unread[..]
        };
        assert_eq!(codes(&limits), findings, "{text}");
    }
}

#[test]
fn what_is_assigned_comes_before_the_default_kind_by_kind() {
    let off = json!({"state": "disabled"});
    let strict = default(&[forbid(), limit("P30D")]);
    for (assigned, forbidden_by, days) in [
        (vec![], Some("default-id"), Some(30)),
        (vec![own(&[])], Some("default-id"), Some(30)),
        (vec![own(&[limit("P90D")])], Some("default-id"), Some(90)),
        (
            vec![own(&[with(&limit("P90D"), &off)])],
            Some("default-id"),
            None,
        ),
        (vec![own(&[with(&forbid(), &off)])], None, Some(30)),
        (vec![own(&[forbid()])], Some("own-id"), Some(30)),
        // What is assigned counts even where it does not hold for the application.
        (
            vec![own(&[with(
                &limit("P90D"),
                &json!({"restrictForAppsCreatedAfterDateTime": "2025-01-01T00:00:00Z"}),
            )])],
            Some("default-id"),
            None,
        ),
        // A policy that is off is as if it were not there.
        (
            vec![with(
                &own(&[with(&forbid(), &off), limit("P90D")]),
                &json!({"isEnabled": false}),
            )],
            Some("default-id"),
            Some(30),
        ),
        // Graph knows one at most; of two the stricter holds.
        (
            vec![own(&[limit("P90D")]), own(&[limit("P60D")])],
            Some("default-id"),
            Some(60),
        ),
    ] {
        let limits = judge(&assigned, &strict);
        let seconds = days.map(|days| days * DAY);
        assert_eq!(limits.max_lifetime_seconds, seconds, "{assigned:?}");
        let messages: Vec<_> = limits.findings.iter().map(|one| &one.message).collect();
        match forbidden_by {
            Some(id) => {
                assert_eq!(codes(&limits), [("secrets-forbidden", Severity::Problem)]);
                assert!(messages[0].contains(id), "{messages:?}");
            }
            None => assert_eq!(messages, [""; 0]),
        }
    }
}

#[test]
fn a_default_that_is_off_or_empty_limits_nothing() {
    let off = json!({"isEnabled": false});
    for default in [
        with(&default(&[forbid(), limit("P30D")]), &off),
        default(&[]),
        json!({"isEnabled": true, "applicationRestrictions": {"passwordCredentials": null}}),
        json!({"isEnabled": true, "applicationRestrictions": null}),
        json!({}),
    ] {
        let limits = judge(&[], &default);
        assert_eq!(limits.max_lifetime_seconds, None, "{default}");
        assert_eq!(limits.findings, [], "{default}");
    }
}

#[test]
fn a_date_lets_off_what_was_made_before_it() {
    for (created, since, holds) in [
        (Some(MADE), json!(null), true),
        (Some(MADE), json!("2024-05-07T06:52:43Z"), true),
        (Some(MADE), json!("2024-05-07T08:52:43+02:00"), true),
        (Some(MADE), json!("2024-05-07T06:52:44Z"), false),
        // One without a date counts as made on the first day of 2019.
        (None, json!("2019-01-01T00:00:00Z"), true),
        (None, json!("2019-01-01T00:00:01Z"), false),
        (None, json!(null), true),
        // What can't be read lets nobody off.
        (Some("once"), json!("2024-05-07T06:52:44Z"), true),
        (Some(MADE), json!("soon"), true),
    ] {
        let since = json!({"restrictForAppsCreatedAfterDateTime": since});
        let default = default(&[with(&forbid(), &since), with(&limit("P30D"), &since)]);
        let limits = judge_made(&[], &default, created);
        assert_eq!(
            limits.max_lifetime_seconds,
            holds.then_some(30 * DAY),
            "{created:?} {since}"
        );
        assert_eq!(
            limits.findings.len(),
            usize::from(holds),
            "{created:?} {since}"
        );
    }
}

#[test]
fn only_a_state_that_says_so_lifts_a_restriction() {
    for (state, holds) in [
        (json!({}), true),
        (json!({"state": null}), true),
        (json!({"state": "enabled"}), true),
        (json!({"state": "disabled"}), false),
        (json!({"state": "reportOnly"}), true),
    ] {
        let limits = judge(&[], &default(&[with(&limit("P30D"), &state)]));
        let seconds = holds.then_some(30 * DAY);
        assert_eq!(limits.max_lifetime_seconds, seconds, "{state}");
    }
}

#[test]
fn kinds_that_are_not_known_and_properties_of_the_future_are_passed_over() {
    let others = [
        json!({"restrictionType": "customPasswordAddition", "state": "enabled"}),
        json!({"restrictionType": "symmetricKeyLifetime", "maxLifetime": "P1D"}),
        json!({"restrictionType": "unknownFutureValue", "new": [{}]}),
        json!({}),
        with(
            &limit("P30D"),
            &json!({"new": {"a": 1}, "@odata.type": "#x"}),
        ),
    ];
    let limits = judge(&[], &with(&default(&others), &json!({"new": true})));
    assert_eq!(limits.max_lifetime_seconds, Some(30 * DAY));
    assert_eq!(limits.findings, []);
}

#[test]
fn one_lifetime_that_can_not_be_read_leaves_it_unknown() {
    let limits = judge(&[own(&[limit("P90D"), limit("long")])], &default(&[]));
    assert_eq!(limits.max_lifetime_seconds, None);
    let message = &limits.findings[0].message;
    assert!(message.contains("\"Own\" (id own-id)"), "{message}");
    assert!(message.contains("\"long\""), "{message}");
}

#[test]
fn a_policy_that_exempts_some_is_only_warned_of() {
    for (exempt, severity) in [
        (json!(null), Severity::Problem),
        (json!({"customSecurityAttributes": []}), Severity::Problem),
        (
            json!({"customSecurityAttributes": [{"id": "Apps_Rotator"}]}),
            Severity::Warning,
        ),
    ] {
        let exempt = json!({"excludeActors": exempt});
        let restrictions = [with(&forbid(), &exempt), with(&limit("P30D"), &exempt)];
        let limits = judge(&[], &default(&restrictions));
        assert_eq!(
            codes(&limits),
            [("secrets-forbidden", severity)],
            "{exempt}"
        );
        // A shorter life does no harm to who is exempted.
        assert_eq!(limits.max_lifetime_seconds, Some(30 * DAY));
        let remedy = limits.findings[0].remedy.as_deref().unwrap();
        assert!(remedy.contains(OBJECT), "{remedy}");
    }
}
