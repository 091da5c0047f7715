//! One rotation, its provider, its consumer and its person in virtual time; the promises are checked after every
//! step.

mod calls;
mod old_state;
mod person;
mod settle;
mod shell;
mod weather;

use std::sync::LazyLock;
use std::time::Duration;

use chrono::NaiveDate;
use rotord_rotation::{
    Context, Decided, InstallationId, Interval, Rotation, RotationId, Rules, RunKind, Timing, Write,
};
use uuid::Uuid;

use self::old_state::OldState;
use self::shell::Shell;
use self::weather::Weather;
use crate::books::Books;
use crate::clock::{Clock, Time};
use crate::consumer::Consumer;
use crate::fault::Fault;
use crate::provider::{PROPAGATION, Provider};
use crate::report::{Report, Violation};
use crate::rng::Streams;
use crate::scenario::Scenario;

/// This installation.
pub const INSTALLATION: InstallationId =
    InstallationId(Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef));
/// The rotation that is played.
pub const ROTATION: RotationId =
    RotationId(Uuid::from_u128(0xfedc_ba98_7654_3210_fedc_ba98_7654_3210));

static TIMING: LazyLock<Timing> = LazyLock::new(Timing::default);
static RULES: LazyLock<Rules> = LazyLock::new(rules);

/// Right, or what is wrong.
pub type Checked<T> = Result<T, String>;

/// One rotation and its provider.
pub struct World {
    pub(crate) scenario: Scenario,
    pub(crate) rng: Streams,
    pub(crate) clock: Clock,
    pub(crate) timing: &'static Timing,
    pub(crate) rules: &'static Rules,
    pub(crate) provider: Provider,
    pub(crate) books: Books,
    pub(crate) shell: Shell,
    pub(crate) weather: Weather,
    pub(crate) consumer: Consumer,
    pub(crate) old: OldState,
    pub(crate) report: Report,
    /// Trouble is over: what is left is to settle.
    pub(crate) calm: bool,
    /// How the last publication's run was started: a scheduled one soaks for longer.
    pub(crate) published_by: Option<RunKind>,
    /// When the daemon was last hindered by something.
    pub(crate) disturbed_at: Option<Time>,
    attempts_since: u64,
    /// Calls of the last hour: a machine that hammers is broken.
    hour: (Time, u32),
    idle_steps: u32,
    /// Publications of a day.
    day: (NaiveDate, u64),
    story: Option<Vec<String>>,
    detail: Detail,
}

/// How much of a story is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Nothing: the fastest.
    None,
    /// What changes something.
    Short,
    /// Every call with its answer.
    Full,
}

/// The provider's bounds, as the Azure provider declares them.
fn rules() -> Rules {
    Rules {
        write_spacing: Duration::from_secs(5),
        propagation_bound: PROPAGATION,
        minimum_overlap: Duration::from_mins(110),
        credential_cap: None,
        longest_interval: Interval::days(909).unwrap_or_else(|_| unreachable!()),
        verify_successes: 8,
        verify_spacing: Duration::from_secs(7),
        lifetime_intervals: 2,
        lifetime_extra: Duration::from_hours(72),
        lifetime_most: Some(Duration::from_hours(24 * 1826)),
    }
}

impl World {
    /// Plays a scenario to its end. The story is kept only where it fails: then it is played again, since equal
    /// scenarios tell equal stories.
    ///
    /// # Errors
    /// The first broken promise, with its story.
    pub fn play(scenario: Scenario) -> Result<Report, Box<Violation>> {
        match Self::tell(scenario.clone(), Detail::None) {
            Ok((report, _)) => Ok(report),
            Err(silent) => match Self::tell(scenario, Detail::Short) {
                Err(told) => Err(told),
                Ok(_) => Err(silent),
            },
        }
    }

    /// Plays a scenario to its end, and returns its story where it is wanted.
    ///
    /// # Errors
    /// The first broken promise, with its story.
    pub fn tell(
        scenario: Scenario,
        detail: Detail,
    ) -> Result<(Report, Vec<String>), Box<Violation>> {
        let violation = |scenario: Scenario, what: String, story: Option<Vec<String>>| {
            Box::new(Violation {
                scenario,
                what,
                story: story.unwrap_or_default(),
            })
        };
        let mut world = match Self::new(scenario.clone(), detail) {
            Ok(world) => world,
            Err(what) => return Err(violation(scenario, what, None)),
        };
        match world.run() {
            Ok(()) => Ok((world.report, world.story.unwrap_or_default())),
            Err(what) => {
                world.note_state();
                Err(violation(scenario, what, world.story))
            }
        }
    }

