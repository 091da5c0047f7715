//! One rotation at work: event → decision → commit → call → event.

use std::cell::Cell;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rotord_crash::{Moment, Step as Place, reach};
use rotord_provider::Secret as ProviderSecret;
use rotord_provider::contract::{Output, ProviderDescription, Target};
use rotord_rotation::{Boot, Call, Event, Rotation, RotationId, Rules, RunEnd, RunId, Step, Write};
use rotord_store::{Commit, Committed, RotationDetails, Secret, SecretMap};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::desk::Desk;
use super::story::Story;
use super::{Running, TellError, Told, With};
use crate::actors::store::Failed;
use crate::calls::{self, Landed};
use crate::target;

/// A rotation with a run wakes itself. The scheduler looks at it this much later, by the wall clock: where its task is no
/// more, and where the host slept, which a task's own timer does not see.
pub(super) const LEASE: TimeDelta = TimeDelta::seconds(30);

/// An event on its way to a rotation.
#[derive(Debug)]
pub(super) struct Mail {
    pub(super) event: Event,
    pub(super) with: With,
    pub(super) reply: oneshot::Sender<Result<Told, TellError>>,
}

/// A call under way. Once begun it runs to its end, and holds the target's turn until then, whatever becomes of the
/// rotation's task; before, it is not begun without it.
struct InFlight {
    landing: JoinHandle<Landed>,
    call: Call,
    /// As they were when it was asked for.
    details: Arc<RotationDetails>,
    /// Whether it is still to be made, when its turn comes. Dropped with the rotation's task.
    wanted: Rc<Cell<bool>>,
}

/// How a rotation's task ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// Nothing is under way.
    Left,
    /// What is committed may have no wake-up: somebody must look at it again. Why, for a person.
    Broken(String),
}

pub(super) struct Worker {
    desk: Rc<Desk>,
    id: RotationId,
    inbox: mpsc::Receiver<Mail>,
    in_flight: Option<InFlight>,
    waiting: Vec<(RunId, oneshot::Sender<RunEnd>)>,
    /// When it looks at its run again by itself.
    alarm: Option<Instant>,
    /// The rotation's row was removed.
    gone: bool,
}

/// What is at hand of the rotation.
struct AtHand {
    details: Arc<RotationDetails>,
    rotation: Arc<Rotation>,
}

enum Next {
    Landed(Landed, InFlight),
    /// The call ended in a bug: nothing is known of what it did.
    Fallen(String),
    Mail(Mail),
    /// It is time to look at the run.
    Alarm,
}

impl Worker {
    pub(super) fn new(desk: Rc<Desk>, id: RotationId, inbox: mpsc::Receiver<Mail>) -> Self {
        Self {
            desk,
            id,
            inbox,
            in_flight: None,
            waiting: Vec::new(),
            alarm: None,
            gone: false,
        }
    }

    pub(super) async fn run(mut self) -> Ended {
        let mut at_hand = match self.load().await {
            Ok(at_hand) => at_hand,
            Err(error) => return self.give_up(error),
        };
        loop {
            if self.may_leave(&at_hand.rotation) {
                // No await between the look and the leave: no mail can come in between.
                if self.inbox.is_empty() {
                    return self.leave();
                }
            }
            let result = match self.next().await {
                None => return self.leave(),
                Some(Next::Landed(landed, of)) => {
                    // Before the next call is begun, under the same name.
                    let step = self.desk.landed(self.id);
                    let taken = self.land(&mut at_hand, landed, &of).await;
                    self.desk.tell_finished(step, taken.is_ok());
                    taken.map_err(|error| error.to_string())
                }
                Some(Next::Fallen(why)) => Err(why),
                // What keeps it from being looked at otherwise is met again, and told, when its row comes due.
                Some(Next::Alarm) => doubt(&self.look(&mut at_hand).await),
                Some(Next::Mail(mail)) => {
                    let taken = self.take(&mut at_hand, mail.event, mail.with).await;
                    let broken = doubt(&taken);
                    // Nobody waits for the answer: it was taken all the same.
                    let _ = mail.reply.send(taken);
                    broken
                }
            };
            if let Err(why) = result {
                // What is in memory may not be what is committed.
                self.hand_on();
                return Ended::Broken(why);
            }
        }
    }

