//! Traps when it is asked who it is, and does nothing else.

#![allow(clippy::result_large_err, reason = "the contract's fault is a record")]

use rotor_provider_sdk::description::ProviderDescription;
use rotor_provider_sdk::{
    Connection, Fault, Host, Identity, Inspection, IssueRequest, Issued, Outputs, Provider, Result,
    Revocation, SurveyResult, Target, Verification, export_provider,
};

/// The provider.
#[derive(Debug)]
pub struct TrapOnDescribe;

impl Provider for TrapOnDescribe {
    #[allow(clippy::panic, reason = "what this guest is for")]
    fn describe() -> ProviderDescription {
        panic!("this guest does not say who it is")
    }

    fn check(_: &dyn Host, _: &Connection) -> Result<Identity> {
        Err(unreached())
    }

    fn inspect(_: &dyn Host, _: &Target) -> Result<Inspection> {
        Err(unreached())
    }

    fn issue(_: &dyn Host, _: &Target, _: &IssueRequest) -> Result<Issued> {
        Err(unreached())
    }

    fn verify(_: &dyn Host, _: &Target, _: &Outputs) -> Result<Verification> {
        Err(unreached())
    }

    fn revoke(_: &dyn Host, _: &Target, _: &str) -> Result<Revocation> {
        Err(unreached())
    }

    fn survey(_: &dyn Host, _: &Target) -> Result<SurveyResult> {
        Err(unreached())
    }
}

export_provider!(TrapOnDescribe, own_allocator);

fn unreached() -> Fault {
    Fault::internal("a provider that could not be described was called")
}
