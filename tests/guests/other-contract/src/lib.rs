//! Speaks a later version of the contract, which a host of the present one must refuse in words.

#[cfg(target_arch = "wasm32")]
mod component {
    #![allow(
        clippy::pedantic,
        missing_docs,
        unreachable_pub,
        unsafe_code,
        reason = "generated code"
    )]

    wit_bindgen::generate!({ path: "wit", world: "rotor-provider" });

    use exports::rotor::provider::provider::{Guest, ProviderDescription};

    struct OtherContract;

    impl Guest for OtherContract {
        fn describe() -> ProviderDescription {
            ProviderDescription {
                slug: "other-contract".to_owned(),
                contract: "0.2.0".to_owned(),
            }
        }
    }

    export!(OtherContract);
}
