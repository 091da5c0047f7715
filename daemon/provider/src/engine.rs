//! The one engine, and what a component may import.

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::bindings;
use crate::guest::GuestState;
use crate::guest::limiter::{MOST_INSTANCES, MOST_MEMORIES, MOST_TABLE_ELEMENTS, MOST_TABLES};
use crate::settings::{EngineKind, Limits};

/// The unit of linear memory.
const WASM_PAGE: usize = 64 << 10;

/// What the engine keeps for one instance beside its memories and tables. Room for programs of a hundred thousand functions.
const MOST_OF_AN_INSTANCE: usize = 16 << 20;

/// What of a table and a stack is wiped in place, where the rest goes back to the system. Of a memory that is all: what is
/// used of it does not lie where it begins.
const KEPT_OF_TABLE: usize = 16 << 10;
const KEPT_OF_STACK: usize = 64 << 10;

/// An engine that can interrupt its guests.
///
/// Memories, tables and stacks are places in one pool: to map and unmap them for each call takes as long as a small call
/// itself. Where the system refuses so much address space, they are mapped for each call.
pub(crate) fn build(kind: EngineKind, limits: &Limits) -> wasmtime::Result<Engine> {
    let config = config(kind, limits)?;
    let mut pooled = config.clone();
    pooled.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    Engine::new(&pooled).or_else(|error| {
        tracing::warn!(
            error = format!("{error:#}"),
            "there is no pool of provider instances: each call takes a little longer"
        );
        Engine::new(&config)
    })
}

/// The same for a pool and without one, so that what was compiled for one fits the other.
fn config(kind: EngineKind, limits: &Limits) -> wasmtime::Result<Config> {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        .epoch_interruption(true)
        // What the host worked with does not stay behind on a guest's stack.
        .async_stack_zeroing(true)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(16));
    match kind {
        EngineKind::Native => {}
        EngineKind::Pulley => {
            config.target(if cfg!(target_endian = "big") {
                "pulley64be"
            } else {
                "pulley64"
            })?;
            // The interpreter checks bounds itself: no signal handlers, and no gigabytes of address space set aside per
            // memory, which gains nothing here. What the largest may have is set aside, so that none is ever moved.
            config
                .signals_based_traps(false)
                .memory_reservation(limits.memory.next_multiple_of(WASM_PAGE) as u64)
                .memory_reservation_for_growth(1 << 20)
                .memory_guard_size(0);
        }
    }
    Ok(config)
}

/// Room for every call that may run at the same time, and for a provider that is being loaded beside them.
fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let calls = u32::try_from(limits.concurrent_calls.max(1)).unwrap_or(u32::MAX);
    let calls = calls.saturating_add(1);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_stacks(calls)
        .total_core_instances(calls.saturating_mul(MOST_INSTANCES))
        .total_memories(calls.saturating_mul(MOST_MEMORIES))
        .total_tables(calls.saturating_mul(MOST_TABLES))
        .max_core_instances_per_component(MOST_INSTANCES)
        .max_memories_per_component(MOST_MEMORIES)
        .max_memories_per_module(MOST_MEMORIES)
        .max_tables_per_component(MOST_TABLES)
        .max_tables_per_module(MOST_TABLES)
        .max_component_instance_size(MOST_OF_AN_INSTANCE)
        .max_core_instance_size(MOST_OF_AN_INSTANCE)
        .max_memory_size(limits.memory)
        .table_elements(MOST_TABLE_ELEMENTS)
        .table_keep_resident(KEPT_OF_TABLE)
        .async_stack_keep_resident(KEPT_OF_STACK);
    pool
}

/// Links what a component may import: our `http` and `log`, and WASI 0.2 with nothing behind it.
///
/// The toolchains of other languages import all of WASI whether their program uses it or not, so all of it
/// links: there are no files, arguments or environment, no sockets, and `wasi:http` refuses. Clocks and
/// random numbers are real.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<GuestState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    bindings::http::add_to_linker::<_, HasSelf<GuestState>>(&mut linker, |state| state)?;
    bindings::log::add_to_linker::<_, HasSelf<GuestState>>(&mut linker, |state| state)?;
    Ok(linker)
}

#[cfg(test)]
mod tests {
    use wasmtime::Store;
    use wasmtime::component::Component;

    use super::*;

    fn links(import: &str) -> wasmtime::Result<()> {
        let engine = build(EngineKind::Pulley, &Limits::default())?;
        let component = Component::new(&engine, wat::parse_str(format!("(component {import})"))?)?;
        linker(&engine)?.instantiate_pre(&component).map(drop)
    }

    #[test]
    fn what_the_toolchains_of_other_languages_import_links() {
        for import in [
            r#"(import "wasi:cli/environment@0.2.6" (instance
                (export "get-environment" (func (result (list (tuple string string)))))))"#,
            r#"(import "wasi:clocks/monotonic-clock@0.2.12" (instance (export "now" (func (result u64)))))"#,
            r#"(import "wasi:random/random@0.2.9" (instance (export "get-random-u64" (func (result u64)))))"#,
            r#"(import "wasi:filesystem/types@0.2.9" (instance (export "descriptor" (type (sub resource)))))"#,
            r#"(import "wasi:sockets/tcp@0.2.9" (instance (export "tcp-socket" (type (sub resource)))))"#,
            r#"(import "wasi:http/types@0.2.10" (instance (export "fields" (type (sub resource)))))"#,
        ] {
            links(import).unwrap_or_else(|e| panic!("{import}: {e:#}"));
        }
    }

    #[test]
    fn what_nobody_lends_does_not_link() {
        assert!(links(r#"(import "evil:shell/run@0.1.0" (func))"#).is_err());
    }

    #[tokio::test]
    async fn a_module_of_several_memories_and_tables_runs() {
        let component = r"(component
            (core module $m
                (memory 1) (memory 1)
                (table 9 funcref) (table 9 funcref)
                (func $start)
                (start $start))
            (core instance (instantiate $m)))";
        for kind in [EngineKind::Pulley, EngineKind::Native] {
            let engine = build(kind, &Limits::default()).unwrap();
            let component = Component::new(&engine, wat::parse_str(component).unwrap()).unwrap();
            let mut store = Store::new(&engine, ());
            store.set_epoch_deadline(1);
            let linker = Linker::new(&engine);
            linker
                .instantiate_async(&mut store, &component)
                .await
                .unwrap();
        }
    }

    #[test]
    fn without_a_pool_the_same_is_compiled() {
        for kind in [EngineKind::Pulley, EngineKind::Native] {
            let limits = Limits::default();
            // More than any address space has.
            let endless = Limits {
                concurrent_calls: 1 << 24,
                ..limits.clone()
            };
            let ids = [limits, endless].map(|limits| {
                let engine = build(kind, &limits).unwrap();
                crate::cache::engine_id(&engine)
            });
            assert_eq!(ids[0], ids[1]);
        }
    }
}
