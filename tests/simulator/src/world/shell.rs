//! What the rotator does: decide, commit, and only then call; after a commit that failed, forget and read again.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rotord_rotation::{Call, Context, Decided, Event, Handle, Refusal};

use super::{Checked, INSTALLATION, World};
use crate::clock::Time;
use crate::fault::Fault;
use crate::provider::Effect;

/// The daemon's memory.
#[derive(Debug, Default)]
pub(crate) struct Shell {
    /// The rotation was told of this start.
    pub(crate) started: bool,
    /// The call under way.
    pub(crate) call: Option<Call>,
    /// Tells it from one that another start began.
    pub(crate) serial: u64,
    /// It has reached the provider.
    pub(crate) arrived: bool,
    /// When it is to be looked at again, by the wall clock.
    pub(crate) wake: Option<DateTime<Utc>>,
    /// Its task broke: it is looked at again then.
    pub(crate) revive_at: Option<Time>,
    /// Why this process thinks that its books are old.
    pub(crate) stale: Option<String>,
    /// The provider's component is missing.
    pub(crate) provider_missing: bool,
    /// Commits fail until then.
    pub(crate) disk_full_until: Option<Time>,
}

/// How long a rotation whose task broke is left alone.
const REVIVE_AFTER: Duration = Duration::from_mins(1);

/// What became of an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Taken and committed.
    Committed,
    /// A command was refused; nothing changed.
    Refused(Refusal),
    /// The daemon died over it, or could not commit it: whatever it was, it may or may not be in the books.
    Broken,
}

/// What becomes of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Good,
    DiesBefore,
    DiesAfter,
    /// An error, and nothing was written.
    Nothing,
    /// An error, and all was written.
    Unsure,
}

impl Shell {
    pub(crate) fn new() -> Self {
        Self::default()
    }
}

