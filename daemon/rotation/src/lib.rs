//! The domain of rotord: what a rotation must do, as a pure function.
//!
//! `(state, event, now) -> (state, effects)`: [`Rotation::step`] takes what happened and returns the new
//! state, what must be written with it in the same transaction, and the one provider call to make
//! after the commit. There is no I/O here, no clock, no randomness and no actor: time and entropy come in
//! with the [`Context`]. So the five promises are tested by simulation, through years of virtual time, and
//! the code that performs can stay thin.
//!
//! Start reading at [`rotation`] (the state), [`machine`] (what is decided) and [`event`] (what can happen).

pub mod backoff;
pub mod clock;
pub mod credential;
pub mod effect;
pub mod event;
pub mod fault;
pub mod id;
pub mod label;
pub mod machine;
pub mod proof;
pub mod rotation;
pub mod rules;
pub mod run;
pub mod schedule;
pub mod summary;
pub mod timing;

pub use clock::{Boot, Context, Now};
pub use credential::{Credential, Gate, Reason, Removal, Stage, Watch};
pub use effect::{Call, Decided, Step, Write};
pub use event::{Command, Event, Inspection, Issued, Listed, Refusal, Verdict};
pub use fault::{Fault, FaultKind};
pub use id::{CredentialId, Handle, InstallationId, RotationId, RunId};
pub use label::{Label, Nonce};
pub use rotation::{Doubt, Life, Outcome, Plan, Rotation};
pub use rules::Rules;
pub use run::{Phase, Run, RunEnd, RunKind, Unpublished};
pub use schedule::{Interval, RotateAt};
pub use timing::Timing;
