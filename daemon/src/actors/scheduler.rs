//! The scheduler: one timer to the earliest due row, and nothing else that wakes.
//!
//! What is due is read from an indexed column, so a thousand rotations that are not due cost nothing.

use std::collections::HashSet;
use std::time::Duration;

use actix::{
    Actor, ActorFutureExt, AsyncContext, Context, Handler, Message, MessageResult, Recipient,
    SpawnHandle, WrapFuture,
};
use chrono::{DateTime, Utc};
use rotord_rotation::RotationId;

use crate::actors::store::{Failed, StoreHandle};
use crate::clock::{Clock, Offset, WallTimer, Woken};

/// Rows that are handed over at once.
const BATCH: u32 = 64;
/// After a failure to read what is due.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How soon those are told again that could not write down that the daemon has started.
const TELL_AGAIN: chrono::TimeDelta = chrono::TimeDelta::minutes(1);

/// A row's wake-up has come, or the clock was set. Answered with what became of it.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Heard")]
pub struct Due {
    /// Which rotation.
    pub rotation: RotationId,
    /// The clock was set: stored times are to be checked.
    pub clock_set: bool,
}

/// What became of a [`Due`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// What follows from it is committed, or the rotation is gone.
    Committed,
    /// It can't be worked on: its wake-up was moved.
    PutOff,
    /// Not even its wake-up could be moved, and it is due still. Why, for a person.
    Unwritten(String),
}

/// A row's wake-up may be earlier than what the timer is set to.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Nudge(pub Option<DateTime<Utc>>);

/// Starts to work: until then nothing is due.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Begin {
    /// Who is told.
    pub rotator: Recipient<Due>,
    /// Told when every rotation was looked at once.
    pub everyone_told: Recipient<EveryoneTold>,
}

/// Every rotation was looked at since the start.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct EveryoneTold;

/// Has every rotation looked at once, due or not.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct LookAtAll;

/// Stops to work; what was handed over goes on.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Halt;

/// What the scheduler last did.
#[derive(Debug, Clone, Default)]
pub struct Outlook {
    /// The earliest wake-up, as far as it is known.
    pub next_wake: Option<DateTime<Utc>>,
    /// When rows were last handed over, and how many.
    pub last_batch: Option<(DateTime<Utc>, usize)>,
    /// Why the last look failed.
    pub trouble: Option<String>,
}

/// Asks for the [`Outlook`].
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Outlook")]
pub struct GetOutlook;

/// The actor.
#[derive(Debug)]
pub struct Scheduler {
    store: StoreHandle,
    clock: Clock,
    rotator: Option<Recipient<Due>>,
    everyone_told: Option<Recipient<EveryoneTold>>,
    /// Those that were told of the start and have not written down what follows; none before all were told.
    untold: Option<HashSet<RotationId>>,
    /// The wait or the hand-over under way.
    work: Option<(SpawnHandle, Work)>,
    /// Who is to be looked at after the hand-over under way: what comes next may have been read before.
    again: Option<Scope>,
    /// The clocks when everyone was last told how they stand.
    clocks: Offset,
    outlook: Outlook,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Waiting,
    /// After a failure, before those that it kept from being looked at are looked at again.
    Pausing(Scope),
    HandingOver,
}

/// Who is looked at. Each takes in those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    /// Those that are due.
    Due,
    /// Everyone: the daemon has started, or a provider came.
    Everyone,
    /// Everyone: the clock was set.
    ClockSet,
}

#[derive(Debug, Clone, Copy)]
enum Next {
    Look,
    ClockSet,
    LookAfter(Duration, Scope),
}

impl Scheduler {
    /// A scheduler that waits for [`Begin`].
    pub fn new(store: StoreHandle, clock: Clock) -> Self {
        Self {
            store,
            clock,
            rotator: None,
            everyone_told: None,
            untold: None,
            work: None,
            again: None,
            clocks: clock.offset(),
            outlook: Outlook::default(),
        }
    }

