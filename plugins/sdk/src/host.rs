//! What the daemon lends a provider besides HTTP.

use crate::Timestamp;
use crate::bindings::rotor::provider::log;
use crate::bindings::wasi::clocks::wall_clock;
use crate::bindings::wasi::random::random;
use crate::http::Http;

pub use crate::bindings::rotor::provider::log::Level;

/// Everything that the daemon lends.
pub trait Host: Http + Clock + Random + Log {}

impl<T: Http + Clock + Random + Log> Host for T {}

/// The machine's own clock; prefer the service's, which answers carry.
pub trait Clock {
    /// Seconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> Timestamp;
}

/// Random bytes fit for keys.
pub trait Random {
    /// Fills the whole buffer.
    fn fill(&self, buffer: &mut [u8]);

    /// A random UUID (version 4), in its usual form.
    fn uuid(&self) -> String {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let hex = |range: std::ops::Range<usize>| {
            bytes[range]
                .iter()
                .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
        };
        [hex(0..4), hex(4..6), hex(6..8), hex(8..10), hex(10..16)].join("-")
    }
}

/// The daemon's log. Bounded in size and number; never for secrets.
pub trait Log {
    /// Writes one line.
    fn log(&self, level: Level, message: &str);
}

/// The daemon behind the component's imports.
#[derive(Debug, Clone, Copy)]
pub struct Imports;

impl Clock for Imports {
    fn now(&self) -> Timestamp {
        // The clock ends in the year 292 277 026 596.
        Timestamp::try_from(wall_clock::now().seconds).unwrap_or(Timestamp::MAX)
    }
}

impl Random for Imports {
    fn fill(&self, buffer: &mut [u8]) {
        let mut rest = buffer;
        while !rest.is_empty() {
            let bytes = random::get_random_bytes(rest.len() as u64);
            let count = bytes.len().min(rest.len());
            rest[..count].copy_from_slice(&bytes[..count]);
            rest = &mut rest[count..];
        }
    }
}

impl Log for Imports {
    fn log(&self, level: Level, message: &str) {
        log::write(level, message);
    }
}
