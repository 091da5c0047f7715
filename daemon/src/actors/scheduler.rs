//! The scheduler: one timer to the earliest due row, and nothing else that wakes.
//!
//! What is due is read from an indexed column, so a thousand rotations that are not due cost nothing.

use std::time::Duration;

use actix::{
    Actor, ActorFutureExt, AsyncContext, Context, Handler, Message, MessageResult, Recipient,
    SpawnHandle, WrapFuture,
};
use chrono::{DateTime, Utc};
use rotord_rotation::RotationId;

use crate::actors::store::{Failed, StoreHandle};
use crate::clock::{Clock, WallTimer, Woken};

/// Rows that are handed over at once.
const BATCH: u32 = 64;
/// After a failure to read what is due.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);

/// A row's wake-up has come, or the clock was set. Answered when what follows is committed, or put off.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Due {
    /// Which rotation.
    pub rotation: RotationId,
    /// The clock was set: stored times are to be checked.
    pub clock_set: bool,
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
    /// The wait or the hand-over under way.
    work: Option<(SpawnHandle, Work)>,
    /// Something was nudged during a hand-over: what comes next may have been read before it.
    nudged: bool,
    outlook: Outlook,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Waiting,
    /// After a failure: nothing may cut it short, or what failed would be forgotten.
    Pausing,
    HandingOver,
}

/// Who is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
            work: None,
            nudged: false,
            outlook: Outlook::default(),
        }
    }

    /// Hands over what is due, then sleeps until the next.
    fn look(&mut self, ctx: &mut Context<Self>, scope: Scope) {
        let Some(rotator) = self.rotator.clone() else {
            return;
        };
        let (store, now) = (self.store.clone(), self.clock.now().wall);
        let handed_over = async move { hand_over(&store, &rotator, now, scope).await };
        let handle = ctx.spawn(handed_over.into_actor(self).map(move |result, actor, ctx| {
            actor.work = None;
            match result {
                Ok((next, count)) => {
                    if scope == Scope::Everyone
                        && let Some(told) = actor.everyone_told.take()
                    {
                        told.do_send(EveryoneTold);
                    }
                    actor.outlook.trouble = None;
                    actor.outlook.next_wake = next;
                    if count > 0 {
                        actor.outlook.last_batch = Some((now, count));
                    }
                    if std::mem::take(&mut actor.nudged) {
                        actor.look(ctx, Scope::Due);
                    } else {
                        actor.sleep(ctx, next);
                    }
                }
                Err(failed) => {
                    tracing::error!(error = %failed, "what is due can't be read: trying again in 5 s");
                    actor.outlook.trouble = Some(failed.to_string());
                    // The whole of what was to be looked at, again.
                    actor.after(ctx, Next::LookAfter(PAUSE_AFTER_FAILURE, scope));
                }
            }
        }));
        self.work = Some((handle, Work::HandingOver));
    }

    fn sleep(&mut self, ctx: &mut Context<Self>, until: Option<DateTime<Utc>>) {
        let clock = self.clock;
        let wait = async move {
            let woken = async { WallTimer::new(clock)?.until(until).await };
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
                self.work = Some((handle, Work::Pausing));
            }
        }
    }
}

/// Tells the rotator of everything that is due, a batch at a time, and returns what comes next.
async fn hand_over(
    store: &StoreHandle,
    rotator: &Recipient<Due>,
    now: DateTime<Utc>,
    scope: Scope,
) -> Result<(Option<DateTime<Utc>>, usize), Failed> {
    let mut count = 0;
    if scope != Scope::Due {
        let mut after = None;
        loop {
            let page = store
                .read(move |reader| reader.rotation_ids(after, BATCH))
                .await?;
            for rotation in &page {
                tell(
                    rotator,
                    Due {
                        rotation: *rotation,
                        clock_set: scope == Scope::ClockSet,
                    },
                )
                .await?;
            }
            after = page.last().copied();
            if after.is_none() {
                break;
            }
        }
    }
    loop {
        let due = store.read(move |reader| reader.due(now, BATCH)).await?;
        if due.is_empty() {
            break;
        }
        count += due.len();
        let told = due.iter().map(|rotation| {
            tell(
                rotator,
                Due {
                    rotation: *rotation,
                    clock_set: false,
                },
            )
        });
        // Each has written its next wake-up when it answers, so none is handed over twice.
        futures_util::future::try_join_all(told).await?;
    }
    let next = store.read(|reader| reader.next_wake()).await?;
    Ok((next, count))
}

async fn tell(rotator: &Recipient<Due>, due: Due) -> Result<(), Failed> {
    rotator.send(due).await.map_err(|_| Failed::Closed)
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
        if let Some((handle, _)) = self.work.take() {
            ctx.cancel_future(handle);
        }
        self.look(ctx, Scope::Everyone);
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
            Some((_, Work::HandingOver)) => self.nudged = true,
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
