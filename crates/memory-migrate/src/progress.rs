use std::time::{Duration, Instant};

use serde::{Serialize, Serializer};

/// Is told how far a transfer or a verification is, after each batch.
pub type OnProgress<'a> = &'a mut (dyn FnMut(&Progress<'_>) + Send);

/// Takes progress and does nothing with it.
pub fn silent(_: &Progress<'_>) {}

/// How far a transfer or a verification is.
#[derive(Debug, Clone, Serialize)]
pub struct Progress<'a> {
    /// What is being done.
    pub phase: Phase,
    /// The table at hand.
    pub table: &'a str,
    /// Rows of that table that are done.
    pub table_done: u64,
    /// Rows of that table.
    pub table_total: u64,
    /// Rows that are done in this phase.
    pub done: u64,
    /// Rows of this phase.
    pub total: u64,
    /// Rows of those done that an earlier command of the run had carried: where it is more than none,
    /// this one goes on from a checkpoint.
    pub resumed: u64,
    /// Rows per second in this phase so far.
    pub rows_per_second: f64,
    /// How long this phase will still take at that speed, in seconds; unknown at the beginning.
    #[serde(rename = "eta_seconds", serialize_with = "seconds")]
    pub eta: Option<Duration>,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Rows are read, converted and written.
    Carrying,
    /// Rows are read back and compared.
    Verifying,
    /// Rows are read and written to a file.
    Exporting,
}

#[expect(clippy::ref_option, reason = "serde hands the field over by reference")]
fn seconds<S: Serializer>(eta: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    eta.map(|eta| eta.as_secs()).serialize(serializer)
}

/// Counts rows of one phase and tells the callback.
pub(crate) struct Meter<'a> {
    phase: Phase,
    tables: Vec<(String, u64, u64)>,
    done: u64,
    resumed: u64,
    total: u64,
    began: Instant,
    callback: OnProgress<'a>,
}

impl<'a> Meter<'a> {
    /// Begins a phase over tables with their rows.
    pub(crate) fn begin(
        phase: Phase,
        tables: Vec<(String, u64)>,
        callback: OnProgress<'a>,
    ) -> Meter<'a> {
        let tables: Vec<_> = tables
            .into_iter()
            .map(|(name, rows)| (name, rows, 0))
            .collect();
        Meter {
            phase,
            total: tables.iter().map(|(_, rows, _)| rows).sum(),
            tables,
            done: 0,
            resumed: 0,
            began: Instant::now(),
            callback,
        }
    }

    /// Counts rows of a table as done by an earlier command, and says so.
    pub(crate) fn pass(&mut self, table: usize, rows: u64) {
        self.resumed += rows;
        self.add(table, rows);
    }

    /// Counts rows of a table as done, and says so.
    pub(crate) fn add(&mut self, table: usize, rows: u64) {
        let Some((name, table_total, table_done)) = self.tables.get_mut(table) else {
            return;
        };
        *table_done += rows;
        self.done += rows;
        let elapsed = self.began.elapsed();
        let rows_per_second = rate(self.done - self.resumed, elapsed);
        let left = self.total.saturating_sub(self.done);
        (self.callback)(&Progress {
            phase: self.phase,
            table: name,
            table_done: *table_done,
            table_total: *table_total,
            done: self.done,
            total: self.total,
            resumed: self.resumed,
            rows_per_second,
            eta: time_for(left, rows_per_second),
        });
    }

    /// Rows that were done since the phase began.
    pub(crate) fn done_now(&self) -> u64 {
        self.done - self.resumed
    }

    /// How long the phase has taken so far.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

/// Rows per second; 0 before any time has passed.
#[expect(
    clippy::cast_precision_loss,
    reason = "a speed for people; 53 bits of rows are enough"
)]
pub(crate) fn rate(rows: u64, elapsed: Duration) -> f64 {
    let seconds = elapsed.as_secs_f64();
    if seconds > 0.0 {
        rows as f64 / seconds
    } else {
        0.0
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "an estimate for people; 53 bits of rows are enough"
)]
fn time_for(rows: u64, rows_per_second: f64) -> Option<Duration> {
    (rows_per_second > 0.0)
        .then(|| Duration::try_from_secs_f64(rows as f64 / rows_per_second).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::{Meter, Phase};

    #[test]
    fn progress_adds_up_per_table_and_in_total() {
        let mut seen = Vec::new();
        let mut callback = |progress: &super::Progress<'_>| {
            seen.push((
                progress.table.to_owned(),
                progress.table_done,
                progress.table_total,
                progress.done,
                progress.total,
            ));
        };
        let tables = vec![("a".to_owned(), 3), ("b".to_owned(), 2)];
        let mut meter = Meter::begin(Phase::Carrying, tables, &mut callback);
        meter.add(0, 2);
        meter.add(1, 2);
        meter.add(0, 1);
        assert_eq!(
            seen,
            [
                ("a".to_owned(), 2, 3, 2, 5),
                ("b".to_owned(), 2, 2, 4, 5),
                ("a".to_owned(), 3, 3, 5, 5),
            ]
        );
    }
}
