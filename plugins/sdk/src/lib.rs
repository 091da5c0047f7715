//! Placeholder.
wit_bindgen::generate!({ path: "../../wit", world: "rotor-provider" });
