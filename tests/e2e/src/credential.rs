//! `LoadCredential=` as systemd does it: it connects from an end whose name says who asks for what, and reads.

use std::io::{self, Read as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use uuid::Uuid;

use crate::failure::{Failure, OrFail as _};

/// What systemd takes of a credential, in bytes.
pub const MOST: usize = 1 << 20;

/// What came, and how long that took.
#[derive(Debug)]
pub struct Loaded {
    /// One byte more than [`MOST`] where there was more.
    pub value: Vec<u8>,
    /// From the connection to the end.
    pub took: Duration,
}

/// Asks for a unit's credential.
///
/// # Errors
/// Nobody answers.
pub async fn load(socket: &Path, unit: &str, credential: &str) -> Result<Loaded, Failure> {
    let (name, at) = (end_of(unit, credential), socket.to_owned());
    let no_answer = || format!("{} does not answer", socket.display());
    tokio::task::spawn_blocking(move || ask(&name, &at))
        .await
        .or_fail(no_answer)?
        .or_fail(no_answer)
}

/// The name of the end that asks for a unit's credential.
pub fn end_of(unit: &str, credential: &str) -> Vec<u8> {
    // As systemd does: names of ends are the whole host's, so what tells two asks apart is drawn.
    let (random, _) = Uuid::new_v4().as_u64_pair();
    format!("{random:x}/unit/{unit}/{credential}").into_bytes()
}

/// What is sent to an end with this name, until it is closed. Blocks.
///
/// # Errors
/// Nobody listens, or the connection breaks.
pub fn ask(name: &[u8], socket: &Path) -> io::Result<Loaded> {
    let begun = Instant::now();
    let flags = SocketFlags::CLOEXEC;
    let end = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::bind(&end, &SocketAddrUnix::new_abstract_name(name)?)?;
    rustix::net::connect(&end, &SocketAddrUnix::new(socket)?)?;
    let mut stream = UnixStream::from(end);
    stream.shutdown(Shutdown::Write)?;
    let mut value = Vec::new();
    // No more than it could use, and one byte that tells that there is more.
    (&mut stream)
        .take(MOST as u64 + 1)
        .read_to_end(&mut value)?;
    Ok(Loaded {
        value,
        took: begun.elapsed(),
    })
}
