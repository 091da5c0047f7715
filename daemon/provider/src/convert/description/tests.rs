use super::*;
use crate::contract::{DeclaredHost, FieldKind};

fn field(name: &str) -> wire::Field {
    wire::Field {
        name: name.to_owned(),
        title: "A field".to_owned(),
        description: String::new(),
        kind: wire::FieldKind::Text,
        secret: false,
        required: true,
        default: None,
        max_length: None,
    }
}

/// A description in which everything is right.
fn good() -> wire::ProviderDescription {
    wire::ProviderDescription {
        slug: "sample".to_owned(),
        title: "Sample".to_owned(),
        version: "1.0.0".to_owned(),
        family: wire::Family::Mint,
        phase: wire::Phase::Dual,
        connection: wire::ConnectionKind {
            app: "sample".to_owned(),
            slug: "samples".to_owned(),
            title: "Sample".to_owned(),
            methods: vec![wire::ConnectionMethod {
                name: "client-secret".to_owned(),
                title: "Client secret".to_owned(),
                fields: vec![
                    field("graphUrl"),
                    wire::Field {
                        secret: true,
                        ..field("clientSecret")
                    },
                ],
            }],
        },
        parameters: vec![wire::Parameter {
            field: field("objectId"),
            key: true,
        }],
        outputs: vec![wire::OutputKind {
            name: "clientSecret".to_owned(),
            title: "Client secret".to_owned(),
            suggested_name: "CLIENT_SECRET".to_owned(),
            secret: true,
        }],
        choices: vec![wire::ChoiceList {
            name: "clients".to_owned(),
            title: "Clients".to_owned(),
            fields: vec![wire::ChoiceField {
                name: "id".to_owned(),
                title: "Id".to_owned(),
                fills: Some("objectId".to_owned()),
            }],
        }],
        hosts: vec![
            wire::DeclaredHost::Fixed("graph.example.com".to_owned()),
            wire::DeclaredHost::FromConnection("graphUrl".to_owned()),
        ],
        limits: wire::Limits {
            write_spacing_ms: 5000,
            propagation_bound_ms: 1,
            minimum_overlap_ms: 1,
            credential_cap: None,
            longest_interval_days: 909,
            verify_successes: 3,
            verify_spacing_ms: 7000,
            lifetime: wire::LifetimeRule {
                intervals: 2,
                extra_seconds: 1,
                max_seconds: None,
            },
        },
        options: Vec::new(),
    }
}

type Change = fn(&mut wire::ProviderDescription);

/// Each change makes one thing wrong, which is named with these words.
fn assert_named(changes: &[(&str, Change)]) {
    for (words, change) in changes {
        let mut wrong = good();
        change(&mut wrong);
        let problems = description(wrong).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(
            problems[0].contains(words),
            "{problems:?} does not say {words:?}"
        );
    }
}

fn parameter(name: &str) -> wire::Parameter {
    wire::Parameter {
        field: field(name),
        key: false,
    }
}

#[test]
fn a_name_that_makes_no_sense_is_named() {
    assert_named(&[
        ("slug", |d| d.slug = "Not A Slug".to_owned()),
        ("connection app", |d| d.connection.app = "../x".to_owned()),
        ("connection slug", |d| d.connection.slug.clear()),
        ("title is empty", |d| d.title = "  ".to_owned()),
        ("version is empty", |d| d.version.clear()),
        ("suggested-name is empty", |d| {
            d.outputs[0].suggested_name.clear();
        }),
        ("choices", |d| d.choices[0].name = "Clients!".to_owned()),
        ("one word", |d| {
            d.connection.methods[0].name = "two words".to_owned();
        }),
        ("no field name", |d| {
            d.connection.methods[0].fields.push(field("a-b"));
        }),
        ("no field name", |d| d.parameters.push(parameter("1a"))),
        ("twice", |d| {
            d.connection.methods[0].fields.push(field("graphUrl"));
        }),
        ("twice", |d| d.parameters.push(parameter("objectId"))),
        ("family", |d| {
            d.family = wire::Family::Other("lend".to_owned());
        }),
        ("phase", |d| {
            d.phase = wire::Phase::Other("triple".to_owned());
        }),
    ]);
}

