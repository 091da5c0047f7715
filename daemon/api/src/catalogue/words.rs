//! Words for where a run or a credential is.

use super::entries;

entries! { Word,
    INTEND = "intend",
        "The run looks at the target, or waits before it issues; the label of what it will issue is made.",
        "The intent is on disk before the provider is asked to create anything.",
        "Nothing needs to be done.";
    ISSUE = "issue",
        "The provider is asked for a new credential.",
        "If the answer is lost, the credential is looked for by its label and removed, and the run goes on under a new one.",
        "Nothing needs to be done.";
    VERIFY = "verify",
        "The new credential is tried out: logins in a row, for as long as a lagging replica could still refuse it.",
        "About a minute for creation and manual runs, the provider's whole bound for scheduled ones.",
        "Nothing needs to be done.";
    PUBLISH = "publish",
        "The secrets get their new values, all in one transaction.",
        "Readers see the old values or the new ones, and never a mix.",
        "Nothing needs to be done.";
    SETTLE = "settle",
        "The new values are published; what was replaced waits for its end.",
        "It removes what was replaced when every gate is open.",
        "Nothing needs to be done.";
    PENDING = "pending",
        "A credential that was issued and is not proved yet, or a rotation whose run is under way.",
        "It is tried out until it is proved, and removed where that fails.",
        "Nothing needs to be done.";
    ACTIVE = "active",
        "The credential that is published.",
        "It is replaced when the rotation is due, or early where its end comes near.",
        "Nothing needs to be done.";
    PREVIOUS = "previous",
        "A credential that was replaced and is still valid, for applications that have not read the new one.",
        "It is removed when the next rotation is due, at the earliest after the provider's minimum overlap.",
        "If it leaked: `rotorctl retire ROTATION`.";
    RETIRING = "retiring",
        "A credential that is to be removed as soon as its gates allow.",
        "Before it removes what was once published, the published one must be listed and must have worked just now.",
        "See what it waits for: `rotorctl show ROTATION`.";
    DELETING = "deleting",
        "A rotation that was deleted, and of which something at the provider is not settled yet: a credential that is to be removed, or an answer that was lost.",
        "It removes what it was told to, and looks for what was lost; the rotation is gone once nothing is left to do.",
        "`rotorctl list` says what it waits for. Where it needs your word: `rotorctl delete ROTATION` again, with `--revoke` or without.";
    GONE = "gone",
        "A credential that was removed or is past its end.",
        "It was seen absent several times, over the time that replicas may lag.",
        "Nothing needs to be done.";
    RELEASED = "released",
        "A credential that was left alive when its rotation was deleted.",
        "It is not looked after any more, and ends when it expires. `rotorctl list --credentials --all-projects` lists it until then.",
        "Remove it at the provider when nothing uses it.";
}
