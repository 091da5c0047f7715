//! What all of the rotator's tasks share, and who of them is at work.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::Recipient;
use chrono::{DateTime, Utc};
use rotord_crash::{Moment, Step as Place, reach};
use rotord_provider::Host;
use rotord_rotation::{
    Call, Context, Event, InstallationId, Rotation, RotationId, Rules, Step, Timing,
};
use rotord_store::{Commit, StoreError};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

use super::targets::Targets;
use super::worker::{Ended, Mail, Worker};
use super::{Create, Tell, TellError, Told};
use crate::actors::scheduler::{Due, Heard, Nudge};
use crate::actors::store::{Failed, StoreHandle};
use crate::clock::Clock;
use crate::witness::Witness;

/// The bounds of every provider that was ever described, by slug, in the timing's scale.
pub type Rulebook = HashMap<String, Rules>;

/// How many events may wait for one rotation.
const INBOX: usize = 32;
/// How long a rotation whose task broke is left alone.
const REVIVE_AFTER: Duration = Duration::from_mins(1);

/// What a rotator works with.
pub struct Equipment {
    /// The books.
    pub store: StoreHandle,
    /// The providers.
    pub host: Arc<Host>,
    /// The clocks.
    pub clock: Clock,
    /// The bounds, scaled.
    pub timing: Timing,
    /// Whose labels are ours.
    pub installation: InstallationId,
    /// Why the database is thought to be older than what was done with it.
    pub stale: Option<String>,
    /// Outside of the state directory: how far the database has come.
    pub witness: Option<Arc<Witness>>,
    /// This machine.
    pub machine_id: Option<String>,
    /// Who is told of earlier wake-ups.
    pub scheduler: Recipient<Nudge>,
    /// The bounds of the providers.
    pub rulebook: Rulebook,
}

/// A call that is under way, or waits for its turn.
#[derive(Debug, Clone)]
pub(super) struct UnderWay {
    rotation: RotationId,
    name: String,
    call: &'static str,
}

impl fmt::Display for UnderWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.call, self.name)
    }
}

impl UnderWay {
    /// What becomes of it where it can't be waited for.
    fn recovery(&self) -> &'static str {
        match self.call {
            "issue" => {
                "the next start takes its answer for lost, looks for what it made and removes it"
            }
            "revoke" => "the next start looks whether it was removed, and removes it if not",
            _ => "it changes nothing, and the next start asks again",
        }
    }
}

pub(super) struct Desk {
    pub(super) equipment: Equipment,
    pub(super) targets: Rc<Targets>,
    rulebook: RefCell<Rulebook>,
    workers: RefCell<HashMap<RotationId, mpsc::Sender<Mail>>>,
    /// Those that were told of this start. Ids alone: the state stays in the database.
    started: RefCell<HashSet<RotationId>>,
    /// Those that have written down that the books are old, or are newer than that.
    told_old: RefCell<HashSet<RotationId>>,
    /// Those whose task broke and that are looked at again.
    reviving: RefCell<HashSet<RotationId>>,
    /// What keeps a rotation from being worked on, as it was last said.
    troubles: RefCell<HashMap<RotationId, String>>,
    /// What calls are under way.
    under_way: RefCell<BTreeMap<RotationId, UnderWay>>,
    draining: Cell<bool>,
    idle: Notify,
}

impl Desk {
    pub(super) fn new(mut equipment: Equipment) -> Self {
        let rulebook = std::mem::take(&mut equipment.rulebook);
        Self {
            equipment,
            targets: Rc::default(),
            rulebook: RefCell::new(rulebook),
            workers: RefCell::default(),
            started: RefCell::default(),
            told_old: RefCell::default(),
            reviving: RefCell::default(),
            troubles: RefCell::default(),
            under_way: RefCell::default(),
            draining: Cell::new(false),
            idle: Notify::new(),
        }
    }

