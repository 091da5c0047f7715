//! What the unit takes away, as far as a process can see it of itself.

use rotord_api::catalogue::{HARDENED, NOT_HARDENED, PROCESS_UNKNOWN, RUNS_AS_ROOT};
use rotord_api::doctor::DoctorFinding;

use super::{Looking, off_thread};
use crate::admin::Shared;

const ABOUT: &str = "process";
const STATUS: &str = "/proc/self/status";

pub(super) fn look(_: &Shared) -> Looking<'_> {
    off_thread(ABOUT, || match std::fs::read_to_string(STATUS) {
        Ok(status) => judge(&status),
        Err(error) => {
            let message = format!("{STATUS} can't be read: {error}");
            vec![DoctorFinding::warning(&PROCESS_UNKNOWN, ABOUT, message)]
        }
    })
}

fn judge(status: &str) -> Vec<DoctorFinding> {
    let field = |name: &str| {
        let value = status.lines().find_map(|line| line.strip_prefix(name));
        value.map(str::trim).unwrap_or_default()
    };
    let mut found = Vec::new();
    // Real, effective, saved, file system.
    if field("Uid:").split_whitespace().nth(1) == Some("0") {
        let message = "its effective user is root (0)";
        found.push(DoctorFinding::warning(&RUNS_AS_ROOT, ABOUT, message));
    }
    let mut missing = Vec::new();
    if field("NoNewPrivs:") != "1" {
        missing.push("it may gain privileges (NoNewPrivileges)".to_owned());
    }
    if field("Seccomp:") != "2" {
        missing.push("it may make any system call (SystemCallFilter)".to_owned());
    }
    for (name, setting) in [("CapEff:", "it has"), ("CapBnd:", "it could get")] {
        let capabilities = field(name);
        if capabilities.bytes().any(|digit| digit != b'0') {
            missing.push(format!(
                "{setting} the capabilities {capabilities} (CapabilityBoundingSet)"
            ));
        }
    }
    found.push(if missing.is_empty() {
        let message = "no new privileges, no capabilities, and only the system calls of its unit";
        DoctorFinding::fine(&HARDENED, ABOUT, message)
    } else {
        DoctorFinding::warning(&NOT_HARDENED, ABOUT, missing.join("; "))
    });
    found
}

#[cfg(test)]
mod tests {
    use super::judge;

    fn codes(status: &str) -> Vec<String> {
        judge(status).into_iter().map(|found| found.code).collect()
    }

    #[test]
    fn a_process_of_the_unit_is_told_from_one_by_hand() {
        let none = "0000000000000000";
        let unit = format!(
            "Name:\trotord\nUid:\t998\t998\t998\t998\nCapEff:\t{none}\nCapBnd:\t{none}\nNoNewPrivs:\t1\nSeccomp:\t2\n"
        );
        assert_eq!(codes(&unit), ["hardened"]);
        let by_hand = unit
            .replace("998", "0")
            .replace("NoNewPrivs:\t1", "NoNewPrivs:\t0");
        assert_eq!(codes(&by_hand), ["runs-as-root", "not-hardened"]);
        let drop_in = unit.replace("CapBnd:\t0000000000000000", "CapBnd:\t0000000000000400");
        let found = judge(&drop_in).remove(0);
        assert!(
            found.message.contains("0000000000000400") && !found.message.contains("gain"),
            "{}",
            found.message
        );
    }
}
