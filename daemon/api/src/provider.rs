//! What providers say of themselves, so that any client can ask a person for what any of them needs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::field::{self, Field, FieldValues};
use crate::issue::{Issue, IssueCode, Issues, Severity};
use crate::rotation::{RotationTemplate, SecretRotationOption, SecretsMapping};

/// The providers that were found, loaded or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProvidersAnswer {
    /// They.
    pub providers: Vec<ProviderReport>,
}

/// One provider's file and how loading it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderReport {
    /// The file's path.
    pub file: String,
    /// Whether it can be used.
    pub state: ProviderState,
    /// How bad it is that it can't, as doctor says it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Why it can't, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The hosts that it may reach, as it declares and the settings grant them, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reaches: Vec<String>,
    /// What it says of itself; of a missing one, what it said last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<ProviderDescription>,
}

/// Whether a provider can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProviderState {
    /// It can.
    Loaded,
    /// Its file is there and can't be used.
    Failed,
    /// Rotations need it and its file is gone.
    Missing,
}

/// What a provider says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderDescription {
    /// The type's name in routes, such as `azure-client-secret`.
    pub slug: String,
    /// For a person, such as `Azure Client Secret`.
    pub title: String,
    /// Its own version.
    pub version: String,
    /// Who makes the value: `mint` (the provider) or `set` (the host).
    pub family: String,
    /// What happens to the old credential: `dual`, `single` or `two-accounts`.
    pub phase: String,
    /// The connection that it needs.
    pub connection: ConnectionKind,
    /// What tells it what to rotate.
    pub parameters: Vec<Parameter>,
    /// What it issues.
    pub outputs: Vec<OutputKind>,
    /// The lists that a person picks from.
    pub choices: Vec<ChoiceList>,
    /// The hosts that it talks to, for a person: names, or the connection's field that holds a URL.
    pub hosts: Vec<String>,
    /// Its bounds.
    pub limits: ProviderLimits,
    /// The codes of its own findings, explained.
    #[serde(default)]
    pub codes: Vec<ExplainedCode>,
}

/// A code that a provider reports, in its own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExplainedCode {
    /// A short, stable name, such as `missing-role`.
    pub code: String,
    /// What it means and what can be done.
    pub text: String,
}

/// A kind of connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectionKind {
    /// The name in a rotation's `connection.app`, such as `azure`.
    pub app: String,
    /// The name in routes, such as `azure-client-secrets`.
    pub slug: String,
    /// For a person.
    pub title: String,
    /// The ways to log in.
    pub methods: Vec<ConnectionMethod>,
}

/// A way to log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectionMethod {
    /// Its name, such as `client-secret`.
    pub name: String,
    /// For a person.
    pub title: String,
    /// What it needs.
    pub fields: Vec<Field>,
}

/// One of the parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Parameter {
    /// What it is.
    pub field: Field,
    /// Whether it is part of what tells one target from another.
    pub key: bool,
}

/// One of the outputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutputKind {
    /// Its name, such as `clientSecret`.
    pub name: String,
    /// For a person.
    pub title: String,
    /// What to call its secret.
    pub suggested_name: String,
    /// False for what is public.
    pub secret: bool,
}

/// A list that a person picks from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChoiceList {
    /// The name in routes, such as `clients`.
    pub name: String,
    /// For a person.
    pub title: String,
    /// Its columns, in the order in which they are shown.
    pub fields: Vec<ChoiceField>,
}

/// One column of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChoiceField {
    /// Its name, such as `appId`.
    pub name: String,
    /// For a person.
    pub title: String,
    /// The parameter that it fills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fills: Option<String>,
}

/// The bounds of a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderLimits {
    /// In days.
    pub longest_interval_days: u32,
    /// Least milliseconds for which a replaced credential stays valid.
    pub minimum_overlap_ms: u64,
    /// How many milliseconds a change may take until all of the service has it.
    pub propagation_bound_ms: u64,
    /// How many credentials a target holds, where all hold the same number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_cap: Option<u32>,
}

impl ProviderDescription {
    /// Judges a rotation's parameters; the result is in normal form.
    ///
    /// # Errors
    /// Everything that is wrong, under `parameters`.
    pub fn check_parameters(&self, parameters: FieldValues) -> Result<FieldValues, Issues> {
        field::check(
            self.parameters.iter().map(|parameter| &parameter.field),
            parameters,
        )
        .map_err(|issues| issues.under("parameters"))
    }