    /// A rotation that is being created.
    ///
    /// # Errors
    /// The scenario makes no sense, or the real store fails.
    pub fn new(scenario: Scenario, detail: Detail) -> Checked<Self> {
        let clock = Clock::new(scenario.begins());
        let mut rng = Streams::new(scenario.seed);
        let plan = scenario.plan()?;
        let (timing, rules): (&Timing, &Rules) = (&TIMING, &RULES);
        let context = Context {
            now: clock.read(),
            timing,
            rules,
            installation: INSTALLATION,
            entropy: u128::from(rng.plain.bits()),
            provider_ready: false,
        };
        let step = Rotation::create(ROTATION, plan, false, &context);
        let now = clock.now;
        Ok(Self {
            provider: Provider::new(&scenario, now),
            books: Books::new(clock.wall(), step, scenario.real_store)?,
            shell: Shell::new(),
            weather: Weather::new(&scenario),
            consumer: Consumer::new(now),
            old: OldState::default(),
            report: Report {
                stories: 1,
                ..Report::default()
            },
            calm: false,
            published_by: None,
            disturbed_at: None,
            attempts_since: 0,
            hour: (now, 0),
            idle_steps: 0,
            day: (now.utc().date_naive(), 0),
            story: (detail > Detail::None).then(Vec::new),
            detail,
            scenario,
            rng,
            clock,
            timing,
            rules,
        })
    }

    fn run(&mut self) -> Checked<()> {
        self.shell.started = true;
        self.first_words()?;
        let end = self.clock.now + chrono::TimeDelta::days(self.scenario.days.into());
        while self.clock.now < end && !self.books.removed {
            self.go_on()?;
        }
        self.settle()
    }

    /// A daily rotation whose daemon is off for so many days: how long after the start its run began. The day after
    /// is played too: one run catches up, and no more.
    ///
    /// # Errors
    /// A promise is broken, or the runs are more or fewer.
    pub fn misses_runs(seed: u64, missed: u32) -> Checked<Duration> {
        let scenario = Scenario {
            interval: 1,
            at: 150,
            ..Scenario::calm(seed)
        };
        let mut world = Self::new(scenario, Detail::None)?;
        world.shell.started = true;
        world.first_words()?;
        while world.report.published < 3 || world.books.rotation.run.is_some() {
            world.go_on()?;
        }
        world.be_off(Duration::from_hours(24) * missed, true)?;
        let (start, attempts) = (world.clock.now, world.report.attempts);
        while world.report.attempts == attempts {
            world.go_on()?;
        }
        let began = world.clock.now - start;
        let published = world.report.published;
        let next = world.clock.now + chrono::TimeDelta::hours(18);
        while world.clock.now < next {
            world.go_on()?;
        }
        let runs = world.report.published - published;
        if (runs, world.report.attempts - attempts) == (1, 1) {
            Ok(began)
        } else {
            Err(format!("{runs} were published after {missed} missed runs"))
        }
    }

    /// One call, or one wait.
    pub(crate) fn go_on(&mut self) -> Checked<()> {
        self.report.steps += 1;
        self.provider.troubled = !self.calm && !self.is_early();
        if self.shell.call.is_some() {
            self.idle_steps = 0;
            return self.perform();
        }
        self.idle_steps += 1;
        if self.idle_steps > 300 {
            return Err("nothing but waiting".to_owned());
        }
        let before = self.clock.now;
        self.idle()?;
        if self.clock.now - before >= Duration::from_mins(1) {
            self.idle_steps = 0;
        }
        Ok(())
    }

    /// This kind of trouble comes now.
    pub(crate) fn comes(&mut self, fault: Fault) -> bool {
        self.comes_in(fault, 1)
    }

    /// This kind of trouble comes now, so many times less often than its strength says.
    pub(crate) fn comes_in(&mut self, fault: Fault, rarer: u64) -> bool {
        let strength = self.scenario.faults.of(fault);
        if strength == 0 || self.calm || self.is_early() {
            return false;
        }
        let comes = self.rng.of(fault).below(1000 * rarer) < strength;
        if comes {
            self.disturbed_at = Some(self.clock.now);
        }
        comes
    }

    fn is_early(&self) -> bool {
        self.scenario.from > 0
            && self.clock.now
                < self.scenario.begins() + chrono::TimeDelta::days(self.scenario.from.into())
    }

