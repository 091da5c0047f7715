//! A call: it takes time, reaches the provider, and its answer comes back; anything may happen in between.

use std::time::Duration;

use rotord_rotation::event::{Answer, Verdict};
use rotord_rotation::{Call, Event, Fault as Ending, FaultKind, Handle};

use super::{Checked, World};
use crate::clock::Time;
use crate::fault::Fault;
use crate::provider::Owner;

/// More calls in an hour are no rotation's work.
const CALLS_AN_HOUR: u32 = 500;
/// A connection that nothing was heard on for so long is cut.
const CONNECTION: Duration = Duration::from_mins(5);

impl World {
    /// Makes the call under way.
    pub(crate) fn perform(&mut self) -> Checked<()> {
        self.count_call()?;
        let decided = self.clock.now;
        let serial = self.shell.serial;
        let turn = Duration::from_millis(self.rng.plain.below(500));
        self.pass(turn)?;
        self.disturb()?;
        let under_way = self.shell.call.clone();
        let Some(call) = under_way.filter(|_| self.shell.serial == serial) else {
            return Ok(());
        };
        if !self.may_begin(&call, decided) {
            self.note(|| format!("{} is not begun", call.name()));
            self.shell.call = None;
            let event = ended(&call, FaultKind::Unavailable);
            return self.tell_rotation(event, None).map(|_| ());
        }
        let begun = self.clock.now;
        let there = Duration::from_millis(10 + self.rng.plain.below(1000));
        self.pass(there)?;
        self.disturb()?;
        if self.shell.call.is_none() || self.shell.serial != serial {
            return Ok(());
        }
        let (event, value) = if self.clock.now - begun > CONNECTION {
            (cut(&call), None)
        } else {
            self.reach(&call)?
        };
        self.shell.arrived = true;
        self.check_books()?;
        let back = Duration::from_millis(10 + self.rng.plain.below(1000));
        let sent = self.clock.now;
        self.pass(back)?;
        self.disturb()?;
        if self.shell.call.is_none() || self.shell.serial != serial {
            return Ok(());
        }
        if self.comes(Fault::Crash) {
            self.note(|| format!("the daemon dies before it hears of {}", call.name()));
            return self.die();
        }
        // Asleep in the middle of it: the connection is cut.
        let slept = self.clock.now - sent > CONNECTION;
        let (event, value) = if slept {
            (cut(&call), None)
        } else {
            (event, value)
        };
        self.shell.call = None;
        self.shell.arrived = false;
        if self.comes_in(Fault::NotKept, 10) {
            self.note(|| format!("the answer to {} can't be kept", call.name()));
            let why = "the books refuse it".to_owned();
            return self.tell_rotation(Event::NotKept { why }, None).map(|_| ());
        }
        self.tell_rotation(event, value.as_ref()).map(|_| ())
    }

    fn count_call(&mut self) -> Checked<()> {
        self.report.calls += 1;
        if self.clock.now - self.hour.0 > Duration::from_hours(1) {
            self.hour = (self.clock.now, 0);
        }
        self.hour.1 += 1;
        if self.hour.1 > CALLS_AN_HOUR {
            return Err(format!(
                "it hammers: {CALLS_AN_HOUR} calls within an hour, the last {:?}",
                self.shell.call
            ));
        }
        Ok(())
    }

    /// As the rotator looks once more when a call's turn has come: it is wanted still, and what a revoke was decided on
    /// is not too old.
    fn may_begin(&self, call: &Call, decided: Time) -> bool {
        let rotation = &self.books.rotation;
        match call {
            Call::Issue { credential, .. } => rotation.run_credential() == Some(*credential),
            Call::Revoke { credential, .. } => {
                let age = self.clock.now - decided;
                let wanted = rotation.credential(*credential);
                wanted.is_some_and(|c| c.removal().is_some()) && age <= self.timing.gate_fresh
            }
            Call::Inspect | Call::Survey | Call::Verify { .. } => true,
        }
    }

    /// Whatever may come while a call is under way.
    fn disturb(&mut self) -> Checked<()> {
        if self.comes(Fault::Person) {
            self.person_speaks()?;
        }
        if self.comes_in(Fault::Jump, 10) {
            self.clock_jumps()?;
        }
        if self.comes_in(Fault::Suspend, 20) {
            self.suspend()?;
        }
        if self.comes_in(Fault::OldState, 10) {
            self.copies_in_a_call()?;
        }
        Ok(())
    }

    /// The call arrives: its effect, and its answer.
    fn reach(&mut self, call: &Call) -> Checked<(Event, Option<Handle>)> {
        let now = self.clock.now;
        let mut value = None;
        let event = match call {
            Call::Inspect => Event::Inspected(self.provider.inspect(now, &mut self.rng)),
            Call::Survey => {
                let mut answer = self.provider.survey(now, &mut self.rng);
                if let Ok(survey) = &mut answer {
                    survey.tombstones = self.books.tombstones(&survey.listed);
                }
                Event::Surveyed(answer)
            }
            Call::Issue {
                credential,
                label,
                lifetime,
                ..
            } => {
                self.check_issue(*credential, label)?;
                self.report.attempts += 1;
                self.attempts_since += 1;
                let reply = self.provider.issue(*label, *lifetime, now, &mut self.rng);
                self.note(|| format!("issue number {}: {}", label.sequence, outcome(&reply)));
                value = reply.as_ref().ok().map(|issued| issued.handle.clone());
                Event::Issued(reply)
            }
            Call::Verify { credential } => {
                let handle = self
                    .books
                    .rotation
                    .credential(*credential)
                    .and_then(|c| c.handle.clone());
                match handle {
                    Some(handle) => {
                        Event::Verified(self.provider.verify(&handle, now, &mut self.rng))
                    }
                    // Settled meanwhile: its value is not in the books.
                    None => cut(call),
                }
            }
            Call::Revoke { credential, handle } => {
                self.check_revoke(*credential, handle)?;
                let reply = self.provider.revoke(handle, now, &mut self.rng);
                self.note(|| format!("revoke {handle}: {}", outcome(&reply)));
                Event::Revoked(reply)
            }
        };
        self.remark(|| format!("{event:?}"));
        Ok((event, value))
    }

    /// Ours that live.
    pub(crate) fn count_living(&self) -> u64 {
        self.provider.living(Owner::Us, self.clock.now).count() as u64
    }
}

/// How a call ends whose connection was cut.
fn cut(call: &Call) -> Event {
    let kind = if call.writes() {
        FaultKind::Ambiguous
    } else {
        FaultKind::Unavailable
    };
    ended(call, kind)
}

/// A call that came to nothing in this way.
fn ended(call: &Call, kind: FaultKind) -> Event {
    let fault = Ending::new(kind, "connection cut");
    match call {
        Call::Inspect => Event::Inspected(Err(fault)),
        Call::Survey => Event::Surveyed(Err(fault)),
        Call::Issue { .. } => Event::Issued(Err(fault)),
        Call::Revoke { .. } => Event::Revoked(Err(fault)),
        Call::Verify { .. } => Event::Verified(Verdict {
            answer: Answer::CannotTell("connection cut".to_owned()),
            provider_time: None,
        }),
    }
}

fn outcome<T>(answer: &Result<T, Ending>) -> String {
    match answer {
        Ok(_) => "answered".to_owned(),
        Err(fault) => fault.to_string(),
    }
}
