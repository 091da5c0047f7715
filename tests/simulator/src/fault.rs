//! What can go wrong, each a switch with a strength.

use std::fmt;
use std::str::FromStr;

macro_rules! faults {
    ($($(#[$meta:meta])* $name:ident = $text:literal, $most:literal;)*) => {
        /// A kind of trouble. Its strength is in chances in a thousand, at each occasion that it has.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Fault {
            $($(#[$meta])* $name,)*
        }

        impl Fault {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The word that stories and switches use.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// The greatest strength that a seed draws.
            pub fn most(self) -> u64 {
                match self {
                    $(Self::$name => $most,)*
                }
            }
        }
    };
}

faults! {
    /// A call has its effect and its answer is lost.
    Lost = "lost", 300;
    /// A lost call has its effect later, up to hours.
    Late = "late", 400;
    /// A call is refused for now.
    Throttled = "throttled", 150;
    /// Nothing gets through.
    Unreachable = "unreachable", 100;
    /// For hours everything is refused: a permission was taken away, the target is not found.
    Refused = "refused", 30;
    /// For hours no login can work: the application is disabled.
    Never = "never", 20;
    /// A replica that showed something does not for a while, within the lag.
    Flapping = "flapping", 500;
    /// Lists lag up to the propagation bound, while logins lag as they do.
    ListLag = "list-lag", 500;
    /// Others' credentials come and go.
    Foreign = "foreign", 60;
    /// Another installation issues and revokes on the same target.
    Neighbour = "neighbour", 60;
    /// Another rotation of this installation does.
    Sibling = "sibling", 60;
    /// Somebody removes one of ours at the provider.
    Drift = "drift", 15;
    /// The policy for lifetimes changes.
    Policy = "policy", 15;
    /// The daemon dies, at each effect.
    Crash = "crash", 60;
    /// The host is off for a day or more.
    Outage = "outage", 60;
    /// The host is suspended for up to three days.
    Suspend = "suspend", 40;
    /// The wall clock jumps, up to a year, and is set right later.
    Jump = "jump", 30;
    /// A commit fails with nothing written; the disk may stay full for hours.
    DiskFull = "disk-full", 20;
    /// A commit is in truth there, and its answer is an error.
    Unsure = "unsure", 20;
    /// The books refuse what follows from an answer, and would again.
    NotKept = "not-kept", 20;
    /// The provider's component is missing for a while.
    NotReady = "not-ready", 30;
    /// A consumer can't take the newest credential, and later can.
    Unhealthy = "unhealthy", 30;
    /// A person says something, at any step.
    Person = "person", 30;
    /// What the person says may be the end of the rotation.
    Delete = "delete", 300;
    /// The books are restored from a copy.
    OldState = "old-state", 120;
}

/// No kind of trouble has this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuchFault(pub String);

impl fmt::Display for NoSuchFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is none of:", self.0)?;
        Fault::ALL
            .iter()
            .try_for_each(|fault| write!(f, " {}", fault.name()))
    }
}

impl FromStr for Fault {
    type Err = NoSuchFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|fault| fault.name() == text);
        found.copied().ok_or_else(|| NoSuchFault(text.to_owned()))
    }
}

/// How strong each kind of trouble is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strengths([u64; Fault::ALL.len()]);

impl Strengths {
    /// Nothing goes wrong.
    pub const CALM: Self = Self([0; Fault::ALL.len()]);

    /// Of one kind.
    pub fn of(&self, fault: Fault) -> u64 {
        self.0[fault as usize]
    }

    /// Another strength of one kind.
    pub fn set(&mut self, fault: Fault, strength: u64) {
        self.0[fault as usize] = strength;
    }

    /// The same with another strength of one kind.
    #[must_use]
    pub fn with(mut self, fault: Fault, strength: u64) -> Self {
        self.set(fault, strength);
        self
    }
}
