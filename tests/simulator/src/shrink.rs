//! A failing story is made smaller for as long as it still fails.

use crate::fault::{Fault, Strengths};
use crate::report::Violation;
use crate::scenario::Scenario;
use crate::world::World;

/// So many smaller stories are tried.
const TRIES: u32 = 600;

/// The smallest story found that still breaks the same promise; the one that was given where `SIMULATOR_SHRINK` is 0.
pub fn shrink(violation: Box<Violation>) -> Box<Violation> {
    // Where only the verdict matters.
    if std::env::var("SIMULATOR_SHRINK").is_ok_and(|shrink| shrink == "0") {
        return violation;
    }
    let mut found = violation;
    let mut tries = 0;
    loop {
        let smaller = candidates(&found.scenario).into_iter().find_map(|smaller| {
            tries += 1;
            if tries > TRIES {
                return None;
            }
            let kind = found.kind();
            World::play(smaller).err().filter(|v| v.kind() == kind)
        });
        match smaller {
            Some(smaller) => found = smaller,
            None => return found,
        }
    }
}

/// Smaller ones, the boldest first.
fn candidates(of: &Scenario) -> Vec<Scenario> {
    let mut all = Vec::new();
    let mut add = |change: &dyn Fn(&mut Scenario)| {
        let mut smaller = of.clone();
        change(&mut smaller);
        if smaller != *of {
            all.push(smaller);
        }
    };
    add(&|s| s.faults = Strengths::CALM);
    for fault in Fault::ALL {
        add(&|s| s.faults.set(*fault, 0));
    }
    add(&|s| s.real_store = false);
    for days in [
        of.days / 2,
        of.days.saturating_sub(of.days / 4),
        of.days.saturating_sub(1),
    ] {
        add(&|s| s.days = days.max(1));
    }
    for from in [
        of.days * 3 / 4,
        of.days / 2,
        of.from + (of.days - of.from.min(of.days)) / 4,
    ] {
        add(&|s| s.from = s.from.max(from));
    }
    add(&|s| s.cap = None);
    add(&|s| s.others = 0);
    add(&|s| s.overlap = None);
    add(&|s| s.zone = 0);
    add(&|s| s.replicas = 1);
    add(&|s| s.lag = 0);
    for fault in Fault::ALL {
        add(&|s| s.faults.set(*fault, s.faults.of(*fault) / 2));
    }
    all
}
