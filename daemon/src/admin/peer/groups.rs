//! The supplementary groups of a peer: `SO_PEERGROUPS`, for which no safe wrapper exists.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Linux allows no more (`NGROUPS_MAX`).
const MOST: usize = 65_536;
/// Enough for nearly everyone.
const USUAL: usize = 32;

/// The groups that the process at the other end had when it connected, without the primary one.
pub(super) fn of_peer(socket: &impl AsFd) -> io::Result<Vec<u32>> {
    let mut groups = vec![0; USUAL];
    loop {
        let (result, length) = ask(socket, &mut groups);
        match result {
            Ok(()) => {
                groups.truncate(length);
                return Ok(groups);
            }
            // The kernel said how many there are.
            Err(error)
                if error.raw_os_error() == Some(libc::ERANGE)
                    && (groups.len() + 1..=MOST).contains(&length) =>
            {
                groups.resize(length, 0);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Fills the buffer; answers with the number of groups that there are.
fn ask(socket: &impl AsFd, groups: &mut [libc::gid_t]) -> (io::Result<()>, usize) {
    const SIZE: usize = size_of::<libc::gid_t>();
    // At most `MOST` groups of four bytes.
    let mut length = libc::socklen_t::try_from(groups.len() * SIZE).unwrap_or(0);
    // SAFETY: the descriptor is open for as long as `socket` is borrowed; the buffer holds `length` bytes, of
    // which the kernel writes at most that many, any bytes being valid numbers; `length` is written in place.
    #[expect(unsafe_code, reason = "no safe wrapper has this option")]
    let failed = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERGROUPS,
            groups.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    let result = if failed == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    };
    (result, length as usize / SIZE)
}