#[test]
fn a_part_that_makes_no_sense_is_named() {
    assert_named(&[
        ("no method", |d| {
            d.connection.methods.clear();
            d.hosts.pop();
        }),
        ("no default", |d| {
            d.connection.methods[0].fields[1].default = Some("x".to_owned());
        }),
        ("longest length", |d| {
            d.parameters[0].field.max_length = Some(0);
        }),
        ("choice is among", |d| {
            d.parameters[0].field.kind = wire::FieldKind::Choice(vec![]);
        }),
        ("none of the choices", |d| {
            d.parameters[0].field.kind = wire::FieldKind::Choice(vec!["a".to_owned()]);
            d.parameters[0].field.default = Some("b".to_owned());
        }),
        ("no output", |d| d.outputs.clear()),
        ("no parameter", |d| {
            d.choices[0].fields[0].fills = Some("other".to_owned());
        }),
        ("there are no fields", |d| d.choices[0].fields.clear()),
    ]);
}

#[test]
fn a_host_or_a_limit_that_makes_no_sense_is_named() {
    assert_named(&[
        ("hosts", |d| {
            d.hosts
                .push(wire::DeclaredHost::Fixed("https://x".to_owned()));
        }),
        ("not one host", |d| {
            d.hosts
                .push(wire::DeclaredHost::Fixed("*.x.example".to_owned()));
        }),
        ("no open connection field", |d| {
            d.hosts
                .push(wire::DeclaredHost::FromConnection("x".to_owned()));
        }),
        ("no open connection field", |d| {
            d.hosts.push(wire::DeclaredHost::FromConnection(
                "clientSecret".to_owned(),
            ));
        }),
        ("no login proves", |d| d.limits.verify_successes = 0),
        ("interval", |d| d.limits.longest_interval_days = 0),
        ("can't be rotated", |d| d.limits.credential_cap = Some(0)),
        ("lifetime", |d| d.limits.lifetime.max_seconds = Some(0)),
    ]);
}

#[test]
fn all_that_is_wrong_is_named_at_once() {
    let mut wrong = good();
    wrong.slug = "?".to_owned();
    wrong.outputs.clear();
    assert_eq!(description(wrong).unwrap_err().len(), 2);
}

#[test]
fn an_unknown_kind_of_host_grants_nothing() {
    let mut strange = good();
    strange.hosts = vec![wire::DeclaredHost::Other("everywhere".to_owned())];
    assert_eq!(
        description(strange).unwrap().hosts,
        Vec::<DeclaredHost>::new()
    );
}

#[test]
fn an_unknown_kind_of_field_is_kept() {
    let mut strange = good();
    strange.parameters[0].field.kind = wire::FieldKind::Other("colour".to_owned());
    let taken = description(strange).unwrap();
    assert_eq!(
        taken.parameters[0].field.kind,
        FieldKind::Other("colour".to_owned())
    );
}

#[test]
fn texts_hold_nothing_that_a_terminal_obeys() {
    let mut loud = good();
    loud.title = "Sam\x1b[31mple".to_owned();
    assert_eq!(description(loud).unwrap().title, "Sam [31mple");
}

#[test]
fn a_time_that_no_clock_counts_is_named() {
    assert_named(&[
        ("a century", |d| d.limits.lifetime.extra_seconds = u64::MAX),
        ("a century", |d| {
            d.limits.lifetime.max_seconds = Some(u64::MAX);
        }),
        ("1000 intervals", |d| {
            d.limits.lifetime.intervals = u32::MAX;
        }),
        ("ten years", |d| d.limits.write_spacing_ms = u64::MAX),
        ("ten years", |d| d.limits.propagation_bound_ms = u64::MAX),
        ("ten years", |d| d.limits.minimum_overlap_ms = u64::MAX),
        ("ten years", |d| d.limits.verify_spacing_ms = u64::MAX),
    ]);
}
