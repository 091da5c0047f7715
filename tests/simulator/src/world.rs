//! One rotation and its provider in virtual time; the promises are checked after every step.

mod checks;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use rotord_rotation::schedule::DailyTime;
use rotord_rotation::{
    Boot, Call, Command, Context, Credential, CredentialId, Event, Handle, InstallationId,
    Interval, Life, Now, Plan, RotateAt, Rotation, RotationId, Rules, Step, Timing, Write,
};
use uuid::Uuid;

use crate::provider::{Behaviour, Provider};
use crate::rng::Rng;

/// What a story is about.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Names the story.
    pub seed: u64,
    /// How the provider behaves.
    pub behaviour: Behaviour,
    /// Days between two rotations.
    pub interval: u32,
    /// How long it goes on.
    pub days: i64,
    /// Chances in a thousand, at each effect, that the daemon dies there.
    pub crashes: u64,
    /// Chances in a thousand, at each step, of a person's command.
    pub commands: u64,
    /// Chances in a thousand, at each long wait, of a day or more without the daemon.
    pub outages: u64,
}

impl Scenario {
    /// A scenario drawn from a seed: some are calm, some have everything.
    pub fn from_seed(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut some = |most: u64| {
            if rng.per_mille(500) {
                rng.below(most)
            } else {
                0
            }
        };
        let (lost, throttled, unreachable) = (some(300), some(150), some(100));
        let (crashes, commands, outages) = (some(60), some(30), some(100));
        let replicas = 1 + usize::try_from(rng.below(5)).unwrap_or(0);
        // Below the short soak: what is claimed to be without a single failed login.
        let lag = rng.duration(Duration::from_secs(50));
        let interval = 1 + u32::try_from(rng.below(40)).unwrap_or(0);
        let cap = rng.per_mille(150).then_some(2);
        let foreign = if cap.is_some() {
            0
        } else {
            u32::try_from(rng.below(4)).unwrap_or(0)
        };
        Self {
            seed,
            behaviour: Behaviour {
                replicas,
                lag,
                lost,
                throttled,
                unreachable,
                cap,
                foreign,
            },
            interval,
            days: i64::from(interval) * 8 + 20,
            crashes,
            commands,
            outages,
        }
    }
}

/// A promise was broken; with the story that led there.
#[derive(Debug)]
pub struct Violation {
    /// Which story.
    pub seed: u64,
    /// What was broken.
    pub what: String,
    /// What happened before, the last lines of it.
    pub story: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "seed {}: {}\n{}", self.seed, self.what, self.story)
    }
}

/// What a story came to.
#[derive(Debug, Default, Clone)]
pub struct Report {
    /// Credentials published.
    pub published: u32,
    /// Attempts to issue.
    pub attempts: u32,
    /// Times the daemon died.
    pub crashes: u32,
    /// Steps taken.
    pub steps: u64,
    /// Logins made to verify.
    pub logins: u64,
    /// Credentials of ours alive at the end.
    pub live: u32,
    /// Virtual days played.
    pub days: i64,
}

/// One rotation and its provider.
pub struct World {
    scenario: Scenario,
    rng: Rng,
    now: DateTime<Utc>,
    booted: DateTime<Utc>,
    timing: Timing,
    rules: Rules,
    provider: Provider,
    /// What is committed: all that survives a crash.
    rotation: Option<Rotation>,
    tombstones: Vec<Credential>,
    published: HashMap<CredentialId, Handle>,
    revoked_early_by_word: Vec<Handle>,
    removed: bool,
    story: Vec<String>,
    report: Report,
}

const INSTALLATION: InstallationId =
    InstallationId(Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef));
const ROTATION: RotationId = RotationId(Uuid::from_u128(0xfedc_ba98_7654_3210_fedc_ba98_7654_3210));
const STORY_LINES: usize = 60;

type Checked<T> = Result<T, String>;

impl World {
    /// Plays a scenario to its end.
    ///
    /// # Errors
    /// The first broken promise, with its story.
    pub fn play(scenario: Scenario) -> Result<Report, Box<Violation>> {
        let mut world = Self::new(scenario);
        match world.run() {
            Ok(()) => Ok(world.report),
            Err(what) => Err(Box::new(Violation {
                seed: world.scenario.seed,
                what,
                story: world.tell(),
            })),
        }
    }

