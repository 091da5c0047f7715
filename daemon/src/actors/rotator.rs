//! The rotator: performs what the domain decides.
//!
//! Each rotation that is being worked on has a task with an inbox; it takes one event at a time, commits what
//! follows from it, and makes the one call that the step asks for. A task ends when nothing is under way, so
//! only the rotations at work are in memory. Tasks share this actor's thread; provider calls run elsewhere.

mod desk;
mod story;
mod targets;
mod worker;

use std::rc::Rc;
use std::time::Duration;

use actix::{Actor, Context, Handler, Message, ResponseFuture};
use rotord_rotation::{Event, Plan, Refusal, RotationId, RunEnd, RunId};
use rotord_store::{AuditEntry, NewRotation, RotationChange, SecretMap, SecretsFate};
use tokio::sync::oneshot;

use self::desk::Desk;
pub use self::desk::{Equipment, Rulebook};
use crate::actors::scheduler::{Due, EveryoneTold, Heard};
use crate::actors::store::Failed;

/// An event for a rotation, with what belongs into its transaction.
#[derive(Debug, Message)]
#[rtype(result = "Result<Told, TellError>")]
pub struct Tell {
    /// Which rotation.
    pub rotation: RotationId,
    /// What happened.
    pub event: Event,
    /// What is committed with it.
    pub with: With,
}

impl Tell {
    /// An event with nothing beside it.
    pub fn new(rotation: RotationId, event: Event) -> Self {
        Self {
            rotation,
            event,
            with: With::default(),
        }
    }
}

/// What is committed together with an event.
#[derive(Debug, Default)]
pub struct With {
    /// The outputs that came with an adoption.
    pub outputs: Option<SecretMap>,
    /// What a person changed.
    pub change: Option<RotationChange>,
    /// What becomes of the secrets of a rotation that is deleted.
    pub secrets: Option<SecretsFate>,
    /// Who did it.
    pub audit: Vec<AuditEntry>,
}

/// A new rotation.
#[derive(Debug, Message)]
#[rtype(result = "Result<Told, TellError>")]
pub struct Create {
    /// Its id.
    pub id: RotationId,
    /// What is configured.
    pub new: NewRotation,
    /// When it rotates.
    pub plan: Plan,
    /// Even on a target that holds fewer than two of ours.
    pub force: bool,
    /// Who did it.
    pub audit: Vec<AuditEntry>,
}

/// An event was taken and committed.
#[derive(Debug)]
pub struct Told {
    /// The run that is under way with it.
    pub run: Option<Running>,
}

/// A run that can be waited for.
#[derive(Debug)]
pub struct Running {
    /// Which.
    pub id: RunId,
    /// Its end. Closed without a word where the daemon stops first, or the rotation's task broke.
    pub ended: oneshot::Receiver<RunEnd>,
}

/// An event was not taken; nothing was changed unless the store's error leaves that open.
#[derive(Debug, thiserror::Error)]
pub enum TellError {
    /// The domain refused a command.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error(transparent)]
    Failed(#[from] Failed),
    /// The rotation's provider was never loaded: nothing is known of its bounds.
    #[error(
        "the provider {0} is not loaded and was never described: put its component into the providers' directory"
    )]
    UnknownProvider(String),
    /// No random numbers.
    #[error("the system gives no random numbers")]
    NoEntropy,
}

/// Finishes the steps that are under way and begins nothing new. Answered when nothing is at work, or in time: what is
/// not finished by then is named in the log.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Drain {
    /// In real time.
    pub within: Duration,
}

/// Providers were loaded anew: what waited for one goes on.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct ProvidersChanged {
    /// The bounds of every provider that was ever described.
    pub rulebook: Rulebook,
}

/// How many rotations are at work.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "usize")]
pub struct AtWork;

/// The actor.
pub struct Rotator {
    desk: Rc<Desk>,
}

impl std::fmt::Debug for Rotator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rotator")
            .field("at_work", &self.desk.at_work())
            .finish_non_exhaustive()
    }
}

impl Rotator {
    /// A rotator with its equipment. To be called on the thread that it will run on.
    pub fn new(equipment: Equipment) -> Self {
        Self {
            desk: Rc::new(Desk::new(equipment)),
        }
    }
}

impl Actor for Rotator {
    type Context = Context<Self>;
}

impl Handler<Tell> for Rotator {
    type Result = ResponseFuture<Result<Told, TellError>>;

    fn handle(&mut self, tell: Tell, _: &mut Self::Context) -> Self::Result {
        let desk = Rc::clone(&self.desk);
        Box::pin(async move { desk.tell(tell).await })
    }
}

impl Handler<Create> for Rotator {
    type Result = ResponseFuture<Result<Told, TellError>>;

    fn handle(&mut self, create: Create, _: &mut Self::Context) -> Self::Result {
        let desk = Rc::clone(&self.desk);
        Box::pin(async move { desk.create(create).await })
    }
}

impl Handler<Due> for Rotator {
    type Result = ResponseFuture<Heard>;

    fn handle(&mut self, due: Due, _: &mut Self::Context) -> Self::Result {
        let desk = Rc::clone(&self.desk);
        Box::pin(async move { desk.wake(due).await })
    }
}

impl Handler<EveryoneTold> for Rotator {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: EveryoneTold, _: &mut Self::Context) -> Self::Result {
        let desk = Rc::clone(&self.desk);
        Box::pin(async move { desk.settle_age().await })
    }
}

impl Handler<ProvidersChanged> for Rotator {
    type Result = ();

    fn handle(&mut self, changed: ProvidersChanged, _: &mut Self::Context) {
        self.desk.set_rulebook(changed.rulebook);
    }
}

impl Handler<Drain> for Rotator {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Drain { within }: Drain, _: &mut Self::Context) -> Self::Result {
        let desk = Rc::clone(&self.desk);
        Box::pin(async move {
            if tokio::time::timeout(within, desk.drain()).await.is_err() {
                desk.tell_left();
            }
        })
    }
}

impl Handler<AtWork> for Rotator {
    type Result = usize;

    fn handle(&mut self, _: AtWork, _: &mut Self::Context) -> usize {
        self.desk.at_work()
    }
}

#[cfg(test)]
mod tests;
