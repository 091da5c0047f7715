//! The clocks of this host, and the one timer that the scheduler sleeps on.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rotord_rotation::{Boot, Now};
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// Reads the wall clock and the boot clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    #[cfg(feature = "test-build")]
    warp: Option<Warp>,
}

/// Time that runs faster from an instant on.
#[cfg(feature = "test-build")]
#[derive(Debug, Clone, Copy)]
struct Warp {
    anchor: DateTime<Utc>,
    factor: f64,
}

impl Clock {
    /// The clock of this process. In test builds `ROTORD_TEST_CLOCK=MILLISECONDS:FACTOR` makes time run faster
    /// from that instant (milliseconds since 1970) on.
    pub fn of_this_process() -> Self {
        #[cfg(feature = "test-build")]
        {
            let parse = |text: String| {
                let (anchor, factor) = text.split_once(':')?;
                let anchor = DateTime::from_timestamp_millis(anchor.parse().ok()?)?;
                Some(Warp {
                    anchor,
                    factor: factor.parse().ok()?,
                })
            };
            Self {
                warp: std::env::var("ROTORD_TEST_CLOCK").ok().and_then(parse),
            }
        }
        #[cfg(not(feature = "test-build"))]
        Self {}
    }

    /// What both clocks show.
    pub fn now(self) -> Now {
        let boot = rustix::time::clock_gettime(ClockId::Boottime);
        let boot = Duration::new(
            u64::try_from(boot.tv_sec).unwrap_or_default(),
            u32::try_from(boot.tv_nsec).unwrap_or_default(),
        );
        self.warp(Utc::now(), boot)
    }

    #[cfg(not(feature = "test-build"))]
    #[expect(clippy::unused_self, reason = "test builds have something here")]
    fn warp(self, wall: DateTime<Utc>, boot: Duration) -> Now {
        Now {
            wall,
            boot: Boot(boot),
        }
    }

    #[cfg(feature = "test-build")]
    fn warp(self, wall: DateTime<Utc>, boot: Duration) -> Now {
        let Some(warp) = self.warp else {
            return Now {
                wall,
                boot: Boot(boot),
            };
        };
        let since = (wall - warp.anchor).to_std().unwrap_or_default();
        let wall = chrono::TimeDelta::from_std(since.mul_f64(warp.factor))
            .map_or(wall, |passed| warp.anchor + passed);
        Now {
            wall,
            boot: Boot(boot.mul_f64(warp.factor)),
        }
    }

    /// How far apart the clocks are: only setting the wall clock changes that.
    pub fn offset(self) -> Offset {
        let now = self.now();
        let boot = TimeDelta::from_std(now.boot.0).unwrap_or(TimeDelta::MAX);
        Offset((now.wall - boot).signed_duration_since(DateTime::UNIX_EPOCH))
    }

    /// The wall clock was set since this was its offset. What is below a second is left to the timer.
    pub fn was_set_since(self, then: Offset) -> bool {
        let moved = (self.offset().0 - then.0).abs().to_std();
        self.real(moved.unwrap_or(Duration::MAX)) > Duration::from_secs(1)
    }

    /// How long to wait, in real time, for a length of this clock's time.
    pub fn real(self, duration: Duration) -> Duration {
        #[cfg(feature = "test-build")]
        if let Some(warp) = self.warp {
            return duration.div_f64(warp.factor);
        }
        duration
    }

    /// This clock runs as the host's does.
    #[cfg_attr(
        not(feature = "test-build"),
        expect(clippy::unused_self, reason = "test builds have something here")
    )]
    fn is_plain(self) -> bool {
        #[cfg(feature = "test-build")]
        return self.warp.is_none();
        #[cfg(not(feature = "test-build"))]
        true
    }
}

/// How far the wall clock is ahead of the boot clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offset(TimeDelta);

impl Offset {
    /// As it was before the wall clock was set ahead by this much.
    #[must_use]
    pub fn before_step(self, step: TimeDelta) -> Self {
        Self(self.0 - step)
    }
}

/// Why a [`WallTimer`] woke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// The instant has come.
    Due,
    /// The wall clock was set: everything that was computed from it is to be looked at again.
    ClockSet,
}

/// A timer to an instant of the wall clock, that follows when the clock is set and wakes from suspend:
/// `timerfd` on `CLOCK_REALTIME` with `TFD_TIMER_CANCEL_ON_SET`.
#[derive(Debug)]
pub struct WallTimer {
    clock: Clock,
    fd: AsyncFd<OwnedFd>,
}

