//! Waiting, and what comes in between: outages, suspends, clocks that jump, other people at the provider.

use std::time::Duration;

use chrono::TimeDelta;
use rotord_rotation::{Event, FaultKind, InstallationId, Label, Nonce, RotationId};
use uuid::Uuid;

use super::shell::Told;
use super::{Checked, INSTALLATION, ROTATION, World};
use crate::clock::Time;
use crate::fault::Fault;
use crate::provider::Owner;
use crate::scenario::Scenario;

/// What ends when.
#[derive(Debug, Default)]
pub(crate) struct Weather {
    /// What may come in a wait.
    may_come: Vec<Fault>,
    ends: Vec<(Time, End)>,
    delivery_open: bool,
}

/// The end of a trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Refusing,
    Disabled,
    Policy,
    Missing,
    WrongClock,
    Unhealthy,
}

const NEIGHBOUR: InstallationId = InstallationId(Uuid::from_u128(0x9 << 120));
const SIBLING: RotationId = RotationId(Uuid::from_u128(0x8 << 120));
/// Shorter waits are not disturbed.
const LONG: Duration = Duration::from_mins(5);
const DAY: Duration = Duration::from_hours(24);
/// What comes while nothing is under way, in the order in which it is drawn.
const IN_A_WAIT: [Fault; 14] = [
    Fault::Person,
    Fault::Outage,
    Fault::Suspend,
    Fault::Jump,
    Fault::Refused,
    Fault::Never,
    Fault::Policy,
    Fault::Foreign,
    Fault::Neighbour,
    Fault::Sibling,
    Fault::Drift,
    Fault::NotReady,
    Fault::Unhealthy,
    Fault::OldState,
];

impl Weather {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let has_strength = |fault: &Fault| scenario.faults.of(*fault) > 0;
        Self {
            may_come: IN_A_WAIT.into_iter().filter(has_strength).collect(),
            ..Self::default()
        }
    }
}

impl World {
    /// Nothing under way: sleeps until something is to be looked at, or is disturbed.
    pub(crate) fn idle(&mut self) -> Checked<()> {
        self.check_silence()?;
        let now = self.clock.now;
        let wake = match self.shell.revive_at {
            Some(at) => at,
            None => match self.shell.wake {
                Some(at) => self.clock.when_it_shows(at),
                None => now + DAY,
            },
        };
        let end = self.weather.ends.iter().map(|(at, _)| *at).min();
        let full = self.shell.disk_full_until;
        let until = [Some(wake), end, full].into_iter().flatten().min();
        let wait = until.unwrap_or(wake) - now;
        if wait > LONG && self.something_comes(wait)? {
            return Ok(());
        }
        self.pass(wait.max(Duration::from_millis(1)))?;
        self.check_consumer()?;
        if full.is_some_and(|at| at <= self.clock.now) {
            self.shell.disk_full_until = None;
        }
        if end.is_some_and(|at| at <= self.clock.now) {
            return self.trouble_ends();
        }
        if self.shell.revive_at.is_some_and(|at| at <= self.clock.now) {
            self.shell.started = false;
            self.load()?;
        }
        if self.shell.revive_at.is_none()
            && self
                .shell
                .wake
                .is_none_or(|at| self.clock.when_it_shows(at) <= self.clock.now)
        {
            self.wake_up(Event::Woke)?;
        }
        Ok(())
    }