    pub(super) async fn tell(self: &Rc<Self>, tell: Tell) -> Result<Told, TellError> {
        let (reply, answer) = oneshot::channel();
        let Tell {
            rotation,
            event,
            with,
        } = tell;
        self.post(rotation, Mail { event, with, reply }).await;
        answer.await.unwrap_or_else(|_| {
            // Its task fell with the event in its hands.
            let failed = if self.is_draining() {
                Failed::Closed
            } else {
                Failed::Panicked
            };
            Err(failed.into())
        })
    }

    async fn post(self: &Rc<Self>, rotation: RotationId, mut mail: Mail) {
        // A task that ends while its inbox is full hands back what it did not take: the next one takes it.
        while let Err(unsent) = self.inbox(rotation).send(mail).await {
            mail = unsent.0;
        }
    }

    /// Hands on what a task that ended did not look at.
    pub(super) fn pass(self: &Rc<Self>, rotation: RotationId, mail: Mail) {
        let desk = Rc::clone(self);
        actix_rt::spawn(async move { desk.post(rotation, mail).await });
    }

    /// A rotation that can't be worked on must not keep the others waiting: it is looked at again.
    pub(super) async fn wake(self: &Rc<Self>, due: Due) -> Heard {
        let event = if due.clock_set {
            Event::ClockStepped
        } else {
            Event::Woke
        };
        match self.tell(Tell::new(due.rotation, event)).await {
            Ok(_) => {
                self.works_again(due.rotation);
                Heard::Committed
            }
            Err(error) => {
                self.complain(due.rotation, &error.to_string());
                self.postpone(due.rotation).await
            }
        }
    }

    /// Out of the way of the others for a minute.
    async fn postpone(&self, rotation: RotationId) -> Heard {
        let until = self.equipment.clock.now().wall + chrono::TimeDelta::minutes(1);
        let store = &self.equipment.store;
        match store
            .write(move |store| store.postpone(rotation, Some(until)))
            .await
        {
            Ok(()) => Heard::PutOff,
            // Gone meanwhile.
            Err(Failed::Store(StoreError::NotFound { .. })) => Heard::Committed,
            Err(failed) => Heard::Unwritten(failed.to_string()),
        }
    }

    /// Says what keeps a rotation from being worked on: once, however long it lasts.
    fn complain(&self, rotation: RotationId, why: &str) {
        let mut troubles = self.troubles.borrow_mut();
        if troubles.get(&rotation).map(String::as_str) != Some(why) {
            tracing::error!(%rotation, error = why, "the rotation can't be worked on: it is looked at again every minute, from what was last committed");
            troubles.insert(rotation, why.to_owned());
        }
    }

    fn works_again(&self, rotation: RotationId) {
        if self.troubles.borrow_mut().remove(&rotation).is_some() {
            tracing::info!(%rotation, "the rotation is worked on again");
        }
    }

    /// Looks at a rotation once a minute until that works: its task broke, and what is committed may have no
    /// wake-up. In memory, so that a full disk can't defeat it.
    async fn revive(self: &Rc<Self>, rotation: RotationId) {
        while !self.draining.get() {
            tokio::time::sleep(REVIVE_AFTER).await;
            match self.tell(Tell::new(rotation, Event::Woke)).await {
                Ok(_) | Err(TellError::Refused(_)) => return self.works_again(rotation),
                // It is gone.
                Err(TellError::Failed(failed)) if !failed.leaves_doubt() => return,
                Err(error) => self.complain(rotation, &error.to_string()),
            }
        }
    }

