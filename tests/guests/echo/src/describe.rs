//! What this provider says of itself.

use rotor_provider_sdk::description::{
    ChoiceField, ChoiceList, ConnectionKind, ConnectionMethod, Family, Field, FieldKind, HostRule,
    LifetimeRule, Limits, OutputKind, Parameter, Phase, ProviderDescription,
};

pub(crate) fn description() -> ProviderDescription {
    let behaviour = || Field::text("behaviour", "What it does").optional();
    let at = || Field::text("at", "In which function; all when left out").optional();
    let url = || Field::new(FieldKind::Url, "url", "Where its requests go").optional();
    ProviderDescription {
        slug: "echo".to_owned(),
        title: "Echo".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        family: Family::Mint,
        phase: Phase::Dual,
        connection: ConnectionKind {
            app: "echo".to_owned(),
            slug: "echo".to_owned(),
            title: "Echo".to_owned(),
            methods: vec![ConnectionMethod {
                name: "plain".to_owned(),
                title: "Plain".to_owned(),
                fields: vec![
                    url(),
                    Field::text("token", "A secret to leak").secret().optional(),
                    behaviour(),
                    at(),
                    Field::text("clock", "The clock that it goes by: MILLISECONDS:FACTOR")
                        .optional(),
                ],
            }],
        },
        parameters: vec![
            Parameter::key(Field::text("key", "Key")),
            Parameter::new(behaviour()),
            Parameter::new(at()),
            Parameter::new(url()),
        ],
        outputs: vec![
            OutputKind::public("name", "Name", "ECHO_NAME"),
            OutputKind::secret("value", "Value", "ECHO_VALUE"),
        ],
        choices: vec![ChoiceList {
            name: "things".to_owned(),
            title: "Things".to_owned(),
            fields: vec![
                ChoiceField::shown("name", "Name"),
                ChoiceField::filling("id", "Key", "key"),
            ],
        }],
        hosts: vec![HostRule::FromConnection("url".to_owned())],
        limits: Limits {
            write_spacing_ms: 0,
            propagation_bound_ms: 0,
            minimum_overlap_ms: 0,
            credential_cap: None,
            longest_interval_days: 365,
            verify_successes: 1,
            verify_spacing_ms: 0,
            lifetime: LifetimeRule {
                intervals: 2,
                extra_seconds: 60,
                max_seconds: None,
            },
        },
        options: Vec::new(),
    }
}
