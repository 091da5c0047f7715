//! The one place with unsafe code: loading compiled code, and the proof that must come before it.

use aws_lc_rs::hmac;
use wasmtime::Engine;
use wasmtime::component::Component;

/// Compiled code that carries our own tag. Can be made in no other way than by checking it.
pub(super) struct Authenticated<'a>(&'a [u8]);

impl<'a> Authenticated<'a> {
    /// `None` unless `tag` is what [`tag`] gives for this name and code.
    pub(super) fn check(key: &hmac::Key, tag: &[u8], name: &str, code: &'a [u8]) -> Option<Self> {
        hmac::verify(key, &tagged(name, code), tag).ok()?;
        Some(Self(code))
    }
}

/// The tag over the file's name, which holds the component's digest and the engine's identity, and the
/// code: a file that was renamed does not pass for another.
pub(super) fn tag(key: &hmac::Key, name: &str, code: &[u8]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    context.update(&length(name));
    context.update(name.as_bytes());
    context.update(code);
    context.sign()
}

/// Makes a component of code that this daemon compiled itself.
///
/// # Safety of what happens here
///
/// `Component::deserialize` is unsafe because it takes the bytes for machine code (or, for the interpreter,
/// for bytecode that it does not check) and will run them as the daemon: bytes that wasmtime did not make
/// can do anything. It is sound to call it with what `Component::serialize` returned, whole and unchanged.
/// That is ensured thus:
///
/// - [`Authenticated`] can only be made by checking an HMAC-SHA256 under a key that only the daemon has. The
///   daemon makes such a tag in one place alone, over bytes that it has just got from `serialize`. So
///   whoever can forge the file has the daemon's keys already.
/// - The tag covers the name, and the name the SHA-256 of the component and the identity of the engine. A
///   genuine file of another component, or of an engine with other settings, does not pass.
/// - The bytes are checked and used in this process's own memory, and read from disk once. A file that
///   changes after it was read changes nothing.
/// - wasmtime itself then compares its version, its settings and the machine's features with those noted
///   in the code, and refuses what does not fit.
#[allow(unsafe_code)]
pub(super) fn deserialize(
    engine: &Engine,
    code: &Authenticated<'_>,
) -> wasmtime::Result<Component> {
    // SAFETY: see above; the type's only constructor has checked that the bytes are our own.
    unsafe { Component::deserialize(engine, code.0) }
}

fn length(name: &str) -> [u8; 8] {
    (name.len() as u64).to_be_bytes()
}

fn tagged(name: &str, code: &[u8]) -> Vec<u8> {
    [&length(name)[..], name.as_bytes(), code].concat()
}