    pub(super) async fn create(self: &Rc<Self>, create: Create) -> Result<Told, TellError> {
        let Create {
            id,
            new,
            plan,
            force,
            audit,
        } = create;
        let rules = self.rules(&new.provider)?;
        // The first call is made by the worker, once it has loaded what is committed here.
        let step = self.decide(&rules, false, |ctx| {
            Ok(Rotation::create(id, plan, force, ctx))
        })?;
        let run = step.rotation.run.as_ref().map(|run| run.id);
        let at = self.equipment.clock.now().wall;
        self.set_started(id);
        self.set_told_old(id);
        let created = self
            .equipment
            .store
            .write(move |store| {
                let commit = Commit {
                    audit: &audit,
                    ..Commit::first(at, &step)
                };
                reach(|| Some(commit.place()), Moment::BeforeCommit);
                let created = store.create_rotation(&new, &commit)?;
                reach(|| Some(commit.place()), Moment::Committed);
                Ok(created)
            })
            .await;
        if let Err(failed) = created {
            self.bury(id);
            return Err(failed.into());
        }
        reach(|| Some(Place::Create), Moment::Noted);
        tracing::info!(rotation = %id, run = ?run, "a rotation is being created");
        let told = self.tell(Tell::new(id, Event::Woke)).await;
        if told.is_err() {
            // Committed, and nobody works on it: it is looked at again whatever became of the caller.
            let desk = Rc::clone(self);
            actix_rt::spawn(async move { desk.revive(id).await });
        }
        told
    }

    /// The worker's inbox; a worker is started where none is at work.
    fn inbox(self: &Rc<Self>, id: RotationId) -> mpsc::Sender<Mail> {
        let mut workers = self.workers.borrow_mut();
        if let Some(inbox) = workers.get(&id) {
            return inbox.clone();
        }
        let (inbox, mail) = mpsc::channel(INBOX);
        workers.insert(id, inbox.clone());
        let desk = Rc::clone(self);
        actix_rt::spawn(async move {
            let worker = Worker::new(Rc::clone(&desk), id, mail);
            // A bug in one rotation's task ends that task alone; its next event loads what was committed.
            let run = std::panic::AssertUnwindSafe(worker.run());
            let ended = futures_util::FutureExt::catch_unwind(run).await;
            if ended.is_err() {
                tracing::error!(rotation = %id, "a bug ended the rotation's task: what was committed goes on in a minute");
                desk.forget(id);
            }
            if let Ok(Ended::Broken(why)) = &ended {
                desk.complain(id, why);
            }
            // One reviver a rotation: those that it wakes and that break again leave it to go on.
            if !matches!(ended, Ok(Ended::Left)) && desk.reviving.borrow_mut().insert(id) {
                desk.revive(id).await;
                desk.reviving.borrow_mut().remove(&id);
            }
        });
        inbox
    }

    /// The rotation is not at work any more, in the same breath in which its inbox was found empty.
    pub(super) fn leave(&self, id: RotationId) {
        self.workers.borrow_mut().remove(&id);
        self.under_way.borrow_mut().remove(&id);
        self.idle.notify_waiters();
    }

    /// What was in memory can't be trusted: the next event loads the rotation as after a start.
    pub(super) fn forget(&self, id: RotationId) {
        self.started.borrow_mut().remove(&id);
        self.leave(id);
    }

    /// The rotation is gone: nothing is remembered of it.
    pub(super) fn bury(&self, id: RotationId) {
        self.started.borrow_mut().remove(&id);
        self.told_old.borrow_mut().remove(&id);
        self.troubles.borrow_mut().remove(&id);
    }

    /// Why the books are thought to be old, where the rotation has not written that down since the start. A person may
    /// have looked at it since.
    pub(super) fn old_books(&self, id: RotationId) -> Option<String> {
        let known = self.told_old.borrow().contains(&id);
        self.equipment.stale.clone().filter(|_| !known)
    }

    pub(super) fn set_told_old(&self, id: RotationId) {
        self.told_old.borrow_mut().insert(id);
    }

    pub(super) fn is_started(&self, id: RotationId) -> bool {
        self.started.borrow().contains(&id)
    }

    pub(super) fn set_started(&self, id: RotationId) {
        self.started.borrow_mut().insert(id);
    }

    pub(super) fn rules(&self, provider: &str) -> Result<Rules, TellError> {
        let known = self.rulebook.borrow().get(provider).cloned();
        known.ok_or_else(|| TellError::UnknownProvider(provider.to_owned()))
    }

    pub(super) fn set_rulebook(&self, rulebook: Rulebook) {
        *self.rulebook.borrow_mut() = rulebook;
    }

