//! What a provider says of itself, in the form of the API.

use std::time::Duration;

use rotord_api::field::{Field, FieldKind};
use rotord_api::issue::{Finding, Severity};
use rotord_api::provider as api;
use rotord_provider::contract;

/// The description as clients know it.
pub(super) fn provider(of: &contract::ProviderDescription) -> api::ProviderDescription {
    api::ProviderDescription {
        slug: of.slug.to_string(),
        title: of.title.clone(),
        version: of.version.clone(),
        family: match of.family {
            contract::Family::Mint => "mint",
            contract::Family::Set => "set",
        }
        .to_owned(),
        phase: match of.phase {
            contract::Phase::Dual => "dual",
            contract::Phase::Single => "single",
            contract::Phase::TwoAccounts => "two-accounts",
        }
        .to_owned(),
        connection: api::ConnectionKind {
            app: of.connection.app.to_string(),
            slug: of.connection.slug.to_string(),
            title: of.connection.title.clone(),
            methods: of.connection.methods.iter().map(method).collect(),
        },
        parameters: of
            .parameters
            .iter()
            .map(|parameter| api::Parameter {
                field: field(&parameter.field),
                key: parameter.key,
            })
            .collect(),
        outputs: of
            .outputs
            .iter()
            .map(|output| api::OutputKind {
                name: output.name.clone(),
                title: output.title.clone(),
                suggested_name: output.suggested_name.clone(),
                secret: output.secret,
            })
            .collect(),
        choices: of.choices.iter().map(choices).collect(),
        hosts: of.hosts.iter().map(host).collect(),
        limits: api::ProviderLimits {
            longest_interval_days: of.limits.longest_interval_days,
            minimum_overlap_ms: milliseconds(of.limits.minimum_overlap),
            propagation_bound_ms: milliseconds(of.limits.propagation_bound),
            credential_cap: of.limits.credential_cap,
        },
        codes: of.options.iter().filter_map(explained).collect(),
    }
}

/// Providers explain the codes of their findings in options: `explain.CODE`.
fn explained(of: &contract::OptionEntry) -> Option<api::ExplainedCode> {
    Some(api::ExplainedCode {
        code: of.name.strip_prefix("explain.")?.to_owned(),
        text: of.value.clone(),
    })
}

fn method(of: &contract::ConnectionMethod) -> api::ConnectionMethod {
    api::ConnectionMethod {
        name: of.name.clone(),
        title: of.title.clone(),
        fields: of.fields.iter().map(field).collect(),
    }
}

fn field(of: &contract::Field) -> Field {
    let (kind, choices) = match &of.kind {
        contract::FieldKind::Text => (FieldKind::Text, Vec::new()),
        contract::FieldKind::LongText => (FieldKind::LongText, Vec::new()),
        contract::FieldKind::Uuid => (FieldKind::Uuid, Vec::new()),
        contract::FieldKind::Url => (FieldKind::Url, Vec::new()),
        contract::FieldKind::Integer => (FieldKind::Integer, Vec::new()),
        contract::FieldKind::Boolean => (FieldKind::Boolean, Vec::new()),
        contract::FieldKind::Choice(choices) => (FieldKind::Choice, choices.clone()),
        contract::FieldKind::Other(_) => (FieldKind::Other, Vec::new()),
    };
    Field {
        name: of.name.clone(),
        title: of.title.clone(),
        description: of.description.clone(),
        kind,
        choices,
        secret: of.secret,
        required: of.required,
        default: of.default.clone(),
        max_length: of.max_length,
    }
}

fn choices(of: &contract::ChoiceList) -> api::ChoiceList {
    api::ChoiceList {
        name: of.name.to_string(),
        title: of.title.clone(),
        fields: of
            .fields
            .iter()
            .map(|field| api::ChoiceField {
                name: field.name.clone(),
                title: field.title.clone(),
                fills: field.fills.clone(),
            })
            .collect(),
    }
}

fn host(of: &contract::DeclaredHost) -> String {
    match of {
        contract::DeclaredHost::Fixed(rule) => rule.to_string(),
        contract::DeclaredHost::FromConnection(field) => {
            format!("the connection's {field}, where it is set")
        }
    }
}

/// What a check saw.
pub(super) fn finding(of: contract::Finding) -> Finding {
    Finding {
        code: of.code,
        severity: match of.severity {
            contract::Severity::Fine => Severity::Fine,
            contract::Severity::Warning => Severity::Warning,
            contract::Severity::Problem => Severity::Problem,
        },
        message: of.message,
        remedy: of.remedy,
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
