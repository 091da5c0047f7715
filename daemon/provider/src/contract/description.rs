//! What a provider says of itself. Checked for sense when it is loaded; storable as JSON, so that the
//! last good one outlives the plugin file.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Slug;
use crate::http::HostRule;

/// All that a provider says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderDescription {
    /// The type's name in routes, such as `azure-client-secret`.
    pub slug: Slug,
    /// For a person.
    pub title: String,
    /// The provider's own version.
    pub version: String,
    /// Who makes the value.
    pub family: Family,
    /// What becomes of the old credential when a new one is issued.
    pub phase: Phase,
    /// What a connection of this provider looks like.
    pub connection: ConnectionKind,
    /// What a rotation must say of its target.
    pub parameters: Vec<Parameter>,
    /// What can be mapped to secrets.
    pub outputs: Vec<OutputKind>,
    /// The lists that a person picks a target from.
    pub choices: Vec<ChoiceList>,
    /// The hosts that it talks to.
    pub hosts: Vec<DeclaredHost>,
    /// Its bounds and spacings.
    pub limits: ProviderLimits,
    /// What has no field of its own.
    pub options: Vec<OptionEntry>,
}

/// Who makes the value. A family that this version does not know is refused when the provider is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// The provider (an API key, an Azure client secret).
    Mint,
    /// The host; the provider sets it (a database password).
    Set,
}

/// What becomes of the old credential when a new one is issued. An unknown phase is refused when the
/// provider is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Both are valid side by side until the old one is revoked.
    Dual,
    /// The old one stops working at once.
    Single,
    /// Two accounts take turns.
    TwoAccounts,
}

/// The form of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionKind {
    /// The name in a rotation's `connection.app`, such as `azure`.
    pub app: Slug,
    /// The name in routes, such as `azure-client-secrets`.
    pub slug: Slug,
    /// For a person.
    pub title: String,
    /// The ways to log in; at least one.
    pub methods: Vec<ConnectionMethod>,
}

/// One way to log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionMethod {
    /// As it stands in the JSON of the API.
    pub name: String,
    /// For a person.
    pub title: String,
    /// What it needs.
    pub fields: Vec<Field>,
}

/// One field of a connection or of the parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// As it stands in the JSON of the API, such as `tenantId`.
    pub name: String,
    /// For a person.
    pub title: String,
    /// For a person.
    pub description: String,
    /// What it holds.
    pub kind: FieldKind,
    /// Sealed at rest, never shown again, handed to the provider as [`Value::Secret`](super::Value).
    pub secret: bool,
    /// Whether it must be given.
    pub required: bool,
    /// Taken where it is not given.
    pub default: Option<String>,
    /// In characters.
    pub max_length: Option<u32>,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    /// One line.
    Text,
    /// Several lines, such as a PEM file.
    LongText,
    /// A UUID.
    Uuid,
    /// A URL.
    Url,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// One of these.
    Choice(Vec<String>),
    /// A kind that this version does not know: checked as text, and the provider has the last word.
    Other(String),
}

/// One parameter of a rotation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameter {
    /// Its form.
    pub field: Field,
    /// Part of what tells one target from another.
    pub key: bool,
}

/// One output that can be mapped to a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputKind {
    /// Such as `clientSecret`.
    pub name: String,
    /// For a person.
    pub title: String,
    /// The name that a person is offered for the mapped secret.
    pub suggested_name: String,
    /// False for what is public, such as a client id.
    pub secret: bool,
}

/// A list that a person picks a target from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChoiceList {
    /// The name in routes, such as `clients`.
    pub name: Slug,
    /// For a person.
    pub title: String,
    /// In the order in which they are shown.
    pub fields: Vec<ChoiceField>,
}

/// One column of a list of choices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChoiceField {
    /// As listed, such as `appId`.
    pub name: String,
    /// For a person.
    pub title: String,
    /// The parameter that it fills, if it does.
    pub fills: Option<String>,
}

/// A host that the provider talks to. One of a kind that this version does not know grants nothing and
/// is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeclaredHost {
    /// This one; never a wildcard.
    Fixed(HostRule),
    /// The host of the URL in this connection field, where it is set.
    FromConnection(String),
}

/// How long an issued credential should live: `intervals` × the rotation's interval + `extra`, at most
/// `max`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LifetimeRule {
    /// How many intervals.
    pub intervals: u32,
    /// Added to them.
    pub extra: Duration,
    /// The longest that the service allows.
    pub max: Option<Duration>,
}

/// A provider's bounds and spacings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderLimits {
    /// Least time between two changes of one target.
    pub write_spacing: Duration,
    /// How long a change may take until every replica has it.
    pub propagation_bound: Duration,
    /// Least time for which the replaced credential stays valid.
    pub minimum_overlap: Duration,
    /// How many credentials a target holds, where it is the same for all.
    pub credential_cap: Option<u32>,
    /// At least 1.
    pub longest_interval_days: u32,
    /// How many logins prove a credential; at least 1.
    pub verify_successes: u32,
    /// Least time between two of them.
    pub verify_spacing: Duration,
    /// How long a credential should live.
    pub lifetime: LifetimeRule,
}

/// A named piece of information that has no field of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OptionEntry {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: String,
}
