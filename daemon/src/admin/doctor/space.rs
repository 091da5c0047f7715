//! Whether there is room for what the next steps write.

use std::path::Path;

use rotord_api::catalogue::{DISK_FULL, DISK_LOW, DISK_READ_ONLY, DISK_ROOM, DISK_UNKNOWN};
use rotord_api::doctor::DoctorFinding;
use rustix::fs::{StatVfs, StatVfsMountFlags, statvfs};

use super::{Looking, off_thread};
use crate::admin::Shared;

const MIB: u64 = 1024 * 1024;
/// Below this a journal may not fit any more.
const FULL: u64 = 16 * MIB;
const LOW: u64 = 256 * MIB;
/// Files that a journal, a witness and a lock need, with some to spare.
const FULL_FILES: u64 = 16;
const LOW_FILES: u64 = 1024;

pub(super) fn look(daemon: &Shared) -> Looking<'_> {
    let directory = daemon.settings.now().state.directory.clone();
    off_thread("state directory", move || {
        vec![match statvfs(&directory) {
            Ok(seen) => judge(&directory, &Room::from(&seen)),
            Err(error) => {
                let message = format!("the room on its file system is not known: {error}");
                DoctorFinding::warning(&DISK_UNKNOWN, about(&directory), message)
            }
        }]
    })
}

/// What is left of a file system for users other than root.
struct Room {
    /// In bytes.
    free: u64,
    /// In bytes.
    total: u64,
    files: u64,
    /// 0 where the file system counts none.
    total_files: u64,
    is_read_only: bool,
}

impl From<&StatVfs> for Room {
    fn from(of: &StatVfs) -> Self {
        Self {
            free: of.f_bavail.saturating_mul(of.f_frsize),
            total: of.f_blocks.saturating_mul(of.f_frsize),
            files: of.f_favail,
            total_files: of.f_files,
            is_read_only: of.f_flag.contains(StatVfsMountFlags::RDONLY),
        }
    }
}

fn judge(directory: &Path, room: &Room) -> DoctorFinding {
    let about = about(directory);
    if room.is_read_only {
        let message = "its file system is mounted read-only";
        return DoctorFinding::problem(&DISK_READ_ONLY, about, message);
    }
    let bytes = format!("{} MiB of {} are free", room.free / MIB, room.total / MIB);
    let message = match room.total_files {
        0 => bytes,
        _ => format!("{bytes}, and {} files more can be made", room.files),
    };
    let is_below = |bytes, files| room.free < bytes || (room.total_files > 0 && room.files < files);
    if is_below(FULL, FULL_FILES) {
        DoctorFinding::problem(&DISK_FULL, about, message)
    } else if is_below(LOW, LOW_FILES) {
        DoctorFinding::warning(&DISK_LOW, about, message)
    } else {
        DoctorFinding::fine(&DISK_ROOM, about, message)
    }
}

fn about(directory: &Path) -> String {
    format!("file system of {}", directory.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_files_run_out_each_by_itself() {
        let room = |free: u64, files, total_files| Room {
            free: free * MIB,
            total: 1000 * MIB,
            files,
            total_files,
            is_read_only: false,
        };
        for (room, code) in [
            (room(900, 9000, 10_000), "disk-room"),
            (room(900, 0, 0), "disk-room"),
            (room(200, 9000, 10_000), "disk-low"),
            (room(900, 100, 10_000), "disk-low"),
            (room(15, 9000, 10_000), "disk-full"),
            (room(900, 3, 10_000), "disk-full"),
        ] {
            assert_eq!(judge(Path::new("/s"), &room).code, code);
        }
        let read_only = Room {
            is_read_only: true,
            ..room(900, 9000, 10_000)
        };
        assert_eq!(judge(Path::new("/s"), &read_only).code, "disk-read-only");
    }
}
