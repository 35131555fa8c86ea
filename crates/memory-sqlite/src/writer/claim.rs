//! Who has the say over a job: the writer, or the caller who gave it up.

use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// Nobody has begun it.
const WAITING: u8 = 0;
/// The writer runs it.
const RUNNING: u8 = 1;
/// The writer ran it and keeps what it did: only the commit is left.
const KEPT: u8 = 2;
/// The caller gave it up: it does not run, or what it did is undone.
const GIVEN_UP: u8 = 3;

/// The state of a job, moved by compare-and-swap from both sides. So a caller who was told `Busy`
/// or `Timeout`, or who went away in time, is certain that nothing was written.
#[derive(Debug, Default)]
pub(crate) struct Claim {
    state: AtomicU8,
    started: OnceLock<Instant>,
}

impl Claim {
    /// The writer begins; `false` if the caller gave up before.
    pub(crate) fn start(&self) -> bool {
        let _ = self.started.set(Instant::now());
        self.swap(WAITING, RUNNING)
    }

    /// The writer ran it and wants to keep what it did; `false` if the caller gave up meanwhile.
    pub(crate) fn keep(&self) -> bool {
        self.swap(RUNNING, KEPT)
    }

    /// The caller gives up while it waits; `false` if it runs already.
    pub(crate) fn withdraw(&self) -> bool {
        self.swap(WAITING, GIVEN_UP)
    }

    /// The caller gives up while it runs; `false` if what it did is kept already.
    pub(crate) fn undo(&self) -> bool {
        self.swap(RUNNING, GIVEN_UP)
    }

    /// When the writer began.
    pub(crate) fn started(&self) -> Option<Instant> {
        match self.state.load(SeqCst) {
            WAITING => None,
            _ => self.started.get().copied(),
        }
    }

    fn swap(&self, from: u8, to: u8) -> bool {
        self.state
            .compare_exchange(from, to, SeqCst, SeqCst)
            .is_ok()
    }
}

/// The caller's side: who drops it has given the job up, if it is not too late.
#[derive(Debug, Default)]
pub(crate) struct Ticket(pub(crate) Arc<Claim>);

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.0.withdraw() {
            self.0.undo();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Claim, Ticket};

    #[test]
    fn what_was_given_up_does_not_begin() {
        let claim = Claim::default();
        assert!(claim.withdraw());
        assert!(!claim.start());
    }

    #[test]
    fn what_runs_can_be_undone_but_no_longer_withdrawn() {
        let claim = Claim::default();
        assert!(claim.start());
        assert!(!claim.withdraw());
        assert!(claim.undo());
        assert!(!claim.keep());
    }

    #[test]
    fn what_is_kept_stays() {
        let ticket = Ticket::default();
        let claim = ticket.0.clone();
        assert!(claim.start() && claim.keep());
        drop(ticket);
        assert!(!claim.undo() && !claim.withdraw());
    }
}