impl World {
    pub(crate) fn context(&mut self) -> Context<'static> {
        let entropy = u128::from(self.rng.plain.bits()) << 64 | u128::from(self.rng.plain.bits());
        Context {
            now: self.clock.read(),
            timing: self.timing,
            rules: self.rules,
            installation: INSTALLATION,
            entropy,
            provider_ready: !self.shell.provider_missing,
        }
    }

    fn fate(&mut self) -> Fate {
        if self.shell.disk_full_until.is_some() {
            return Fate::Nothing;
        }
        if self.comes_in(Fault::Crash, 2) {
            let before = self.rng.of(Fault::Crash).per_mille(500);
            if before {
                Fate::DiesBefore
            } else {
                Fate::DiesAfter
            }
        } else if self.comes_in(Fault::DiskFull, 10) {
            let long = self.rng.of(Fault::DiskFull).per_mille(200);
            if long {
                let most = Duration::from_hours(12);
                let full_for = self.rng.of(Fault::DiskFull).duration(most);
                self.shell.disk_full_until = Some(self.clock.now + full_for);
            }
            Fate::Nothing
        } else if self.comes_in(Fault::Unsure, 10) {
            Fate::Unsure
        } else {
            Fate::Good
        }
    }

    /// An event, with the value that came with it: decided, committed, and the call of it under way.
    pub(crate) fn tell_rotation(&mut self, event: Event, value: Option<&Handle>) -> Checked<Told> {
        if self.books.removed {
            return Ok(Told::Broken);
        }
        let fate = self.fate();
        let is_command = matches!(event, Event::Command(_));
        let context = self.context();
        let was = self.books.rotation.active().map(|c| c.id);
        let undoable = matches!(fate, Fate::DiesBefore | Fate::Nothing) || self.is_told();
        let decided = match self.books.decide(event, &context, undoable) {
            Ok(decided) => decided,
            Err(refusal) if is_command => return Ok(Told::Refused(refusal)),
            Err(refusal) => return Err(format!("an event was refused: {refusal}")),
        };
        if let Err(what) = self.check_step(was, &decided) {
            self.books.undo();
            return Err(what);
        }
        match fate {
            Fate::DiesBefore => {
                self.books.undo();
                self.note(|| "the daemon dies before the commit".to_owned());
                return self.die().map(|()| Told::Broken);
            }
            Fate::Nothing => {
                self.books.refuse(context.now.wall, &decided, value)?;
                self.report.refused += u64::from(self.books.is_compared());
                self.note(|| "the commit fails: nothing is written".to_owned());
                return self.break_down().map(|()| Told::Broken);
            }
            Fate::Good | Fate::DiesAfter | Fate::Unsure => {}
        }
        self.commit(context.now.wall, decided, value, fate)
    }

    fn commit(
        &mut self,
        at: DateTime<Utc>,
        decided: Decided,
        value: Option<&Handle>,
        fate: Fate,
    ) -> Checked<Told> {
        self.remember(&decided);
        self.books.commit(at, &decided, value)?;
        self.report.compared += u64::from(self.books.is_compared());
        self.check_committed()?;
        match fate {
            Fate::Unsure => {
                self.note(|| "the commit fails, and is there".to_owned());
                return self.break_down().map(|()| Told::Broken);
            }
            Fate::DiesAfter => {
                self.note(|| "the daemon dies after the commit".to_owned());
                return self.die().map(|()| Told::Broken);
            }
            _ => {}
        }
        self.shell.wake = decided.wake_at;
        if let Some(call) = decided.call {
            if self.shell.call.is_some() {
                return Err("two calls under way at once".to_owned());
            }
            self.shell.arrived = false;
            self.shell.serial += 1;
            self.shell.call = Some(call);
        }
        Ok(Told::Committed)
    }

    /// The call under way loses its caller: it may have been made, be on its way, or come to nothing.
    fn drop_call(&mut self) {
        let Some(call) = self.shell.call.take() else {
            return;
        };
        let Some(effect) = Effect::of(&call).filter(|_| !self.shell.arrived) else {
            return;
        };
        let now = self.clock.now;
        match self.rng.plain.below(3) {
            0 => {
                self.provider.take_effect(effect, now, &mut self.rng);
            }
            1 => {
                let wait = self.rng.plain.duration(Duration::from_secs(30));
                self.provider.later(effect, now + wait);
            }
            _ => {}
        }
    }

    /// A commit failed: what is in memory may not be what is committed. It is read again in a minute.
    fn break_down(&mut self) -> Checked<()> {
        self.report.failed_commits += 1;
        self.drop_call();
        self.books.forget_facts();
        self.shell.started = false;
        self.shell.revive_at = Some(self.clock.now + REVIVE_AFTER);
        self.check_committed()
    }

    /// The process ends, and starts again after a while.
    pub(crate) fn die(&mut self) -> Checked<()> {
        let down = self.rng.of(Fault::Crash).duration(Duration::from_mins(10));
        let reboots = self.rng.of(Fault::Crash).per_mille(300);
        self.be_off(down, reboots)
    }

    /// The process ends; the next one starts after this time.
    pub(crate) fn be_off(&mut self, down: Duration, reboots: bool) -> Checked<()> {
        self.report.crashes += 1;
        self.drop_call();
        self.shell = Shell {
            disk_full_until: self.shell.disk_full_until,
            provider_missing: self.shell.provider_missing,
            serial: self.shell.serial,
            // Not told yet: the next process sees it as well.
            stale: self.shell.stale.take().filter(|_| !self.old.is_told),
            revive_at: Some(self.clock.now + down),
            ..Shell::new()
        };
        self.books.reopen()?;
        self.pass(down)?;
        self.disturbed_at = Some(self.clock.now);
        if reboots {
            self.clock.reboot();
        }
        self.note(|| "the daemon starts".to_owned());
        self.load()
    }

    /// The task reads the state; told of the start where it was not.
    pub(crate) fn load(&mut self) -> Checked<()> {
        self.shell.revive_at = None;
        self.books.forget_facts();
        if self.shell.started {
            return Ok(());
        }
        if self.tell_rotation(Event::Started, None)? == Told::Broken {
            return Ok(());
        }
        // Each rotation is told once in a process: a person may have looked at it since.
        if !self.old.is_told
            && let Some(why) = self.shell.stale.clone()
        {
            if self.tell_rotation(Event::StateIsOld { why }, None)? == Told::Broken {
                return Ok(());
            }
            self.old.is_told = true;
        }
        self.shell.started = true;
        Ok(())
    }

    /// Looks at the rotation: as a task that reads its state first, where nothing was under way.
    pub(crate) fn wake_up(&mut self, event: Event) -> Checked<Told> {
        if self.shell.call.is_none() && self.books.rotation.run.is_none() {
            self.books.forget_facts();
        }
        if !self.shell.started {
            self.load()?;
            if !self.shell.started {
                return Ok(Told::Broken);
            }
        }
        self.tell_rotation(event, None)
    }
}
