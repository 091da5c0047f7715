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
    smallest(violation, |smaller| World::play(smaller).err())
}

fn smallest(
    violation: Box<Violation>,
    fails: impl Fn(Scenario) -> Option<Box<Violation>>,
) -> Box<Violation> {
    let mut found = violation;
    let mut tries = 0;
    loop {
        let smaller = candidates(&found.scenario).into_iter().find_map(|smaller| {
            tries += 1;
            if tries > TRIES {
                return None;
            }
            let kind = found.kind();
            fails(smaller).filter(|violation| violation.kind() == kind)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails where answers are lost for 40 days from the tenth on, with two replicas; otherwise beyond 100 days.
    fn fails(scenario: Scenario) -> Option<Box<Violation>> {
        let lost = scenario.faults.of(Fault::Lost) >= 10;
        let what = if lost && scenario.from <= 10 && scenario.days >= 40 && scenario.replicas >= 2 {
            "promise 3: it is not in the books"
        } else if scenario.days > 100 {
            "promise 1: another one"
        } else {
            return None;
        };
        Some(Box::new(Violation {
            scenario,
            what: what.to_owned(),
            story: Vec::new(),
        }))
    }

    #[test]
    fn a_failing_story_loses_all_that_its_promise_does_not_need() {
        let mut scenario = Scenario {
            days: 400,
            cap: Some(4),
            overlap: Some(20),
            ..Scenario::calm(7)
        };
        for fault in Fault::ALL {
            scenario.faults.set(*fault, fault.most());
        }
        let found = smallest(fails(scenario).unwrap(), fails);
        assert!(found.what.starts_with("promise 3"), "{}", found.what);
        let left = found.scenario;
        let strong: Vec<_> = Fault::ALL
            .iter()
            .filter(|f| left.faults.of(**f) > 0)
            .collect();
        assert_eq!(strong, [&Fault::Lost]);
        assert!((10..20).contains(&left.faults.of(Fault::Lost)), "{left}");
        assert_eq!(
            (left.days, left.cap, left.overlap, left.others),
            (40, None, None, 0)
        );
    }
}
