//! The codes of this provider's findings, explained: `rotorctl explain CODE` shows it.

use rotor_provider_sdk::OptionEntry;

/// Every code that `check` and `inspect` report.
const CODES: &[(&str, &str)] = &[
    (
        "login-reached",
        "The tenant's sign-in was reached and answers. Nothing needs to be done.",
    ),
    (
        "login-unreached",
        "The tenant's sign-in gave no answer of its own. Allow outgoing TLS connections to it, without anything between \
         that answers in its place; `rotorctl doctor` says how far it is reached.",
    ),
    (
        "login-not-granted",
        "rotord's settings do not let the provider reach the tenant's sign-in. Name it in the table \
         [providers.grants.azure-client-secret].",
    ),
    (
        "login-refused",
        "The tenant's sign-in was reached and refused the connection. Nothing can be issued or revoked; what is \
         published stays valid. What is beside the finding helps: most often new credentials, by `rotorctl connection \
         edit`.",
    ),
    (
        "login-failed",
        "The login could not even be asked for, since the connection's certificate signs nothing. Change the \
         connection: `rotorctl connection edit`.",
    ),
    (
        "graph-reached",
        "Microsoft Graph was reached and answers. Nothing needs to be done.",
    ),
    (
        "graph-unreached",
        "Microsoft Graph gave no usable answer. Allow outgoing TLS connections to it, without anything between that \
         answers in its place; `rotorctl doctor` says how far it is reached.",
    ),
    (
        "graph-not-granted",
        "rotord's settings do not let the provider reach Microsoft Graph. Name it in the table \
         [providers.grants.azure-client-secret].",
    ),
    (
        "token-refused",
        "The sign-in gave a token that Graph does not accept: most often they are of two clouds. Leave the connection's \
         scope and graphRoot empty, or make them those of one cloud.",
    ),
    (
        "applications-unreadable",
        "Graph does not let the connection read applications. Grant Application.ReadWrite.OwnedBy with the `az` \
         command beside the finding, and wait some minutes: a token keeps the permissions that it was given with.",
    ),
    (
        "permissions-unknown",
        "The token does not say what the connection may do. Whether it may rotate shows at the first rotation.",
    ),
    (
        "may-rotate",
        "Application.ReadWrite.All or a directory role of an application administrator is granted: every application \
         of the tenant can be rotated. Application.ReadWrite.OwnedBy would do, and is less.",
    ),
    (
        "may-rotate-owned",
        "Application.ReadWrite.OwnedBy is granted: the applications that the connection owns can be rotated.",
    ),
    (
        "missing-role",
        "No permission is granted that rotating needs, neither to the application nor by a directory role. Nothing can be issued or revoked; what is published stays \
         valid. Grant Application.ReadWrite.OwnedBy, with admin consent, by the `az` command beside the finding, and \
         wait some minutes.",
    ),
    (
        "owns",
        "The connection is an owner of these applications, so it can rotate them.",
    ),
    (
        "owns-nothing",
        "The connection may change only the applications that it owns, and owns none. Make its service principal an \
         owner of each application that it shall rotate, by the `az` command beside the finding.",
    ),
    (
        "ownership-unknown",
        "Which applications the connection owns can't be read, most often for a missing permission to read them. \
         Where it is no owner of one, a rotation of that one is refused.",
    ),
    (
        "not-owner",
        "The connection may change only the applications that it owns, and is no owner of this one, so Graph refuses \
         to issue and to revoke. What is published stays valid. Make it an owner by the `az` command beside the \
         finding.",
    ),
    (
        "application-disabled",
        "Logins of the application are disabled, so no secret of it can be proved or used. Enable them by the `az` \
         command beside the finding.",
    ),
    (
        "no-service-principal",
        "The application has no service principal in the tenant, so it can't log in there and no secret of it can be \
         proved. Make one by the `az` command beside the finding.",
    ),
    (
        "lifetime-policy-unread",
        "The tenant may limit how long client secrets live, and the connection can't see whether it does. Where it does, \
         and allows less than is asked for, the first issue is refused and says so; a shorter interval asks for less. To \
         see it, grant the connection the application permission Policy.Read.All: then the lifetime that is asked for \
         keeps within what is allowed.",
    ),
    (
        "secrets-forbidden",
        "A policy of the tenant forbids new client secrets for the application, so Graph refuses to issue any. What is \
         published stays valid. Have an administrator of the tenant permit them to this application, or let it log in \
         without client secrets. Where the policy exempts some, whether it exempts the connection can't be told: then \
         this is a warning, and the first rotation shows it.",
    ),
    (
        "connection-secret-expires",
        "The client secret that rotord itself logs in with ends soon; after that nothing can be rotated. Make another \
         by the `az` command beside the finding and change the connection: `rotorctl connection edit`.",
    ),
];

/// As the description carries them.
pub(crate) fn explained() -> Vec<OptionEntry> {
    let explain = |(code, text): &(&str, &str)| OptionEntry::explaining(code, *text);
    CODES.iter().map(explain).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::CODES;
    use crate::check::paths::{Codes, GRAPH, LOGIN};

    /// The first text behind each way to make a finding.
    fn reported(source: &str) -> BTreeSet<&str> {
        ["Finding::fine(", "Finding::warning(", "Finding::problem("]
            .into_iter()
            .flat_map(|made| source.split(made).skip(1))
            .filter_map(|after| after.trim_start().strip_prefix('"')?.split('"').next())
            .collect()
    }

    #[test]
    fn what_is_reported_is_explained_and_the_other_way_round() {
        let sources = [
            include_str!("check.rs"),
            include_str!("check/paths.rs"),
            include_str!("check/permission.rs"),
            include_str!("inspect.rs"),
            include_str!("policy.rs"),
        ];
        let mut reported_codes: BTreeSet<&str> = sources.into_iter().flat_map(reported).collect();
        for Codes {
            reached,
            unreached,
            not_granted,
        } in [LOGIN, GRAPH]
        {
            reported_codes.extend([reached, unreached, not_granted]);
        }
        let explained: BTreeSet<&str> = CODES.iter().map(|(code, _)| *code).collect();
        assert_eq!(explained.len(), CODES.len(), "a code stands twice");
        assert_eq!(reported_codes, explained);
    }
}
