//! Every code that a person meets: what it means, what the daemon does by itself, what the person can do.
//!
//! One place for both programs: `rotorctl explain` prints it, and whatever makes a finding takes its code from
//! here, so that no code is without an explanation. What a provider reports under codes of its own is explained
//! by the provider, in its description.

mod environment;
mod exits;
mod faults;
mod network;
mod rotations;
mod starts;
mod words;

use serde::Serialize;

pub use self::environment::*;
pub use self::exits::*;
pub use self::faults::*;
pub use self::network::*;
pub use self::rotations::*;
pub use self::starts::*;
pub use self::words::*;

/// What there is to say of one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// A short, stable name.
    pub code: &'static str,
    /// Where it is met.
    pub kind: EntryKind,
    /// What it means.
    pub means: &'static str,
    /// What the daemon does by itself, and when.
    pub daemon: &'static str,
    /// What the person can do.
    pub person: &'static str,
}

/// Where a code is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// In what `rotorctl doctor` and `rotorctl connection check` find.
    Finding,
    /// In what is told of a rotation.
    Rotation,
    /// A call of a provider that came to nothing.
    Fault,
    /// A word for where a run or a credential is.
    Word,
    /// How a program ends.
    Exit,
    /// Why the daemon does not start.
    Start,
}

impl EntryKind {
    /// For a person.
    pub fn title(self) -> &'static str {
        match self {
            Self::Finding => "finding",
            Self::Rotation => "rotation",
            Self::Fault => "fault",
            Self::Word => "word",
            Self::Exit => "exit code",
            Self::Start => "start",
        }
    }
}

/// Declares entries and, with them, the list of them: what is declared is explained.
macro_rules! entries {
    ($kind:ident, $($name:ident = $code:literal, $means:literal, $daemon:literal, $person:literal;)+) => {
        $(
            #[doc = concat!("The entry of `", $code, "`.")]
            pub static $name: crate::catalogue::Entry = crate::catalogue::Entry {
                code: $code,
                kind: crate::catalogue::EntryKind::$kind,
                means: $means,
                daemon: $daemon,
                person: $person,
            };
        )+
        pub(super) static ENTRIES: &[&crate::catalogue::Entry] = &[$(&$name),+];
    };
}
use entries;

/// Every entry, by kind.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    [
        environment::ENTRIES,
        network::ENTRIES,
        rotations::ENTRIES,
        faults::ENTRIES,
        words::ENTRIES,
        exits::ENTRIES,
        starts::ENTRIES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// The entry of a code. A number is an exit code.
pub fn find(code: &str) -> Option<&'static Entry> {
    let exit = code
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| format!("exit-{code}"));
    let wanted = exit.as_deref().unwrap_or(code);
    all().find(|entry| entry.code == wanted)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{all, find};

    #[test]
    fn every_code_stands_once_and_can_be_typed() {
        let mut seen = BTreeSet::new();
        for entry in all() {
            assert!(seen.insert(entry.code), "{} stands twice", entry.code);
            let typed = entry
                .code
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
            assert!(typed && !entry.code.is_empty(), "{}", entry.code);
            assert_eq!(find(entry.code), Some(entry));
        }
    }

    #[test]
    fn every_entry_says_what_it_means_what_is_done_and_what_can_be_done() {
        for entry in all() {
            for text in [entry.means, entry.daemon, entry.person] {
                assert!(
                    text.len() > 10 && text.ends_with('.'),
                    "{}: {text:?}",
                    entry.code
                );
            }
        }
    }

    #[test]
    fn a_number_is_an_exit_code() {
        assert_eq!(find("78").map(|entry| entry.code), Some("exit-78"));
        assert_eq!(find("2"), None);
        assert_eq!(find(""), None);
    }
}