    /// Every rotation has written down that the database is old, where it is: that needs to be seen once only.
    pub(super) async fn settle_age(&self) {
        let (witness, machine_id) = (
            self.equipment.witness.clone(),
            self.equipment.machine_id.clone(),
        );
        let health = self.equipment.store.health().clone();
        let was_old = self.equipment.stale.is_some();
        let settled = self
            .equipment
            .store
            .write(move |store| {
                if was_old {
                    store.settle_age(machine_id.as_deref())?;
                }
                if let Some(witness) = witness {
                    witness.settle_in(&health, store.generation());
                }
                Ok(())
            })
            .await;
        if let Err(failed) = settled {
            tracing::error!(error = %failed, "the next start will take the database for old again");
        }
    }

    pub(super) fn at_work(&self) -> usize {
        self.workers.borrow().len()
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// Returns when no worker is left.
    pub(super) async fn drain(&self) {
        self.draining.set(true);
        let names: Vec<_> = self
            .under_way
            .borrow()
            .values()
            .map(UnderWay::to_string)
            .collect();
        if !names.is_empty() {
            tracing::info!(
                steps = names.join(", "),
                "stopping: these steps are under way"
            );
        }
        loop {
            let left = self.idle.notified();
            if self.at_work() == 0 {
                return;
            }
            // Whoever waits for a call is told to look: the call under way is still heard.
            let inboxes: Vec<_> = self.workers.borrow().values().cloned().collect();
            for inbox in inboxes {
                let (reply, _) = oneshot::channel();
                let _ = inbox.try_send(Mail {
                    event: Event::Woke,
                    with: super::With::default(),
                    reply,
                });
            }
            left.await;
        }
    }

    pub(super) fn begin(&self, id: RotationId, name: &str, call: &Call) {
        let under_way = UnderWay {
            rotation: id,
            name: name.to_owned(),
            call: call.name(),
        };
        self.under_way.borrow_mut().insert(id, under_way);
    }

    /// The call has ended.
    pub(super) fn landed(&self, id: RotationId) -> Option<UnderWay> {
        self.under_way.borrow_mut().remove(&id)
    }

    /// While the daemon stops it is said what became of a call.
    pub(super) fn tell_finished(&self, step: Option<UnderWay>, written: bool) {
        let Some(step) = step.filter(|_| self.is_draining()) else {
            return;
        };
        let UnderWay {
            rotation,
            name,
            call,
        } = step;
        if written {
            tracing::info!(%rotation, name, call, "stopping: the step under way was finished and written down");
        } else {
            tracing::warn!(%rotation, name, call, "stopping: the step under way was not written down: the next start finds out");
        }
    }

    /// Says whose steps are left to recovery.
    pub(super) fn tell_left(&self) {
        for step in self.under_way.borrow().values() {
            tracing::warn!(
                rotation = %step.rotation, name = step.name, call = step.call,
                "a provider call was still under way and is left to recovery: {}", step.recovery()
            );
        }
    }

    /// Takes a decision, with the time and fresh entropy.
    pub(super) fn decide(
        &self,
        rules: &Rules,
        provider_ready: bool,
        decide: impl FnOnce(&Context<'_>) -> Result<Step, rotord_rotation::Refusal>,
    ) -> Result<Step, TellError> {
        let mut entropy = [0; 16];
        aws_lc_rs::rand::fill(&mut entropy).map_err(|_| TellError::NoEntropy)?;
        let ctx = Context {
            now: self.equipment.clock.now(),
            timing: &self.equipment.timing,
            rules,
            installation: self.equipment.installation,
            entropy: u128::from_ne_bytes(entropy),
            provider_ready: provider_ready && !self.draining.get(),
        };
        Ok(decide(&ctx)?)
    }

    /// A length of the daemon's time as real time.
    pub(super) fn real(&self, duration: Duration) -> Duration {
        self.equipment.clock.real(duration)
    }

    /// An instant of the wall clock, as a timer of this process that follows neither a set clock nor a host that sleeps.
    pub(super) fn instant(&self, at: DateTime<Utc>) -> Instant {
        let wait = at - self.equipment.clock.now().wall;
        Instant::now() + self.real(wait.to_std().unwrap_or_default())
    }
}