impl WallTimer {
    /// # Errors
    /// Where the kernel gives no timer.
    pub fn new(clock: Clock) -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let fd = timerfd_create(TimerfdClockId::Realtime, flags)?;
        // SAFETY: an `OwnedFd` gives the same descriptor for as long as it lives, and closes it only when it is
        // dropped, which the `AsyncFd` that takes it does after it has deregistered.
        #[expect(
            unsafe_code,
            reason = "the only way to wait for a descriptor of one's own"
        )]
        let fd = unsafe { AsyncFd::register(fd)? };
        Ok(Self { clock, fd })
    }

    /// Waits until `at`; for ever, but for a set clock, where there is nothing to wait for. A clock that was set
    /// between `since` and now counts as set.
    ///
    /// # Errors
    /// Where the timer fails.
    pub async fn until(&mut self, at: Option<DateTime<Utc>>, since: Offset) -> io::Result<Woken> {
        self.set(at)?;
        // Armed before this look: from here on the timer itself tells.
        if self.clock.was_set_since(since) {
            return Ok(Woken::ClockSet);
        }
        loop {
            let mut ready = self.fd.readable().await?;
            let mut ticks = [0; 8];
            match ready.try_io(|fd| rustix::io::read(fd, &mut ticks).map_err(io::Error::from)) {
                Ok(Ok(_)) => return Ok(Woken::Due),
                Ok(Err(error))
                    if error.raw_os_error() == Some(rustix::io::Errno::CANCELED.raw_os_error()) =>
                {
                    return Ok(Woken::ClockSet);
                }
                Ok(Err(error)) => return Err(error),
                Err(_would_block) => {}
            }
        }
    }

    fn set(&self, at: Option<DateTime<Utc>>) -> io::Result<()> {
        let (flags, value) = match at {
            Some(at) if !self.clock.is_plain() => {
                let wait = (at - self.clock.now().wall).to_std().unwrap_or_default();
                (TimerfdTimerFlags::empty(), self.clock.real(wait))
            }
            Some(at) => {
                let since_1970 = at.signed_duration_since(DateTime::UNIX_EPOCH).to_std();
                (
                    TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET,
                    since_1970.unwrap_or_default(),
                )
            }
            // An instant that never comes keeps the notice of a set clock alive.
            None => (
                TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET,
                FAR,
            ),
        };
        // All zero would disarm it.
        let value = value.max(Duration::from_nanos(1));
        let value = Timespec {
            tv_sec: i64::try_from(value.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: value.subsec_nanos().into(),
        };
        let zero = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        timerfd_settime(
            self.fd.get_ref(),
            flags,
            &Itimerspec {
                it_interval: zero,
                it_value: value,
            },
        )?;
        Ok(())
    }
}

/// The year 2200, in hours since 1970.
const FAR: Duration = Duration::from_hours(2_016_144);

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_rt::test]
    async fn a_past_instant_is_due_at_once() {
        let clock = Clock::default();
        let mut timer = WallTimer::new(clock).unwrap();
        let past = clock.now().wall - chrono::TimeDelta::seconds(5);
        assert_eq!(
            timer.until(Some(past), clock.offset()).await.unwrap(),
            Woken::Due
        );
    }

    #[actix_rt::test]
    async fn a_timer_can_be_set_anew_while_it_runs() {
        let clock = Clock::default();
        let mut timer = WallTimer::new(clock).unwrap();
        let far = clock.now().wall + chrono::TimeDelta::hours(1);
        let wait = timer.until(Some(far), clock.offset());
        let waited = tokio::time::timeout(Duration::from_millis(5), wait).await;
        assert!(waited.is_err());
        let soon = clock.now().wall + chrono::TimeDelta::milliseconds(5);
        let woken = timer.until(Some(soon), clock.offset()).await;
        assert_eq!(woken.unwrap(), Woken::Due);
    }

    #[actix_rt::test]
    async fn a_clock_that_was_set_before_the_wait_is_seen_all_the_same() {
        let clock = Clock::default();
        for step in [-3600, 3600] {
            let then = clock.offset().before_step(TimeDelta::seconds(step));
            let mut timer = WallTimer::new(clock).unwrap();
            assert_eq!(timer.until(None, then).await.unwrap(), Woken::ClockSet);
        }
        assert!(!clock.was_set_since(clock.offset()));
    }
}
