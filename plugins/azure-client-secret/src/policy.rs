//! What the tenant's app management policies leave: how long a client secret may live, and whether one may be
//! added at all.
//!
//! One policy may be assigned to the application itself. What it says of a kind of restriction comes before what
//! the tenant's default policy says of that kind, even where it says that there is none. Where something can't be
//! told, the stricter reading is taken: a secret that lives shorter than it might is no harm, and one that is asked
//! for with too long a life is refused.

use std::fmt;

use rotor_provider_sdk::{Fault, FaultKind, Finding, Result, Timestamp, time};
use serde::Deserialize;
use serde_json::Value;
use speedate::Duration;

use crate::claims::{Claims, READ_POLICIES};
use crate::graph::Graph;
use crate::remedy::permit_secrets;

/// The restriction that forbids client secrets.
const ADDITION: &str = "passwordAddition";
/// The restriction of their lifetime.
const LIFETIME: &str = "passwordLifetime";

/// 2019-01-01: when an application counts as made that does not say when it was.
const UNDATED: Timestamp = 1_546_300_800;
/// More pages of policies than one application has.
const PAGES: usize = 10;
/// Seconds by which Graph's clock may be behind the sign-in's, from whose date a lifetime is counted.
const CLOCKS: u64 = 300;

/// What holds for one application.
#[derive(Debug)]
pub(crate) struct Limits {
    /// The longest life of a client secret, in seconds; `None` where nothing limits it, or nothing is known.
    pub(crate) max_lifetime_seconds: Option<u64>,
    pub(crate) findings: Vec<Finding>,
}

/// Reads the policies where the token says that they may be read, so that nobody else pays for a refusal.
///
/// # Errors
/// Where they may be readable a little later: what they allow would else be taken for unlimited until the next look.
pub(crate) fn limits(graph: &Graph<'_>, object_id: &str, created: Option<&str>) -> Result<Limits> {
    let claims = graph.claims();
    if !claims.is_some_and(Claims::may_read_policies) {
        let why =
            format!("that takes the permission {READ_POLICIES}, which its token does not show");
        return Ok(Limits::unread(&why));
    }
    match Policies::read(graph, object_id) {
        Ok(policies) => {
            let mut limits = policies.judge(object_id, made_at(created));
            let longest = &mut limits.max_lifetime_seconds;
            *longest = longest.map(|seconds| seconds.saturating_sub(CLOCKS));
            Ok(limits)
        }
        Err(fault) if matches!(fault.kind, FaultKind::Throttled | FaultKind::Unavailable) => {
            Err(fault)
        }
        Err(fault) => Ok(Limits::unread(&told(&fault))),
    }
}

/// The policies that are assigned to the application: one at most, today.
fn assigned(graph: &Graph<'_>, object_id: &str) -> Result<Vec<Policy>> {
    let first = format!("/applications/{object_id}/appManagementPolicies");
    let mut policies = Vec::new();
    let mut next: Option<String> = None;
    for _ in 0..PAGES {
        let page = graph.page(&first, next.as_deref())?;
        policies.extend(page.value);
        next = page.next;
        if next.is_none() {
            return Ok(policies);
        }
    }
    Err(Fault::refused(
        "the list of the application's policies has no end",
    ))
}

/// Why a policy was not read. What Graph's refusals mean to a change is not what is missing here.
fn told(fault: &Fault) -> String {
    if fault.kind == FaultKind::Unauthorized {
        return format!(
            "Graph did not let it; that takes {READ_POLICIES} and Application.Read.All, and a fresh grant \
             takes some minutes"
        );
    }
    fault.message.clone()
}

/// When the application was made. A date that can't be read lets it off nothing.
fn made_at(created: Option<&str>) -> Timestamp {
    created.map_or(UNDATED, |date| {
        time::parse_rfc3339(date).unwrap_or(Timestamp::MAX)
    })
}

impl Limits {
    fn unread(why: &str) -> Self {
        Self {
            max_lifetime_seconds: None,
            findings: vec![unread(why)],
        }
    }
}

/// Fine, since most tenants have no such policy, and where there is one the service says so.
fn unread(why: &str) -> Finding {
    Finding::fine(
        "lifetime-policy-unread",
        format!(
            "whether a policy of the tenant limits the lifetime of client secrets can't be seen by the \
             connection: {why}; where one allows less than is asked for, the first issue is refused and \
             says so"
        ),
    )
}

/// All that can restrict the secrets of one application.
struct Policies {
    assigned: Vec<Policy>,
    default: Policy,
}

impl Policies {
    fn read(graph: &Graph<'_>, object_id: &str) -> Result<Self> {
        Ok(Self {
            assigned: assigned(graph, object_id)?,
            default: graph.read("/policies/defaultAppManagementPolicy")?.value,
        })
    }

