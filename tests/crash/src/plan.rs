//! What a run does, drawn from its seed: the weather at the provider, what people order, and how the daemon dies.

use std::time::Duration;

use fastrand::Rng;
use rotord_crash::{Moment, Point, Step};

/// Virtual time is real time by a thousand: [`e2e::Settings`] scales so.
const SOAK_MS: u64 = 60;
/// The provider's propagation bound, scaled.
const BOUND_MS: u64 = 1_200;

/// What a run does.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it was drawn from.
    pub seed: u64,
    /// How the provider behaves.
    pub weather: Weather,
    /// How many rotations each application has.
    pub applications: Vec<usize>,
    /// From one start of the daemon to its end.
    pub acts: Vec<Act>,
}

/// How the provider behaves.
#[derive(Clone, Debug, Default)]
pub struct Weather {
    /// The longest time until a new secret is known everywhere, in milliseconds.
    pub added_ms: u64,
    /// The longest time until a removed one is forgotten everywhere, in milliseconds.
    pub removed_ms: u64,
    /// The chance that a request sees nothing of what is under way.
    pub flapping: f64,
    /// The chance that the reply to a write is lost, after its effect.
    pub lost_replies: f64,
    /// The chance that a write is lost before its effect.
    pub lost_requests: f64,
    /// The chance that a read is throttled.
    pub throttled: f64,
    /// The chance that a write gets a 503, which may have taken effect.
    pub unavailable: f64,
    /// Two writes within so many milliseconds collide.
    pub collisions_ms: u32,
}

/// From one start of the daemon to its end.
#[derive(Clone, Debug)]
pub struct Act {
    /// Before it, the host is off for so long that everything comes due.
    pub off_until_due: bool,
    /// What people order, and how many milliseconds after the start.
    pub orders: Vec<(u64, Order)>,
    /// How it ends.
    pub end: End,
}

/// What a person orders. The number is that of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Create it; later orders of one that is not there do nothing.
    Create(usize),
    /// Rotate it now.
    Rotate(usize),
    /// Rotate it no more by schedule.
    Pause(usize),
    /// Rotate it by schedule again.
    Resume(usize),
    /// Revoke what was replaced and is not used any more.
    Retire(usize),
    /// Delete it with what it published; its consumer has stopped before.
    Delete(usize),
    /// Replace the root key.
    Rewrap,
    /// Somebody else adds a secret to its application.
    AddForeign(usize),
}

/// How an act ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// SIGKILL at a place, the n-th time that it is reached.
    At(Point, u32),
    /// SIGKILL after a time.
    Kill(Duration),
    /// SIGTERM after a time.
    Stop(Duration),
}

impl Plan {
    /// The plan of a seed.
    pub fn from_seed(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let weather = Weather::draw(&mut rng);
        let applications: Vec<usize> = (0..rng.usize(1..=2)).map(|_| rng.usize(1..=2)).collect();
        let rotations: usize = applications.iter().sum();
        let points: Vec<Point> = Point::all().collect();
        let count = rng.usize(1..=4);
        let mut acts: Vec<Act> = (0..count)
            .map(|number| {
                let end = match rng.u32(0..10) {
                    0..=5 => {
                        let point = points[rng.usize(..points.len())];
                        At::suited(point, number, &mut rng)
                    }
                    6..=8 => End::Kill(Duration::from_millis(rng.u64(0..900))),
                    _ => End::Stop(Duration::from_millis(rng.u64(0..600))),
                };
                Act::draw(number, rotations, end, &mut rng)
            })
            .collect();
        // More would be longer than a secret lives, and what is paused is not rotated.
        for act in acts.iter_mut().filter(|act| act.off_until_due).skip(2) {
            act.off_until_due = false;
        }
        Self {
            seed,
            weather,
            applications,
            acts,
        }
    }

    /// As [`Plan::at`], the first time that the place means something.
    pub fn first_at(point: Point) -> Self {
        // Of the requests of a creating call, the second is the creating one.
        let second = point.step == Step::Issue
            && matches!(point.moment, Moment::Connected | Moment::Answered);
        Self::at(point, if second { 2 } else { 1 })
    }

