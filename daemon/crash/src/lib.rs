//! Places at which a test build of the daemon can be killed: one list, one function.
//!
//! `ROTORD_CRASH_AT=issue.committed:2` has the process end itself with SIGKILL the second time that it comes to
//! that place. Only the test build (`rotord-test`) is built with the feature `armed`; in every other build
//! [`reach`] is an empty function, and nothing here reads the environment.

#[cfg(feature = "armed")]
mod armed;

use std::fmt;
use std::str::FromStr;

/// A step of the daemon's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// The start: keys, database, witness.
    Start,
    /// A rotation is reserved.
    Create,
    /// The target is listed.
    Survey,
    /// The target is looked at.
    Inspect,
    /// The intent is written down, and the provider is asked to create.
    Issue,
    /// What was created is written down.
    Keep,
    /// One login, and what it showed is written down.
    Verify,
    /// The flip.
    Publish,
    /// A credential is removed.
    Revoke,
    /// A person deletes the rotation.
    Delete,
    /// A person pauses it.
    Pause,
    /// Another root key takes the place of the one in use.
    Rewrap,
    /// Anything else that is written down.
    Other,
    /// The stop.
    Drain,
}

/// A place within a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// Decided, nothing written.
    BeforeCommit,
    /// Everything is written in the transaction, which is open.
    InTransaction,
    /// Committed; the witness does not know.
    Committed,
    /// The witness knows; the call is not made and nobody was answered.
    Noted,
    /// The provider is about to be called.
    Called,
    /// A request of the call has a connection, over which nothing of it was sent.
    Connected,
    /// The head of the answer to a request of the call has come.
    Answered,
    /// The call is over; nothing of it is written.
    Landed,
    /// The root key was made, and no database.
    KeyMade,
    /// The database's file was made, empty.
    FileMade,
    /// The tables were made, in the open transaction.
    Migrated,
    /// The database is open; the witness was not looked at.
    Opened,
    /// The witness is there, and the sockets are not.
    Witnessed,
    /// The new root key lies beside the old one.
    Drafted,
    /// The data keys are wrapped by both root keys.
    Wrapped,
    /// The old root key has a second name.
    Linked,
    /// The new root key is in its place.
    Placed,
    /// A stop was asked for.
    Begun,
    /// The steps under way have ended; the database is open.
    Drained,
    /// The journal was folded into the database.
    Folded,
}

/// A place at which the test build can be killed. Written `issue.committed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Point {
    /// In which step.
    pub step: Step,
    /// Where in it.
    pub moment: Moment,
}

/// What is written down, and where that can be cut off.
const COMMITS: [Step; 11] = [
    Step::Create,
    Step::Survey,
    Step::Inspect,
    Step::Issue,
    Step::Keep,
    Step::Verify,
    Step::Publish,
    Step::Revoke,
    Step::Delete,
    Step::Pause,
    Step::Other,
];
const OF_COMMITS: [Moment; 4] = [
    Moment::BeforeCommit,
    Moment::InTransaction,
    Moment::Committed,
    Moment::Noted,
];
/// What is asked of the provider, and where that can be cut off.
const CALLS: [Step; 5] = [
    Step::Survey,
    Step::Inspect,
    Step::Issue,
    Step::Verify,
    Step::Revoke,
];
const OF_CALLS: [Moment; 4] = [
    Moment::Called,
    Moment::Connected,
    Moment::Answered,
    Moment::Landed,
];
const OF_START: [Moment; 5] = [
    Moment::KeyMade,
    Moment::FileMade,
    Moment::Migrated,
    Moment::Opened,
    Moment::Witnessed,
];
const OF_REWRAP: [Moment; 5] = [
    Moment::Drafted,
    Moment::InTransaction,
    Moment::Wrapped,
    Moment::Linked,
    Moment::Placed,
];
const OF_DRAIN: [Moment; 3] = [Moment::Begun, Moment::Drained, Moment::Folded];

impl Point {
    /// Every place there is.
    pub fn all() -> impl Iterator<Item = Self> {
        let grid = |steps: &'static [Step], moments: &'static [Moment]| {
            steps.iter().flat_map(move |step| {
                moments.iter().map(move |moment| Self {
                    step: *step,
                    moment: *moment,
                })
            })
        };
        grid(&COMMITS, &OF_COMMITS)
            .chain(grid(&CALLS, &OF_CALLS))
            .chain(grid(&[Step::Start], &OF_START))
            .chain(grid(&[Step::Rewrap], &OF_REWRAP))
            .chain(grid(&[Step::Drain], &OF_DRAIN))
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.step.name(), self.moment.name())
    }
}

/// There is no such place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuchPoint(pub String);

impl fmt::Display for NoSuchPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no place in the daemon is called {:?}", self.0)
    }
}

impl std::error::Error for NoSuchPoint {}

impl FromStr for Point {
    type Err = NoSuchPoint;

    fn from_str(text: &str) -> Result<Self, NoSuchPoint> {
        let mut all = Self::all();
        all.find(|point| point.to_string() == text)
            .ok_or_else(|| NoSuchPoint(text.to_owned()))
    }
}

impl Step {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Create => "create",
            Self::Survey => "survey",
            Self::Inspect => "inspect",
            Self::Issue => "issue",
            Self::Keep => "keep",
            Self::Verify => "verify",
            Self::Publish => "publish",
            Self::Revoke => "revoke",
            Self::Delete => "delete",
            Self::Pause => "pause",
            Self::Rewrap => "rewrap",
            Self::Other => "other",
            Self::Drain => "drain",
        }
    }

    /// The step in which a call of this name is made. A call that no rotation makes is none.
    pub fn of_call(name: &str) -> Option<Self> {
        CALLS.into_iter().find(|step| step.name() == name)
    }
}

impl Moment {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::BeforeCommit => "before-commit",
            Self::InTransaction => "in-transaction",
            Self::Committed => "committed",
            Self::Noted => "noted",
            Self::Called => "called",
            Self::Connected => "connected",
            Self::Answered => "answered",
            Self::Landed => "landed",
            Self::KeyMade => "key-made",
            Self::FileMade => "file-made",
            Self::Migrated => "migrated",
            Self::Opened => "opened",
            Self::Witnessed => "witnessed",
            Self::Drafted => "drafted",
            Self::Wrapped => "wrapped",
            Self::Linked => "linked",
            Self::Placed => "placed",
            Self::Begun => "begun",
            Self::Drained => "drained",
            Self::Folded => "folded",
        }
    }
}

/// The daemon has come to a place: where a test asked for it, it ends here with SIGKILL. `step` is only asked in a
/// test build; none is no place.
#[cfg(feature = "armed")]
pub fn reach(step: impl FnOnce() -> Option<Step>, moment: Moment) {
    if let Some(step) = step() {
        armed::reach(Point { step, moment });
    }
}

/// Nothing: this is no test build.
#[cfg(not(feature = "armed"))]
#[inline]
pub fn reach(_: impl FnOnce() -> Option<Step>, _: Moment) {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_place_has_a_name_of_its_own_that_leads_back_to_it() {
        let all: Vec<Point> = Point::all().collect();
        let names: HashSet<String> = all.iter().map(Point::to_string).collect();
        assert_eq!(names.len(), all.len());
        for point in all {
            assert_eq!(point.to_string().parse(), Ok(point));
        }
        assert!("issue.nowhere".parse::<Point>().is_err());
        assert!("start.committed".parse::<Point>().is_err());
    }
}
