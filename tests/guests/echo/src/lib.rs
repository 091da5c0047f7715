//! A provider that does what it is told, so that the host's tests can exercise every function and every
//! bad end of one.
//!
//! The connection's or the parameters' `behaviour` says what (see [`behaviour`]); `at` limits it to one
//! function, such as `issue`. It keeps no credentials: what it issues is made of random bytes, and every
//! login works.

#![allow(clippy::result_large_err, reason = "the contract's fault is a record")]

mod behaviour;
mod describe;

use rotor_provider_sdk::description::ProviderDescription;
use rotor_provider_sdk::{
    Choice, ChoicePage, Clock, Connection, Finding, Host, Identity, Inspection, IssueRequest,
    Issued, ListedCredential, NamedValue, Outputs, Provider, Result, Revocation, RevocationOutcome,
    SurveyResult, Target, Verdict, Verification, export_provider,
};

/// How many choices there are, and how many fit on a page.
const CHOICES: usize = 25;
const PAGE: usize = 10;

/// The provider.
#[derive(Debug)]
pub struct Echo;

export_provider!(Echo);

impl Provider for Echo {
    fn describe() -> ProviderDescription {
        describe::description()
    }

    fn check(host: &dyn Host, connection: &Connection) -> Result<Identity> {
        let said = behaviour::of_connection(host, connection, "check")?;
        let fine = Finding::fine("echo", "this provider can do nothing wrong");
        let asked = behaviour::finding(&connection.values)?;
        Ok(Identity {
            subject: said.unwrap_or_else(|| "nobody in particular".to_owned()),
            findings: vec![asked.unwrap_or(fine)],
            provider_time: Some(behaviour::now(host, connection)?),
        })
    }

    fn choices(
        host: &dyn Host,
        connection: &Connection,
        list: &str,
        query: &str,
        page: Option<&str>,
    ) -> Result<ChoicePage> {
        let said = behaviour::of_connection(host, connection, "choices")?;
        let row = |name: String, key: String| Choice {
            values: vec![name, key],
        };
        let matching: Vec<_> = (1..=CHOICES)
            .map(|number| row(format!("{list} {number}"), format!("key-{number}")))
            .chain(said.map(|said| row(said, "said".to_owned())))
            .filter(|choice| choice.values.iter().any(|value| value.contains(query)))
            .collect();
        let start = page.and_then(|page| page.parse().ok()).unwrap_or(0);
        let end = start + PAGE;
        let next = match connection.values.optional_text("behaviour")? {
            Some("endless") => Some("again".to_owned()),
            _ => (end < matching.len()).then(|| end.to_string()),
        };
        Ok(ChoicePage {
            next,
            choices: matching.into_iter().skip(start).take(PAGE).collect(),
        })
    }

    fn inspect(host: &dyn Host, target: &Target) -> Result<Inspection> {
        let said = behaviour::of_target(host, target, "inspect")?;
        let key = target.parameters.text("key")?;
        let of_connection = behaviour::finding(&target.connection.values)?;
        let findings = behaviour::finding(&target.parameters)?.into_iter();
        let findings = findings.chain(of_connection);
        Ok(Inspection {
            title: said.unwrap_or_else(|| format!("echo of {key}")),
            parameters: vec![NamedValue::text("key", key)],
            credential_cap: None,
            max_lifetime_seconds: None,
            findings: findings.collect(),
            provider_time: Some(behaviour::now(host, &target.connection)?),
        })
    }

    fn issue(host: &dyn Host, target: &Target, request: &IssueRequest) -> Result<Issued> {
        let said = behaviour::of_target(host, target, "issue")?;
        let lifetime = i64::try_from(request.lifetime_seconds).unwrap_or(i64::MAX);
        let value = said.unwrap_or_else(|| format!("value-{}", host.uuid()));
        let now = behaviour::now(host, &target.connection)?;
        Ok(Issued {
            handle: host.uuid(),
            outputs: Outputs::default()
                .with("name", request.label.as_str())
                .with("value", value),
            expires_at: Some(now.saturating_add(lifetime)),
            provider_time: Some(now),
        })
    }

    fn verify(host: &dyn Host, target: &Target, outputs: &Outputs) -> Result<Verification> {
        let said = behaviour::of_target(host, target, "verify")?;
        outputs.get("value")?;
        Ok(Verification {
            verdict: said.map_or(Verdict::Works, Verdict::NotYet),
            provider_time: Some(behaviour::now(host, &target.connection)?),
        })
    }

    fn revoke(host: &dyn Host, target: &Target, _: &str) -> Result<Revocation> {
        let said = behaviour::of_target(host, target, "revoke")?;
        Ok(Revocation {
            outcome: said.map_or(RevocationOutcome::Accepted, RevocationOutcome::Other),
            provider_time: Some(behaviour::now(host, &target.connection)?),
        })
    }

    fn survey(host: &dyn Host, target: &Target) -> Result<SurveyResult> {
        let said = behaviour::of_target(host, target, "survey")?;
        let credential = |label: String| ListedCredential {
            handle: "handle".to_owned(),
            label: Some(label),
            starts_at: Some(Clock::now(host)),
            expires_at: None,
            hint: None,
        };
        Ok(SurveyResult {
            credentials: said.into_iter().map(credential).collect(),
            provider_time: Some(behaviour::now(host, &target.connection)?),
            options: Vec::new(),
        })
    }
}