    /// One rotation in fair weather, that is created, rotated, retired and deleted until the place is reached.
    pub fn at(point: Point, nth: u32) -> Self {
        let order = match point.step {
            Step::Create | Step::Start => None,
            Step::Pause => Some(Order::Pause(0)),
            Step::Delete => Some(Order::Delete(0)),
            Step::Rewrap => Some(Order::Rewrap),
            // What was replaced is removed, too.
            Step::Revoke | Step::Other => Some(Order::Retire(0)),
            _ => Some(Order::Rotate(0)),
        };
        let quiet = |orders: Vec<(u64, Order)>| Act {
            off_until_due: false,
            orders,
            end: End::Stop(Duration::ZERO),
        };
        let mut acts = Vec::new();
        let first = (0, Order::Create(0));
        match order {
            None => acts.push(Act {
                end: End::At(point, nth),
                ..quiet(vec![first])
            }),
            Some(order) => {
                acts.push(quiet(vec![first]));
                acts.push(quiet(vec![(0, Order::Rotate(0))]));
                acts.push(Act {
                    end: End::At(point, nth),
                    ..quiet(vec![(0, order)])
                });
            }
        }
        Self {
            seed: 1,
            weather: Weather::default(),
            applications: vec![1],
            acts,
        }
    }
}

/// Places that are reached in the first act only, or seldom, are asked for where they can be.
struct At;

impl At {
    fn suited(point: Point, act: usize, rng: &mut Rng) -> End {
        let first_start = matches!(
            point.moment,
            Moment::KeyMade | Moment::FileMade | Moment::Migrated
        );
        if first_start && act > 0 {
            return End::Kill(Duration::from_millis(rng.u64(0..900)));
        }
        let most = match (point.step, point.moment) {
            // Eight logins a proof.
            (Step::Verify, _) => 9,
            // A login comes before each request.
            (_, Moment::Connected | Moment::Answered) => 6,
            (
                Step::Start
                | Step::Drain
                | Step::Create
                | Step::Delete
                | Step::Pause
                | Step::Rewrap,
                _,
            ) => 1,
            _ => 2,
        };
        End::At(point, rng.u32(1..=most))
    }
}

impl Act {
    fn draw(number: usize, rotations: usize, end: End, rng: &mut Rng) -> Self {
        let mut orders = Vec::new();
        for rotation in 0..rotations {
            if number == 0 || rng.u32(0..4) == 0 {
                orders.push((rng.u64(0..100), Order::Create(rotation)));
            }
            if rng.u32(0..3) > 0 {
                orders.push((rng.u64(0..500), Order::Rotate(rotation)));
            }
            match rng.u32(0..12) {
                0 => orders.push((rng.u64(0..500), Order::Pause(rotation))),
                1 => orders.push((rng.u64(0..500), Order::Resume(rotation))),
                2..=4 => orders.push((rng.u64(0..500), Order::Retire(rotation))),
                5 if number > 0 => orders.push((rng.u64(0..500), Order::Delete(rotation))),
                6 => orders.push((rng.u64(0..500), Order::AddForeign(rotation))),
                _ => {}
            }
        }
        if rng.u32(0..12) == 0 {
            orders.push((rng.u64(0..500), Order::Rewrap));
        }
        if let End::At(point, _) = end {
            let wanted = match point.step {
                Step::Pause => Some(Order::Pause(0)),
                Step::Delete => Some(Order::Delete(0)),
                Step::Create => Some(Order::Create(rotations - 1)),
                Step::Revoke => Some(Order::Retire(0)),
                Step::Rewrap => Some(Order::Rewrap),
                Step::Issue | Step::Keep | Step::Publish => Some(Order::Rotate(0)),
                _ => None,
            };
            orders.extend(wanted.map(|order| (rng.u64(0..300), order)));
        }
        orders.sort_by_key(|(after, _)| *after);
        Self {
            off_until_due: number > 0 && rng.u32(0..5) == 0,
            orders,
            end,
        }
    }
}

impl Weather {
    fn draw(rng: &mut Rng) -> Self {
        let mut seldom = |one_in: u32, value: f64| {
            if rng.u32(0..one_in) == 0 { value } else { 0.0 }
        };
        let (lost_replies, lost_requests) = (seldom(3, 0.3), seldom(4, 0.1));
        let (throttled, unavailable) = (seldom(6, 0.05), seldom(6, 0.1));
        let flapping = seldom(3, 0.3);
        Self {
            // Below the soak: above it the rate of failures is a figure, and no promise.
            added_ms: rng.u64(0..SOAK_MS * 9 / 10),
            removed_ms: rng.u64(0..BOUND_MS / 4),
            flapping,
            lost_replies,
            lost_requests,
            throttled,
            unavailable,
            collisions_ms: if rng.u32(0..4) == 0 { 4 } else { 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_are_equal_plans() {
        for seed in 0..50 {
            let (one, other) = (Plan::from_seed(seed), Plan::from_seed(seed));
            assert_eq!(format!("{one:?}"), format!("{other:?}"));
            assert!(!one.acts.is_empty());
        }
    }
}
