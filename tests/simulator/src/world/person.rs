//! What a person says, at good moments and bad ones.

use std::time::Duration;

use rotord_rotation::{Command, Credential, Event, Handle, Interval, Plan, RotateAt, Stage};

use super::shell::Told;
use super::{Checked, World};
use crate::fault::Fault;
use crate::provider::Owner;

impl World {
    /// The creation's caller: told 202 mostly, so that a failure stays; else it is told at the end.
    pub(crate) fn first_words(&mut self) -> Checked<()> {
        if !self.rng.plain.per_mille(150) {
            self.wake_up(Event::Answered)?;
        }
        self.wake_up(Event::Woke).map(|_| ())
    }

    /// Any command, with no thought for what is under way.
    pub(crate) fn person_speaks(&mut self) -> Checked<()> {
        if self.books.removed {
            return Ok(());
        }
        let deletes = self.scenario.faults.of(Fault::Delete);
        let rng = self.rng.of(Fault::Delete);
        if rng.per_mille(deletes) && rng.per_mille(200) {
            let revoke = rng.per_mille(500);
            return self.give(Command::Delete { revoke }, None).map(|_| ());
        }
        let which = self.rng.of(Fault::Person).below(14);
        let chosen = match which {
            0 | 1 => Some(Command::Rotate { retire_after: None }),
            2 => Some(Command::Rotate {
                retire_after: Some(self.hours(200)),
            }),
            3 => Some(Command::Pause),
            4 | 5 => Some(Command::Resume),
            6 => Some(Command::Unblock),
            7 => Some(Command::Retire {
                credential: None,
                force: self.rng.of(Fault::Person).per_mille(500),
            }),
            8 | 9 => self.any_credential().map(|credential| Command::Retire {
                credential: Some(credential.id),
                force: self.rng.of(Fault::Person).per_mille(300),
            }),
            10 => self.an_edit()?,
            11 => return self.adopt_something(),
            12 => return self.resolve_a_doubt(),
            _ => Some(Command::Remove {
                handle: Handle("key-1".to_owned()),
            }),
        };
        match chosen {
            Some(command) => self.give(command, None).map(|_| ()),
            None => Ok(()),
        }
    }

    fn hours(&mut self, most: u64) -> Duration {
        Duration::from_hours(self.rng.of(Fault::Person).below(most))
    }

    fn any_credential(&mut self) -> Option<Credential> {
        let credentials = &self.books.rotation.credentials;
        self.rng.of(Fault::Person).pick(credentials).cloned()
    }

    fn an_edit(&mut self) -> Checked<Option<Command>> {
        let from = self.books.rotation.plan;
        let rng = self.rng.of(Fault::Person);
        let days = u32::try_from(1 + rng.below(40)).unwrap_or(1);
        let minutes = u32::try_from(rng.below(1440)).unwrap_or(0);
        let interval = Interval::days(days).map_err(|e| e.to_string())?;
        let mut daily = from.daily;
        daily.at = RotateAt::new(minutes / 60, minutes % 60).map_err(|e| e.to_string())?;
        let to = match rng.below(4) {
            0 => Plan { interval, ..from },
            1 => Plan { daily, ..from },
            2 => Plan {
                overlap: Some(Duration::from_hours(rng.below(300))),
                ..from
            },
            _ => Plan {
                interval,
                daily,
                overlap: None,
                auto: true,
            },
        };
        Ok(Some(Command::Edit { from, to }))
    }

    /// One of nobody's is taken over; of another rotation's label the admin socket would not let it come here.
    fn adopt_something(&mut self) -> Checked<()> {
        let now = self.clock.now;
        let rng = self.rng.of(Fault::Person);
        let Some(handle) = self.provider.any_living(Owner::Foreign, now, rng) else {
            return Ok(());
        };
        let with_value = self.rng.of(Fault::Person).per_mille(500);
        self.adopt(&handle, with_value)
    }

    fn adopt(&mut self, handle: &Handle, has_value: bool) -> Checked<()> {
        let expires_at = self.provider.real(handle).map(|real| real.ends);
        let command = Command::Adopt {
            handle: handle.clone(),
            expires_at,
            has_value,
        };
        let value = has_value.then(|| handle.clone());
        if self.give(command, value.as_ref())?
            && let Some(real) = self.provider.real_mut(handle)
        {
            real.adopted = true;
        }
        Ok(())
    }

    /// One way out of attention mode, or another.
    pub(crate) fn resolve_a_doubt(&mut self) -> Checked<()> {
        let doubts = &self.books.rotation.doubts;
        let handles: Vec<_> = doubts.iter().map(|doubt| doubt.handle.clone()).collect();
        let Some(handle) = self.rng.of(Fault::OldState).pick(&handles).cloned() else {
            return self.give(Command::Unblock, None).map(|_| ());
        };
        match self.rng.of(Fault::OldState).below(3) {
            0 if !self.books.rotation.life.is_deleting() => self.adopt(&handle, true),
            1 if !self.books.rotation.life.is_deleting() => self.adopt(&handle, false),
            _ if self.books.rotation.life.is_deleting() => self
                .give(Command::Delete { revoke: true }, None)
                .map(|_| ()),
            _ => self.give(Command::Remove { handle }, None).map(|_| ()),
        }
    }

    /// A person's word: taken or refused, nothing in between. True unless it was refused.
    pub(crate) fn give(&mut self, command: Command, value: Option<&Handle>) -> Checked<bool> {
        if self.books.removed {
            return Ok(false);
        }
        self.report.commands += 1;
        let meant = self.meant(&command);
        let doubted = self.books.rotation.needs_attention();
        self.note(|| format!("a person says {command:?}"));
        // Said to a task that reads its state first, where nothing is under way.
        if self.shell.call.is_none() && self.books.rotation.run.is_none() {
            self.books.forget_facts();
        }
        if !self.shell.started {
            self.load()?;
        }
        if !self.shell.started {
            self.note(|| "nobody takes it".to_owned());
            return Ok(false);
        }
        // Before it is committed: a revoke may follow from it at once.
        let marked: Vec<Handle> = meant
            .into_iter()
            .filter(|handle| {
                let real = self.provider.real_mut(handle);
                real.is_some_and(|real| !std::mem::replace(&mut real.word, true))
            })
            .collect();
        match self.tell_rotation(Event::Command(command), value)? {
            Told::Refused(refusal) => {
                self.note(|| format!("refused: {refusal}"));
                for handle in marked {
                    if let Some(real) = self.provider.real_mut(&handle) {
                        real.word = false;
                    }
                }
                Ok(false)
            }
            Told::Committed | Told::Broken => {
                if doubted && !self.books.rotation.needs_attention() {
                    self.old.resolved = true;
                }
                Ok(true)
            }
        }
    }

    /// What a command lets go, whatever its time.
    fn meant(&self, command: &Command) -> Vec<Handle> {
        let rotation = &self.books.rotation;
        let known = |which: &dyn Fn(&Credential) -> bool| -> Vec<Handle> {
            let credentials = rotation.credentials.iter().filter(|c| which(c));
            credentials.filter_map(|c| c.handle.clone()).collect()
        };
        match command {
            Command::Retire {
                credential: Some(id),
                ..
            } => known(&|c| c.id == *id),
            Command::Retire { .. } => known(&|c| c.stage != Stage::Active),
            Command::Remove { handle } => vec![handle.clone()],
            Command::Delete { revoke: true } => {
                let doubts = rotation.doubts.iter().map(|doubt| doubt.handle.clone());
                known(&|_| true).into_iter().chain(doubts).collect()
            }
            _ => Vec::new(),
        }
    }
}
