//! What a story is about: a rotation's plan, a provider's ways, and how strong each kind of trouble is.

use std::fmt;
use std::time::Duration;

use chrono::{TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use rotord_rotation::schedule::DailyTime;
use rotord_rotation::{Interval, Plan, RotateAt};

use crate::clock::Time;
use crate::fault::{Fault, Strengths};
use crate::rng::Rng;

/// What a story is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Names the story.
    pub seed: u64,
    /// When it begins: days after the first of January 2026.
    pub start: u32,
    /// Days of trouble; what follows is time to settle in.
    pub days: u32,
    /// Trouble begins on this day.
    pub from: u32,
    /// Days between two rotations.
    pub interval: u32,
    /// Minutes of the day at which it rotates.
    pub at: u32,
    /// Into [`ZONES`].
    pub zone: usize,
    /// Hours that a replaced credential stays; none is until the next one is due.
    pub overlap: Option<u32>,
    /// The provider's independent replicas.
    pub replicas: u32,
    /// The longest lag of a replica's logins, in seconds.
    pub lag: u32,
    /// How many credentials the target holds.
    pub cap: Option<u32>,
    /// Credentials of others that are there from the start.
    pub others: u32,
    /// How strong each kind of trouble is.
    pub faults: Strengths,
    /// The real store is played beside the model.
    pub real_store: bool,
}

/// Some with daylight saving, north and south, by half an hour, and across the date line.
pub const ZONES: &[Option<Tz>] = &[
    None,
    Some(Tz::Europe__Berlin),
    Some(Tz::America__New_York),
    Some(Tz::Australia__Lord_Howe),
    Some(Tz::Asia__Kolkata),
    Some(Tz::Pacific__Chatham),
];

/// Times of day: 0:00, one within an hour that zones skip and repeat, one at its edge, others.
const TIMES: &[u32] = &[0, 2 * 60 + 30, 2 * 60, 60 + 59, 3 * 60, 23 * 60 + 59];

/// The short soak is a minute: with logins that lag less there is never a failed one, whatever is said or broken.
pub const SAFE_LAG: u32 = 50;

impl Scenario {
    /// Nothing goes wrong, every month.
    pub fn calm(seed: u64) -> Self {
        Self {
            seed,
            start: 4,
            days: 365,
            from: 0,
            interval: 30,
            at: 150,
            zone: 0,
            overlap: None,
            replicas: 4,
            lag: SAFE_LAG,
            cap: None,
            others: 2,
            faults: Strengths::CALM,
            real_store: false,
        }
    }

    /// Drawn from a seed: some are calm, some have everything.
    pub fn from_seed(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut upto = |most: u64| u32::try_from(rng.below(most)).unwrap_or(0);
        let interval = 1 + upto(40);
        let mut scenario = Self {
            start: upto(366),
            days: interval * (4 + upto(8)) + 20,
            interval,
            at: TIMES[upto(TIMES.len() as u64) as usize],
            zone: upto(ZONES.len() as u64) as usize,
            overlap: (upto(4) == 0).then(|| 1 + upto(200)),
            replicas: 1 + upto(5),
            lag: upto(u64::from(SAFE_LAG) + 1),
            others: upto(4),
            // One in a hundred.
            real_store: seed % 100 == 7,
            ..Self::calm(seed)
        };
        // Either few kinds of trouble or many: what meets by chance, and what is seen clearly.
        let share = *rng.pick(&[0, 60, 150, 300, 500]).unwrap_or(&0);
        for fault in Fault::ALL {
            let drawn = rng.per_mille(share);
            let strength = 1 + rng.below(fault.most());
            if drawn {
                scenario.faults.set(*fault, strength);
            }
        }
        if rng.per_mille(150) {
            let crowd = [Fault::Neighbour, Fault::Sibling];
            let crowd = crowd.map(|fault| u32::from(scenario.faults.of(fault) > 0) * 2);
            scenario.others = 0;
            scenario.cap = Some(2 + crowd.iter().sum::<u32>());
        }
        if scenario.faults.of(Fault::OldState) > 0 {
            // Copies from ten rotations ago must be possible.
            scenario.days = scenario.days.max(interval * 14);
        }
        scenario
    }

    /// When it begins.
    pub fn begins(&self) -> Time {
        let new_year = Utc.with_ymd_and_hms(2026, 1, 1, 9, 30, 0).single();
        Time::from(new_year.unwrap_or_default()) + TimeDelta::days(self.start.into())
    }

    /// The longest lag of a replica's logins.
    pub fn lag(&self) -> Duration {
        Duration::from_secs(self.lag.into())
    }

    /// The rotation's plan.
    ///
    /// # Errors
    /// The interval or the time of day is none.
    pub fn plan(&self) -> Result<Plan, String> {
        Ok(Plan {
            auto: true,
            interval: Interval::days(self.interval).map_err(|e| e.to_string())?,
            daily: DailyTime {
                at: RotateAt::new(self.at / 60, self.at % 60).map_err(|e| e.to_string())?,
                zone: ZONES.get(self.zone).copied().flatten(),
            },
            overlap: self.overlap.map(|hours| Duration::from_hours(hours.into())),
        })
    }

    /// This seed's scenario with exactly the settings that the text names, as a story prints them: kinds of
    /// trouble that it does not name are off.
    ///
    /// # Errors
    /// What is no setting.
    pub fn only(mut self, settings: &str) -> Result<Self, String> {
        self.faults = Strengths::CALM;
        (self.overlap, self.cap) = (None, None);
        for setting in settings.split_whitespace() {
            let wrong = || format!("\"{setting}\" is no NAME=NUMBER");
            let (name, number) = setting.split_once('=').ok_or_else(wrong)?;
            let number: u32 = number.parse().map_err(|_| wrong())?;
            match name {
                "start" => self.start = number,
                "days" => self.days = number,
                "from" => self.from = number,
                "interval" => self.interval = number,
                "at" => self.at = number,
                "zone" => self.zone = number as usize,
                "overlap" => self.overlap = Some(number),
                "replicas" => self.replicas = number.max(1),
                "lag" => self.lag = number,
                "cap" => self.cap = Some(number),
                "others" => self.others = number,
                "store" => self.real_store = number > 0,
                fault => {
                    let fault: Fault = fault.parse().map_err(|e| format!("{e}"))?;
                    self.faults.set(fault, number.into());
                }
            }
        }
        Ok(self)
    }
}

/// The settings that [`Scenario::only`] reads.
impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "start={} days={} from={} interval={} at={} zone={} replicas={} lag={} others={} store={}",
            self.start,
            self.days,
            self.from,
            self.interval,
            self.at,
            self.zone,
            self.replicas,
            self.lag,
            self.others,
            u32::from(self.real_store)
        )?;
        if let Some(overlap) = self.overlap {
            write!(f, " overlap={overlap}")?;
        }
        if let Some(cap) = self.cap {
            write!(f, " cap={cap}")?;
        }
        for fault in Fault::ALL {
            let strength = self.faults.of(*fault);
            if strength > 0 {
                write!(f, " {}={strength}", fault.name())?;
            }
        }
        Ok(())
    }
}