    /// Hands over what is due, then sleeps until the next.
    fn look(&mut self, ctx: &mut Context<Self>, scope: Scope) {
        let Some(rotator) = self.rotator.clone() else {
            return;
        };
        let (clock, now) = (self.clock, self.clock.now().wall);
        if scope == Scope::ClockSet {
            self.clocks = clock.offset();
        }
        let round = Round {
            store: self.store.clone(),
            rotator,
            told: HashSet::new(),
            put_off: HashSet::new(),
            unwritten: None,
        };
        let untold = match scope {
            Scope::Due => self.untold.clone().unwrap_or_default(),
            Scope::Everyone | Scope::ClockSet => HashSet::new(),
        };
        let handed_over = async move { round.hand_over(clock, scope, untold).await };
        let handle = ctx.spawn(handed_over.into_actor(self).map(move |result, actor, ctx| {
            actor.work = None;
            match result {
                Ok(Handed {
                    next,
                    count,
                    untold,
                }) => {
                    if scope != Scope::Due || actor.untold.is_some() {
                        actor.untold = Some(untold);
                    }
                    let next = actor.settle_start(next);
                    if actor.outlook.trouble.take().is_some() {
                        tracing::info!("what is due is handed over again");
                    }
                    actor.outlook.next_wake = next;
                    if count > 0 {
                        actor.outlook.last_batch = Some((now, count));
                    }
                    match actor.again.take() {
                        Some(again) => actor.look(ctx, again),
                        None => actor.sleep(ctx, next),
                    }
                }
                Err(trouble) => {
                    let trouble = trouble.to_string();
                    // Said once, however long it lasts.
                    if actor.outlook.trouble.as_ref() != Some(&trouble) {
                        tracing::error!("{trouble}: trying again every 5 s");
                    }
                    actor.outlook.trouble = Some(trouble);
                    // The whole of what was to be looked at, again.
                    let scope = scope.max(actor.again.take().unwrap_or(scope));
                    actor.after(ctx, Next::LookAfter(PAUSE_AFTER_FAILURE, scope));
                }
            }
        }));
        self.work = Some((handle, Work::HandingOver));
    }

    /// Says that everyone was told, once that is so; until then it is soon time to try again.
    fn settle_start(&mut self, next: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        match &self.untold {
            Some(untold) if untold.is_empty() => {
                if let Some(told) = self.everyone_told.take() {
                    told.do_send(EveryoneTold);
                }
                next
            }
            Some(_) => {
                let again = self.clock.now().wall + TELL_AGAIN;
                Some(next.map_or(again, |next| next.min(again)))
            }
            None => next,
        }
    }

    fn sleep(&mut self, ctx: &mut Context<Self>, until: Option<DateTime<Utc>>) {
        let (clock, clocks) = (self.clock, self.clocks);
        let wait = async move {
            let woken = async { WallTimer::new(clock)?.until(until, clocks).await };
            match woken.await {
                Ok(Woken::Due) => Next::Look,
                Ok(Woken::ClockSet) => Next::ClockSet,
                Err(error) => {
                    tracing::error!(%error, "the timer failed: looking again in 5 s");
                    Next::LookAfter(PAUSE_AFTER_FAILURE, Scope::Due)
                }
            }
        };
        let handle = ctx.spawn(wait.into_actor(self).map(|next, actor, ctx| {
            actor.work = None;
            actor.after(ctx, next);
        }));
        self.work = Some((handle, Work::Waiting));
    }

    fn after(&mut self, ctx: &mut Context<Self>, next: Next) {
        match next {
            Next::Look => self.look(ctx, Scope::Due),
            Next::ClockSet => {
                tracing::info!("the wall clock was set: looking at every rotation");
                self.look(ctx, Scope::ClockSet);
            }
            Next::LookAfter(pause, scope) => {
                let pause = async move { actix_rt::time::sleep(pause).await };
                let handle = ctx.spawn(pause.into_actor(self).map(move |(), actor, ctx| {
                    actor.work = None;
                    actor.look(ctx, scope);
                }));
                self.work = Some((handle, Work::Pausing(scope)));
            }
        }
    }
}

/// Why a hand-over did not get to its end.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("what is due can't be read: {0}")]
    Unread(#[from] Failed),
    #[error("what is due can't be worked on: {0}")]
    Unwritten(String),
}

/// What a hand-over came to.
struct Handed {
    /// What comes next.
    next: Option<DateTime<Utc>>,
    /// How many were due.
    count: usize,
    /// Who has not written down what follows.
    untold: HashSet<RotationId>,
}

/// One hand-over: nobody is told twice in it, so that it ends whatever the answers are.
struct Round {
    store: StoreHandle,
    rotator: Recipient<Due>,
    told: HashSet<RotationId>,
    /// Those that can't be worked on for now.
    put_off: HashSet<RotationId>,
    /// Why a row that was told of is due still.
    unwritten: Option<String>,
}

