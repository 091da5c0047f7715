//! What `wit-bindgen` makes of the contract. Authors never see it: the crate's root re-exports the parts
//! that hold no secret and wraps those that do.

#![allow(
    clippy::pedantic,
    missing_docs,
    unreachable_pub,
    unsafe_code,
    reason = "generated code"
)]

wit_bindgen::generate!({
    path: "wit",
    world: "rotor-provider",
    generate_all,
    generate_unused_types: true,
    additional_derives: [PartialEq],
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "rotor_provider_sdk::bindings",
    runtime_path: "::rotor_provider_sdk::runtime",
});
