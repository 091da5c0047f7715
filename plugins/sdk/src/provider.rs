//! What a provider does.

use crate::description::ProviderDescription;
use crate::{
    ChoicePage, Connection, Fault, Host, Identity, Inspection, Result, Revocation, Secret,
    SurveyResult, Target, Timestamp, Verification,
};

/// A provider. Every call gets an instance of its own: nothing is remembered between calls. Waiting,
/// counting and trying again are the daemon's; each of these tries once.
pub trait Provider {
    /// What it says of itself; constant, and asked before it is trusted with anything.
    fn describe() -> ProviderDescription;

    /// Who the connection is at the service, and whether it may rotate: proves the permission to issue
    /// and revoke, not only a login.
    fn check(host: &dyn Host, connection: &Connection) -> Result<Identity>;

    /// A page of what a person picks from: what matches `query`, and what has the pasted id.
    ///
    /// A provider whose description lists no choices need not implement it.
    fn choices(
        host: &dyn Host,
        connection: &Connection,
        list: &str,
        query: &str,
        page: Option<&str>,
    ) -> Result<ChoicePage> {
        let _ = (host, connection, query, page);
        Err(Fault::invalid_input(
            "list",
            format!("this provider has no list of choices named {list:?}"),
        ))
    }

    /// Does the target exist, do its parameters agree, what limits hold.
    fn inspect(host: &dyn Host, target: &Target) -> Result<Inspection>;

    /// Creates one credential: at most one creating request, never two. Any end but a well-formed
    /// answer or an explicit refusal is [`crate::FaultKind::Ambiguous`].
    fn issue(host: &dyn Host, target: &Target, request: &IssueRequest) -> Result<Issued>;

    /// One login with these outputs, on a fresh connection, with nothing cached.
    fn verify(host: &dyn Host, target: &Target, outputs: &Outputs) -> Result<Verification>;

    /// Removes the credential with this handle. At most one changing request.
    fn revoke(host: &dyn Host, target: &Target, handle: &str) -> Result<Revocation>;

    /// All live credentials of the target.
    fn survey(host: &dyn Host, target: &Target) -> Result<SurveyResult>;
}

/// What to issue.
#[derive(Debug, Clone)]
pub struct IssueRequest {
    /// 0 or 1; for providers that keep two accounts.
    pub slot: u32,
    /// To be stored with the credential, word for word: the only handle if the answer is lost.
    pub label: String,
    /// How long the credential should live, from the service's own now.
    pub lifetime_seconds: u64,
    /// The value, where the host makes it.
    pub value: Option<Secret>,
}

/// An issued credential.
#[derive(Debug, Clone, PartialEq)]
pub struct Issued {
    /// The service's name for it.
    pub handle: String,
    /// What applications read.
    pub outputs: Outputs,
    /// When the service will let it expire. None where it does not say: then the lifetime that was asked for counts.
    pub expires_at: Option<Timestamp>,
    /// The service's clock when it answered.
    pub provider_time: Option<Timestamp>,
}

/// One value that applications read.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// As in the provider's description.
    pub name: String,
    /// Treated as secret whether it is or not.
    pub value: Secret,
}

/// The values of one credential, read by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outputs(pub Vec<Output>);

impl Outputs {
    /// The value of this output; its absence is the caller's mistake and named.
    pub fn get(&self, name: &str) -> Result<&Secret> {
        self.0
            .iter()
            .find(|output| output.name == name)
            .map(|output| &output.value)
            .ok_or_else(|| {
                Fault::invalid_input(
                    format!("outputs.{name}"),
                    format!("outputs.{name} is required"),
                )
            })
    }

    /// Adds one.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.0.push(Output {
            name: name.into(),
            value: value.into(),
        });
        self
    }
}