    /// Time goes by: the consumer logs in, what was on its way at the provider arrives.
    pub(crate) fn pass(&mut self, time: Duration) -> Checked<()> {
        self.clock.pass(time);
        if !self.consumer.rests(self.clock.now) {
            self.log_in();
        }
        if self.provider.tick(self.clock.now, &mut self.rng) {
            self.note(|| "something late took effect".to_owned());
            self.check_books()?;
        }
        Ok(())
    }

    /// The consumer's logins that fell due.
    fn log_in(&mut self) {
        let published = self.books.published.as_ref();
        let real = published.and_then(|handle| self.provider.real(handle));
        let failed = self.consumer.failed;
        self.consumer
            .pass(self.clock.now, real, &mut self.rng.plain);
        if self.published_by == Some(RunKind::Scheduled) {
            self.report.failed_scheduled += self.consumer.failed - failed;
        }
    }

    /// The story is kept.
    pub(crate) fn is_told(&self) -> bool {
        self.story.is_some()
    }

    /// A line of the story, made only where it is kept.
    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            let now = self.clock.now.utc().format("%Y-%m-%d %H:%M:%S%.3f");
            let line = line();
            let last = story.last_mut();
            let again =
                last.filter(|last| last.get(25..).is_some_and(|text| text.starts_with(&line)));
            match again {
                Some(last) if last.ends_with(line.as_str()) => last.push_str(", and again"),
                Some(_) => {}
                None => story.push(format!("{now}  {line}")),
            }
        }
    }

    /// A line that only the full story has.
    pub(crate) fn remark(&mut self, line: impl FnOnce() -> String) {
        if self.detail == Detail::Full {
            self.note(line);
        }
    }

    /// The state in which it went wrong.
    fn note_state(&mut self) {
        let rotation = &self.books.rotation;
        let mut lines = vec![format!(
            "in the end: {:?}, due {:?}, next try {:?}, message {:?}, blocked {:?}, stale {:?}, urgent {:?}, run {:?}, \
             in flight {:?}, {:?}, doubts {:?}, absences {}, drift check {}",
            rotation.life,
            rotation.due_at,
            rotation.next_try_at,
            rotation.message,
            rotation.blocked,
            rotation.stale,
            rotation.urgent,
            rotation.run,
            rotation.facts.in_flight,
            rotation.contact,
            rotation.doubts,
            rotation.drift_absences,
            rotation.next_drift_check,
        )];
        for c in &rotation.credentials {
            lines.push(format!(
                "  number {} {:?}: slot {:?}, ends {:?}, published {:?}, kept until {:?}, {:?}",
                c.sequence,
                c.handle,
                c.slot,
                c.expires_at,
                c.published_at,
                c.revoke_not_before,
                c.stage
            ));
        }
        for line in lines {
            self.note(|| line);
        }
    }

    /// Something was decided and is committed: what is remembered of it.
    pub(crate) fn remember(&mut self, decided: &Decided) {
        for write in &decided.writes {
            let Write::Publish { credential } = write else {
                continue;
            };
            let Some(handle) = self
                .books
                .rotation
                .credential(*credential)
                .and_then(|c| c.handle.clone())
            else {
                continue;
            };
            self.note(|| format!("published {handle}"));
            self.report.published += 1;
            let at = usize::try_from(self.attempts_since).unwrap_or(usize::MAX);
            let most = crate::report::ATTEMPTS;
            self.report.attempts_each[at.clamp(1, most) - 1] += 1;
            self.attempts_since = 0;
            let (day, count) = &mut self.day;
            let today = self.clock.now.utc().date_naive();
            if *day != today {
                (*day, *count) = (today, 0);
            }
            *count += u64::from(self.report.published > 1);
            self.report.most_a_day = self.report.most_a_day.max(*count);
            self.published_by = decided.ended.as_ref().map(|ended| ended.kind);
            if let Some(real) = self.provider.real_mut(&handle) {
                real.published = true;
                real.not_before = None;
            }
            self.old.published();
        }
        for credential in &self.books.rotation.credentials {
            if let (Some(at), Some(handle)) = (credential.revoke_not_before, &credential.handle)
                && let Some(real) = self.provider.real_mut(handle)
            {
                real.not_before.get_or_insert(at);
            }
        }
        if let Some(ended) = &decided.ended
            && let Err(why) = &ended.result
        {
            self.note(|| format!("the {} run failed: {why}", ended.kind.name()));
        }
    }
}
