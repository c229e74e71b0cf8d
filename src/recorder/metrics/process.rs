//! What the process itself uses, read from `/proc` at each scrape. Where there is no `/proc` the series stay at zero.

use std::fs;

use prometheus::{Counter, IntGauge, Registry};

use super::{declared, int_gauge, registered};

/// Clock ticks per second in `/proc`: a constant of the kernel's interface (USER_HZ) on the platforms we build for.
const TICKS_PER_SECOND: f64 = 100.0;

#[derive(Debug)]
pub(super) struct ProcessMetrics {
    cpu: Counter,
    open_fds: IntGauge,
    max_fds: IntGauge,
    resident: IntGauge,
    virtual_memory: IntGauge,
    threads: IntGauge,
}

impl ProcessMetrics {
    pub(super) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let cpu = Counter::new(declared::PROCESS_CPU.name, declared::PROCESS_CPU.help)?;
        let start = int_gauge(registry, &declared::PROCESS_START)?;
        start.set(start_seconds().unwrap_or_default());
        Ok(Self {
            cpu: registered(registry, cpu)?,
            open_fds: int_gauge(registry, &declared::PROCESS_OPEN_FDS)?,
            max_fds: int_gauge(registry, &declared::PROCESS_MAX_FDS)?,
            resident: int_gauge(registry, &declared::PROCESS_RESIDENT)?,
            virtual_memory: int_gauge(registry, &declared::PROCESS_VIRTUAL)?,
            threads: int_gauge(registry, &declared::PROCESS_THREADS)?,
        })
    }

    pub(super) fn refresh(&self) {
        if let Some(seconds) = cpu_seconds() {
            self.cpu.inc_by((seconds - self.cpu.get()).max(0.0));
        }
        if let Ok(entries) = fs::read_dir("/proc/self/fd") {
            // One of them is the directory that is being read.
            self.open_fds.set(i64::try_from(entries.count()).unwrap_or(i64::MAX).saturating_sub(1));
        }
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        if let Some(most) = line_number(&limits, "Max open files") {
            self.max_fds.set(most);
        }
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        for (gauge, name, unit) in
            [(&self.resident, "VmRSS:", 1024), (&self.virtual_memory, "VmSize:", 1024), (&self.threads, "Threads:", 1)]
        {
            if let Some(value) = line_number(&status, name) {
                gauge.set(value.saturating_mul(unit));
            }
        }
    }
}

/// The first number behind `name` at the start of a line.
fn line_number(text: &str, name: &str) -> Option<i64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// The numbers of `/proc/self/stat` behind the command, which may itself hold spaces and parentheses.
fn stat() -> Option<Vec<u64>> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    // What is no number (the state, negative priorities) keeps its place.
    Some(rest.split_whitespace().map(|number| number.parse().unwrap_or_default()).collect())
}

fn cpu_seconds() -> Option<f64> {
    // proc(5): utime and stime are the 14th and 15th field, the state behind the command is the third.
    let stat = stat()?;
    Some((stat.get(11)? + stat.get(12)?) as f64 / TICKS_PER_SECOND)
}

fn start_seconds() -> Option<i64> {
    let boot = line_number(&fs::read_to_string("/proc/stat").ok()?, "btime")?;
    // proc(5): starttime is the 22nd field.
    let ticks = *stat()?.get(19)? as f64;
    Some(boot + (ticks / TICKS_PER_SECOND) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_seen() {
        let registry = Registry::new();
        let process = ProcessMetrics::register(&registry).unwrap();
        process.refresh();
        assert!(process.resident.get() > 1_000_000);
        assert!(process.open_fds.get() > 0 && process.open_fds.get() <= process.max_fds.get());
        assert!(process.threads.get() >= 1);
        assert!(start_seconds().unwrap() > 1_600_000_000);
    }
}
