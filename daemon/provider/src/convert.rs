//! Between the generated types and the contract's own. Nothing generated leaves this crate, because those
//! types print their bytes; and what comes from a provider is cleaned and checked on the way.

mod answer;
mod description;
mod request;

pub(crate) use self::answer::{
    choice_page, fault, identity, inspection, issued, revocation, survey, verification,
};
pub(crate) use self::description::description;
pub(crate) use self::request::{
    connection, connection_secrets, issue_request, output_secrets, outputs, target, target_secrets,
};

/// Why an answer breaks the contract.
pub(crate) type Nonsense = String;
