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
    with: {
        "rotor:provider/types": self::described::rotor::provider::types,
        "rotor:provider/description": self::description_stub,
    },
});

pub use self::described::exports::rotor::provider::description;
pub use self::described::rotor::provider::types;
pub use self::exports::rotor::provider::provider as calls;
pub use self::rotor::provider::{http, log};

/// The description has a type `host`, which in an imported interface collides with the `Host` trait that
/// is generated beside it; in an exported one it does not.
pub mod described {
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "
            package rotord:host;

            world described {
                export rotor:provider/description@0.1.0;
            }
        ",
        world: "rotord:host/described",
        imports: { default: async | trappable },
        exports: { default: async },
        additional_derives: [zeroize::Zeroize],
    });
}

/// Stands for the description where the other world names it. It has types alone, so nothing is linked.
pub mod description_stub {
    pub use super::description::ProviderDescription;

    pub trait Host {}
    impl<T: ?Sized> Host for &mut T {}

    pub trait HostWithStore<T>: wasmtime::component::HasData {}
    impl<T, D: wasmtime::component::HasData> HostWithStore<T> for D {}

    pub fn add_to_linker<T, D>(
        _linker: &mut wasmtime::component::Linker<T>,
        _get: fn(&mut T) -> D::Data<'_>,
    ) -> wasmtime::Result<()>
    where
        D: wasmtime::component::HasData,
    {
        Ok(())
    }
}
