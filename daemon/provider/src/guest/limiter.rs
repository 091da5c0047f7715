//! Memory, counted over all memories of an instance, and what else an instance may have.

use wasmtime::ResourceLimiter;

/// What a component may be made of. Guests of some languages' toolchains are made of dozens of core instances, which share
/// memories and tables.
pub(crate) const MOST_INSTANCES: u32 = 128;
pub(crate) const MOST_MEMORIES: u32 = 7;
pub(crate) const MOST_TABLES: u32 = 8;

/// Elements of all its tables together. Each costs a pointer.
pub(crate) const MOST_TABLE_ELEMENTS: usize = 100_000;

/// Refuses memory with an error that ends the call: a guest that is merely told "no" aborts in a way that
/// looks like any other bug.
pub(crate) struct Limiter {
    memory_left: usize,
    elements_left: usize,
}

/// The guest wanted more memory than it may have.
#[derive(Debug, thiserror::Error)]
#[error("over the memory limit")]
pub(crate) struct OverMemory;

impl Limiter {
    /// At most `memory` bytes.
    pub(crate) fn new(memory: usize) -> Self {
        Self {
            memory_left: memory,
            elements_left: MOST_TABLE_ELEMENTS,
        }
    }
}

fn take(left: &mut usize, current: usize, desired: usize) -> wasmtime::Result<bool> {
    match left.checked_sub(desired.saturating_sub(current)) {
        Some(rest) => {
            *left = rest;
            Ok(true)
        }
        None => Err(OverMemory.into()),
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            // The guest's own bound, which it has to live with itself.
            return Ok(false);
        }
        take(&mut self.memory_left, current, desired)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        take(&mut self.elements_left, current, desired)
    }

    fn instances(&self) -> usize {
        MOST_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        MOST_TABLES as usize
    }

    fn memories(&self) -> usize {
        MOST_MEMORIES as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_memories_share_one_limit() {
        let mut limiter = Limiter::new(100);
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        assert!(limiter.memory_growing(0, 40, None).unwrap());
        assert!(
            limiter
                .memory_growing(40, 41, None)
                .unwrap_err()
                .is::<OverMemory>()
        );
    }

    #[test]
    fn a_guests_own_maximum_is_only_a_no() {
        assert!(!Limiter::new(100).memory_growing(0, 60, Some(50)).unwrap());
    }
}
