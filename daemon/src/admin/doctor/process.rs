//! Whether this process leaves its memory behind.

use rotord_api::catalogue::{CORE_DUMPS, MEMORY_CLOSED};
use rotord_api::doctor::DoctorFinding;
use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

use super::Looking;
use crate::admin::Shared;

const ABOUT: &str = "process";

pub(super) fn look(_: &Shared) -> Looking<'_> {
    let is_closed = dumpable_behavior().is_ok_and(|is| is == DumpableBehavior::NotDumpable);
    // None is no limit.
    let core = getrlimit(Resource::Core).current;
    let found = judge(is_closed, core);
    Box::pin(std::future::ready(vec![found]))
}

fn judge(is_closed: bool, core: Option<u64>) -> DoctorFinding {
    let core_is_off = core == Some(0);
    if is_closed && core_is_off {
        let message = "no core dumps, and closed to the debuggers of its user";
        return DoctorFinding::fine(&MEMORY_CLOSED, ABOUT, message);
    }
    let mut open = Vec::new();
    if !core_is_off {
        open.push(core.map_or_else(
            || "core dumps of any size are allowed".to_owned(),
            |bytes| format!("core dumps of up to {bytes} bytes are allowed"),
        ));
    }
    if !is_closed {
        open.push("other processes of its user can look into its memory".to_owned());
    }
    DoctorFinding::warning(&CORE_DUMPS, ABOUT, open.join(", and "))
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn only_without_dumps_and_debuggers_it_is_closed() {
        assert_eq!(judge(true, Some(0)).code, "memory-closed");
        for (is_closed, core, words) in [
            (true, None, "any size"),
            (true, Some(4096), "4096 bytes"),
            (false, Some(0), "look into its memory"),
        ] {
            let found = judge(is_closed, core);
            assert_eq!(found.code, "core-dumps");
            assert!(found.message.contains(words), "{}", found.message);
        }
    }
}