    /// Somewhere in this wait something may come. True where it did.
    fn something_comes(&mut self, wait: Duration) -> Checked<bool> {
        for at in 0..self.weather.may_come.len() {
            let fault = self.weather.may_come[at];
            if self.comes(fault) {
                let before = self.rng.of(fault).duration(wait);
                self.pass(before)?;
                self.happens(fault)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn happens(&mut self, fault: Fault) -> Checked<()> {
        match fault {
            Fault::Person => return self.person_speaks(),
            Fault::Outage => return self.outage(),
            Fault::Suspend => return self.suspend(),
            Fault::Jump => return self.clock_jumps(),
            Fault::NotReady => return self.provider_goes(),
            Fault::Unhealthy => return self.consumer_complains(),
            Fault::OldState => return self.copies(),
            Fault::Refused => self.begin_refusing(),
            Fault::Never => self.begin_disabled(),
            Fault::Policy => self.change_policy(),
            Fault::Foreign => self.foreigners_move(),
            Fault::Neighbour => self.others_move(Owner::Neighbour, NEIGHBOUR, ROTATION, fault),
            Fault::Sibling => self.others_move(Owner::Sibling, INSTALLATION, SIBLING, fault),
            Fault::Drift => self.somebody_removes(),
            // At the calls, at the commits, or in how things become known.
            Fault::Lost
            | Fault::Late
            | Fault::Throttled
            | Fault::Unreachable
            | Fault::Flapping
            | Fault::ListLag
            | Fault::Crash
            | Fault::DiskFull
            | Fault::Unsure
            | Fault::NotKept
            | Fault::Delete => {}
        }
        Ok(())
    }

    fn outage(&mut self) -> Checked<()> {
        let most = *self
            .rng
            .of(Fault::Outage)
            .pick(&[1, 1, 3, 12, 60])
            .unwrap_or(&1);
        let off = self.rng.of(Fault::Outage).duration(DAY * most);
        self.note(|| format!("the host is off for {} h", off.as_secs() / 3600));
        self.be_off(off, true)
    }

    /// The boot clock goes on; a timer that has passed fires at once, and the kernel may say that the clock was set.
    pub(crate) fn suspend(&mut self) -> Checked<()> {
        let asleep = self.rng.of(Fault::Suspend).duration(DAY * 3);
        self.note(|| format!("the host sleeps for {} h", asleep.as_secs() / 3600));
        self.pass(asleep)?;
        self.disturbed_at = Some(self.clock.now);
        if self.rng.of(Fault::Suspend).per_mille(500) {
            self.clock_was_set()?;
        }
        Ok(())
    }

    pub(crate) fn clock_jumps(&mut self) -> Checked<()> {
        if self.clock.off_by != TimeDelta::zero() {
            return Ok(());
        }
        let rng = self.rng.of(Fault::Jump);
        let most = *rng.pick(&[4 * 60, 3600, 86_400, 31_536_000]).unwrap_or(&60);
        let by = i64::try_from(rng.below(most * 2)).unwrap_or(0) - i64::try_from(most).unwrap_or(0);
        let right_after = rng.duration(DAY * 2);
        self.note(|| format!("the wall clock jumps by {} h", by / 3600));
        self.clock.off_by = TimeDelta::seconds(by);
        self.ends_after(right_after, End::WrongClock);
        self.clock_was_set()
    }

    /// Everyone is told that the clock was set.
    fn clock_was_set(&mut self) -> Checked<()> {
        if self.shell.revive_at.is_some() {
            return Ok(());
        }
        self.wake_up(Event::ClockStepped).map(|_| ())
    }

    fn begin_refusing(&mut self) {
        let kinds = [
            FaultKind::Unauthorized,
            FaultKind::NotFound,
            FaultKind::Refused,
        ];
        let rng = self.rng.of(Fault::Refused);
        self.provider.refusing = rng.pick(&kinds).cloned();
        let after = rng.duration(DAY * 2);
        self.note(|| "everything is refused".to_owned());
        self.ends_after(after, End::Refusing);
    }

    fn begin_disabled(&mut self) {
        self.provider.disabled = true;
        let after = self.rng.of(Fault::Never).duration(DAY * 2);
        self.note(|| "the application is disabled".to_owned());
        self.ends_after(after, End::Disabled);
    }

    fn change_policy(&mut self) {
        let interval = u64::from(self.scenario.interval);
        let days = 1 + self.rng.of(Fault::Policy).below(interval * 3 + 20);
        let after = self.rng.of(Fault::Policy).duration(DAY * 30);
        self.note(|| format!("lifetimes are at most {days} days"));
        self.provider.lifetime_most = Some(DAY * u32::try_from(days).unwrap_or(1));
        self.ends_after(after, End::Policy);
    }

    fn foreigners_move(&mut self) {
        let now = self.clock.now;
        let comes = self.rng.of(Fault::Foreign).per_mille(500);
        let some = self
            .provider
            .any_living(Owner::Foreign, now, self.rng.of(Fault::Foreign));
        match some {
            Some(handle) if !comes => {
                let adopted = self.provider.real(&handle).is_some_and(|real| real.adopted);
                if !adopted {
                    self.provider.remove_outside(&handle, now, &mut self.rng);
                }
            }
            _ if self.provider.has_room(now) => {
                let handle = self.provider.add_foreign(now);
                self.note(|| format!("somebody makes {handle}"));
            }
            _ => {}
        }
    }

    /// Another rotation issues, and revokes what is too much.
    fn others_move(
        &mut self,
        owner: Owner,
        installation: InstallationId,
        rotation: RotationId,
        fault: Fault,
    ) {
        let now = self.clock.now;
        if self.provider.living(owner, now).count() >= 2 {
            let oldest = self.provider.living(owner, now).next();
            if let Some(handle) = oldest.map(|real| real.handle.clone()) {
                self.provider.remove_outside(&handle, now, &mut self.rng);
            }
        } else if self.provider.has_room(now) {
            let label = Label {
                installation: installation.into(),
                rotation: rotation.into(),
                sequence: 1 + self.rng.of(fault).below(50),
                nonce: Nonce(self.rng.of(fault).bits()),
            };
            self.provider.add_labelled(owner, label, now, &mut self.rng);
        }
    }

    fn somebody_removes(&mut self) {
        let now = self.clock.now;
        let some = self
            .provider
            .any_living(Owner::Us, now, self.rng.of(Fault::Drift));
        if let Some(handle) = some {
            self.note(|| format!("somebody removes {handle} at the provider"));
            self.provider.remove_outside(&handle, now, &mut self.rng);
        }
    }

    fn provider_goes(&mut self) -> Checked<()> {
        self.shell.provider_missing = true;
        let after = self.rng.of(Fault::NotReady).duration(DAY);
        self.note(|| "the provider's component is missing".to_owned());
        self.ends_after(after, End::Missing);
        if self.shell.revive_at.is_none() {
            self.wake_up(Event::Woke)?;
        }
        Ok(())
    }

    fn consumer_complains(&mut self) -> Checked<()> {
        if self.weather.delivery_open || self.shell.revive_at.is_some() {
            return Ok(());
        }
        let after = self.rng.of(Fault::Unhealthy).duration(DAY * 3);
        self.ends_after(after, End::Unhealthy);
        self.weather.delivery_open = true;
        self.note(|| "a consumer can't take it".to_owned());
        let event = Event::Unhealthy {
            delivery: "the application".to_owned(),
            why: "it did not start".to_owned(),
        };
        self.wake_up(event).map(|_| ())
    }

    /// What the restored books wait for is acknowledged again.
    pub(crate) fn consumers_come_again(&mut self) {
        if !self.books.rotation.deliveries_open.is_empty() {
            self.weather.delivery_open = true;
            self.ends_after(DAY, End::Unhealthy);
        }
    }

    fn ends_after(&mut self, after: Duration, end: End) {
        self.weather.ends.retain(|(_, other)| *other != end);
        self.weather.ends.push((self.clock.now + after, end));
    }

    /// What has had its time is over; the rest goes on.
    fn trouble_ends(&mut self) -> Checked<()> {
        let now = self.clock.now;
        while let Some(at) = self.weather.ends.iter().position(|(at, _)| *at <= now) {
            let (_, end) = self.weather.ends.swap_remove(at);
            self.end(end)?;
        }
        Ok(())
    }

    fn end(&mut self, end: End) -> Checked<()> {
        self.disturbed_at = Some(self.clock.now);
        match end {
            End::Refusing => self.provider.refusing = None,
            End::Disabled => self.provider.disabled = false,
            End::Policy => self.provider.lifetime_most = None,
            End::Missing => {
                self.note(|| "the provider's component is there again".to_owned());
                self.shell.provider_missing = false;
                if self.shell.revive_at.is_none() {
                    self.wake_up(Event::Woke)?;
                }
            }
            End::WrongClock => {
                self.note(|| "the wall clock is set right".to_owned());
                self.clock.off_by = TimeDelta::zero();
                self.clock_was_set()?;
            }
            End::Unhealthy => {
                if self.shell.revive_at.is_some() {
                    self.ends_after(Duration::from_mins(5), End::Unhealthy);
                    return Ok(());
                }
                let delivery = "the application".to_owned();
                if self.wake_up(Event::Acknowledged { delivery })? == Told::Broken {
                    // Nobody knows whether it was taken: it is said again.
                    self.ends_after(Duration::from_mins(5), End::Unhealthy);
                } else {
                    self.weather.delivery_open = false;
                }
            }
        }
        Ok(())
    }

    /// Every trouble is over at once.
    pub(crate) fn all_trouble_ends(&mut self) -> Checked<()> {
        self.calm = true;
        self.provider.calm_down();
        self.shell.disk_full_until = None;
        let ends = std::mem::take(&mut self.weather.ends);
        for (_, end) in ends {
            self.end(end)?;
        }
        // Whoever fills a small target makes room.
        while self.scenario.cap.is_some() {
            let now = self.clock.now;
            let rng = &mut self.rng.plain;
            let Some(handle) = self.provider.any_living(Owner::Foreign, now, rng) else {
                break;
            };
            self.provider.remove_outside(&handle, now, &mut self.rng);
        }
        Ok(())
    }
}