    fn judge(&self, object_id: &str, made_at: Timestamp) -> Limits {
        let mut findings = Vec::new();
        let forbidding = self.holding(ADDITION, made_at);
        // One without exemptions forbids for certain.
        let forbidding = forbidding.iter().min_by_key(|(_, of)| of.exempts_some());
        if let Some((policy, restriction)) = forbidding {
            let forbids = format!("{policy} forbids new client secrets for the application");
            let finding = if restriction.exempts_some() {
                Finding::warning(
                    "secrets-forbidden",
                    format!(
                        "{forbids}; it exempts some, and whether it exempts the connection can't be told"
                    ),
                )
            } else {
                Finding::problem("secrets-forbidden", forbids)
            };
            findings.push(finding.remedy(permit_secrets(object_id)));
        }
        let limiting = self.holding(LIFETIME, made_at);
        let lifetimes: std::result::Result<Vec<u64>, String> = limiting
            .into_iter()
            .map(|(policy, restriction)| restriction.seconds(policy))
            .collect();
        let max_lifetime_seconds = match lifetimes {
            Ok(lifetimes) => lifetimes.into_iter().min(),
            Err(why) => {
                findings.push(unread(&why));
                None
            }
        };
        Limits {
            max_lifetime_seconds,
            findings,
        }
    }

    /// The restrictions of a kind that hold for an application made then, each with the policy that has it.
    fn holding(&self, kind: &str, made_at: Timestamp) -> Vec<(&Policy, &Restriction)> {
        let assigned = self.assigned.iter();
        let mut found: Vec<_> = assigned
            .flat_map(|policy| policy.restrictions(kind))
            .collect();
        if found.is_empty() {
            found = self.default.restrictions(kind).collect();
        }
        found.retain(|(_, restriction)| restriction.holds(made_at));
        found
    }
}

/// A policy, assigned to an application or the tenant's default.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    id: Option<String>,
    display_name: Option<String>,
    is_enabled: Option<bool>,
    /// The tenant's default has another set for service principals.
    #[serde(alias = "applicationRestrictions")]
    restrictions: Option<Restrictions>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Restrictions {
    password_credentials: Option<Vec<Restriction>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Restriction {
    /// A kind that is not known here restricts something else.
    #[serde(rename = "restrictionType")]
    kind: Option<String>,
    state: Option<String>,
    max_lifetime: Option<String>,
    restrict_for_apps_created_after_date_time: Option<String>,
    #[serde(default)]
    exclude_actors: Value,
}

impl Policy {
    /// Its restrictions of a kind; none where the policy is off.
    fn restrictions(&self, kind: &str) -> impl Iterator<Item = (&Self, &Restriction)> {
        let is_on = self.is_enabled != Some(false);
        let all = self.restrictions.as_ref().filter(|_| is_on);
        all.and_then(|all| all.password_credentials.as_ref())
            .into_iter()
            .flatten()
            .filter(move |restriction| restriction.kind.as_deref() == Some(kind))
            .map(move |restriction| (self, restriction))
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.display_name.as_deref().unwrap_or("without a name");
        let id = self.id.as_deref().unwrap_or("unknown");
        write!(f, "the policy {name:?} (id {id})")
    }
}

impl Restriction {
    /// Whether it holds for an application made then. Neither a state nor a date that is not understood
    /// lifts it.
    fn holds(&self, made_at: Timestamp) -> bool {
        let since = self
            .restrict_for_apps_created_after_date_time
            .as_deref()
            .and_then(time::parse_rfc3339);
        self.state.as_deref() != Some("disabled") && since.is_none_or(|since| made_at >= since)
    }

    /// Whether requests of some, who are told by attributes that the connection can't read, pass it.
    fn exempts_some(&self) -> bool {
        let attributes = self.exclude_actors["customSecurityAttributes"].as_array();
        attributes.is_some_and(|attributes| !attributes.is_empty())
    }

    /// The lifetime that it allows, in whole seconds. A year has 365 days and a month 30, as where Graph
    /// itself reads durations.
    fn seconds(&self, policy: &Policy) -> std::result::Result<u64, String> {
        let text = self.max_lifetime.as_deref().unwrap_or_default();
        Some(text)
            // Other forms are read too, which are not Graph's.
            .filter(|text| text.starts_with('P'))
            .and_then(|text| Duration::parse_str(text).ok())
            .and_then(|lifetime| u64::try_from(lifetime.signed_total_seconds()).ok())
            .ok_or_else(|| format!("{policy} has one of {text:?}, which can't be read"))
    }
}

#[cfg(test)]
mod tests;