    fn leave(self) -> Ended {
        if self.gone {
            self.desk.bury(self.id);
        }
        self.desk.leave(self.id);
        Ended::Left
    }

    /// Nothing under way that a reload would lose.
    fn may_leave(&self, rotation: &Rotation) -> bool {
        self.in_flight.is_none() && (rotation.run.is_none() || self.desk.is_draining())
    }

    async fn next(&mut self) -> Option<Next> {
        let Some(mut in_flight) = self.in_flight.take() else {
            let Some(alarm) = self.alarm else {
                return self.inbox.recv().await.map(Next::Mail);
            };
            return tokio::select! {
                biased;
                mail = self.inbox.recv() => mail.map(Next::Mail),
                () = tokio::time::sleep_until(alarm) => Some(Next::Alarm),
            };
        };
        tokio::select! {
            biased;
            landed = &mut in_flight.landing => Some(match landed {
                Ok(landed) => Next::Landed(landed, in_flight),
                Err(fallen) => Next::Fallen(fallen.to_string()),
            }),
            mail = self.inbox.recv() => {
                self.in_flight = Some(in_flight);
                mail.map(Next::Mail)
            }
        }
    }

    /// Takes in how a call ended. Where the books refuse what follows from that, they would again: it is the end of the
    /// run, in words. Any other error leaves the call's end unwritten.
    async fn land(
        &mut self,
        at_hand: &mut AtHand,
        mut landed: Landed,
        of: &InFlight,
    ) -> Result<(), TellError> {
        let moved = of.details.parameters != at_hand.details.parameters;
        if moved && matches!(of.call, Call::Inspect | Call::Survey) {
            let why = "the target was changed meanwhile".to_owned();
            landed.event = calls::not_begun(&of.call, why);
        }
        let with = With {
            outputs: landed.outputs.map(sealed),
            ..With::default()
        };
        let refused = match self.take(at_hand, landed.event, with).await {
            Err(TellError::Failed(failed)) if !failed.leaves_doubt() => failed,
            taken => return taken.map(drop),
        };
        let why = format!("what the provider answered can't be kept: {refused}");
        tracing::error!(rotation = %self.id, name = at_hand.details.name, "{why}");
        self.take(at_hand, Event::NotKept { why }, With::default())
            .await
            .map(drop)
    }

    async fn load(&mut self) -> Result<AtHand, TellError> {
        let id = self.id;
        let record = self
            .desk
            .equipment
            .store
            .read(move |reader| reader.rotation(id))
            .await?;
        let mut at_hand = AtHand {
            details: Arc::new(record.details),
            rotation: Arc::new(record.state),
        };
        if !self.desk.is_started(id) {
            self.take(&mut at_hand, Event::Started, With::default())
                .await?;
            if let Some(why) = self.desk.old_books(id) {
                self.take(&mut at_hand, Event::StateIsOld { why }, With::default())
                    .await?;
                self.desk.set_told_old(id);
            }
            self.desk.set_started(id);
        }
        Ok(at_hand)
    }

    /// Not even loaded: who wrote first is told why.
    fn give_up(mut self, error: TellError) -> Ended {
        let gone = matches!(&error, TellError::Failed(failed) if !failed.leaves_doubt());
        let why = error.to_string();
        if let Ok(mail) = self.inbox.try_recv() {
            let _ = mail.reply.send(Err(error));
        }
        self.hand_on();
        if gone {
            self.desk.bury(self.id);
            Ended::Left
        } else {
            Ended::Broken(why)
        }
    }

    /// Nothing of the rotation stays in memory; what was told and not looked at is for the task that reads it again.
    fn hand_on(&mut self) {
        self.desk.forget(self.id);
        self.inbox.close();
        while let Ok(mail) = self.inbox.try_recv() {
            self.desk.pass(self.id, mail);
        }
    }

    /// Decides, commits, and only then begins the call.
    async fn take(
        &mut self,
        at_hand: &mut AtHand,
        event: Event,
        with: With,
    ) -> Result<Told, TellError> {
        let old = with_facts_of(at_hand, &with);
        let rules = self.desk.rules(&at_hand.details.provider)?;
        let step = self.decide(at_hand, &old, &rules, event)?;
        self.write(at_hand, &old, &step, with).await?;
        self.go_on(at_hand, &step, &rules);
        Ok(Told {
            run: self.running(&at_hand.rotation),
        })
    }

