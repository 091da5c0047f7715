//! A description for tests.

use std::time::Duration;

use super::{
    ChoiceField, ChoiceList, ConnectionKind, ConnectionMethod, Family, Field, FieldKind,
    LifetimeRule, OutputKind, Parameter, Phase, ProviderDescription, ProviderLimits,
};

fn field(name: &str, kind: FieldKind, secret: bool) -> Field {
    Field {
        name: name.to_owned(),
        title: name.to_owned(),
        description: String::new(),
        kind,
        secret,
        required: true,
        default: None,
        max_length: None,
    }
}

fn output(name: &str, secret: bool) -> OutputKind {
    OutputKind {
        name: name.to_owned(),
        title: name.to_owned(),
        suggested_name: name.to_uppercase(),
        secret,
    }
}

pub(crate) fn description_for_tests() -> ProviderDescription {
    ProviderDescription {
        slug: "sample".parse().unwrap(),
        title: "Sample".to_owned(),
        version: "1.0.0".to_owned(),
        family: Family::Mint,
        phase: Phase::Dual,
        connection: ConnectionKind {
            app: "sample".parse().unwrap(),
            slug: "samples".parse().unwrap(),
            title: "Sample".to_owned(),
            methods: vec![ConnectionMethod {
                name: "secret".to_owned(),
                title: "Secret".to_owned(),
                fields: vec![
                    field("secret", FieldKind::Text, true),
                    field("graphUrl", FieldKind::Url, false),
                ],
            }],
        },
        parameters: vec![Parameter {
            field: field("objectId", FieldKind::Uuid, false),
            key: true,
        }],
        outputs: vec![output("clientId", false), output("clientSecret", true)],
        choices: vec![ChoiceList {
            name: "clients".parse().unwrap(),
            title: "Clients".to_owned(),
            fields: vec![ChoiceField {
                name: "id".to_owned(),
                title: "Id".to_owned(),
                fills: Some("objectId".to_owned()),
            }],
        }],
        hosts: Vec::new(),
        limits: ProviderLimits {
            write_spacing: Duration::from_secs(5),
            propagation_bound: Duration::from_mins(20),
            minimum_overlap: Duration::from_hours(1),
            credential_cap: None,
            longest_interval_days: 909,
            verify_successes: 3,
            verify_spacing: Duration::from_secs(7),
            lifetime: LifetimeRule {
                intervals: 2,
                extra: Duration::from_hours(72),
                max: None,
            },
        },
        options: Vec::new(),
    }
}
