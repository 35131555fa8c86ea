use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use memory_core::migrate::{Phase, Progress};

use crate::outcome::tell;

/// How often a line of progress is written.
const INTERVAL: Duration = Duration::from_secs(1);

/// Shows progress: a bar on a terminal, JSON lines with `--json`, else nothing.
pub(crate) enum Display {
    /// A bar per phase.
    Bar(Option<(Phase, ProgressBar)>),
    /// One JSON line a second; when the last one was written.
    Lines(Option<Instant>),
    /// Nothing: standard error is a file or a pipe that people read later.
    Nothing,
}

impl Display {
    /// Chooses by `--json` and by what standard error is.
    pub(crate) fn new(json: bool) -> Display {
        if json {
            Display::Lines(None)
        } else if stderr().is_terminal() {
            Display::Bar(None)
        } else {
            Display::Nothing
        }
    }

    /// Shows how far it is.
    pub(crate) fn show(&mut self, progress: &Progress<'_>) {
        match self {
            Display::Bar(bar) => show_bar(bar, progress),
            Display::Lines(last) => {
                let due = last.is_none_or(|last| last.elapsed() >= INTERVAL);
                if due && let Ok(line) = serde_json::to_string(progress) {
                    *last = Some(Instant::now());
                    tell(&format!("{line}\n"));
                }
            }
            Display::Nothing => {}
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Display::Bar(Some((_, bar))) = self {
            bar.finish_and_clear();
        }
    }
}

fn show_bar(current: &mut Option<(Phase, ProgressBar)>, progress: &Progress<'_>) {
    if current
        .as_ref()
        .is_none_or(|(phase, _)| *phase != progress.phase)
    {
        if let Some((_, bar)) = current.take() {
            bar.finish_and_clear();
        }
        *current = Some((progress.phase, new_bar(progress)));
    }
    if let Some((_, bar)) = current {
        bar.set_message(message(progress));
        bar.set_position(progress.done);
    }
}

/// `2500 rows/s, 9 s left, relationships 2000/11814`.
fn message(progress: &Progress<'_>) -> String {
    let left = match progress.eta {
        Some(eta) => format!("{} s left, ", eta.as_secs()),
        None => String::new(),
    };
    let resumed = match progress.resumed {
        0 => String::new(),
        rows => format!("going on from a checkpoint after {rows} rows, "),
    };
    format!(
        "{resumed}{:.0} rows/s, {left}{} {}/{}",
        progress.rows_per_second, progress.table, progress.table_done, progress.table_total
    )
}

fn new_bar(progress: &Progress<'_>) -> ProgressBar {
    let bar = ProgressBar::new(progress.total);
    let template = "{prefix} [{bar:30}] {pos}/{len} rows, {msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_prefix(match progress.phase {
        Phase::Carrying => "carrying ",
        Phase::Verifying => "verifying",
        Phase::Exporting => "exporting",
    });
    bar
}