    /// Its own time has come. What that means is written down before it is done, as ever; where it means nothing that
    /// could be, such as the next login of a proof, it is done at once.
    async fn look(&mut self, at_hand: &mut AtHand) -> Result<(), TellError> {
        self.alarm = None;
        let old = Arc::clone(&at_hand.rotation);
        let rules = self.desk.rules(&at_hand.details.provider)?;
        let step = self.decide(at_hand, &old, &rules, Event::Woke)?;
        if step.changes_nothing(&old) {
            at_hand.rotation = Arc::new(step.rotation.clone());
        } else {
            self.write(at_hand, &old, &step, With::default()).await?;
        }
        self.go_on(at_hand, &step, &rules);
        Ok(())
    }

    fn decide(
        &self,
        at_hand: &AtHand,
        old: &Rotation,
        rules: &Rules,
        event: Event,
    ) -> Result<Arc<Step>, TellError> {
        let provider = self.desk.equipment.host.provider(&at_hand.details.provider);
        let step = self
            .desk
            .decide(rules, provider.is_some(), |ctx| old.step(event, ctx))?;
        Ok(Arc::new(step))
    }

    /// Commits a step: from here on it is what is at hand.
    async fn write(
        &mut self,
        at_hand: &mut AtHand,
        old: &Arc<Rotation>,
        step: &Arc<Step>,
        with: With,
    ) -> Result<(), TellError> {
        let reload = with.change.is_some();
        let wake_at = Self::handed_over_at(step);
        let committed = self.commit(old, step, with, wake_at).await?;
        let story = Story {
            name: &at_hand.details.name,
            before: &at_hand.rotation,
            step,
            committed: &committed,
            timing: &self.desk.equipment.timing,
        };
        story.tell();
        self.gone |= step.writes.contains(&Write::RemoveRotation);
        let mut rotation = step.rotation.clone();
        rotation
            .credentials
            .retain(|c| !c.stage.is_settled() || c.slot.is_some());
        at_hand.rotation = Arc::new(rotation);
        if reload {
            let id = self.id;
            let record = self
                .desk
                .equipment
                .store
                .read(move |reader| reader.rotation(id))
                .await?;
            at_hand.details = Arc::new(record.details);
        }
        if wake_at.is_some() {
            self.desk
                .equipment
                .scheduler
                .do_send(crate::actors::scheduler::Nudge(wake_at));
        }
        Ok(())
    }

    /// When the scheduler is to look at it: not before this task has, while there is a run.
    fn handed_over_at(step: &Step) -> Option<DateTime<Utc>> {
        let stays = step.rotation.run.is_some();
        let lease = if stays { LEASE } else { TimeDelta::zero() };
        step.wake_at
            .map(|at| at.checked_add_signed(lease).unwrap_or(at))
    }

    /// What follows from what is at hand now: the step's call, or a time to look again.
    fn go_on(&mut self, at_hand: &AtHand, step: &Step, rules: &Rules) {
        self.alarm = step
            .rotation
            .run
            .as_ref()
            .and(step.wake_at)
            .map(|at| self.desk.instant(at));
        if let Some(in_flight) = &self.in_flight {
            in_flight
                .wanted
                .set(is_wanted(&in_flight.call, &at_hand.rotation));
        }
        if let Some(call) = step.call.clone() {
            let wanted = Rc::new(Cell::new(true));
            let details = Arc::clone(&at_hand.details);
            // On every line of the log that the call leads to, the provider's own too.
            let span = tracing::info_span!(
                "call", call = call.name(), rotation = %self.id, provider = details.provider,
                attempt = call.credential().and_then(|id| step.rotation.credential(id)).map(|c| tracing::field::display(c.nonce)),
            );
            let performed = perform(
                Rc::clone(&self.desk),
                Arc::clone(&details),
                call.clone(),
                rules.write_spacing,
                Rc::downgrade(&wanted),
            );
            self.desk.begin(self.id, &details.name, &call);
            self.in_flight = Some(InFlight {
                landing: actix_rt::spawn(performed.instrument(span)),
                call,
                details,
                wanted,
            });
        }
        if let Some(ended) = &step.ended {
            self.announce(ended);
        }
    }

