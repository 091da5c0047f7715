//! What the kernel says of a process.

use std::time::Duration;

use e2e::Failure;

/// What a process has used since it started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// In user and kernel mode, all threads.
    pub(crate) cpu: Duration,
    /// How often its threads were woken from waiting.
    switches: u64,
}

impl Usage {
    /// Of a running process.
    pub(crate) fn of(pid: u32) -> Result<Self, Failure> {
        let stat = read(&format!("/proc/{pid}/stat"))?;
        // The name in parentheses may hold anything; fields are counted after it.
        let fields: Vec<&str> = stat
            .rsplit_once(')')
            .map(|(_, rest)| rest.split_whitespace().collect())
            .unwrap_or_default();
        let ticks = |at: usize| {
            fields
                .get(at)
                .and_then(|text| text.parse::<u64>().ok())
                .unwrap_or(0)
        };
        let a_second = rustix::param::clock_ticks_per_second();
        let cpu = Duration::from_millis((ticks(11) + ticks(12)) * 1000 / a_second.max(1));
        let mut switches = 0;
        let threads = std::fs::read_dir(format!("/proc/{pid}/task"))
            .map_err(|error| Failure::new("the daemon's threads can't be read").because(error))?;
        for thread in threads.flatten() {
            let status = read(&format!("{}/status", thread.path().display()))?;
            switches += field(&status, "voluntary_ctxt_switches:");
        }
        Ok(Self { cpu, switches })
    }

    /// What was used since then.
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(before.cpu),
            switches: self.switches.saturating_sub(before.switches),
        }
    }

    /// Wake-ups a second, over a time.
    pub(crate) fn switches_a_second(&self, time: Duration) -> f64 {
        let switches = u32::try_from(self.switches).unwrap_or(u32::MAX);
        f64::from(switches) / time.as_secs_f64()
    }

    /// What of the process is in memory now.
    pub(crate) fn resident_megabytes(pid: u32) -> Result<f64, Failure> {
        let status = read(&format!("/proc/{pid}/status"))?;
        let kilobytes = u32::try_from(field(&status, "VmRSS:")).unwrap_or(u32::MAX);
        Ok(f64::from(kilobytes) / 1024.0)
    }
}

fn field(status: &str, name: &str) -> u64 {
    status
        .lines()
        .find_map(|line| {
            line.strip_prefix(name)?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .unwrap_or(0)
}

fn read(path: &str) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::new(format!("{path} can't be read")).because(error))
}
