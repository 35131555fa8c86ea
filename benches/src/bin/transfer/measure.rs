//! Running a program, and what it took.

use std::error::Error;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a program took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) seconds: f64,
    /// The most memory that it had at once; unknown where there is no `/proc`.
    pub(crate) peak_kilobytes: Option<u64>,
}

/// How often a program is looked at.
const INTERVAL: Duration = Duration::from_millis(5);

/// Runs a program to its end.
///
/// # Errors
/// It ended with another status than 0, and with what it said then.
pub(crate) fn measure(command: &mut Command) -> Result<Measured, Box<dyn Error>> {
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()?;
    let mut peak_kilobytes = None;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        // The system keeps the highest value, so the last look is enough.
        peak_kilobytes = peak(child.id()).or(peak_kilobytes);
        thread::sleep(INTERVAL);
    };
    let seconds = started.elapsed().as_secs_f64();
    if !status.success() {
        return Err(format!("{} ended with {status}", command.get_program().display()).into());
    }
    Ok(Measured {
        seconds,
        peak_kilobytes,
    })
}

fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// The median of the times in seconds; 0 of none.
pub(crate) fn median(measured: &[Measured]) -> f64 {
    let mut seconds: Vec<f64> = measured.iter().map(|one| one.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or_default()
}