impl Round {
    /// Tells the rotator of everything that is due, and of those in `untold`, a batch at a time.
    async fn hand_over(
        mut self,
        clock: Clock,
        scope: Scope,
        mut untold: HashSet<RotationId>,
    ) -> Result<Handed, Trouble> {
        if scope != Scope::Due {
            let mut after = None;
            loop {
                let page = self
                    .store
                    .read(move |reader| reader.rotation_ids(after, BATCH))
                    .await?;
                let Some(last) = page.last() else { break };
                after = Some(*last);
                self.tell(page, scope == Scope::ClockSet).await?;
            }
        }
        let mut count = 0;
        loop {
            // Those that were told and are due again, or still, stand before the others.
            let most = BATCH.saturating_add(u32::try_from(self.told.len()).unwrap_or(u32::MAX));
            let now = clock.now().wall;
            let mut due = self.store.read(move |reader| reader.due(now, most)).await?;
            due.retain(|rotation| !self.told.contains(rotation));
            due.truncate(BATCH as usize);
            if due.is_empty() {
                break;
            }
            count += due.len();
            self.tell(due, false).await?;
        }
        untold.retain(|rotation| !self.told.contains(rotation));
        for batch in Vec::from_iter(untold).chunks(BATCH as usize) {
            self.tell(batch.to_vec(), false).await?;
        }
        if let Some(why) = self.unwritten {
            return Err(Trouble::Unwritten(why));
        }
        let next = self.store.read(rotord_store::Reader::next_wake).await?;
        Ok(Handed {
            next,
            count,
            untold: self.put_off,
        })
    }

    /// A row that can't be written must not keep the others waiting; where none of a batch can, the store is at fault,
    /// and the rest waits for the next try.
    async fn tell(&mut self, batch: Vec<RotationId>, clock_set: bool) -> Result<(), Trouble> {
        let told = batch.iter().map(|rotation| {
            self.rotator.send(Due {
                rotation: *rotation,
                clock_set,
            })
        });
        let heard = futures_util::future::try_join_all(told)
            .await
            .map_err(|_| Failed::Closed)?;
        let mut written = heard.is_empty();
        for (rotation, heard) in batch.iter().zip(heard) {
            match heard {
                Heard::Committed => written = true,
                Heard::PutOff => {
                    written = true;
                    self.put_off.insert(*rotation);
                }
                Heard::Unwritten(why) => self.unwritten = Some(why),
            }
        }
        self.told.extend(batch);
        match &self.unwritten {
            Some(why) if !written => Err(Trouble::Unwritten(why.clone())),
            _ => Ok(()),
        }
    }
}

impl Actor for Scheduler {
    type Context = Context<Self>;
}

impl Handler<Begin> for Scheduler {
    type Result = ();

    fn handle(&mut self, begin: Begin, ctx: &mut Self::Context) {
        self.rotator = Some(begin.rotator);
        self.everyone_told = Some(begin.everyone_told);
        // What a crash left in the middle has no wake-up: each is looked at once.
        self.look(ctx, Scope::Everyone);
    }
}

impl Handler<LookAtAll> for Scheduler {
    type Result = ();

    fn handle(&mut self, _: LookAtAll, ctx: &mut Self::Context) {
        match self.work {
            // Goes to its end: it may be telling everyone of a set clock.
            Some((_, Work::HandingOver)) => self.again = Some(Scope::Everyone),
            Some((handle, work)) => {
                ctx.cancel_future(handle);
                let scope = match work {
                    Work::Pausing(scope) => scope.max(Scope::Everyone),
                    _ => Scope::Everyone,
                };
                self.look(ctx, scope);
            }
            None => self.look(ctx, Scope::Everyone),
        }
    }
}

impl Handler<Nudge> for Scheduler {
    type Result = ();

    fn handle(&mut self, Nudge(at): Nudge, ctx: &mut Self::Context) {
        let Some(at) = at else { return };
        let earlier = self.outlook.next_wake.is_none_or(|next| at < next);
        match self.work {
            // The timer stands on something later.
            Some((handle, Work::Waiting)) if earlier => {
                ctx.cancel_future(handle);
                self.outlook.next_wake = Some(at);
                self.sleep(ctx, Some(at));
            }
            Some((_, Work::HandingOver)) => self.again = self.again.max(Some(Scope::Due)),
            _ => {}
        }
    }
}

impl Handler<Halt> for Scheduler {
    type Result = ();

    fn handle(&mut self, _: Halt, ctx: &mut Self::Context) {
        self.rotator = None;
        if let Some((handle, _)) = self.work.take() {
            ctx.cancel_future(handle);
        }
    }
}

impl Handler<GetOutlook> for Scheduler {
    type Result = MessageResult<GetOutlook>;

    fn handle(&mut self, _: GetOutlook, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.outlook.clone())
    }
}

#[cfg(test)]
mod tests;
