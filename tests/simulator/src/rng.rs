//! Small deterministic generators: equal seeds, equal stories, on every machine.

use std::time::Duration;

use crate::fault::Fault;

/// `SplitMix64`.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x5851_f42d_4c95_7f2d)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform below `bound`; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        u64::try_from((u128::from(self.bits()) * u128::from(bound)) >> 64).unwrap_or(0)
    }

    /// An index into something of this length; 0 where it is empty.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// True with this many chances in a thousand.
    pub fn per_mille(&mut self, chances: u64) -> bool {
        chances > 0 && self.below(1000) < chances
    }

    /// Uniform in `0..=most`, to the millisecond.
    pub fn duration(&mut self, most: Duration) -> Duration {
        let millis = u64::try_from(most.as_millis()).unwrap_or(u64::MAX - 1);
        Duration::from_millis(self.below(millis + 1))
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        let at = self.index(of.len());
        of.get(at)
    }
}

/// A generator for each kind of trouble, so that one that is switched off leaves the others as they were: what
/// makes a story shrink.
#[derive(Debug, Clone)]
pub struct Streams {
    faults: [Rng; Fault::ALL.len()],
    /// For what is no trouble: latencies, lags, names.
    pub plain: Rng,
}

impl Streams {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        let mut root = Rng::new(seed);
        Self {
            plain: Rng::new(root.bits()),
            faults: std::array::from_fn(|_| Rng::new(root.bits())),
        }
    }

    /// That of one kind.
    pub fn of(&mut self, fault: Fault) -> &mut Rng {
        &mut self.faults[fault as usize]
    }
}
