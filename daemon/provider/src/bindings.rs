//! What wasmtime generates from the contract. Stays inside this crate: the generated types print their
//! bytes and are not zeroised by themselves.
//!
//! `tracing` is never turned on here: it would log arguments. The world leaves out the WASI interfaces
//! that the contract's own world imports, since `wasmtime-wasi` brings those.

#![allow(missing_docs, unreachable_pub, dead_code, clippy::pedantic)]

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package rotord:host;

        world guest {
            import rotor:provider/http@0.1.0;
            import rotor:provider/log@0.1.0;
            export rotor:provider/provider@0.1.0;
        }
    ",
    world: "rotord:host/guest",
    imports: { default: async | trappable },
    exports: { default: async },
    additional_derives: [zeroize::Zeroize],
});

pub use self::exports::rotor::provider::provider as calls;
pub use self::rotor::provider::{description, http, log, types};
