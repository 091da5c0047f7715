//! What this program says and the daemon does not: words in its tables, and an end of its own.

use rotord_api::catalogue::{Entry, EntryKind};

pub(super) static ENTRIES: &[&Entry] = &[
    &SUCCESS,
    &FAILED,
    &LOST,
    &LOADED,
    &MISSING,
    &FINE,
    &WARNING,
    &PROBLEM,
    &EXIT_INTERRUPTED,
];

static SUCCESS: Entry = word(
    "success",
    "The last run of the rotation published what it issued.",
    "It rotates again when that is due, and removes what was replaced in its time.",
    "Nothing needs to be done.",
);
static FAILED: Entry = word(
    "failed",
    "Of a rotation: its last run published nothing; what was published before is still published. \
     Of a provider: its component could not be loaded.",
    "A scheduled run is tried again with growing waits: a minute first, six hours at most. What the failed one issued \
     is removed.",
    "`rotorctl show ROTATION` says why; `rotorctl rotate ROTATION` tries now. Of a provider, `rotorctl provider list` \
     says why.",
);
static LOST: Entry = word(
    "lost",
    "The answer to a call that issues a credential did not come, so there may be one at the provider that nobody \
     knows; `rotorctl show` counts them as watched for.",
    "It looks for it by its label and removes it when it is found, or until it is past the end that was asked for. The \
     run goes on under a new one.",
    "Nothing needs to be done.",
);
static LOADED: Entry = word(
    "loaded",
    "The provider's component is loaded and at work.",
    "It calls it when one of its rotations needs it.",
    "Nothing needs to be done.",
);
static MISSING: Entry = word(
    "missing",
    "Rotations need this provider, and no file in the providers' directories has it.",
    "Everything of its rotations waits: nothing is issued, verified or revoked. Published secrets can be read.",
    "Put its component into one of the providers' directories and reload: `sudo systemctl reload rotord`.",
);
static FINE: Entry = word(
    "fine",
    "It was looked at and is as it should be.",
    "It goes on with what it does.",
    "Nothing needs to be done.",
);
static WARNING: Entry = word(
    "warning",
    "It works, and something may come of it, or should be known.",
    "It goes on with what it does.",
    "Read what stands beside it; `rotorctl explain CODE` says more of its code.",
);
static PROBLEM: Entry = word(
    "problem",
    "Rotations can't work like this, or will not for long.",
    "It leaves alone what is in doubt and goes on with everything else.",
    "Do what stands beside it; `rotorctl explain CODE` says more of its code.",
);
pub(crate) static EXIT_INTERRUPTED: Entry = Entry {
    code: "exit-130",
    kind: EntryKind::Exit,
    means: "Somebody pressed ^C. In a dialogue nothing was done; what the daemon had begun goes on.",
    daemon: "It goes on with what it was asked for, whether anybody waits for it or not.",
    person: "`rotorctl show ROTATION` says how far it is.",
};

const fn word(
    code: &'static str,
    means: &'static str,
    daemon: &'static str,
    person: &'static str,
) -> Entry {
    Entry {
        code,
        kind: EntryKind::Word,
        means,
        daemon,
        person,
    }
}
