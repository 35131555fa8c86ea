//! Who may come in, and who is still inside: what closing a store waits for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use memory_storage::StorageError;
use tokio::sync::Notify;

/// Lets work in until the store is closed, and counts it.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    inside: Mutex<Inside>,
    empty: Notify,
}

#[derive(Debug, Default)]
struct Inside {
    closed: bool,
    cut: bool,
    count: usize,
}

impl Gate {
    /// Lets one piece of work in.
    pub(crate) fn enter(self: &Arc<Self>) -> Result<Pass, StorageError> {
        let mut inside = self.lock();
        if inside.closed {
            return Err(StorageError::Closed);
        }
        inside.count += 1;
        Ok(Pass(self.clone()))
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Lets nobody in any more.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
    }

    /// Tells those inside that they are cut off.
    pub(crate) fn cut(&self) {
        self.lock().cut = true;
    }

    /// Waits until nobody is inside, and says whether that came to be in time.
    pub(crate) async fn emptied(&self, within: Duration) -> bool {
        let empty = async {
            loop {
                let mut notified = std::pin::pin!(self.empty.notified());
                // Registered before looking, so that the last one to leave is not missed.
                notified.as_mut().enable();
                if self.lock().count == 0 {
                    return;
                }
                notified.await;
            }
        };
        tokio::time::timeout(within, empty).await.is_ok()
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody is inside until it is dropped.
#[derive(Debug)]
pub(crate) struct Pass(Arc<Gate>);

impl Pass {
    /// Refuses to go on in what was cut off.
    pub(crate) fn check_cut(&self) -> Result<(), StorageError> {
        if self.0.lock().cut {
            return Err(StorageError::Closed);
        }
        Ok(())
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inside = self.0.lock();
        inside.count -= 1;
        if inside.count == 0 {
            self.0.empty.notify_waiters();
        }
    }
}