    async fn commit(
        &self,
        old: &Arc<Rotation>,
        step: &Arc<Step>,
        with: With,
        wake_at: Option<DateTime<Utc>>,
    ) -> Result<Committed, Failed> {
        let (old, step) = (Arc::clone(old), Arc::clone(step));
        let witness = self.desk.equipment.witness.clone();
        let health = self.desk.equipment.store.health().clone();
        let at = self.desk.equipment.clock.now().wall;
        self.desk
            .equipment
            .store
            .write(move |store| {
                let commit = Commit {
                    wake_at,
                    outputs: with.outputs.as_ref(),
                    change: with.change.as_ref(),
                    secrets: with.secrets,
                    audit: &with.audit,
                    ..Commit::new(at, &old, &step)
                };
                reach(|| Some(commit.place()), Moment::BeforeCommit);
                let committed = store.commit_step(&commit)?;
                reach(|| Some(commit.place()), Moment::Committed);
                // A copy from within a proof is older than what the proof led to.
                let tells = step.call.is_some() || step.ended.is_some();
                if let Some(witness) = witness.filter(|_| tells) {
                    // Where that fails it is said, and the step goes on: a credential that is not replaced in time is
                    // worse than a copy that only its file and the labels at the provider tell.
                    witness.note_in(&health, committed.generation);
                }
                reach(|| Some(commit.place()), Moment::Noted);
                Ok(committed)
            })
            .await
    }

    fn running(&mut self, rotation: &Rotation) -> Option<Running> {
        let id = rotation.run.as_ref()?.id;
        let (end, ended) = oneshot::channel();
        self.waiting.retain(|(_, waits)| !waits.is_closed());
        self.waiting.push((id, end));
        Some(Running { id, ended })
    }

    fn announce(&mut self, ended: &RunEnd) {
        for (run, waits) in self.waiting.drain(..) {
            // A run that was replaced ends with the one that replaced it, as far as a caller can tell.
            let mut end = ended.clone();
            end.run = run;
            let _ = waits.send(end);
        }
    }
}

/// Why what is in memory may not be what is committed, where that is so.
fn doubt<T>(taken: &Result<T, TellError>) -> Result<(), String> {
    match taken {
        Err(TellError::Failed(failed)) if failed.leaves_doubt() => Err(failed.to_string()),
        _ => Ok(()),
    }
}

/// Makes a call: the target's turn, the provider's, what it needs from the books, and the call itself.
async fn perform(
    desk: Rc<Desk>,
    details: Arc<RotationDetails>,
    call: Call,
    spacing: std::time::Duration,
    wanted: Weak<Cell<bool>>,
) -> Landed {
    let decided = desk.equipment.clock.now().boot;
    let _of_target = if call.writes() {
        Some(
            desk.targets
                .lock(&target::turn(&details), desk.real(spacing))
                .await,
        )
    } else {
        None
    };
    let Some(turn) = desk.equipment.host.turn(&details.provider).await else {
        let why = format!("the provider {} is not loaded", details.provider);
        return Landed::without_answer(calls::not_begun(&call, why));
    };
    // From the last look to the call nothing else can come in between.
    let begun = prepare(&desk, turn.provider().description(), &details, &call)
        .await
        .and_then(|begun| may_begin(&desk, &call, decided, &wanted).map(|()| begun));
    let (target, outputs) = match begun {
        Ok(begun) => begun,
        Err(why) => {
            return Landed::without_answer(calls::not_begun(&call, why));
        }
    };
    reach(|| Place::of_call(call.name()), Moment::Called);
    let mut landed = calls::make(
        turn,
        &target,
        &call,
        &outputs,
        desk.equipment.timing.retry_most,
    )
    .await;
    reach(|| Place::of_call(call.name()), Moment::Landed);
    tracing::debug!(
        requests = landed.requests,
        milliseconds = u64::try_from(landed.duration.as_millis()).unwrap_or(u64::MAX),
        "called the provider"
    );
    if let Event::Surveyed(Ok(survey)) = &mut landed.event {
        let ours = rotord_rotation::label::Short::from(details.id);
        let nonces: Vec<_> = survey
            .listed
            .iter()
            .filter_map(|listed| listed.label)
            .filter(|label| label.rotation == ours)
            .map(|label| label.nonce)
            .collect();
        let id = details.id;
        match desk
            .equipment
            .store
            .read(move |reader| reader.tombstones(id, &nonces))
            .await
        {
            Ok(tombstones) => survey.tombstones = tombstones,
            // Without them a known credential would look unknown: the survey is as good as none.
            Err(failed) => landed.event = calls::not_begun(&call, failed.to_string()),
        }
    }
    landed
}

