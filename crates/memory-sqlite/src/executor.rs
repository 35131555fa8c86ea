//! What runs the body of a verb: the store, or a unit of work.

use std::fmt::{self, Debug};

use diesel::sqlite::SqliteConnection;
use memory_storage::StorageError;

use crate::error::Failure;

/// Runs whole bodies of verbs, each in one hop. Each verb is written once over it.
///
/// A body is plain synchronous Diesel. What it is given is validated, and what it returns is what
/// the verb returns.
pub(crate) trait Executor: Send + Sync {
    /// Runs a body that only reads, and sees one state of the store.
    fn read<T, F>(
        &self,
        reading: Reading,
        body: F,
    ) -> impl Future<Output = Result<T, StorageError>> + Send
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static;

    /// Runs a body that writes: all that it did lasts, or on an error nothing. `step` says in an
    /// error what was being done.
    fn write<T, F>(
        &self,
        step: &'static str,
        body: F,
    ) -> impl Future<Output = Result<T, StorageError>> + Send
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, Failure> + Send + 'static;
}

/// How a body reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// What is being done, for an error.
    pub(crate) step: &'static str,
    /// Whether it has several statements, which must see one state.
    pub(crate) snapshot: bool,
    /// Whether its time grows with what is stored, so that it must not hold up the caller's
    /// thread, and is given up at the statement timeout.
    pub(crate) scan: bool,
}

impl Reading {
    /// One statement that an index makes quick.
    pub(crate) const fn of(step: &'static str) -> Reading {
        Reading {
            step,
            snapshot: false,
            scan: false,
        }
    }

    pub(crate) const fn snapshot(self) -> Reading {
        Reading {
            snapshot: true,
            ..self
        }
    }

    pub(crate) const fn scan(self, scan: bool) -> Reading {
        Reading { scan, ..self }
    }
}

/// The span of a verb.
pub(crate) fn span(step: &'static str) -> tracing::Span {
    tracing::debug_span!(target: "memory::verb", "verb", backend = "sqlite", verb = step)
}

/// Every verb of the contract, over what runs its body.
pub struct Sqlite<E>(pub(crate) E);

impl<E: Debug> Debug for Sqlite<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sqlite").field(&self.0).finish()
    }
}
