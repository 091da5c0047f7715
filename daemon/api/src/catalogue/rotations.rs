//! What is told of rotations: notices of the domain, and findings at their targets.

use super::entries;

entries! { Rotation,
    STATE_IS_OLD = "state-is-old",
        "The database may be older than what was done with it: it was restored from a backup, or the directory or its files were copied. What it calls a lost answer may be what is live now.",
        "Lost answers are reported and not removed. Issuing goes on, above the highest number that was seen.",
        "See what the provider lists and decide: `rotorctl adopt ROTATION KEY-ID` takes a credential over, `rotorctl remove ROTATION KEY-ID` removes it, `rotorctl unblock ROTATION` says that the database is right as it is.";
    UNKNOWN_LABEL = "unknown-label",
        "The provider lists a credential under a label of this rotation, and the database does not know it: the database is older, or somebody copied the label.",
        "It touches the credential not, and reports lost answers instead of removing them until a person has decided.",
        "`rotorctl adopt ROTATION KEY-ID` takes it over, `rotorctl remove ROTATION KEY-ID` removes it.";
    LEFTOVER_LABEL = "leftover-label",
        "The provider lists a credential under a label of this installation, for a rotation that is not in the database any more.",
        "Nothing: no rotation looks after it. It ends when it expires.",
        "If nothing uses it, remove it at the provider, by the key id that the finding names.";
    OTHER_INSTALLATION = "other-installation",
        "The provider lists credentials under labels of another installation of rotord: another host rotates the same target, or did.",
        "It never touches them. They count against the number of credentials that the target may hold.",
        "If the other host is there on purpose, nothing. If it is gone, remove them at the provider, by the key ids that the finding names.";
    LABELS = "labels",
        "Every credential at the provider that carries a label of ours is known.",
        "It looks at each target once a day by default.",
        "Nothing needs to be done.";
    PUBLISHED_MISSING = "published-missing",
        "The provider does not list the published credential. One look is no proof: a replica may lag.",
        "It looks again, and if the credential stays absent rotates at once, where the rotation is automatic.",
        "See who removed it. `rotorctl check ROTATION` tries it out, `rotorctl rotate ROTATION` replaces it now.";
    TARGET = "target",
        "The target exists, and nothing there keeps it from being rotated.",
        "It looks at the target before each run.",
        "Nothing needs to be done.";
    TARGET_ROOM = "target-room",
        "The target has room for another credential.",
        "A run needs one free place: the new credential lives beside the old one.",
        "Nothing needs to be done.";
    TARGET_FULL = "target-full",
        "The target holds as many credentials as it may, so no new one can be issued.",
        "It makes room by removing what it replaced itself and nobody needs any more; it never touches what is not its own. If there is nothing of that kind, the run waits and fails, and what is published stays.",
        "Remove a credential at the provider that nothing uses and no rotation issued: `rotorctl list --credentials --all-projects` has those that are a rotation's. `rotorctl retire ROTATION` removes the replaced one early.";
    TARGET_SHARED = "target-shared",
        "Several rotations have the same target.",
        "It goes on: each of them issues credentials of its own there, and removes only what is its own.",
        "Delete the ones that nobody needs: `rotorctl delete ROTATION`. One is enough for any number of applications that read its secrets.";
    TARGET_NEARLY_FULL = "target-nearly-full",
        "The target has one free place. A run needs it, and a lost answer would take it.",
        "It goes on, and makes room by removing what it replaced itself.",
        "Remove credentials at the provider that nothing uses and no rotation issued: `rotorctl list --credentials --all-projects` has those that are a rotation's.";
    LIFETIME_TOO_SHORT = "lifetime-too-short",
        "The longest lifetime that the target allows does not reach over the rotation's interval: a credential would end before it is replaced.",
        "It refuses to issue such a credential; what is published stays.",
        "Choose a shorter interval: `rotorctl edit ROTATION --interval DAYS`, or have the policy changed.";
    LIFETIME = "lifetime",
        "The lifetime that the target allows reaches over the rotation's interval.",
        "A credential is asked for with enough life to be replaced in time.",
        "Nothing needs to be done.";
    BLOCKED = "blocked",
        "The provider said that no new credential can work until somebody changes something there, such as an application whose logins are disabled.",
        "Nothing is issued by schedule, and what is published stays. If it would expire, that is told.",
        "Mend what the message says, then `rotorctl check ROTATION`: a login that works lifts it. `rotorctl unblock ROTATION` and `rotorctl rotate ROTATION` do without that login.";
    DELETION_WAITS = "deletion-waits",
        "The rotation was deleted, and a credential under its label is in doubt: the database does not know it.",
        "It leaves the doubtful credential alone and keeps what it knows of the rotation until that is decided.",
        "Delete it again, by its id: `rotorctl delete ROTATION --revoke` removes the credential too, without --revoke it stays alive.";
    DRIFTED = "drifted",
        "Somebody removed the published credential at the provider: applications that log in anew fail.",
        "An automatic rotation replaces it at once; of a paused one this is told and nothing is done.",
        "`rotorctl rotate ROTATION` replaces it now; `rotorctl resume ROTATION` lets the daemon do it.";
    OVERLAP_CUT = "overlap-cut",
        "The overlap that is set is longer than the credential will live once it is replaced.",
        "It revokes nothing before the overlap has passed; the credential ends by itself before.",
        "If applications need the whole overlap, set a shorter interval or a shorter overlap: `rotorctl edit ROTATION --interval DAYS`, `--overlap TIME`.";
    CREATION_FAILED = "creation-failed",
        "The rotation was accepted, and its first run failed: nothing was published yet.",
        "It keeps the rotation and tries nothing by itself. What the run issued it removes.",
        "Mend what the message says, then `rotorctl rotate ROTATION`, or `rotorctl delete ROTATION`.";
    EXPIRED = "expired",
        "The published credential is past its end: applications that log in anew fail.",
        "An automatic rotation replaces it at once, and tries again with growing waits.",
        "`rotorctl rotate ROTATION` replaces it now. See why it was not replaced in time: `rotorctl show ROTATION`.";
    EXPIRING = "expiring",
        "The published credential ends soon: within 14 days, or a third of its life.",
        "An automatic rotation is run early, without waiting for its due date. A paused one is only told of.",
        "For a paused one: `rotorctl rotate ROTATION` or `rotorctl resume ROTATION`.";
    OVERDUE = "overdue",
        "The rotation was due more than an hour ago and nothing was published since.",
        "It tries again with growing waits, up to six hours. What is published stays.",
        "`rotorctl show ROTATION` says what it waits for; `rotorctl rotate ROTATION` tries now.";
    FAILING = "failing",
        "The last run came to nothing, and the rotation is due. What was published before is still published; whether it has ended is told beside this.",
        "It is tried again with growing waits: a minute first, six hours at most. What the failed one issued is removed.",
        "Mend what the message says; `rotorctl rotate ROTATION` tries now.";
    MANUAL_FAILED = "manual-failed",
        "A run that a person asked for came to nothing. What was published before is still published, and the schedule is as it was.",
        "That run is not tried again, and what it issued is removed. A rotation that is not paused rotates by itself when it is due.",
        "Mend what the message says; `rotorctl rotate ROTATION` tries again.";
    URGENT = "urgent",
        "The rotation is run before its due date: the published credential is about to end, was removed at the provider, or has leaked.",
        "It publishes after a short proof of about a minute, and revokes what leaked as soon as it is replaced.",
        "`rotorctl show ROTATION` shows how far it is, and why it does not go on where it does not. What leaked is valid until it is revoked: where that can't wait for another to be published, `rotorctl delete ROTATION --revoke` revokes it, or whoever removes it at the provider; applications have nothing that works then.";
    CLOCK_SKEW = "clock-skew",
        "This host's clock is further from the service's than the setting timing.skew_most allows.",
        "Nothing is published, and nothing revoked unasked, until the clocks agree again; what is published stays.",
        "Set the clock right and have it kept by NTP: `timedatectl set-ntp true`, `timedatectl timesync-status`.";
    PROVIDER_MISSING = "provider-missing",
        "The provider that a rotation needs is not loaded.",
        "Everything of its rotations waits: nothing is issued, verified or revoked. Published secrets can be read.",
        "Put its component into one of the providers' directories and reload: `sudo systemctl reload rotord`.";
    PROVIDER_TROUBLE = "provider-trouble",
        "A look at the target failed.",
        "It looks again with growing waits; nothing is removed without a fresh look.",
        "`rotorctl doctor --rotation ROTATION` says whether the service is reached, and what is lacking there.";
    LOGIN_REFUSED = "login-refused",
        "The published credential did not log in when that was last tried: by a person's check, or before a replaced one is removed.",
        "It looks at the target and logs in again with growing waits. It replaces the credential by itself if the provider lists it no more. Nothing that was replaced is revoked meanwhile.",
        "See whether applications are refused too. If so, `rotorctl rotate ROTATION`; if not, the provider may be in trouble: `rotorctl connection check CONNECTION`.";
    UNRECONCILED = "unreconciled",
        "The answer to a call that issues a credential was lost, so there may be one at the provider that nobody knows.",
        "It looks for it by its label with growing waits, and removes it when it is found. When it was not found for a day it is looked for more rarely. After three of them the rotation issues nothing more until one is settled, and tries with growing waits.",
        "For one, nothing. Where one answer after another is lost, the provider or the way to it is broken: the notice says what was met. `rotorctl pause ROTATION` has nothing more issued.";
    REMOVAL_WAITS = "removal-waits",
        "A credential is to be removed and something keeps it: its time has not come, the published one was not seen or did not work just now, or the provider refused.",
        "It looks again and removes it as soon as every gate is open. A credential that may be in use is never removed.",
        "See what it waits for: `rotorctl show ROTATION`. If it leaked, `rotorctl retire ROTATION` does not wait for its time, and `rotorctl retire ROTATION --now` not for the published one to be seen working either.";
    PAUSED = "paused",
        "A person stopped the scheduled runs.",
        "It runs nothing by schedule; replaced credentials are still removed, and an end that comes near is told of.",
        "`rotorctl resume ROTATION`.";
    ATTENTION = "attention",
        "Only a person can go on.",
        "It leaves alone what is in doubt and goes on with everything else.",
        "Do what the message says; `rotorctl show ROTATION` says it in full.";
    WAITING = "waiting",
        "A run is under way, a replaced credential waits for its end, or a lost answer is looked for.",
        "It goes on by itself.",
        "Nothing needs to be done; `rotorctl show ROTATION` shows what it waits for.";
}