    fn new(scenario: Scenario) -> Self {
        let now = Utc
            .with_ymd_and_hms(2026, 1, 5, 9, 30, 0)
            .single()
            .unwrap_or_default();
        let rules = Rules {
            write_spacing: Duration::from_secs(5),
            propagation_bound: Duration::from_mins(20),
            minimum_overlap: Duration::from_mins(110),
            credential_cap: None,
            longest_interval: Interval::days(909).unwrap_or_else(|_| unreachable!()),
            verify_successes: 8,
            verify_spacing: Duration::from_secs(7),
            lifetime_intervals: 2,
            lifetime_extra: Duration::from_hours(72),
            lifetime_most: Some(Duration::from_hours(24 * 1826)),
        };
        Self {
            rng: Rng::new(scenario.seed.rotate_left(17)),
            provider: Provider::new(scenario.behaviour.clone(), now),
            scenario,
            now,
            booted: now - TimeDelta::hours(5),
            timing: Timing::default(),
            rules,
            rotation: None,
            tombstones: Vec::new(),
            published: HashMap::new(),
            revoked_early_by_word: Vec::new(),
            removed: false,
            story: Vec::new(),
            report: Report::default(),
        }
    }

    fn note(&mut self, line: &str) {
        let mut text = String::new();
        let _ = write!(text, "{}  {line}", self.now.format("%Y-%m-%d %H:%M:%S%.3f"));
        self.story.push(text);
    }

