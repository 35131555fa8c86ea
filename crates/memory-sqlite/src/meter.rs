//! Counts of what connections did.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use memory_storage::PoolStats;

/// What happened since the store was opened: how many readers there were, and how long callers
/// waited for one or for the writer.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    opened: AtomicU64,
    closed: AtomicU64,
    in_use: AtomicU32,
    most_in_use: AtomicU32,
    waits: AtomicU64,
    timeouts: AtomicU64,
    waited_micros: AtomicU64,
    hops: AtomicU64,
}

impl Meter {
    /// Counts a connection as open until the guard is dropped.
    pub(crate) fn open(self: &Arc<Self>) -> Open {
        self.opened.fetch_add(1, Relaxed);
        Open(self.clone())
    }

    /// Counts a connection as used until the guard is dropped.
    pub(crate) fn using(self: &Arc<Self>) -> InUse {
        let now = self.in_use.fetch_add(1, Relaxed) + 1;
        self.most_in_use.fetch_max(now, Relaxed);
        InUse(self.clone())
    }

    /// Counts a caller that had to wait, and got what it waited for.
    pub(crate) fn waited(&self, time: Duration) {
        self.waits.fetch_add(1, Relaxed);
        self.add_wait(time);
    }

    /// Counts a caller that waited in vain.
    pub(crate) fn timed_out(&self, time: Duration) {
        self.waits.fetch_add(1, Relaxed);
        self.timeouts.fetch_add(1, Relaxed);
        self.add_wait(time);
    }

    fn add_wait(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.waited_micros.fetch_add(micros, Relaxed);
    }

    /// Counts a verb that left its task for a connection.
    pub(crate) fn hop(&self) {
        self.hops.fetch_add(1, Relaxed);
    }

    pub(crate) fn hops(&self) -> u64 {
        self.hops.load(Relaxed)
    }

    pub(crate) fn stats(&self) -> PoolStats {
        // `closed` first: a connection that is closed meanwhile then counts as open, not as −1.
        let closed = self.closed.load(Relaxed);
        let opened = self.opened.load(Relaxed);
        let open = u32::try_from(opened.saturating_sub(closed)).unwrap_or(u32::MAX);
        let in_use = self.in_use.load(Relaxed).min(open);
        PoolStats {
            opened,
            closed,
            open,
            idle: open - in_use,
            in_use,
            most_in_use: self.most_in_use.load(Relaxed),
            waits: self.waits.load(Relaxed),
            timeouts: self.timeouts.load(Relaxed),
            total_wait: Duration::from_micros(self.waited_micros.load(Relaxed)),
        }
    }
}

/// A connection that is open.
#[derive(Debug)]
pub(crate) struct Open(Arc<Meter>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.closed.fetch_add(1, Relaxed);
    }
}

/// A connection in use.
#[derive(Debug)]
pub(crate) struct InUse(Arc<Meter>);

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.in_use.fetch_sub(1, Relaxed);
    }
}
