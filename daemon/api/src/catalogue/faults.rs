//! Calls of a provider that came to nothing: by the provider's word, or by the host's.

use super::entries;

entries! { Fault,
    INVALID_INPUT = "invalid-input",
        "A value that was given is wrong for the service, such as an id that names nothing.",
        "Nothing was changed. A scheduled run is tried again with growing waits; what is published stays.",
        "Correct the field that the message names: `rotorctl edit ROTATION` or `rotorctl connection edit CONNECTION`.";
    UNAUTHORIZED = "unauthorized",
        "The connection's credentials were refused, or it lacks a permission.",
        "Nothing was changed. It is tried again with growing waits; what is published stays.",
        "`rotorctl connection check CONNECTION` names what the connection lacks, `rotorctl doctor --rotation ROTATION` what it lacks at one target, with the command that grants it. A fresh grant can take some minutes.";
    NOT_FOUND = "not-found",
        "The target does not exist at the service, or not yet on every replica.",
        "Nothing was changed. It is tried again with growing waits.",
        "See whether it was deleted. If so, `rotorctl delete ROTATION`; for another target in its place create a new rotation.";
    THROTTLED = "throttled",
        "The service refused for now, because too much was asked of it.",
        "Nothing was changed. It comes again when the service said, or after growing waits, and spaces its writes to each target.",
        "Nothing needs to be done. If it stays so, see who else asks so much with the same identity.";
    UNAVAILABLE = "unavailable",
        "The service was not reached, and it is certain that nothing was changed.",
        "It is tried again with growing waits; what is published stays.",
        "`rotorctl doctor --connection CONNECTION` looks at names, addresses, certificates and grants.";
    AMBIGUOUS = "ambiguous",
        "The request may have been carried out, and no whole answer came back.",
        "It is never simply repeated. An issue becomes a lost answer that is looked for by its label and removed; the run goes on under a new label. A revoke is looked at again.",
        "Nothing needs to be done.";
    FULL = "full",
        "The target holds as many credentials as it may; nothing was issued.",
        "It makes room by removing what it replaced itself and nobody needs any more, and tries again.",
        "Remove a credential at the provider that nothing uses and no rotation issued; `rotorctl doctor --rotation ROTATION` counts them, and `rotorctl list --credentials --all-projects` has those that are a rotation's.";
    INTERNAL = "internal",
        "The provider met a bug of its own. Whether something was changed before is not known.",
        "If a request was sent it is taken as ambiguous, else as refused.",
        "Install another version of the provider, and tell its maker what the message says.";
    REFUSED = "refused",
        "The service said no for another reason; nothing was changed.",
        "A scheduled run is tried again with growing waits; what is published stays.",
        "Mend what the message says.";
    OTHER_FAULT = "other-fault",
        "The provider reports a kind of fault that this version of the daemon does not know.",
        "It is taken as ambiguous where a request was sent: the most careful reading.",
        "Install a daemon that is as new as the provider.";
    PROVIDER_TRAPPED = "provider-trapped",
        "The provider crashed in its sandbox.",
        "Only this call fails. If a request was sent it is taken as ambiguous, else as refused.",
        "Install another version of the provider, and tell its maker what the message says.";
    PROVIDER_TIMED_OUT = "provider-timed-out",
        "The call took longer than the setting providers.call_time allows.",
        "The call is ended. If a request was sent it is taken as ambiguous, else as refused.",
        "See whether the service is slow. If it always needs longer, raise providers.call_time.";
    PROVIDER_TOO_LARGE = "provider-too-large",
        "The provider wanted more memory than a call may have, or handed over more than it may at once.",
        "The call is ended. If a request was sent it is taken as ambiguous, else as refused.",
        "Install another version of the provider, and tell its maker what the message says.";
    PROVIDER_NONSENSE = "provider-nonsense",
        "The provider's answer breaks the contract, such as a credential without a name.",
        "The answer is not used. If a request was sent it is taken as ambiguous, else as refused.",
        "Install another version of the provider, and tell its maker what the message says.";
    PROVIDER_FAILED = "provider-failed",
        "The call could not be run, or ended because the provider does not behave.",
        "Only this call fails. If a request was sent it is taken as ambiguous, else as refused.",
        "See the daemon's log (`journalctl -u rotord`), and whether the provider fits this daemon: `rotorctl provider list`.";
    UNREACHABLE = "unreachable",
        "The service was not reached, or its answer did not come back.",
        "What was asked only looks, so nothing is in doubt.",
        "`rotorctl doctor --connection CONNECTION` looks at names, addresses, certificates and grants.";
}