    fn tell(&self) -> String {
        let from = self.story.len().saturating_sub(STORY_LINES);
        self.story[from..].join("\n")
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    fn decide(
        &mut self,
        decide: impl FnOnce(&Context<'_>) -> Result<Step, String>,
    ) -> Result<Step, String> {
        let entropy = u128::from(self.rng.bits()) << 64 | u128::from(self.rng.bits());
        let boot = Boot((self.now - self.booted).to_std().unwrap_or_default());
        decide(&Context {
            now: Now {
                wall: self.now,
                boot,
            },
            timing: &self.timing,
            rules: &self.rules,
            installation: INSTALLATION,
            entropy,
            provider_ready: true,
        })
    }

    fn plan(&self) -> Checked<Plan> {
        Ok(Plan {
            auto: true,
            interval: Interval::days(self.scenario.interval).map_err(|e| e.to_string())?,
            daily: DailyTime {
                at: RotateAt::new(2, 30).map_err(|e| e.to_string())?,
                zone: None,
            },
            overlap: None,
        })
    }

    fn run(&mut self) -> Checked<()> {
        let plan = self.plan()?;
        let end = self.now + TimeDelta::days(self.scenario.days);
        let step = self.decide(|ctx| Ok(Rotation::create(ROTATION, plan, false, ctx)))?;
        let mut call = self.commit(step)?;
        // The caller was told 202, so that a failed creation stays and is retried.
        let mut pending = self.event(Event::Answered)?;
        call = call.or(pending.take());
        let mut same_second = 0;
        while self.now < end && !self.removed {
            let before = self.now;
            call = match call {
                Some(made) => self.perform(&made)?,
                None => self.idle()?,
            };
            self.report.steps += 1;
            same_second = if self.now - before < TimeDelta::milliseconds(5) {
                same_second + 1
            } else {
                0
            };
            if same_second > 50 {
                let state = &self.rotation;
                return Err(format!(
                    "a busy loop: 50 steps without time passing, in {state:#?}"
                ));
            }
        }
        self.at_rest()
    }

    /// Nothing under way: sleep until the wake-up, or be disturbed.
    fn idle(&mut self) -> Checked<Option<Call>> {
        if self.rng.per_mille(self.scenario.commands) {
            return self.command();
        }
        let rotation = self.rotation.clone().ok_or("the rotation is gone")?;
        let step = self.decide(|ctx| rotation.step(Event::Woke, ctx).map_err(|e| e.to_string()))?;
        let Some(wake) = step.wake_at else {
            if step.call.is_some() {
                return self.commit(step);
            }
            // Nothing to wake for is right only where a person must act.
            return match rotation.life {
                Life::Failed => self.retry_by_hand(),
                _ if !rotation.plan.auto => self.retry_by_hand(),
                life => Err(format!("asleep for ever while {life:?}")),
            };
        };
        let call = self.commit(step)?;
        if call.is_some() {
            return Ok(call);
        }
        let wait = (wake - self.now).to_std().unwrap_or_default();
        if wait > Duration::from_mins(30) && self.rng.per_mille(self.scenario.outages) {
            let off = self.rng.duration(Duration::from_hours(24 * 12));
            self.note(&format!("the host is off for {} h", off.as_secs() / 3600));
            self.pass(off);
            return self.restart();
        }
        if wait > Duration::from_mins(1) && rotation.life == Life::Failed {
            self.pass(wait.min(Duration::from_mins(5)));
            return self.retry_by_hand();
        }
        self.pass(wait.max(Duration::from_millis(1)));
        self.check_consumer()?;
        self.event(Event::Woke)
    }

    fn retry_by_hand(&mut self) -> Checked<Option<Call>> {
        self.pass(Duration::from_mins(5));
        let rotation = self.rotation.clone().ok_or("the rotation is gone")?;
        let command = if rotation.plan.auto {
            Command::Rotate { retire_after: None }
        } else {
            Command::Resume
        };
        self.give(command)
    }

    fn command(&mut self) -> Checked<Option<Call>> {
        let rotation = self.rotation.clone().ok_or("the rotation is gone")?;
        let all = [
            Command::Rotate { retire_after: None },
            Command::Rotate {
                retire_after: Some(Duration::from_hours(3)),
            },
            Command::Pause,
            Command::Resume,
            Command::Unblock,
            Command::Retire {
                credential: None,
                force: false,
            },
            Command::Retire {
                credential: rotation.active().map(|c| c.id),
                force: false,
            },
        ];
        let command = self.rng.pick(&all).cloned().ok_or("no command")?;
        self.give(command)
    }

    /// A person's word: taken or refused, nothing in between.
    fn give(&mut self, command: Command) -> Checked<Option<Call>> {
        self.note(&format!("a person says {command:?}"));
        if let Command::Retire { .. } = command {
            let rotation = self.rotation.clone().ok_or("the rotation is gone")?;
            self.revoked_early_by_word.extend(
                rotation
                    .credentials
                    .iter()
                    .filter(|c| c.published_at.is_some())
                    .filter_map(|c| c.handle.clone()),
            );
        }
        self.event(Event::Command(command))
    }

    fn event(&mut self, event: Event) -> Checked<Option<Call>> {
        let rotation = self.rotation.clone().ok_or("the rotation is gone")?;
        let is_command = matches!(event, Event::Command(_));
        match self.decide(|ctx| rotation.step(event, ctx).map_err(|e| e.to_string())) {
            Ok(step) => self.commit(step),
            Err(refused) if is_command => {
                self.note(&format!("refused: {refused}"));
                Ok(None)
            }
            Err(refused) => Err(format!("an event was refused: {refused}")),
        }
    }

    /// One transaction: all of the step or, where the daemon dies in it, nothing.
    fn commit(&mut self, step: Step) -> Checked<Option<Call>> {
        if self.rng.per_mille(self.scenario.crashes / 4) && self.rotation.is_some() {
            self.note("the daemon dies before the commit");
            return self.crash();
        }
        self.check_step(&step)?;
        self.removed |= step.writes.contains(&Write::RemoveRotation);
        for write in &step.writes {
            if let Write::Publish { credential } = write {
                let handle = step
                    .rotation
                    .credential(*credential)
                    .and_then(|c| c.handle.clone());
                let handle = handle.ok_or("published without a handle")?;
                self.note(&format!("published {handle}"));
                self.published.insert(*credential, handle);
                self.report.published += 1;
            }
        }
        if let Some(ended) = &step.ended
            && let Err(why) = &ended.result
        {
            self.note(&format!("the {} run failed: {why}", ended.kind.name()));
        }
        let mut rotation = step.rotation;
        // What a store leaves out when it loads: settled and in no slot.
        let (kept, settled): (Vec<_>, Vec<_>) = rotation
            .credentials
            .into_iter()
            .partition(|c| !c.stage.is_settled() || c.slot.is_some());
        self.tombstones
            .retain(|t| kept.iter().all(|c| c.id != t.id));
        self.tombstones.extend(settled);
        rotation.credentials = kept;
        self.rotation = Some(rotation);
        self.check_books()?;
        self.check_consumer()?;
        if step.call.is_some() && self.rng.per_mille(self.scenario.crashes) {
            self.note("the daemon dies after the commit, before the call");
            return self.crash();
        }
        Ok(step.call)
    }

    fn crash(&mut self) -> Checked<Option<Call>> {
        self.report.crashes += 1;
        let down = self.rng.duration(Duration::from_mins(10));
        self.pass(down);
        self.restart()
    }

    fn restart(&mut self) -> Checked<Option<Call>> {
        if self.rng.per_mille(300) {
            self.booted = self.now;
        }
        self.note("the daemon starts");
        self.event(Event::Started)
    }

    /// Makes a call; the daemon may die before it hears the answer.
    fn perform(&mut self, call: &Call) -> Checked<Option<Call>> {
        let latency = Duration::from_millis(20 + self.rng.below(2000));
        self.pass(latency);
        if self.rng.per_mille(self.scenario.commands) {
            // A command in the middle of a call must not start a second one.
            let crashes = self.report.crashes;
            let next = self.command()?;
            if self.report.crashes > crashes {
                return Ok(next);
            }
            if next.is_some() {
                return Err("two calls under way at once".to_owned());
            }
        }
        let now = self.now;
        let event = match call {
            Call::Inspect => Event::Inspected(self.provider.inspect(now, &mut self.rng)),
            Call::Survey => {
                let mut survey = self.provider.survey(now, &mut self.rng);
                if let Ok(survey) = &mut survey {
                    let nonces: Vec<_> = survey
                        .listed
                        .iter()
                        .filter_map(|l| l.label.map(|l| l.nonce))
                        .collect();
                    survey.tombstones = self
                        .tombstones
                        .iter()
                        .filter(|t| nonces.contains(&t.nonce))
                        .cloned()
                        .collect();
                }
                Event::Surveyed(survey)
            }
            Call::Issue {
                label, lifetime, ..
            } => {
                self.report.attempts += 1;
                let reply = self.provider.issue(*label, *lifetime, now, &mut self.rng);
                self.note(&format!(
                    "issue {label}: effect {}, {}",
                    reply.effect,
                    outcome(&reply.answer)
                ));
                Event::Issued(reply.answer)
            }
            Call::Verify { credential } => {
                self.report.logins += 1;
                let rotation = self.rotation.as_ref().ok_or("the rotation is gone")?;
                let handle = rotation
                    .credential(*credential)
                    .and_then(|c| c.handle.clone());
                let verdict = self.provider.verify(
                    &handle.ok_or("a login without a handle")?,
                    now,
                    &mut self.rng,
                );
                Event::Verified(verdict)
            }
            Call::Revoke { credential, handle } => {
                self.check_revoke(*credential, handle)?;
                let reply = self.provider.revoke(handle, now, &mut self.rng);
                self.note(&format!(
                    "revoke {handle}: effect {}, {}",
                    reply.effect,
                    outcome(&reply.answer)
                ));
                Event::Revoked(reply.answer)
            }
        };
        self.check_books()?;
        if self.rng.per_mille(self.scenario.crashes) {
            self.note(&format!(
                "the daemon dies before it hears of {}",
                call.name()
            ));
            return self.crash();
        }
        self.event(event)
    }

    /// What is left when the story ends.
    fn at_rest(&mut self) -> Checked<()> {
        let now = self.now;
        let ours = |real: &&crate::provider::Real| real.label.is_some() && real.lives(now);
        self.report.days = self.scenario.days;
        self.report.live = u32::try_from(self.provider.credentials.iter().filter(ours).count())
            .unwrap_or(u32::MAX);
        let rotation = self.rotation.as_ref().ok_or("the rotation is gone")?;
        if rotation.needs_attention() {
            return Err(format!("in doubt without a reason: {:?}", rotation.doubts));
        }
        Ok(())
    }
}

fn outcome<T>(answer: &Result<T, rotord_rotation::Fault>) -> String {
    match answer {
        Ok(_) => "answered".to_owned(),
        Err(fault) => fault.to_string(),
    }
}
