//! The one engine, and what a component may import.

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Engine};

use crate::bindings;
use crate::guest::GuestState;
use crate::settings::EngineKind;

/// An engine that can interrupt its guests.
pub(crate) fn build(kind: EngineKind) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        .epoch_interruption(true)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(16));
    match kind {
        EngineKind::Native => {}
        EngineKind::Pulley => {
            config.target(if cfg!(target_endian = "big") {
                "pulley64be"
            } else {
                "pulley64"
            })?;
            // The interpreter checks bounds itself: no signal handlers, and no gigabytes of address space
            // set aside per memory, which a limit on it would refuse and which gains nothing here.
            config
                .signals_based_traps(false)
                .memory_reservation(0)
                .memory_reservation_for_growth(1 << 20)
                .memory_guard_size(0);
        }
    }
    Engine::new(&config)
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
    use wasmtime::component::Component;

    use super::*;

    fn links(import: &str) -> wasmtime::Result<()> {
        let engine = build(EngineKind::Pulley)?;
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
}