/// What a decision starts from. What was seen at one target says nothing of another.
fn with_facts_of(at_hand: &AtHand, with: &With) -> Arc<Rotation> {
    let parameters = with
        .change
        .as_ref()
        .and_then(|change| change.parameters.as_ref());
    if parameters.is_none_or(|parameters| *parameters == at_hand.details.parameters) {
        return Arc::clone(&at_hand.rotation);
    }
    let mut rotation = Rotation::clone(&at_hand.rotation);
    rotation.facts.survey = None;
    rotation.facts.inspection = None;
    Arc::new(rotation)
}

/// What a person ordered while a call waited for its turn may have made it needless.
fn is_wanted(call: &Call, rotation: &Rotation) -> bool {
    match call {
        Call::Issue { credential, .. } => rotation.run_credential() == Some(*credential),
        Call::Revoke { credential, .. } => rotation
            .credential(*credential)
            .is_some_and(|credential| credential.removal().is_some()),
        Call::Inspect | Call::Survey | Call::Verify { .. } => true,
    }
}

/// Whether the call is still to be made, now that its turn has come.
pub(super) fn may_begin(
    desk: &Desk,
    call: &Call,
    decided: Boot,
    wanted: &Weak<Cell<bool>>,
) -> Result<(), String> {
    if desk.is_draining() {
        return Err("the daemon stops: it is done after the next start".to_owned());
    }
    if !wanted.upgrade().is_some_and(|wanted| wanted.get()) {
        return Err("it is not wanted any more".to_owned());
    }
    let age = desk.equipment.clock.now().boot - decided;
    if matches!(call, Call::Revoke { .. }) && age > desk.equipment.timing.gate_fresh {
        return Err(format!(
            "it waited {} s for its turn: what was looked at before is too old, and is looked at again",
            age.as_secs()
        ));
    }
    Ok(())
}

async fn prepare(
    desk: &Desk,
    description: &ProviderDescription,
    details: &RotationDetails,
    call: &Call,
) -> Result<(Target, Vec<Output>), String> {
    let (connection, credential) = (details.connection, credential_of(call));
    let (connection, secrets, outputs) = desk
        .equipment
        .store
        .read(move |reader| {
            let outputs = credential
                .map(|id| reader.outputs_of(id))
                .transpose()?
                .flatten();
            Ok((
                reader.connection(connection)?,
                reader.connection_secrets(connection)?,
                outputs,
            ))
        })
        .await
        .map_err(|failed| failed.to_string())?;
    let connection = target::connection(description, &connection, &secrets);
    let target = target::target(description, connection, &details.parameters);
    let outputs = outputs.map(|outputs| opened(&outputs)).unwrap_or_default();
    if outputs.is_empty() && credential.is_some() {
        return Err("the credential's value is not in the database".to_owned());
    }
    Ok((target, outputs))
}

fn credential_of(call: &Call) -> Option<rotord_rotation::CredentialId> {
    match call {
        Call::Verify { credential } => Some(*credential),
        _ => None,
    }
}

/// From the provider's hands into the store's.
fn sealed(outputs: Vec<Output>) -> SecretMap {
    let mut map = SecretMap::new();
    for output in outputs {
        map.insert(output.name, Secret::new(output.value.expose()));
    }
    map
}

fn opened(outputs: &SecretMap) -> Vec<Output> {
    outputs
        .iter()
        .map(|(name, value)| Output {
            name: name.to_owned(),
            value: ProviderSecret::new(value.expose()),
        })
        .collect()
}