    /// Judges which outputs are mapped: all of them, and no others.
    ///
    /// # Errors
    /// Everything that is wrong, under `secretsMapping`.
    pub fn check_mapping(&self, mapping: &SecretsMapping) -> Result<(), Issues> {
        let missing = self
            .outputs
            .iter()
            .filter(|output| !mapping.contains_key(&output.name));
        let unknown = mapping
            .keys()
            .filter(|name| !self.outputs.iter().any(|output| output.name == **name));
        let mut issues = Issues::default();
        for output in missing {
            issues
                .0
                .push(Issue::new(IssueCode::InvalidType, "is required").under(&output.name));
        }
        for name in unknown {
            issues.0.push(
                Issue::unrecognized(
                    "an output of this provider",
                    name,
                    self.outputs.iter().map(|output| output.name.as_str()),
                )
                .under(name),
            );
        }
        issues.under("secretsMapping").or(())
    }

    /// Judges a connection's credentials for one of its methods; the result is in normal form.
    ///
    /// # Errors
    /// Everything that is wrong: no such method, or under `credentials`.
    pub fn check_credentials(
        &self,
        method: &str,
        credentials: FieldValues,
    ) -> Result<FieldValues, Issues> {
        let methods = &self.connection.methods;
        let Some(method) = methods.iter().find(|known| known.name == method) else {
            let known: Vec<&str> = methods.iter().map(|method| method.name.as_str()).collect();
            let wrong = Issue::new(
                IssueCode::InvalidEnumValue,
                format!("must be one of {}", known.join(", ")),
            );
            return Err(Issues::from(wrong).under("method"));
        };
        field::check(&method.fields, credentials).map_err(|issues| issues.under("credentials"))
    }

    /// The suggested mapping.
    pub fn template(&self) -> RotationTemplate {
        let suggested = self
            .outputs
            .iter()
            .map(|output| (output.name.clone(), output.suggested_name.clone()));
        RotationTemplate {
            secrets_mapping: suggested.collect(),
        }
    }

    /// What the options route says of it.
    pub fn option(&self) -> SecretRotationOption {
        SecretRotationOption {
            name: self.title.clone(),
            connection: self.connection.slug.clone(),
            kind: self.slug.clone(),
            template: self.template(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::ProviderDescription;
    use crate::field::FieldValue;

    fn description() -> ProviderDescription {
        let field = |name: &str, secret: bool| json!({"name": name, "title": name, "kind": "text", "secret": secret, "required": true});
        serde_json::from_value(json!({
            "slug": "acme-key", "title": "Acme Key", "version": "1", "family": "mint", "phase": "dual",
            "connection": {"app": "acme", "slug": "acme", "title": "Acme", "methods": [
                {"name": "token", "title": "Token", "fields": [field("token", true)]}
            ]},
            "parameters": [{"field": field("account", false), "key": true}],
            "outputs": [{"name": "key", "title": "Key", "suggestedName": "ACME_KEY", "secret": true}],
            "choices": [], "hosts": [],
            "limits": {"longestIntervalDays": 90, "minimumOverlapMs": 0, "propagationBoundMs": 0}
        }))
        .unwrap()
    }

    #[test]
    fn all_outputs_are_mapped_and_no_others() {
        let provider = description();
        assert!(
            provider
                .check_mapping(&provider.template().secrets_mapping)
                .is_ok()
        );
        let wrong = [("kee".to_owned(), "A".to_owned())].into();
        assert_eq!(
            provider.check_mapping(&wrong).unwrap_err().to_string(),
            "secretsMapping.key: is required; secretsMapping.kee: is not an output of this provider: did you \
             mean key?"
        );
    }

    #[test]
    fn credentials_are_judged_by_their_method() {
        let provider = description();
        let token = [("token".to_owned(), FieldValue::text("t"))];
        assert!(
            provider
                .check_credentials("token", token.clone().into())
                .is_ok()
        );
        assert_eq!(
            provider
                .check_credentials("oauth", token.into())
                .unwrap_err()
                .to_string(),
            "method: must be one of token"
        );
        assert_eq!(
            provider
                .check_credentials("token", [].into())
                .unwrap_err()
                .to_string(),
            "credentials.token: is required"
        );
    }

    #[test]
    fn an_unknown_parameter_is_refused() {
        let given = [
            ("account".to_owned(), FieldValue::text("a")),
            ("acount".to_owned(), FieldValue::text("a")),
        ];
        let issues = description().check_parameters(given.into()).unwrap_err();
        assert_eq!(
            issues.to_string(),
            "parameters.acount: is not a field of this provider: did you mean account?"
        );
    }
}
