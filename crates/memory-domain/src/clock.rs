use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::{InvalidInput, Timestamp};

/// Tells the time. Verbs get moments as arguments; only the facade holds a clock.
pub trait Clock: Send + Sync {
    /// The moment now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    fn now(&self) -> Timestamp {
        chrono::Utc::now().into()
    }
}

/// A clock that stands still until it is moved, for tests.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Makes a clock that shows `start`.
    pub fn new(start: Timestamp) -> ManualClock {
        ManualClock(AtomicI64::new(start.micros()))
    }

    /// Moves the clock on.
    ///
    /// # Errors
    /// The clock does not pass the year 9999.
    pub fn advance(&self, by: Duration) -> Result<(), InvalidInput> {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        let then = Timestamp::from_micros(self.now().micros().saturating_add(micros))?;
        self.0.store(then.micros(), Ordering::SeqCst);
        Ok(())
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst)).expect("only moments are stored")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Clock, ManualClock};
    use crate::Timestamp;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now(), clock.now());
        clock.advance(Duration::from_secs(1)).unwrap();
        assert_eq!(clock.now().micros(), 1_000_000);
        assert!(clock.advance(Duration::MAX).is_err());
    }
}
