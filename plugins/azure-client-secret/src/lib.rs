//! Rotates client secrets of applications in Microsoft Entra ID, through Microsoft Graph.
//!
//! Everything of Azure is here and nowhere else. Two services are spoken to: Entra's token endpoint
//! ([`entra`]) and Graph's application routes ([`graph`]). Both are replicated without a promise of
//! order: a new secret may be unknown to one replica of the token endpoint and known to the next, reads
//! lag behind writes, and `not found` is no proof. So each call here does its one thing once, says as
//! exactly as it can what came of it, and leaves waiting and judging to the daemon.

#![allow(clippy::result_large_err, reason = "the contract's fault is a record")]

mod assertion;
mod check;
mod choices;
mod claims;
mod cloud;
mod codes;
mod connection;
mod credentials;
mod describe;
mod entra;
mod graph;
mod inspect;
mod issue;
mod policy;
mod remedy;
mod verify;

use rotor_provider_sdk::description::ProviderDescription;
use rotor_provider_sdk::{
    ChoicePage, Connection, Host, Identity, Inspection, IssueRequest, Issued, Outputs, Provider,
    Result, Revocation, SurveyResult, Target, Verification, export_provider,
};

use connection::{Application, Azure};

/// The provider.
#[derive(Debug)]
pub struct AzureClientSecret;

export_provider!(AzureClientSecret);

impl Provider for AzureClientSecret {
    fn describe() -> ProviderDescription {
        describe::description()
    }

    fn check(host: &dyn Host, connection: &Connection) -> Result<Identity> {
        check::check(host, &Azure::parse(connection)?)
    }

    fn choices(
        host: &dyn Host,
        connection: &Connection,
        list: &str,
        query: &str,
        page: Option<&str>,
    ) -> Result<ChoicePage> {
        choices::choices(host, &Azure::parse(connection)?, list, query, page)
    }

    fn inspect(host: &dyn Host, target: &Target) -> Result<Inspection> {
        let application = Application::parse(&target.parameters)?;
        inspect::inspect(host, &Azure::parse(&target.connection)?, &application)
    }

    fn issue(host: &dyn Host, target: &Target, request: &IssueRequest) -> Result<Issued> {
        let application = Application::parse(&target.parameters)?;
        issue::issue(
            host,
            &Azure::parse(&target.connection)?,
            &application,
            request,
        )
    }

    fn verify(host: &dyn Host, target: &Target, outputs: &Outputs) -> Result<Verification> {
        verify::verify(host, &Azure::parse(&target.connection)?, outputs)
    }

    fn revoke(host: &dyn Host, target: &Target, handle: &str) -> Result<Revocation> {
        let application = Application::parse(&target.parameters)?;
        credentials::revoke(
            host,
            &Azure::parse(&target.connection)?,
            &application,
            handle,
        )
    }

    fn survey(host: &dyn Host, target: &Target) -> Result<SurveyResult> {
        let application = Application::parse(&target.parameters)?;
        credentials::survey(host, &Azure::parse(&target.connection)?, &application)
    }
}
